//! On whose authority the options of a store are chosen.

use std::fmt;

use serde::{Deserialize, Serialize};

/// On whose authority the options of a store are chosen, from least to most. An installation's
/// [policy](crate::engine::OptionPolicy) says for each option what an operator and an administrator may choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Authority {
    /// Somebody who may create stores, and whom the installation does not trust with more than that.
    #[default]
    Operator,
    /// Somebody who administers all stores.
    Administrator,
    /// The people who run the installation, e.g. with direct access to the cluster. No policy applies to them.
    Installation,
}

impl Authority {
    /// Every authority, in order.
    pub const ALL: [Authority; 3] = [Authority::Operator, Authority::Administrator, Authority::Installation];

    /// As it is written in a policy and on record.
    pub fn as_str(self) -> &'static str {
        match self {
            Authority::Operator => "operator",
            Authority::Administrator => "administrator",
            Authority::Installation => "installation",
        }
    }

    /// The authority that is written like this.
    pub fn parse(text: &str) -> Option<Self> {
        Authority::ALL.into_iter().find(|authority| authority.as_str() == text)
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
