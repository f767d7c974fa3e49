//! From a request's options to complete ones: merged over the defaults, typed, checked.

use serde::Deserialize as _;
use serde_json::{Map, Value};
use serde_path_to_error::Segment;

use super::contract::{self, storefront_host};
use super::options::{
    DATABASE_PORT, Database, DatabaseMode, DatabaseServer, MedusaOptions, Redis, builtin, builtin_limits,
};
use super::validate;
use crate::engine::words;
use crate::error::FieldError;
use crate::store::{Options, StoreId};

/// The most bytes that resolved options may have as JSON: they are kept in an annotation of the store's namespace,
/// and all annotations of an object together may have 256 KiB.
pub(super) const MAX_BYTES: usize = 64 * 1024;

/// The fields of `database` that make sense in one mode only.
const DATABASE_FIELDS: [(&str, &[&str]); 3] =
    [("embedded", &["image", "storage", "resources"]), ("managed", &SERVERS), ("external", &["secret", "port"])];
/// The fields of `database` that only the installation sets: a Job runs with the administrator's password as they say.
const SERVERS: [&str; 2] = ["server", "formerServers"];
const TLS_CHOICES: [&str; 3] = ["secretName", "issuer", "clusterIssuer"];

/// Completes a request's options with `defaults`.
///
/// The request is merged over the defaults as a JSON merge patch (RFC 7396): objects field by field, everything else
/// as a whole, and null removes what is optional. A null that did remove a default stays in the result, so that
/// resolving the result again gives the same.
pub(super) fn resolve(
    defaults: &Options,
    request: &Options,
    id: &StoreId,
    default_domain: &str,
) -> Result<Options, Vec<FieldError>> {
    // More is refused below in any case; the steps until then would take long and find many errors.
    size(request)?;
    let mut errors = Vec::new();
    let removed = removals(request, defaults, &builtin(), &mut Vec::new(), &mut errors);
    let merged = merged(defaults, request, default_domain, &mut errors);
    let options = parse(merged, defaults, &mut errors);
    if let Some(options) = &options {
        errors.extend(validate::all(options, id));
    }
    errors.truncate(validate::MAX_ERRORS);
    let (Some(mut options), true) = (options, errors.is_empty()) else {
        return Err(errors);
    };
    if let Some(domain) = &options.domain {
        let host = storefront_host(id, domain);
        options.admin.email.get_or_insert_with(|| format!("admin@{host}"));
    }
    let resolved = match serde_json::to_value(&options) {
        Ok(Value::Object(resolved)) => resolved,
        Ok(_) => return Err(vec![FieldError::new("", "cannot be kept as JSON")]),
        Err(error) => return Err(vec![FieldError::new("", format!("cannot be kept as JSON: {error}"))]),
    };
    let resolved = removed.into_iter().fold(resolved, |mut resolved, path| {
        set(&mut resolved, &path, Value::Null);
        resolved
    });
    size(&resolved)?;
    Ok(resolved)
}

/// Checks an installation's defaults and completes them with the built-in ones. What only a request can know, such as
/// the Secret of an external database, may be missing.
pub(super) fn defaults(given: &Options) -> Result<Options, Vec<FieldError>> {
    let mut errors = Vec::new();
    let builtin = builtin();
    removals(given, &builtin, &builtin, &mut Vec::new(), &mut errors);
    let mut merged = builtin.clone();
    merge(&mut merged, given);
    let mut complete = merged.clone();
    complete_limits(&mut complete);
    if let Some(options) = parse(complete, &builtin, &mut errors) {
        errors.extend(validate::fields(&options));
        // Completed here, so that it can be compared with what a store's options say of it.
        if let Ok(Value::Object(database)) = serde_json::to_value(&options.database) {
            for (field, value) in database.into_iter().filter(|(field, _)| SERVERS.contains(&field.as_str())) {
                set(&mut merged, &["database".to_owned(), field], value);
            }
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    size(&merged)?;
    Ok(merged)
}

/// The installation's database servers, that of new stores first, from defaults that `defaults` made.
pub(super) fn servers(defaults: &Options) -> Vec<DatabaseServer> {
    let database = defaults.get("database").and_then(|database| Database::deserialize(database).ok());
    database.into_iter().flat_map(|database| database.server.into_iter().chain(database.former_servers)).collect()
}

/// Reads options that `resolve` made.
pub(super) fn read(resolved: &Options) -> Result<MedusaOptions, String> {
    let mut plain = Map::new();
    merge(&mut plain, resolved);
    serde_path_to_error::deserialize(Value::Object(plain)).map_err(|e| match e.path().to_string() {
        path if path == "." => e.into_inner().to_string(),
        path => format!("{path}: {}", e.into_inner()),
    })
}

/// Merges a request over defaults, and drops the defaults that the request's own choices rule out.
fn merged(defaults: &Options, request: &Options, default_domain: &str, errors: &mut Vec<FieldError>) -> Options {
    let mut merged = defaults.clone();
    let asked = |section: &str, field: &str| request.get(section)?.get(field).filter(|v| !v.is_null());

    if TLS_CHOICES.iter().any(|choice| asked("tls", choice).is_some()) {
        merged.remove("tls");
    }
    for part in ["api", "storefront"] {
        if asked(part, "replicas").is_some() && asked(part, "autoscaling").is_none() {
            remove(&mut merged, &[part.to_owned(), "autoscaling".to_owned()]);
        }
    }
    merge(&mut merged, request);
    merged.entry("domain").or_insert_with(|| Value::String(default_domain.to_owned()));
    complete_limits(&mut merged);

    if let Some(Value::Object(database)) = merged.get_mut("database") {
        let mode = database.get("mode").and_then(Value::as_str).unwrap_or_default().to_owned();
        for field in SERVERS {
            let installed = defaults.get("database").and_then(|database| database.get(field));
            if asked("database", field).is_some_and(|asked| Some(asked) != installed) {
                let message = "is the installation's to choose, in its defaults of the engine, and not a store's";
                errors.push(FieldError::new(format!("database.{field}"), message));
            }
        }
        let known = DATABASE_FIELDS.iter().any(|(name, _)| *name == mode);
        for (right, fields) in DATABASE_FIELDS.iter().filter(|(name, _)| known && *name != mode) {
            for field in *fields {
                if asked("database", field).is_some() && !SERVERS.contains(field) {
                    let message = format!("is only for database.mode {right}, and the mode is {mode}");
                    errors.push(FieldError::new(format!("database.{field}"), message));
                }
                database.remove(*field);
            }
        }
        // No store's own: the record says which of them is the store's.
        database.remove("formerServers");
        if mode == "external" {
            database.entry("port").or_insert_with(|| DATABASE_PORT.into());
        }
    }
    merged
}

fn complete_limits(options: &mut Options) {
    if let Some(Value::Object(limits)) = options.get_mut("limits") {
        let given = std::mem::replace(limits, builtin_limits());
        merge(limits, &given);
    }
}

/// A JSON merge patch (RFC 7396).
fn merge(base: &mut Options, over: &Options) {
    for (key, value) in over {
        match value {
            Value::Null => {
                base.remove(key);
            }
            Value::Object(over) => {
                let slot = base.entry(key.as_str()).or_insert_with(|| Value::Object(Map::new()));
                if !slot.is_object() {
                    *slot = Value::Object(Map::new());
                }
                if let Value::Object(slot) = slot {
                    merge(slot, over);
                }
            }
            other => {
                base.insert(key.clone(), other.clone());
            }
        }
    }
}

/// The paths at which `request` removes a default by null; complains where that default cannot be missing.
fn removals(
    request: &Options,
    defaults: &Options,
    needed: &Options,
    path: &mut Vec<String>,
    errors: &mut Vec<FieldError>,
) -> Vec<Vec<String>> {
    let none = Map::new();
    let mut removed = Vec::new();
    for (key, value) in request {
        path.push(key.clone());
        let below = |map: &Options| map.get(key).and_then(Value::as_object).cloned();
        match value {
            Value::Null if needed.contains_key(key) => {
                errors.push(FieldError::new(path.join("."), "must not be null; leave it out to take the default"));
            }
            Value::Null if defaults.contains_key(key) => removed.push(path.clone()),
            Value::Object(request) => {
                if let Some(defaults) = below(defaults) {
                    let needed = below(needed).unwrap_or_else(|| none.clone());
                    removed.extend(removals(request, &defaults, &needed, path, errors));
                }
            }
            _ => {}
        }
        path.pop();
    }
    removed
}

/// Reads merged options. An error is noted and the field it is about set back to its default, so that the next one
/// is found too; nothing is returned only where that does not help.
fn parse(mut merged: Options, defaults: &Options, errors: &mut Vec<FieldError>) -> Option<MedusaOptions> {
    // Every round mends one field; the bound only keeps a request full of mistakes from costing much.
    for _ in 0..validate::MAX_ERRORS {
        let error = match serde_path_to_error::deserialize(&merged) {
            Ok(options) => return Some(options),
            Err(error) => error,
        };
        let mut path: Vec<String> = Vec::new();
        let mut in_list = false;
        for segment in error.path() {
            match segment {
                Segment::Map { key } => path.push(key.clone()),
                // A list is mended as a whole: without the wrong element, the places of the others would be wrong.
                _ => {
                    in_list = true;
                    break;
                }
            }
        }
        let mut field = error.path().to_string();
        let message = error.into_inner().to_string();
        let mut said = words::plain(&message);
        if let Some(missing) = message.strip_prefix("missing field `").and_then(|m| m.strip_suffix('`')) {
            field = if path.is_empty() { missing.to_owned() } else { format!("{field}.{missing}") };
            if !in_list {
                path.push(missing.to_owned());
            }
            said = "is required".into();
        }
        if errors.iter().all(|e| e.field != field) {
            errors.push(FieldError::new(field, said));
        }
        let changed = match path.split_last() {
            None => false,
            Some((last, parents)) => {
                let parent = parents.iter().try_fold(defaults, |map, key| map.get(key)?.as_object());
                match parent.and_then(|map| map.get(last)) {
                    Some(value) => set(&mut merged, &path, value.clone()),
                    None => remove(&mut merged, &path),
                }
            }
        };
        if !changed {
            return None;
        }
    }
    None
}

/// Sets the value at a path, making the objects on the way; says whether that changed anything.
pub(super) fn set(map: &mut Options, path: &[String], value: Value) -> bool {
    match path {
        [] => false,
        [last] => map.insert(last.clone(), value.clone()) != Some(value),
        [first, rest @ ..] => {
            let slot = map.entry(first.as_str()).or_insert_with(|| Value::Object(Map::new()));
            slot.as_object_mut().is_some_and(|map| set(map, rest, value))
        }
    }
}

/// Removes the value at a path; says whether there was one.
pub(super) fn remove(map: &mut Options, path: &[String]) -> bool {
    match path {
        [] => false,
        [last] => map.remove(last).is_some(),
        [first, rest @ ..] => map.get_mut(first).and_then(Value::as_object_mut).is_some_and(|map| remove(map, rest)),
    }
}

/// Refuses options that would not fit the store's record, by the field that has the most of them.
fn size(resolved: &Options) -> Result<(), Vec<FieldError>> {
    let bytes = |value: &Value| value.to_string().len();
    let total: usize = resolved.iter().map(|(key, value)| key.len() + 4 + bytes(value)).sum();
    if total <= MAX_BYTES {
        return Ok(());
    }
    let largest = resolved.iter().max_by_key(|(_, value)| bytes(value)).map_or("", |(key, _)| key.as_str());
    let message = format!(
        "has most of the options' {total} bytes; all options together may have {MAX_BYTES} bytes as JSON, since they \
         are kept in an annotation"
    );
    Err(vec![FieldError::new(largest, message)])
}

impl MedusaOptions {
    /// The store's own Redis, where it has one.
    pub(super) fn redis(&self) -> Option<&Redis> {
        let wanted = || self.api.most_replicas().get() > 1 && !self.api.sets(contract::api::REDIS_URL);
        self.redis.enabled.unwrap_or_else(wanted).then_some(&self.redis)
    }

    /// Whether the store has a database of its own.
    pub(super) fn is_embedded(&self) -> bool {
        self.database.mode == DatabaseMode::Embedded
    }
}
