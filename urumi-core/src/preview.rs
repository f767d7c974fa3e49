//! What would be, or what a repair would do: answers without any effect.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::object::Object;
use crate::plan::{Drift, Plan, Step};
use crate::store::{Options, StoreId, StoreUrls};

/// What a request for a store would make.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// The id that was asked for, or one that might be drawn.
    pub id: StoreId,
    /// The display name.
    pub name: String,
    /// The engine's name.
    pub engine: String,
    /// The namespace.
    pub namespace: String,
    /// Where the store would be reached.
    pub urls: StoreUrls,
    /// Its options, completed with the engine's defaults.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub options: Options,
    /// Every manifest, the namespace first; generated secrets are shown as `REDACTED`.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
    pub objects: Vec<Value>,
}

/// What a repair would do to one object. Generated secrets are never compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// What would be done.
    pub action: Repair,
    /// The object, e.g. `Deployment store-abc/medusa-api`.
    pub object: String,
    /// Every field that differs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Drift>,
}

/// What a repair does to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Repair {
    /// It is missing and would be made.
    Create,
    /// Fields of it would be set back.
    Repair,
}

/// A plan as differences.
pub(crate) fn differences(plan: Plan) -> Vec<Difference> {
    let difference = |step: Step| {
        let object = step.target().to_string();
        match step {
            Step::Create(_) | Step::CreateOnce(_) | Step::Copy { .. } => {
                Difference { action: Repair::Create, object, fields: Vec::new() }
            }
            Step::Repair(_, fields) => Difference { action: Repair::Repair, object, fields },
        }
    };
    plan.waves.into_iter().flatten().map(difference).collect()
}

/// A rendered object as it is shown: a Secret's `data` becomes `stringData`, which means the same, so that it can be
/// seen to be redacted.
pub(crate) fn shown(object: &Object) -> Value {
    use base64::Engine as _;
    let mut value = object.as_value().clone();
    if object.kind().kind != "Secret" {
        return value;
    }
    let decode = |value: &Value| {
        let bytes = base64::engine::general_purpose::STANDARD.decode(value.as_str()?).ok()?;
        String::from_utf8(bytes).ok().map(Value::String)
    };
    if let Some(object) = value.as_object_mut()
        && let Some(Value::Object(data)) = object.remove("data")
    {
        let texts: Map<String, Value> =
            data.iter().filter_map(|(key, value)| Some((key.clone(), decode(value)?))).collect();
        object.insert("stringData".into(), Value::Object(texts));
    }
    value
}
