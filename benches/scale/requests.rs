//! How many requests the server has made, by the API server's audit log.

use std::path::Path;

use anyhow::{Context, Result};
use urumi_testing::audit;

/// How many requests of each sort were made; watches are left out.
#[derive(Clone, Copy, Default)]
pub(crate) struct Requests {
    /// Objects that were created.
    pub(crate) created: usize,
    /// Creations that were refused: with 409, somebody else was faster.
    pub(crate) refused: usize,
    /// Other requests that were refused: with 409, the record was changed at the same time.
    pub(crate) conflicts: usize,
    /// Reads and lists.
    pub(crate) reads: usize,
    /// Changes of records and objects.
    pub(crate) patches: usize,
    others: usize,
}

impl Requests {
    /// The server's requests that were logged from a position on.
    pub(crate) fn of(log: &Path, from: u64) -> Result<Requests> {
        let mut requests = Requests::default();
        let made = audit::requests(log, from).context("the audit log")?;
        // Renewals of the lease are no cost of stores.
        for made in made.iter().filter(|made| made.agent.starts_with("urumi-http/") && made.resource != "leases") {
            let count = match made.verb.as_str() {
                "create" if made.code >= 400 => &mut requests.refused,
                _ if made.code >= 400 => &mut requests.conflicts,
                "create" => &mut requests.created,
                "get" | "list" => &mut requests.reads,
                "patch" => &mut requests.patches,
                _ => &mut requests.others,
            };
            *count += 1;
        }
        Ok(requests)
    }

    pub(crate) fn total(self) -> usize {
        self.created + self.refused + self.conflicts + self.reads + self.patches + self.others
    }
}
