//! What requests may choose for one option.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::kubernetes::syntax::{Quantity, image_reference, split_tag};

/// What requests may choose for an option, besides its default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Rule {
    /// Anything that the engine accepts.
    Open,
    /// Nothing else: the option has the installation's default.
    Locked,
    /// One of these values.
    OneOf(Vec<Value>),
    /// At most this number, or this quantity such as `500m` or `2Gi`.
    Max(Value),
    /// Images of these repositories: `ghcr.io/acme/` allows every repository below it, `ghcr.io/acme/shop` this one.
    Images(Vec<String>),
    /// Of a map, entries with these keys only.
    Keys(Vec<String>),
    /// Of a map, at most so many entries.
    Entries(usize),
}

/// What a rule refuses.
pub(super) enum Refusal {
    /// The value of the option.
    Option(String),
    /// An entry of the map, by its key.
    Entry(String, String),
}

impl Rule {
    /// The name of the rule in a policy.
    pub fn name(&self) -> &'static str {
        match self {
            Rule::Open => "open",
            Rule::Locked => "locked",
            Rule::OneOf(_) => "oneOf",
            Rule::Max(_) => "max",
            Rule::Images(_) => "images",
            Rule::Keys(_) => "keys",
            Rule::Entries(_) => "entries",
        }
    }

    /// Reads a rule for the option with this schema.
    pub(super) fn read(given: &Value, schema: &Value) -> Result<Self, String> {
        let rule: Rule = serde_json::from_value(given.clone()).map_err(|_| {
            "is no rule; write open, locked, {oneOf: [..]}, {max: ..}, {images: [..]}, {keys: [..]} or {entries: ..}"
                .to_owned()
        })?;
        let is_object = schema.get("properties").is_some();
        let is_map =
            !is_object && schema.get("additionalProperties").is_some_and(|schema| *schema != Value::Bool(false));
        let fits = match &rule {
            Rule::Open | Rule::Locked => true,
            Rule::Keys(_) | Rule::Entries(_) => is_map,
            Rule::OneOf(values) => !is_object && !values.is_empty(),
            Rule::Max(Value::Number(_)) => has_type(schema, "integer"),
            Rule::Max(most) => has_type(schema, "string") && quantity(most).is_some(),
            Rule::Images(prefixes) => {
                let repository = |prefix: &String| image_reference(prefix.strip_suffix('/').unwrap_or(prefix)).is_ok();
                has_type(schema, "string") && !prefixes.is_empty() && prefixes.iter().all(repository)
            }
        };
        if fits { Ok(rule) } else { Err(format!("the rule {} does not fit this option", rule.name())) }
    }

    /// Checks a value that differs from the option's default.
    pub(super) fn check(&self, chosen: &Value, default: Option<&Value>) -> Result<(), Refusal> {
        let refused = |allowed: String| Err(Refusal::Option(allowed));
        match self {
            Rule::Open => Ok(()),
            Rule::Locked => refused(match default {
                Some(default) => format!("is set to {} by the installation", brief(default)),
                None => "is not open to requests".to_owned(),
            }),
            Rule::OneOf(values) if values.contains(chosen) => Ok(()),
            Rule::OneOf(values) => refused(format!("must be one of {}", brief(&Value::from(values.clone())))),
            Rule::Max(most) => {
                let within = match (chosen, most) {
                    (Value::Number(chosen), Value::Number(most)) => chosen.as_f64() <= most.as_f64(),
                    _ => match (quantity(chosen), quantity(most)) {
                        (Some(chosen), Some(most)) => chosen <= most,
                        // The engine refuses what is not a quantity; a default that limits must not be removed.
                        _ => !chosen.is_null(),
                    },
                };
                if within { Ok(()) } else { refused(format!("must be at most {}", brief(most))) }
            }
            Rule::Images(prefixes) => match chosen.as_str() {
                Some(image) if prefixes.iter().any(|prefix| is_image_of(image, prefix)) => Ok(()),
                _ => refused(format!("must be an image of {}", prefixes.join(" or "))),
            },
            Rule::Keys(keys) => {
                let changed = |key: &str, value: &Value| match default.and_then(|default| default.get(key)) {
                    Some(default) => default != value,
                    None => !value.is_null(),
                };
                let entries = chosen.as_object().or(default.and_then(Value::as_object));
                let mut entries = entries.into_iter().flatten();
                let chosen_value = |key: &str| chosen.get(key).unwrap_or(&Value::Null);
                match entries.find(|(key, _)| changed(key, chosen_value(key)) && !keys.contains(key)) {
                    None => Ok(()),
                    Some((key, _)) => Err(Refusal::Entry(
                        key.clone(),
                        match keys.as_slice() {
                            [] => "is not open to requests, which may set no entries here".to_owned(),
                            keys => format!("is not open to requests; these may set {}", keys.join(", ")),
                        },
                    )),
                }
            }
            Rule::Entries(most) => {
                let empty = serde_json::Map::new();
                let chosen = chosen.as_object().unwrap_or(&empty);
                let kept = default.and_then(Value::as_object).into_iter().flatten();
                let entries = chosen.values().filter(|value| !value.is_null()).count()
                    + kept.filter(|(key, _)| !chosen.contains_key(*key)).count();
                if entries <= *most {
                    Ok(())
                } else {
                    refused(format!("must have at most {most} entries, not {entries}"))
                }
            }
        }
    }
}

fn has_type(schema: &Value, name: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(only)) => only == name,
        Some(Value::Array(types)) => types.iter().any(|one| one == name),
        // Choices between schemas, e.g. a text or a number.
        _ => true,
    }
}

fn quantity(value: &Value) -> Option<Quantity> {
    serde_json::from_value(value.clone()).ok()
}

/// A value for a message, cut where it is long.
fn brief(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Whether an image is in the repository, or below the path that ends with `/`. Short names mean Docker Hub, as
/// container runtimes read them.
fn is_image_of(image: &str, prefix: &str) -> bool {
    let image = full_name(image);
    let prefix = full_name(prefix);
    if prefix.ends_with('/') {
        return image.starts_with(&prefix);
    }
    let repository = image.split_once('@').map_or(image.as_str(), |(name, _)| name);
    let (repository, _tag) = split_tag(repository);
    // A prefix with a tag or a digest allows that alone.
    repository == prefix || image == prefix
}

fn full_name(image: &str) -> String {
    match image.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => image.to_owned(),
        Some(_) => format!("docker.io/{image}"),
        None => format!("docker.io/library/{image}"),
    }
}
