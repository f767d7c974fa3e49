//! Says in plain words what serde found wrong with a value of an option.

/// What is wrong with a value, and what is right, from serde's message. A message that is not serde's own stays as it is.
pub(super) fn plain(message: &str) -> String {
    said(message).unwrap_or_else(|| message.to_owned())
}

fn said(message: &str) -> Option<String> {
    if let Some(rest) = message.strip_prefix("unknown field `") {
        // The name may have backquotes of its own, the known names have none.
        let known = rest.rsplit_once("`, expected ").map_or("", |(_, known)| known);
        return Some(match names(known).as_slice() {
            [] => "there is no such option; there are none here".to_owned(),
            [only] => format!("there is no such option; there is {only}"),
            names => format!("there is no such option; there are {}", list(names, "and")),
        });
    }
    if let Some(rest) = message.strip_prefix("unknown variant `") {
        let (value, known) = rest.rsplit_once("`, expected ")?;
        return Some(match names(known).as_slice() {
            [only] => format!("must be {only}, not {value:?}"),
            names => format!("must be {}, not {value:?}", list(names, "or")),
        });
    }
    if let Some(rest) = message.strip_prefix("invalid length ") {
        let (count, expected) = rest.split_once(", expected ")?;
        return Some(match expectation(expected) {
            // A list that is longer than an object has members.
            "an object" | "fewer elements in array" => "must be an object, not a list".to_owned(),
            other => format!("has {count} entries, but must be {other}"),
        });
    }
    let rest = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "))?;
    // The value may contain the separator, what is expected does not.
    let (given, expected) = rest.rsplit_once(", expected ")?;
    Some(format!("must be {}, not {}", expectation(expected), value(given)))
}

/// The names in backquotes.
fn names(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

fn list(names: &[&str], last: &str) -> String {
    match names {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [others @ .., end] => format!("{} {last} {end}", others.join(", ")),
    }
}

/// What Rust's types are called in JSON.
fn expectation(text: &str) -> &str {
    match text {
        "a sequence" => "a list",
        "a map" => "an object",
        "a boolean" => "true or false",
        "string or map" | "a borrowed string" => "a string",
        "i8" | "i16" | "i32" | "i64" | "isize" | "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number",
        "f32" | "f64" => "a number",
        text if text.starts_with("struct ") => "an object",
        text => text,
    }
}

/// The value that was given, e.g. "string \"two\"" or "integer `5`".
fn value(text: &str) -> &str {
    match text {
        "map" => return "an object",
        "sequence" => return "a list",
        "unit value" | "null" => return "null",
        _ => {}
    }
    let quoted = |kind: &str| text.strip_prefix(kind).and_then(|v| v.strip_prefix('`')?.strip_suffix('`'));
    let number = quoted("integer ").or_else(|| quoted("floating point ")).or_else(|| quoted("boolean "));
    number.or_else(|| text.strip_prefix("string ")).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only what is refused matters")]
    struct Options {
        name: Option<String>,
        count: Option<u16>,
        share: Option<f64>,
        on: Option<bool>,
        names: Option<Vec<String>>,
        map: Option<BTreeMap<String, String>>,
        mode: Option<Mode>,
        inner: Option<Inner>,
        pair: Option<(u8, u8)>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Mode {
        Small,
        Large,
        Huge,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only what is refused matters")]
    struct Inner {
        only: Option<String>,
    }

    /// The messages are those of the library, whatever its version.
    #[test]
    fn no_word_of_the_library_is_left() {
        for (value, expected) in [
            (json!({"name": 5}), "must be a string, not 5"),
            (json!({"name": ["a"]}), "must be a string, not a list"),
            (json!({"name": {}}), "must be a string, not an object"),
            (json!({"count": "a, expected b"}), "must be a whole number, not \"a, expected b\""),
            (json!({"count": -1}), "must be a whole number, not -1"),
            (json!({"count": 1.5}), "must be a whole number, not 1.5"),
            (json!({"count": 70_000}), "must be a whole number, not 70000"),
            (json!({"count": true}), "must be a whole number, not true"),
            (json!({"share": "half"}), "must be a number, not \"half\""),
            (json!({"on": "no"}), "must be true or false, not \"no\""),
            (json!({"names": "a"}), "must be a list, not \"a\""),
            (json!({"names": [null]}), "must be a string, not null"),
            (json!({"map": []}), "must be an object, not a list"),
            (json!({"mode": "tiny"}), "must be small, large or huge, not \"tiny\""),
            (json!({"mode": "a`, b"}), "must be small, large or huge, not \"a`, b\""),
            (json!({"mode": 1}), "must be a string, not 1"),
            (json!({"inner": 1}), "must be an object, not 1"),
            (json!({"inner": ["a", "b"]}), "must be an object, not a list"),
            (json!({"inner": {"other": 1}}), "there is no such option; there is only"),
            (json!({"inner": {"a`, b": 1}}), "there is no such option; there is only"),
            (
                json!({"colour": 1}),
                "there is no such option; there are name, count, share, on, names, map, mode, inner and pair",
            ),
        ] {
            let message = serde_json::from_value::<Options>(value.clone()).unwrap_err().to_string();
            assert_eq!(plain(&message), expected, "{value}: {message}");
        }
        let short = serde_json::from_value::<Options>(json!({"pair": [1]})).unwrap_err().to_string();
        let said = plain(&short);
        assert!(said.starts_with("has 1 entries, but must be") && !said.contains("invalid length"), "{said}");
    }

    #[test]
    fn other_messages_stay() {
        for text in ["", "must be 1024 to 65535, not 80", "invalid type", "unknown field", "unknown variant `a"] {
            assert_eq!(plain(text), text);
        }
    }
}
