//! The reference of the options in docs/OPTIONS.md, made from the schema; `UPDATE_DOCS=1` writes it.

use std::fmt::Write as _;

use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::{Value, json};

use super::policy::{info, leaves};
use super::{MedusaEngine, options, resolve};
use crate::engine::{Engine, EngineInfo, EngineRegistry, RequestChange};
use crate::kubernetes::Kind;
use crate::plan::changes::{changes, immutable_field};
use crate::plan::manifests::manifests;
use crate::secret::RedactedSecrets;
use crate::store::{Authority, Options, StoreId, StoreName, StoreSpec};

const HEAD: &str = "\
# Options of a store

Generated from the engine's schema by `UPDATE_DOCS=1 cargo test -p urumi-core reference`; do not edit.

This page lists every option of the engine `medusa`, with its type, default, effect and an example. Set options when you
create a store: by `urumi create NAME --set PATH=VALUE`, in a YAML file for `--values`, or in `options` of `POST /stores`. A
file nests what a path separates by dots:

```yaml
api:
  replicas: 2 # --set api.replicas=2
```

The options of an existing store can be [changed](CHANGING.md), most of them while the shop stays open; *a change* says what that
restarts. An installation can set its own defaults for
new stores ([defaults](HTTP.md#defaults-of-an-installation)) and its own rules for who may set an option
([policy](POLICY.md)); this page shows the built-in ones. `urumi engines medusa` shows those of your installation. `null` as a
value, such as `--set ingress.className=null`, removes a default of your installation.

*Operators* and *administrators* are callers of a server with these [roles](AUTHORIZATION.md). Only the installation can set
an option that both may not set: in its file of defaults, or with `urumi` directly on the cluster, which no rule limits.
";

fn reference() -> String {
    let engine = info(&EngineRegistry::builtin());
    let mut out = HEAD.to_owned();
    let (mut toc, mut body) = (String::new(), String::new());
    let mut group = String::new();
    for (path, schema) in leaves(&engine.options) {
        let top = path.split('.').next().unwrap_or_default();
        if top != group {
            group = top.to_owned();
            writeln!(toc, "- [`{group}`](#{})", group.to_lowercase()).unwrap();
            writeln!(body, "\n## `{group}`").unwrap();
            if path != group {
                writeln!(body, "\n{}", text(&engine.options["properties"][&group], "description")).unwrap();
            }
        }
        if path != group {
            writeln!(body, "\n### `{path}`").unwrap();
        }
        let example = example(&path, &schema).unwrap_or_else(|| panic!("{path} needs an example in its schema"));
        writeln!(body, "\n{}\n", escaped(text(&schema, "description"))).unwrap();
        writeln!(body, "- Type: {}", type_of(&schema)).unwrap();
        writeln!(body, "- Default: {}", schema.get("default").map_or("none".into(), code)).unwrap();
        let [operators, administrators] =
            [Authority::Operator, Authority::Administrator].map(|authority| who(&engine, authority, &path));
        writeln!(body, "- A change: {}", effect(&path, &schema, &example)).unwrap();
        writeln!(body, "- Operators may set it: {operators}. Administrators: {administrators}.").unwrap();
        writeln!(body, "- Example: `{}`", argument(&path, &schema, &example)).unwrap();
    }
    write!(out, "\n{toc}{body}").unwrap();
    out
}

fn text<'a>(schema: &'a Value, key: &str) -> &'a str {
    schema[key].as_str().unwrap_or_default()
}

/// Text that Markdown would read as emphasis.
fn escaped(text: &str) -> String {
    text.replace('*', "\\*")
}

fn code(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{text}`"),
        other => format!("`{other}`"),
    }
}

/// Whether a schema has this type, among others.
fn is(schema: &Value, name: &str) -> bool {
    match &schema["type"] {
        Value::String(only) => only == name,
        types => types.as_array().into_iter().flatten().any(|one| one == name),
    }
}

/// The values of an enumeration.
fn choices(schema: &Value) -> Vec<&Value> {
    let alternatives = ["oneOf", "anyOf"].into_iter().filter_map(|union| schema[union].as_array()).flatten();
    let nested = alternatives.flat_map(choices);
    let own = schema["enum"].as_array().into_iter().flatten().chain(schema.get("const"));
    own.chain(nested).collect()
}

fn type_of(schema: &Value) -> String {
    let choices = choices(schema);
    if !choices.is_empty() {
        return choices.into_iter().map(code).collect::<Vec<_>>().join(", ");
    }
    if is(schema, "boolean") {
        return "`true`, `false`".into();
    }
    if is(schema, "integer") {
        return match (&schema["minimum"], &schema["maximum"]) {
            (Value::Number(least), Value::Number(most)) => format!("a whole number from {least} to {most}"),
            _ => "a whole number".into(),
        };
    }
    if is(schema, "array") {
        let items = &schema["items"];
        return match items["properties"].as_object() {
            Some(fields) => {
                let names: Vec<_> = fields.keys().map(|name| format!("`{name}`")).collect();
                format!("a list of objects with {}", names.join(", "))
            }
            None if is(items, "integer") => "a list of whole numbers".into(),
            None => "a list of strings".into(),
        };
    }
    if is(schema, "object") {
        return match schema["additionalProperties"].get("pattern") {
            Some(_) => "a map of quantities".into(),
            None => "a map of strings".into(),
        };
    }
    let kind = match (schema.get("pattern"), text(schema, "format")) {
        (_, "data-url") => "a data URL",
        (Some(_), _) => "a quantity",
        _ => "a string",
    };
    kind.into()
}

/// What the built-in policy lets a caller of this authority do.
fn who(engine: &EngineInfo, authority: Authority, path: &str) -> String {
    let rule = engine.policy.rule(authority, path);
    match serde_json::to_value(rule).unwrap() {
        Value::String(open) if open == "open" => "yes".into(),
        Value::String(_) => "no".into(),
        rule => match (&rule["max"], &rule["entries"]) {
            (Value::Null, Value::Null) => panic!("{path}: {rule} has no text"),
            (Value::Null, entries) => format!("at most {entries} entries"),
            (max, _) => format!("at most {}", code(max)),
        },
    }
}

/// What a change of an option does to a store, by the engine's own rendering before and after it.
fn effect(path: &str, schema: &Value, example: &Value) -> String {
    let engine = MedusaEngine::default();
    if path.starts_with("database.server") || path == "database.formerServers" {
        return "not by a store's request".into();
    }
    let before = needed(path);
    let mut after = with(&before, path, &handed(schema, example));
    if path == "database.mode" {
        after = needed("database.port");
    }
    let [before, after] = [before, after].map(|request| request.as_object().cloned().unwrap());
    let resolved = |request: &Options| resolve(&engine, Value::Object(request.clone()));
    let (Ok(options), Ok(changed)) = (resolved(&before), resolved(&after)) else { panic!("{path} is not accepted") };
    let spec = StoreSpec {
        id: StoreId::parse("shop").unwrap(),
        name: StoreName::parse("Shop").unwrap(),
        engine: MedusaEngine::NAME.into(),
        options,
        renderer: engine.renderer(),
    };
    let Ok(options) = engine.settle(&spec, &RequestChange::new(&before, &after), changed) else {
        return "refused; [what to do instead](CHANGING.md#what-cannot-be-changed)".into();
    };
    let next = StoreSpec { options, ..spec.clone() };
    let render = |spec: &StoreSpec| manifests(&engine, spec, &RedactedSecrets).unwrap();
    let (old, new) = (render(&spec), render(&next));
    let changes = changes(&old, &new);
    assert!(changes.iter().all(|change| immutable_field(change).is_none()), "{path} is neither changed nor refused");
    let mut components = engine.components(&next).unwrap();
    components.retain(|component| changes.iter().any(|change| change.restarts(component)));
    match components.iter().map(|component| format!("`{}`", component.name)).collect::<Vec<_>>().as_slice() {
        [] if changes.is_empty() => "without effect on objects".into(),
        [] if changes.iter().any(|change| change.reference().kind == Kind::of::<ConfigMap>()) => {
            "live: visitors see it within seconds, and nothing restarts".into()
        }
        [] => "without a restart".into(),
        names => format!("restarts {}", names.join(", ")),
    }
}

/// What else an option needs in a request.
fn needed(path: &str) -> Value {
    match path {
        "database.port" | "database.secret.key" => json!({"database": {"mode": "external", "secret": {"name": "db"}}}),
        "database.secret.name" => json!({"database": {"mode": "external", "secret": {"name": "db"}}}),
        path if path.starts_with("limits.") => json!({"limits": {}}),
        "api.autoscaling.min" | "api.autoscaling.cpu" => json!({"api": {"autoscaling": {"max": 4}}}),
        "storefront.autoscaling.min" | "storefront.autoscaling.cpu" => {
            json!({"storefront": {"autoscaling": {"max": 4}}})
        }
        _ => json!({}),
    }
}

/// The engine sees that a secret value was handed over, not the value.
fn handed(schema: &Value, example: &Value) -> Value {
    match schema["writeOnly"] == json!(true) {
        true => example.as_object().into_iter().flatten().map(|(key, _)| (key.clone(), json!(true))).collect(),
        false => example.clone(),
    }
}

/// A request with one more option.
fn with(request: &Value, path: &str, value: &Value) -> Value {
    let mut request = request.clone();
    let mut place = &mut request;
    for name in path.split('.') {
        place = &mut place[name];
    }
    *place = value.clone();
    request
}

/// A value to show: the schema's example, or one that differs from the default.
fn example(path: &str, schema: &Value) -> Option<Value> {
    // Requests are not above limits.
    let examples = schema["examples"].as_array().map(Vec::as_slice).unwrap_or_default();
    let chosen = if path.to_lowercase().contains("request") { examples.first() } else { examples.last() };
    let differs = |value: &&Value| Some(*value) != schema.get("default");
    match chosen {
        Some(chosen) => Some(chosen.clone()),
        None if is(schema, "boolean") => Some(json!(schema["default"] != json!(true))),
        None => {
            let choice = choices(schema).into_iter().filter(differs).find(|value| !value.is_null());
            choice.or_else(|| schema.get("default")).cloned()
        }
    }
}

/// The argument of `urumi create` that sets an option.
fn argument(path: &str, schema: &Value, example: &Value) -> String {
    if text(schema, "format") == "data-url" {
        return format!("--set-file {path}=logo.svg");
    }
    if let (Value::Object(map), true) = (example, schema["writeOnly"] == json!(true)) {
        let (key, _) = map.iter().next().expect("an entry");
        return format!("--set-file {path}.{key}=FILE");
    }
    let (path, value) = match example {
        Value::Object(map) if map.len() == 1 => {
            let (key, value) = map.iter().next().expect("an entry");
            let key = if key.contains('.') { format!("\"{key}\"") } else { key.clone() };
            (format!("{path}.{key}"), value.clone())
        }
        other => (path.to_owned(), other.clone()),
    };
    let value = match value {
        Value::String(text) if text.contains('\n') => return format!("--set-file {path}=ca.pem"),
        Value::String(text) => text,
        Value::Array(items) if !items.iter().any(Value::is_object) => {
            let plain = |item: &Value| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
            items.iter().map(plain).collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/:@,".contains(c);
    match path.chars().chain(value.chars()).all(plain) {
        true => format!("--set {path}={value}"),
        false => format!("--set '{path}={value}'"),
    }
}

#[test]
fn the_documented_options_are_those_of_the_schema() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/OPTIONS.md");
    let reference = reference();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(file, reference).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(file).unwrap_or_default();
    assert!(committed == reference, "docs/OPTIONS.md is out of date: UPDATE_DOCS=1 cargo test -p urumi-core reference");
}

/// The engine accepts each example of the schema, with what else the option needs.
#[test]
fn every_example_is_accepted() {
    let server = json!({"host": "postgres.databases.svc", "namespace": "databases", "secretName": "administrator"});
    let mut wrong = Vec::new();
    for (path, schema) in leaves(&info(&EngineRegistry::builtin()).options) {
        let Some(example) = example(&path, &schema) else { continue };
        // Shown without its middle.
        if path == "database.server.ca" {
            continue;
        }
        let needed = match path.as_str() {
            "database.port" | "database.secret.key" => json!({"mode": "external", "secret": {"name": "shop-database"}}),
            "database.secret.name" => json!({"mode": "external"}),
            "database.mode" | "database.formerServers" => json!({ "server": server }),
            path if path.starts_with("database.server.") => json!({ "server": server }),
            _ => json!({}),
        };
        let request = with(&json!({ "database": needed }), &path, &handed(&schema, &example));
        // A shared server is a default of the installation, never a request's choice.
        let errors = match request["database"].get("server") {
            Some(_) => crate::settings::engines(options(json!({ "medusa": request.clone() }))).map(drop),
            None => resolve(&MedusaEngine::default(), request.clone()).map(drop),
        };
        let errors = errors.err().unwrap_or_default();
        if errors.iter().any(|error| error.field.contains(&path)) {
            wrong.push(format!("{request}: {errors:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
