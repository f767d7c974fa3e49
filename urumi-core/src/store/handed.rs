//! Secret values that a request hands over.

use std::collections::BTreeMap;

use crate::secret::SecretString;

/// The name of the Secret, in a store's namespace, with the values that its request handed over.
pub const HANDED_SECRET: &str = "store-secrets";

/// Secret values that a request hands over, by the path of their option, e.g. `api.secretEnv.STRIPE_API_KEY`. `Debug` shows
/// the paths only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HandedSecrets(BTreeMap<String, SecretString>);

impl HandedSecrets {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there is a value for this path.
    pub(crate) fn contains(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    pub(crate) fn insert(&mut self, path: String, value: SecretString) {
        self.0.insert(path, value);
    }

    /// The values by path, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &SecretString)> {
        self.0.iter().map(|(path, value)| (path.as_str(), value))
    }
}
