//! A policy in the schema of an engine's options, for forms and for people.

use serde_json::{Map, Value, json};

use super::rule::Rule;
use crate::store::Authority;

/// The name of the extension with the rule of an option.
const POLICY: &str = "x-urumi-policy";
/// The name of the extension with the largest quantity of an option.
const MAXIMUM: &str = "x-urumi-maximum";

/// Describes the rules of all properties of an object; returns whether all of them are locked.
pub(super) fn properties<'a>(
    schema: &mut Map<String, Value>,
    path: &str,
    rule_of: &dyn Fn(&str) -> (&'a Rule, Authority),
) -> bool {
    let Some(Value::Object(members)) = schema.get_mut("properties") else { return false };
    let mut locked = true;
    for (name, property) in members {
        let Some(property) = property.as_object_mut() else { continue };
        let path = super::join(path, name);
        let (rule, lifted_by) = rule_of(&path);
        let is_locked = match property.contains_key("properties") {
            true => properties(property, &path, rule_of),
            false => *rule == Rule::Locked,
        };
        locked &= is_locked;
        if is_locked {
            property.insert("readOnly".into(), true.into());
        }
        if property.contains_key("properties") && !is_locked {
            continue;
        }
        let Some(text) = text(rule) else { continue };
        let (key, value) = match rule {
            Rule::Open | Rule::Locked | Rule::Images(_) => ("", Value::Null),
            Rule::OneOf(values) => ("enum", values.clone().into()),
            Rule::Max(most @ Value::Number(_)) => ("maximum", most.clone()),
            Rule::Max(most) => (MAXIMUM, most.clone()),
            Rule::Keys(keys) => ("propertyNames", json!({ "enum": keys })),
            Rule::Entries(most) => ("maxProperties", (*most).into()),
        };
        if !key.is_empty() {
            property.insert(key.into(), value);
        }
        property.insert(POLICY.into(), json!({"rule": rule.name(), "liftedBy": lifted_by.as_str(), "text": text}));
    }
    locked
}

fn text(rule: &Rule) -> Option<String> {
    Some(match rule {
        Rule::Open => return None,
        Rule::Locked => "Set by the installation.".to_owned(),
        Rule::OneOf(_) => "One of the values that the installation allows.".to_owned(),
        Rule::Max(most) => format!("At most {}.", most.as_str().map_or_else(|| most.to_string(), str::to_owned)),
        Rule::Images(prefixes) => format!("An image of {}.", prefixes.join(" or ")),
        Rule::Keys(keys) if keys.is_empty() => "No entries besides those of the installation.".to_owned(),
        Rule::Keys(keys) => format!("Entries with these keys: {}.", keys.join(", ")),
        Rule::Entries(most) => format!("At most {most} entries."),
    })
}

/// Who may choose what is refused, as the end of a message.
pub(super) fn lifted_by(by: Authority, path: &str, refused: Authority) -> String {
    match by {
        Authority::Administrator => "an administrator may choose another value".to_owned(),
        _ => format!("the policy of the installation can allow it ({refused}: {path})"),
    }
}
