//! A token in a saved login or in an issuer's answer.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use urumi_core::secret::SecretString;

/// A token that serializes in clear, unlike [`SecretString`]. `Debug` prints a placeholder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TokenText(pub(crate) SecretString);

impl Serialize for TokenText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.reveal())
    }
}

impl<'de> Deserialize<'de> for TokenText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| TokenText(SecretString::new(text)))
    }
}
