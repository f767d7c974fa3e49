//! Plans and manifests in the form that users see.

use serde_json::{Map, Value};

use super::{Plan, Step};
use crate::kubernetes::Object;
use crate::store::preview::{Difference, Repair};

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

/// A rendered object for display. A Secret's `data` becomes the equivalent `stringData`, which shows that it is redacted.
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
