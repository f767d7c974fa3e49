//! Times in whole seconds, as Kubernetes writes them.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

/// The time without its fraction of a second.
pub(crate) fn whole(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// Reads a time without its fraction of a second. Early versions of urumi wrote nanoseconds.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    Timestamp::deserialize(deserializer).map(whole)
}
