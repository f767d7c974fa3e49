//! Reads the paths and types of options from an engine's JSON Schema.

use serde::Serialize;
use serde_json::{Map, Value};

/// The maximum length of a chain of references. A longer chain is treated as circular.
const MAX_REFERENCES: usize = 16;
/// The maximum depth of listed options.
const MAX_DEPTH: usize = 16;

/// A subschema and the schema that its references resolve in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'a> {
    root: &'a Value,
    here: &'a Value,
}

/// A type that a value may have.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ValueType<'a> {
    String,
    Integer,
    Number,
    Boolean,
    Null,
    List(Option<Node<'a>>),
    Object(Fields<'a>),
    Any,
}

/// The fields of an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a> {
    root: &'a Value,
    known: Option<&'a Map<String, Value>>,
    others: Option<&'a Value>,
}

impl<'a> Fields<'a> {
    /// The schema of a field, or `None` if the field is not allowed.
    pub(crate) fn get(self, name: &str) -> Option<Node<'a>> {
        let here = self.known.and_then(|known| known.get(name)).or(self.others)?;
        Some(Node { root: self.root, here })
    }

    /// The names of the fields that the schema defines.
    pub(crate) fn names(self) -> impl Iterator<Item = &'a str> {
        self.known.into_iter().flatten().map(|(name, _)| name.as_str())
    }
}

impl<'a> Node<'a> {
    /// The root of a schema.
    pub(crate) fn root(schema: &'a Value) -> Self {
        Node { root: schema, here: schema }
    }

    fn at(self, here: &'a Value) -> Self {
        Node { here, ..self }
    }

    /// Follows references to the subschema that they refer to.
    fn resolved(self) -> Self {
        let mut node = self;
        for _ in 0..MAX_REFERENCES {
            let pointer = node.here.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix('#'));
            match pointer.and_then(|pointer| node.root.pointer(pointer)) {
                Some(target) => node = node.at(target),
                None => return node,
            }
        }
        node
    }

    /// All types that a value may have here.
    pub(crate) fn types(self) -> Vec<ValueType<'a>> {
        self.types_within(MAX_REFERENCES)
    }

    fn types_within(self, depth: usize) -> Vec<ValueType<'a>> {
        let node = self.resolved();
        let Some(depth) = depth.checked_sub(1) else { return vec![ValueType::Any] };
        for union in ["anyOf", "oneOf", "allOf"] {
            if let Some(branches) = node.here.get(union).and_then(Value::as_array) {
                return branches.iter().flat_map(|branch| node.at(branch).types_within(depth)).collect();
            }
        }
        let named = match node.here.get("type") {
            Some(Value::String(name)) => vec![node.named_type(name)],
            Some(Value::Array(names)) => {
                names.iter().filter_map(Value::as_str).map(|name| node.named_type(name)).collect()
            }
            _ => Vec::new(),
        };
        if !named.is_empty() {
            return named;
        }
        match node.choices().first() {
            Some(Value::String(_)) => vec![ValueType::String],
            Some(Value::Bool(_)) => vec![ValueType::Boolean],
            Some(Value::Number(n)) if n.is_f64() => vec![ValueType::Number],
            Some(Value::Number(_)) => vec![ValueType::Integer],
            Some(Value::Null) => vec![ValueType::Null],
            _ if node.here.get("properties").is_some() => vec![node.named_type("object")],
            _ => vec![ValueType::Any],
        }
    }

    fn named_type(self, name: &str) -> ValueType<'a> {
        match name {
            "string" => ValueType::String,
            "integer" => ValueType::Integer,
            "number" => ValueType::Number,
            "boolean" => ValueType::Boolean,
            "null" => ValueType::Null,
            "array" => ValueType::List(self.here.get("items").map(|items| self.at(items))),
            "object" => ValueType::Object(self.fields()),
            _ => ValueType::Any,
        }
    }

    fn fields(self) -> Fields<'a> {
        let known = self.here.get("properties").and_then(Value::as_object);
        let patterns = self.here.get("patternProperties").and_then(Value::as_object).and_then(|p| p.values().next());
        let others = match self.here.get("additionalProperties").or(patterns) {
            Some(Value::Bool(false)) => None,
            // By default, an object with defined fields allows no others, and one without is a free map.
            None => known.is_none().then_some(&Value::Bool(true)),
            given => given,
        };
        Fields { root: self.root, known, others }
    }

    /// The allowed values, if the schema enumerates them.
    fn choices(self) -> Vec<&'a Value> {
        self.choices_within(MAX_REFERENCES)
    }

    fn choices_within(self, depth: usize) -> Vec<&'a Value> {
        let node = self.resolved();
        let Some(depth) = depth.checked_sub(1) else { return Vec::new() };
        let mut found: Vec<&Value> = node.here.get("enum").and_then(Value::as_array).into_iter().flatten().collect();
        found.extend(node.here.get("const"));
        for union in ["oneOf", "anyOf"] {
            let branches = node.here.get(union).and_then(Value::as_array).into_iter().flatten();
            found.extend(branches.flat_map(|branch| node.at(branch).choices_within(depth)));
        }
        found
    }

    /// The type's name, e.g. `integer`, `list of string`, `amd64 | arm64`.
    pub(crate) fn type_name(self) -> String {
        let choices: Vec<String> = self.choices().iter().filter(|c| !c.is_null()).map(|c| plain(c)).collect();
        if !choices.is_empty() {
            return choices.join(" | ");
        }
        let mut names: Vec<String> = Vec::new();
        for type_ in self.types() {
            let name = match type_ {
                ValueType::String => "string".to_owned(),
                ValueType::Integer => "integer".to_owned(),
                ValueType::Number => "number".to_owned(),
                ValueType::Boolean => "boolean".to_owned(),
                ValueType::Null => continue,
                ValueType::List(Some(items)) => format!("list of {}", items.item_name()),
                ValueType::List(None) => "list".to_owned(),
                ValueType::Object(Fields { others: Some(others), .. }) => {
                    let others = self.at(others);
                    let free = others.here.as_bool().is_some() || others.here.as_object().is_some_and(Map::is_empty);
                    if free { "map".to_owned() } else { format!("map of {}", others.type_name()) }
                }
                ValueType::Object(_) => "object".to_owned(),
                ValueType::Any => "any".to_owned(),
            };
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names.join(" or ")
    }

    /// The type's name in a list: an object's fields are named, because they are not options of their own.
    fn item_name(self) -> String {
        let fields = self.types().into_iter().find_map(|type_| match type_ {
            ValueType::Object(fields) if fields.known.is_some_and(|known| !known.is_empty()) => Some(fields),
            _ => None,
        });
        match fields {
            Some(fields) => format!("{{{}}}", fields.names().collect::<Vec<_>>().join(", ")),
            None => self.type_name(),
        }
    }

    /// The bounds of a number, e.g. `1 to 20`.
    fn bounds(self) -> Option<String> {
        let bound = |key: &str| self.here.get(key).or_else(|| self.resolved().here.get(key));
        let text = |value: &Value| value.as_f64().map_or_else(|| value.to_string(), |number| number.to_string());
        match (bound("minimum").map(text), bound("maximum").map(text)) {
            (Some(least), Some(most)) => Some(format!("{least} to {most}")),
            (Some(least), None) => Some(format!("at least {least}")),
            (None, Some(most)) => Some(format!("at most {most}")),
            (None, None) => None,
        }
    }

    /// Whether a string here must be a data URL.
    pub(crate) fn is_data_url(self) -> bool {
        self.text("format") == Some("data-url")
    }

    fn text(self, key: &str) -> Option<&'a str> {
        let own = self.here.get(key).or_else(|| self.resolved().here.get(key));
        own.and_then(Value::as_str)
    }

    fn default_value(self) -> Option<&'a Value> {
        self.here.get("default").or_else(|| self.resolved().here.get("default"))
    }

    /// All options in this subschema, depth first.
    pub(crate) fn leaves(self) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        self.collect(&mut Vec::new(), None, &mut leaves);
        leaves
    }

    fn collect(self, path: &mut Vec<&'a str>, inherited: Option<&'a Value>, leaves: &mut Vec<Leaf>) {
        // The default of an outer object overrides the field's own default.
        let default = inherited.or_else(|| self.default_value());
        let fields = self.types().into_iter().find_map(|type_| match type_ {
            ValueType::Object(fields) if fields.known.is_some_and(|known| !known.is_empty()) => Some(fields),
            _ => None,
        });
        match fields {
            Some(fields) if path.len() < MAX_DEPTH => {
                for name in fields.names() {
                    let Some(node) = fields.get(name) else { continue };
                    path.push(name);
                    node.collect(path, default.and_then(|d| d.get(name)), leaves);
                    path.pop();
                }
            }
            _ => leaves.push(Leaf {
                path: path.iter().map(|s| (*s).to_owned()).collect(),
                type_name: self.type_name(),
                bounds: self.bounds(),
                is_locked: self.here.get("readOnly").and_then(Value::as_bool).unwrap_or_default(),
                lifted_by: self
                    .here
                    .get("x-urumi-policy")
                    .and_then(|policy| Some(policy.get("liftedBy")?.as_str()?.to_owned())),
                default: default.filter(|d| !d.is_null()).map(plain).unwrap_or_default(),
                description: {
                    let policy = self.here.get("x-urumi-policy").and_then(|policy| policy.get("text")?.as_str());
                    let words = self.text("description").into_iter().chain(policy).flat_map(str::split_whitespace);
                    words.collect::<Vec<_>>().join(" ")
                },
            }),
        }
    }
}

/// An option that contains no other options.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Leaf {
    /// The path of the option.
    pub(crate) path: Vec<String>,
    /// The name of the option's type.
    #[serde(rename = "type")]
    pub(crate) type_name: String,
    /// The bounds of a number.
    pub(crate) bounds: Option<String>,
    /// Whether the policy of the installation locks the option for the caller.
    pub(crate) is_locked: bool,
    /// Who may set what the policy of the installation refuses, e.g. `administrator`.
    pub(crate) lifted_by: Option<String>,
    /// The default; empty if there is none.
    pub(crate) default: String,
    /// The description on one line, with what the policy of the installation says of it.
    pub(crate) description: String,
}

/// Formats a value in the notation of `--set`: strings without quotes, others as JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) if !text.is_empty() => text.clone(),
        other => other.to_string(),
    }
}
