//! A number of replicas.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// A number of replicas, from 1 to 20.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Replicas(u8);

impl Replicas {
    /// The maximum.
    pub const MAX: u8 = 20;
    /// One.
    pub const ONE: Replicas = Replicas(1);

    /// Checks a number.
    ///
    /// # Errors
    /// When it is 0 or more than [`Replicas::MAX`].
    pub fn new(number: u64) -> Result<Self, String> {
        match u8::try_from(number) {
            Ok(number @ 1..=Self::MAX) => Ok(Replicas(number)),
            _ => Err(format!("must be 1 to {}, not {number}", Self::MAX)),
        }
    }

    /// The number.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Replicas {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Replicas;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a whole number from 1 to {}", Replicas::MAX)
            }
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Replicas, E> {
                Replicas::new(number).map_err(E::custom)
            }
            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Replicas, E> {
                match u64::try_from(number) {
                    Ok(number) => self.visit_u64(number),
                    Err(_) => Err(E::invalid_value(Unexpected::Signed(number), &self)),
                }
            }
        }
        deserializer.deserialize_u64(Reader)
    }
}

impl JsonSchema for Replicas {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Replicas".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": Self::MAX })
    }
    fn inline_schema() -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_are_one_to_twenty() {
        assert_eq!(Replicas::new(1).unwrap().get(), 1);
        assert_eq!(Replicas::new(20).unwrap().get(), 20);
        for number in [0, 21, 256, u64::MAX] {
            assert!(Replicas::new(number).unwrap_err().contains("1 to 20"));
        }
    }
}
