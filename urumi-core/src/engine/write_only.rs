//! Options that hand over secret values: maps that are `writeOnly` in the schema of an engine.

use serde_json::{Map, Value};

use crate::error::FieldError;
use crate::secret::{RedactedSecrets, SecretString};
use crate::store::{HandedSecrets, Options};

/// The longest value in bytes.
const LONGEST: usize = 32 * 1024;

/// Takes secret values out of options. `true` takes the place of each value, so that the options can be put on record and
/// shown. Options whose values were taken already stay as they are. A value that cannot be one is removed, and never part of
/// an error.
pub(super) fn take(schema: &Value, options: &mut Options, taken: &mut HandedSecrets, wrong: &mut Vec<FieldError>) {
    take_below("", schema, options, taken, wrong);
}

fn take_below(
    path: &str,
    schema: &Value,
    options: &mut Options,
    taken: &mut HandedSecrets,
    wrong: &mut Vec<FieldError>,
) {
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let Some(option) = options.get_mut(name) else { continue };
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let is_write_only = property.get("writeOnly") == Some(&Value::Bool(true));
        match option {
            Value::Object(entries) if is_write_only => entries.retain(|name, value| {
                let path = format!("{path}.{name}");
                match take_value(&path, value, taken) {
                    Ok(()) => true,
                    Err(message) => {
                        wrong.push(FieldError::new(path, message));
                        false
                    }
                }
            }),
            Value::Null => {}
            option if is_write_only => {
                wrong.push(FieldError::new(path, "must be an object of names and their values"));
                *option = Value::Object(Map::new());
            }
            Value::Object(options) => take_below(&path, property, options, taken, wrong),
            _ => {}
        }
    }
}

/// Puts `REDACTED` in the place of each value that was taken.
pub(super) fn redact(schema: &Value, options: &mut Options) {
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let Some(Value::Object(option)) = options.get_mut(name) else { continue };
        if property.get("writeOnly") == Some(&Value::Bool(true)) {
            for value in option.values_mut().filter(|value| !value.is_null()) {
                *value = RedactedSecrets::TEXT.into();
            }
        } else {
            redact(property, option);
        }
    }
}

fn take_value(path: &str, value: &mut Value, taken: &mut HandedSecrets) -> Result<(), String> {
    match std::mem::replace(value, Value::Bool(true)) {
        Value::String(text) if text.is_empty() => Err("must not be empty".into()),
        // Options that were shown and are sent again.
        Value::String(text) if text == RedactedSecrets::TEXT => {
            Err(format!("is {text}, which stands for a value that is not shown; give the value"))
        }
        Value::String(text) if text.contains('\0') => Err("must not contain a NUL character".into()),
        Value::String(text) if text.len() > LONGEST => {
            Err(format!("has {} bytes, at most {LONGEST} are allowed", text.len()))
        }
        Value::String(text) => {
            taken.insert(path.to_owned(), SecretString::new(text));
            Ok(())
        }
        Value::Bool(true) if taken.contains(path) => Ok(()),
        Value::Null => {
            *value = Value::Null;
            Ok(())
        }
        _ => Err("must be a text".into()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn taken(options: Value) -> (Value, HandedSecrets, Vec<String>) {
        let schema = json!({"properties": {"api": {"properties": {
            "secretEnv": {"type": "object", "writeOnly": true},
            "env": {"type": "object"},
        }}}});
        let mut options = options.as_object().cloned().unwrap();
        let (mut taken, mut wrong) = (HandedSecrets::default(), Vec::new());
        take(&schema, &mut options, &mut taken, &mut wrong);
        let again = options.clone();
        take(&schema, &mut options, &mut taken, &mut wrong);
        assert_eq!(options, again, "a second time changes nothing");
        (options.into(), taken, wrong.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn values_are_taken_and_their_names_stay() {
        let given = json!({"api": {"secretEnv": {"KEY": "canary", "OLD": null}, "env": {"A": "b"}}});
        let (options, secrets, wrong) = taken(given);
        assert_eq!(options, json!({"api": {"secretEnv": {"KEY": true, "OLD": null}, "env": {"A": "b"}}}));
        let secrets: Vec<_> =
            secrets.iter().map(|(path, value)| (path.to_owned(), value.reveal().to_owned())).collect();
        assert_eq!(secrets, [("api.secretEnv.KEY".to_owned(), "canary".to_owned())]);
        assert_eq!(wrong, Vec::<String>::new());
    }

    #[test]
    fn what_is_no_secret_value_is_refused_and_not_repeated() {
        let long = "canary".repeat(LONGEST);
        for wrong in [json!(""), json!("canary\0"), json!(["canary"]), json!(12), json!(false), json!(long)] {
            let (options, secrets, said) = taken(json!({"api": {"secretEnv": {"KEY": wrong}}}));
            assert_eq!(options, json!({"api": {"secretEnv": {}}}), "{said:?}");
            assert!(secrets.is_empty() && said.len() == 1 && said[0].starts_with("api.secretEnv.KEY: "), "{said:?}");
            assert!(!said[0].contains("canary"), "{said:?}");
        }
        let (options, _, said) = taken(json!({"api": {"secretEnv": "canary"}}));
        assert_eq!(options, json!({"api": {"secretEnv": {}}}));
        assert_eq!(said, ["api.secretEnv: must be an object of names and their values"]);
    }

    #[test]
    fn values_are_redacted_and_what_is_redacted_is_no_value() {
        let schema = json!({"properties": {"api": {"properties": {"secretEnv": {"writeOnly": true}}}}});
        let mut options = Options::from_iter([(
            "api".to_owned(),
            json!({"secretEnv": {"KEY": true, "OLD": null, "ODD": "canary"}, "env": {"A": "b"}}),
        )]);
        redact(&schema, &mut options);
        let shown = json!({"secretEnv": {"KEY": "REDACTED", "OLD": null, "ODD": "REDACTED"}, "env": {"A": "b"}});
        assert_eq!(options["api"], shown);
        let (_, secrets, said) = taken(json!({"api": {"secretEnv": {"KEY": "REDACTED"}}}));
        assert!(secrets.is_empty());
        assert_eq!(
            said,
            ["api.secretEnv.KEY: is REDACTED, which stands for a value that is not shown; give the value"]
        );
    }

    /// Nobody can put a name on record whose value is not there.
    #[test]
    fn a_name_without_its_value_is_refused() {
        let (_, _, said) = taken(json!({"api": {"secretEnv": {"KEY": true}}}));
        assert_eq!(said, ["api.secretEnv.KEY: must be a text"]);
    }
}
