//! Parses an engine's options from `--values FILE`, `--set path=value` and `--set-file path=FILE`.
//!
//! A value gets the type that the engine's schema defines at its path: a string option keeps `2` as a string. The engine
//! itself validates the values.

use std::io::Read as _;
use std::path::Path;

use serde_json::{Map, Value};
use urumi_core::error::FieldError;
use urumi_core::store::Options;

use crate::images;
use crate::schema::{Leaf, Node, ValueType};
use crate::yaml;

/// The maximum number of options listed in an error.
const MAX_NAMED: usize = 40;

/// Merges options in this order: the base, the files, each `--set`, each `--set-file`. Later values override earlier ones.
///
/// Without a schema (the engine is unknown), checks only the notation. Returns all errors together with the options that
/// could be parsed.
pub(crate) fn assemble(
    base: Options,
    schema: Option<&Value>,
    files: &[String],
    sets: &[String],
    set_files: &[String],
) -> (Options, Vec<FieldError>) {
    let mut options = base;
    let mut wrong = Vec::new();
    for file in files {
        match read_file(file) {
            Ok(values) => merge(&mut options, values),
            Err(message) => wrong.push(FieldError::new("--values", message)),
        }
    }
    let root = schema.map(Node::root);
    let sets = sets.iter().map(|set| Assignment::parse(set, "--set"));
    let set_files = set_files.iter().map(|set| Assignment::parse(set, "--set-file")?.of_file(root));
    for assignment in sets.chain(set_files) {
        let result = assignment.and_then(|assignment| match root {
            Some(root) => Ok((assignment.typed(root)?, assignment.path)),
            None => Ok((Value::String(assignment.value), assignment.path)),
        });
        match result {
            Ok((value, path)) => put(&mut options, &path, value),
            Err(error) => wrong.push(error),
        }
    }
    (options, wrong)
}

/// The text of a file, or of stdin for `-`.
pub(crate) fn text_of(file: &str) -> Result<String, String> {
    let text = if file == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(Path::new(file))
    };
    text.map_err(|e| format!("cannot read {file}: {e}"))
}

fn read_file(file: &str) -> Result<Options, String> {
    let text = text_of(file)?;
    // Every JSON document is a YAML document.
    match yaml::parse(&text).map_err(|e| format!("{file} is neither YAML nor JSON: {e}"))? {
        Value::Object(values) => Ok(values),
        Value::Null => Ok(Options::new()),
        _ => Err(format!("{file} must contain a map of options")),
    }
}

/// Overrides `base` with `over`: maps are merged, other values are replaced.
///
/// Not a JSON Merge Patch (RFC 7396), which would remove options that are null: null is a value, e.g. for "no TLS".
fn merge(base: &mut Options, over: Options) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Object(base)), Value::Object(over)) => merge(base, over),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

fn put(options: &mut Options, path: &[String], value: Value) {
    let Some((first, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        options.insert(first.clone(), value);
        return;
    }
    let entry = options.entry(first.clone()).or_insert(Value::Null);
    if !entry.is_object() {
        *entry = Value::Object(Map::new());
    }
    if let Value::Object(inner) = entry {
        put(inner, rest, value);
    }
}

/// Formats a path in the notation of `--set`: parts with special characters are quoted.
pub(crate) fn show_path(path: &[impl AsRef<str>]) -> String {
    let part = |part: &str| {
        if part.is_empty() || part.contains(['.', '"', '\\', '=']) {
            format!("\"{}\"", part.replace('\\', "\\\\").replace('"', "\\\""))
        } else {
            part.to_owned()
        }
    };
    path.iter().map(|p| part(p.as_ref())).collect::<Vec<_>>().join(".")
}

/// Parses the path of an option: `a.b."c.d"`.
pub(crate) fn path_of(text: &str, flag: &str) -> Result<Vec<String>, FieldError> {
    // As the path of an assignment.
    let assignment = Assignment::parse(&format!("{text}="), flag)?;
    match assignment.value.is_empty() {
        true => Ok(assignment.path),
        false => Err(FieldError::new(flag, format!("{text:?} has a value; write only path.to.option"))),
    }
}

/// A parsed `--set` or `--set-file`.
#[derive(Debug, PartialEq)]
struct Assignment {
    path: Vec<String>,
    value: String,
}

impl Assignment {
    /// Parses `a.b."c.d"=value`. A backslash escapes the next character; the first unquoted `=` ends the path.
    fn parse(text: &str, flag: &str) -> Result<Self, FieldError> {
        let shown: String = text.chars().take(80).collect();
        let bad = |message: &str| Err(FieldError::new(flag, format!("{shown:?} {message}")));
        let mut path = Vec::new();
        let mut part = String::new();
        let mut quoted_part = false;
        let mut in_quotes = false;
        let mut characters = text.chars();
        while let Some(c) = characters.next() {
            match c {
                '\\' => match characters.next() {
                    Some(next) => part.push(next),
                    None => return bad("ends in a backslash"),
                },
                '"' => {
                    in_quotes = !in_quotes;
                    quoted_part = true;
                }
                '.' | '=' if !in_quotes => {
                    if part.is_empty() && !quoted_part {
                        return bad("has an empty part in its path; write path.to.option=value");
                    }
                    path.push(std::mem::take(&mut part));
                    quoted_part = false;
                    if c == '=' {
                        return Ok(Assignment { path, value: characters.as_str().to_owned() });
                    }
                }
                other => part.push(other),
            }
        }
        if in_quotes { bad("has an unclosed quote") } else { bad("has no '='; write path.to.option=value") }
    }

    /// Replaces the value, a file's name, by the file's content: as a data URL if the option is one, otherwise as text.
    fn of_file(self, root: Option<Node<'_>>) -> Result<Self, FieldError> {
        let is_data_url = match root {
            Some(root) => self.node(root)?.is_some_and(Node::is_data_url),
            None => false,
        };
        let value = if is_data_url { images::data_url(&self.value) } else { text_of(&self.value) };
        let wrong = |message| FieldError::new(format!("options.{}", show_path(&self.path)), message);
        Ok(Assignment { value: value.map_err(wrong)?, path: self.path.clone() })
    }

    /// The value, converted to the type that the schema defines at the path.
    fn typed(&self, root: Node<'_>) -> Result<Value, FieldError> {
        // Below a place that accepts any value, no type is known.
        let Some(node) = self.node(root)? else { return Ok(guess(&self.value)) };
        typed(node, &self.value)
            .map_err(|message| FieldError::new(format!("options.{}", show_path(&self.path)), message))
    }

    /// The schema's node at the path. `None` below a node that accepts any value.
    fn node<'a>(&self, root: Node<'a>) -> Result<Option<Node<'a>>, FieldError> {
        let mut node = root;
        for (depth, name) in self.path.iter().enumerate() {
            let (above, here) =
                (self.path.get(..depth).unwrap_or_default(), self.path.get(..=depth).unwrap_or_default());
            let types = node.types();
            let within = types.iter().find_map(|type_| match type_ {
                ValueType::Object(fields) => fields.get(name),
                _ => None,
            });
            node = match within {
                Some(within) => within,
                None if types.iter().any(|s| matches!(s, ValueType::Any)) => return Ok(None),
                None => return Err(unknown(root, &types, above, here, name)),
            };
        }
        Ok(Some(node))
    }
}

fn unknown(root: Node<'_>, types: &[ValueType<'_>], above: &[String], here: &[String], name: &str) -> FieldError {
    let field = format!("options.{}", show_path(here));
    let mut known: Vec<&str> = Vec::new();
    for type_ in types {
        match type_ {
            ValueType::Object(fields) => known.extend(fields.names()),
            ValueType::List(_) => {
                let message = format!("{} is a list; set the whole list", show_path(above));
                return FieldError::new(field, message);
            }
            _ => {}
        }
    }
    if known.is_empty() {
        return FieldError::new(field, format!("{} contains no options", show_path(above)));
    }
    let closest = known
        .iter()
        .map(|candidate| (strsim::jaro_winkler(&name.to_lowercase(), &candidate.to_lowercase()), *candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let mut meant: Vec<String> =
        closest.map(|(_, c)| show_path(&[above, &[c.to_owned()]].concat())).into_iter().collect();
    if meant.is_empty() {
        let same_name = |leaf: &Leaf| leaf.path.last().is_some_and(|last| last == name);
        meant = root.leaves().into_iter().filter(same_name).map(|leaf| show_path(&leaf.path)).collect();
    }
    let place = if above.is_empty() { "options".to_owned() } else { format!("options in {}", show_path(above)) };
    let list = known.iter().take(MAX_NAMED).copied().collect::<Vec<_>>().join(", ");
    let meant = if meant.is_empty() { ".".to_owned() } else { format!("; did you mean {}?", meant.join(" or ")) };
    FieldError::new(field, format!("there is no such option{meant} The {place} are: {list}"))
}

/// Parses a value of unknown type: as JSON if it is valid JSON, otherwise as a string.
fn guess(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

fn typed(node: Node<'_>, text: &str) -> Result<Value, String> {
    let types = node.types();
    let mut refused = Vec::new();
    // Try strings last, because every value is also a string. `null` is one only if the option cannot be null.
    let takes_text = types.iter().any(|s| matches!(s, ValueType::String));
    if text == "null" && types.iter().any(|s| matches!(s, ValueType::Null)) {
        return Ok(Value::Null);
    }
    for type_ in types.iter().filter(|s| !matches!(s, ValueType::String | ValueType::Null)) {
        match typed_as(*type_, text) {
            Ok(value) => return Ok(value),
            Err(message) => refused.push(message),
        }
    }
    if takes_text {
        return Ok(Value::String(text.to_owned()));
    }
    // In a request, null removes an installation's default.
    if text == "null" {
        return Ok(Value::Null);
    }
    Err(refused.join("; or: "))
}

fn typed_as(type_: ValueType<'_>, text: &str) -> Result<Value, String> {
    let shown: String = text.chars().take(80).collect();
    match type_ {
        ValueType::String => Ok(Value::String(text.to_owned())),
        ValueType::Integer => {
            let number = text.parse::<i64>().map(Value::from).or_else(|_| text.parse::<u64>().map(Value::from));
            number.map_err(|_| format!("must be a whole number, not {shown:?}"))
        }
        ValueType::Number => match text.parse::<f64>().ok().and_then(serde_json::Number::from_f64) {
            Some(number) => Ok(Value::Number(number)),
            None => Err(format!("must be a number, not {shown:?}")),
        },
        ValueType::Boolean => match text {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(format!("must be true or false, not {shown:?}")),
        },
        ValueType::Null if text == "null" => Ok(Value::Null),
        ValueType::Null => Err(format!("must be null, not {shown:?}")),
        ValueType::List(items) => list(items, text),
        ValueType::Object(fields) => match serde_json::from_str(text) {
            Ok(Value::Object(map)) => Ok(Value::Object(map)),
            _ if fields.names().next().is_none() => {
                Err(format!("is a map: set each key with PATH.KEY=VALUE, or write a JSON object, not {shown:?}"))
            }
            _ => Err(format!(
                "is a group of options: set each of them by its path, or write a JSON object, not {shown:?}"
            )),
        },
        ValueType::Any => Ok(guess(text)),
    }
}

/// Parses a list: JSON, or values separated by commas.
fn list(items: Option<Node<'_>>, text: &str) -> Result<Value, String> {
    if text.trim_start().starts_with('[') {
        return match serde_json::from_str(text) {
            Ok(Value::Array(list)) => Ok(Value::Array(list)),
            Ok(_) => Err("must be a JSON list".to_owned()),
            Err(error) => Err(format!("must be a JSON list, or values separated by commas: {error}")),
        };
    }
    if text.is_empty() {
        return Ok(Value::Array(Vec::new()));
    }
    let entry = |text: &str| match items {
        Some(items) => typed(items, text),
        None => Ok(guess(text)),
    };
    text.split(',').map(entry).collect::<Result<Vec<_>, _>>().map(Value::Array)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "api": {"$ref": "#/$defs/Api", "default": {"replicas": 1, "image": "a:1"}},
                "ingress": {"type": "object", "additionalProperties": false, "properties": {
                    "annotations": {"type": "object", "additionalProperties": {"type": "string"}, "default": {}},
                    "class": {"type": ["string", "null"]},
                    "tls": {"anyOf": [{"$ref": "#/$defs/Tls"}, {"type": "null"}]},
                }},
                "ports": {"type": "array", "items": {"type": "integer"}},
                "origins": {"type": "array", "items": {"type": "string"}},
                "level": {"oneOf": [{"const": "low", "type": "string"}, {"const": "high", "type": "string"}]},
                "max": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
                "ratio": {"type": "number"},
                "anything": true,
                "logo": {"type": ["string", "null"], "format": "data-url"},
            },
            "$defs": {
                "Api": {"type": "object", "additionalProperties": false, "properties": {
                    "replicas": {"type": "integer", "description": "How many\npods."},
                    "image": {"type": "string"},
                    "debug": {"type": "boolean", "default": false},
                }},
                "Tls": {"type": "object", "properties": {"secret": {"type": "string"}}},
            },
        })
    }

    fn set(sets: &[&str]) -> Result<Value, String> {
        let sets: Vec<String> = sets.iter().map(|s| (*s).to_owned()).collect();
        let (options, wrong) = assemble(Options::new(), Some(&schema()), &[], &sets, &[]);
        if wrong.is_empty() {
            Ok(Value::Object(options))
        } else {
            Err(wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        }
    }

    #[test]
    fn values_take_the_type_of_their_option() {
        for (given, expected) in [
            ("api.replicas=2", json!({"api": {"replicas": 2}})),
            ("api.replicas=-2", json!({"api": {"replicas": -2}})),
            ("api.image=2", json!({"api": {"image": "2"}})),
            ("api.image=", json!({"api": {"image": ""}})),
            ("api.image=a=b", json!({"api": {"image": "a=b"}})),
            ("api.debug=true", json!({"api": {"debug": true}})),
            ("api={\"replicas\": 3}", json!({"api": {"replicas": 3}})),
            (
                "ingress.annotations.\"cert-manager.io/x\"=y",
                json!({"ingress": {"annotations": {"cert-manager.io/x": "y"}}}),
            ),
            (
                "ingress.annotations.cert-manager\\.io/x=1",
                json!({"ingress": {"annotations": {"cert-manager.io/x": "1"}}}),
            ),
            ("ingress.class=null", json!({"ingress": {"class": null}})),
            ("api.image=null", json!({"api": {"image": "null"}})),
            ("ingress.tls=null", json!({"ingress": {"tls": null}})),
            ("ingress.tls.secret=s", json!({"ingress": {"tls": {"secret": "s"}}})),
            ("ports=80,443", json!({"ports": [80, 443]})),
            ("ports=[80]", json!({"ports": [80]})),
            ("ports=", json!({"ports": []})),
            ("origins=1,b", json!({"origins": ["1", "b"]})),
            ("level=low", json!({"level": "low"})),
            ("max=5", json!({"max": 5})),
            ("max=50%", json!({"max": "50%"})),
            ("ratio=0.5", json!({"ratio": 0.5})),
            ("anything.at.all=[1]", json!({"anything": {"at": {"all": [1]}}})),
        ] {
            assert_eq!(set(&[given]), Ok(expected), "{given}");
        }
    }

    #[test]
    fn what_is_set_later_wins() {
        assert_eq!(
            set(&["api.replicas=1", "api.image=x", "api.replicas=2"]).unwrap(),
            json!({"api": {"image": "x", "replicas": 2}})
        );
        assert_eq!(set(&["api.image=x", "api={\"replicas\":2}"]).unwrap(), json!({"api": {"replicas": 2}}));
        assert_eq!(
            set(&["ingress.tls=null", "ingress.tls.secret=s"]).unwrap(),
            json!({"ingress": {"tls": {"secret": "s"}}})
        );
    }

    #[test]
    fn mistakes_say_what_would_be_right() {
        let mistakes = [
            "api.replicas",
            "=1",
            ".api=1",
            "api..x=1",
            "\"api=1",
            "api\\",
            "",
            "api.replicas=two",
            "api.replicas=1.5",
            "api.replicas=99999999999999999999",
            "api.debug=yes",
            "api.replica=1",
            "replicas=1",
            "nothing=1",
            "api.image.tag=1",
            "ports.0=1",
            "ports=80,x",
            "ports=[80",
            "api=1",
            "ingress.tls=1",
            "ingress.annotations=a",
            "ratio=NaN",
            "ratio=x",
            "ingress.annotatoins.x=1",
        ];
        let said: Vec<String> = mistakes.iter().map(|m| format!("{m}\n  {}", set(&[m]).unwrap_err())).collect();
        insta::assert_snapshot!(said.join("\n"));
    }

    #[test]
    fn all_mistakes_are_reported() {
        assert_eq!(set(&["api.debug=1", "ratio=x", "api.replicas=3"]).unwrap_err().lines().count(), 2);
    }

    #[test]
    fn the_options_of_a_schema_are_listed() {
        insta::assert_debug_snapshot!(Node::root(&schema()).leaves());
    }

    #[test]
    fn files_are_laid_over_each_other() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let files =
            [file("a.yaml", "api:\n  replicas: 1\n  image: x\n"), file("b.json", r#"{"api": {"replicas": 2}}"#)];
        let (options, wrong) = assemble(Options::new(), Some(&schema()), &files, &["api.debug=true".into()], &[]);
        assert_eq!(wrong, []);
        assert_eq!(Value::Object(options), json!({"api": {"replicas": 2, "image": "x", "debug": true}}));
        let files = [file("c.yaml", "ingress: {tls: {secret: s}}"), file("d.yaml", "ingress: {tls: null}")];
        let (options, wrong) = assemble(Options::new(), Some(&schema()), &files, &[], &[]);
        assert_eq!((Value::Object(options), wrong), (json!({"ingress": {"tls": null}}), Vec::new()));
        for bad in ["- a", "a: [", "text"] {
            let (_, wrong) = assemble(Options::new(), None, &[file("bad.yaml", bad)], &[], &[]);
            assert_eq!(wrong.len(), 1, "{bad}");
        }
    }

    #[test]
    fn an_option_is_what_a_file_holds() {
        let dir = tempfile::tempdir().unwrap();
        let given = |path: &str, content: &[u8]| {
            let file = dir.path().join("file");
            std::fs::write(&file, content).unwrap();
            let set = format!("{path}={}", file.to_str().unwrap());
            let (options, wrong) = assemble(Options::new(), Some(&schema()), &[], &["logo=x".into()], &[set]);
            wrong.first().map_or(Ok(options), |error| Err(error.to_string()))
        };
        let png = b"\x89PNG\r\n\x1a\n";
        assert_eq!(given("logo", png).unwrap()["logo"], "data:image/png;base64,iVBORw0KGgo=");
        assert_eq!(given("logo", b"<svg/>").unwrap()["logo"], "data:image/svg+xml;base64,PHN2Zy8+");
        assert_eq!(given("api.image", "ü\n".as_bytes()).unwrap()["api"]["image"], "ü\n");
        assert!(given("logo", b"GIF89a").unwrap_err().contains("is not a PNG"));
        assert!(given("api.image", png).unwrap_err().contains("cannot read"));
        assert!(given("lego", png).unwrap_err().contains("did you mean logo"));
        let (_, wrong) =
            assemble(Options::new(), Some(&schema()), &[], &[], &["logo=/no/such/file".into(), "logo".into()]);
        assert_eq!((wrong[0].field.as_str(), wrong[1].field.as_str()), ("options.logo", "--set-file"));
    }

    proptest! {
        #[test]
        fn a_path_that_is_shown_is_read_back(path in proptest::collection::vec("\\PC{0,12}", 1..5), value in "\\PC{0,20}") {
            let parsed = Assignment::parse(&format!("{}={value}", show_path(&path)), "--set");
            prop_assert_eq!(parsed, Ok(Assignment { path, value }));
        }

        #[test]
        fn any_text_is_answered(text in any::<String>()) {
            let _ = set(&[&text]);
        }

        #[test]
        fn a_text_option_keeps_any_text(text in any::<String>()) {
            prop_assert_eq!(set(&[&format!("api.image={text}")]).unwrap(), json!({"api": {"image": text}}));
        }

        #[test]
        fn a_number_is_kept(number in any::<i64>()) {
            prop_assert_eq!(set(&[&format!("api.replicas={number}")]).unwrap(), json!({"api": {"replicas": number}}));
        }
    }
}
