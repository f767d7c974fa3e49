//! A secret value in options.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// A secret value that a request has handed over: the value itself is in a Secret of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handed;

impl Serialize for Handed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(true)
    }
}

impl<'de> Deserialize<'de> for Handed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Never an error that shows what was there instead.
        match Value::deserialize(deserializer)? {
            Value::Bool(true) => Ok(Handed),
            _ => Err(D::Error::custom("must be a secret value of the request")),
        }
    }
}

impl JsonSchema for Handed {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Handed".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1 })
    }
    fn inline_schema() -> bool {
        true
    }
}
