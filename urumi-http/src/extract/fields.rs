//! Reads the fields of a JSON object, and notes everything that is wrong with them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use urumi_core::error::FieldError;

/// The fields of a JSON object that have not been read yet. `null` means that a field is left out.
#[derive(Debug)]
pub(crate) struct Fields {
    left: Map<String, Value>,
    known: Vec<&'static str>,
    wrong: Vec<FieldError>,
}

impl Fields {
    pub(super) fn new(fields: Map<String, Value>, wrong: Vec<FieldError>) -> Self {
        Fields { left: fields, known: Vec::new(), wrong }
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.left.remove(name).filter(|value| !value.is_null())
    }

    fn note(&mut self, field: impl Into<String>, expected: &str, given: &Value) {
        self.wrong.push(FieldError::new(field, format!("must be {expected}, not {}", kind(given))));
    }

    /// A text.
    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        match self.take(name)? {
            Value::String(text) => Some(text),
            other => {
                self.note(name, "a string", &other);
                None
            }
        }
    }

    /// A text that must be there; empty if it is not.
    pub(crate) fn required_text(&mut self, name: &'static str) -> String {
        if self.left.get(name).is_none_or(Value::is_null) {
            self.wrong.push(FieldError::new(name, "is required"));
        }
        self.text(name).unwrap_or_default()
    }

    /// A yes or no; no if it is left out.
    pub(crate) fn flag(&mut self, name: &'static str) -> bool {
        match self.take(name) {
            None => false,
            Some(Value::Bool(flag)) => flag,
            Some(other) => {
                self.note(name, "true or false", &other);
                false
            }
        }
    }

    /// An object of any content; empty if it is left out.
    pub(crate) fn object(&mut self, name: &'static str) -> Map<String, Value> {
        match self.take(name) {
            None => Map::new(),
            Some(Value::Object(object)) => object,
            Some(other) => {
                self.note(name, "an object", &other);
                Map::new()
            }
        }
    }

    /// An object of texts; empty if it is left out.
    pub(crate) fn texts(&mut self, name: &'static str) -> BTreeMap<String, String> {
        let mut texts = BTreeMap::new();
        for (key, value) in self.object(name) {
            match value {
                Value::String(text) => drop(texts.insert(key, text)),
                other => self.note(format!("{name}.{key}"), "a string", &other),
            }
        }
        texts
    }

    /// Everything that is wrong, and the fields that nobody has read.
    pub(crate) fn finish(mut self) -> Vec<FieldError> {
        let message = format!("there is no such field; there are {}", self.known.join(", "));
        self.wrong.extend(self.left.keys().map(|name| FieldError::new(name.as_str(), message.as_str())));
        self.wrong
    }
}

/// What a value is, in the words of JSON.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(true) => "true",
        Value::Bool(false) => "false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(value: Value) -> Fields {
        Fields::new(value.as_object().cloned().unwrap(), Vec::new())
    }

    #[test]
    fn fields_are_read_and_null_is_as_left_out() {
        let mut fields = fields(json!({"a": "x", "b": null, "c": {"d": 1}, "e": {"f": "y"}}));
        assert_eq!((fields.required_text("a"), fields.text("b"), fields.text("z")), ("x".to_owned(), None, None));
        assert_eq!((fields.object("c").len(), fields.object("y").len()), (1, 0));
        assert_eq!(fields.texts("e").get("f").map(String::as_str), Some("y"));
        assert_eq!(fields.finish(), []);
    }

    #[test]
    fn everything_that_is_wrong_is_noted() {
        let mut fields = fields(json!({"b": null, "c": 1, "d": [], "e": {"f": 1, "g": "y"}, "h": true}));
        assert_eq!((fields.required_text("a"), fields.required_text("b")), (String::new(), String::new()));
        assert_eq!((fields.text("c"), fields.object("d").len(), fields.texts("e").len()), (None, 0, 1));
        let said: Vec<String> = fields.finish().iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "a: is required",
                "b: is required",
                "c: must be a string, not a number",
                "d: must be an object, not a list",
                "e.f: must be a string, not a number",
                "h: there is no such field; there are a, b, c, d, e",
            ]
        );
    }
}
