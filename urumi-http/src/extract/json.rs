//! Reads JSON as JSON Schema understands it: `2.0` is the integer 2, and an object has each of its names once.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use urumi_core::error::FieldError;

/// Beyond this, not every whole number is a floating-point number.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// The most values in a text. Checking each costs far more than sending it, and a store has no use for so many.
pub(super) const MAX_VALUES: usize = 5_000;

/// Reads a text; returns the value, and the names that an object has more than once. Data errors mean that the text has more
/// than [`MAX_VALUES`] values.
pub(super) fn read(text: &[u8]) -> Result<(Value, Vec<FieldError>), serde_json::Error> {
    let mut seen = Seen::default();
    let mut json = serde_json::Deserializer::from_slice(text);
    let value = Reader { path: Path::Top, seen: &mut seen }.deserialize(&mut json)?;
    json.end()?;
    let message = "is there more than once";
    Ok((value, seen.twice.into_iter().map(|path| FieldError::new(path, message)).collect()))
}

/// What was seen of a text.
#[derive(Default)]
struct Seen {
    values: usize,
    twice: Vec<String>,
}

/// Where a value is. It is written out only for errors.
#[derive(Clone, Copy)]
enum Path<'a> {
    Top,
    Key(&'a Path<'a>, &'a str),
    Index(&'a Path<'a>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Top => Ok(()),
            Path::Key(Path::Top, key) => f.write_str(key),
            Path::Key(above, key) => write!(f, "{above}.{key}"),
            Path::Index(above, index) => write!(f, "{above}[{index}]"),
        }
    }
}

struct Reader<'a> {
    path: Path<'a>,
    seen: &'a mut Seen,
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.seen.values += 1;
        if self.seen.values > MAX_VALUES {
            return Err(D::Error::custom("too many values"));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        let is_whole = value.fract() == 0.0 && value.abs() < MAX_EXACT;
        let whole = is_whole.then(|| format!("{value:.0}").parse::<i64>().ok()).flatten();
        Ok(whole.map_or_else(|| value.into(), Value::from))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        loop {
            let path = Path::Index(&self.path, values.len());
            match entries.next_element_seed(Reader { path, seen: &mut *self.seen })? {
                Some(value) => values.push(value),
                None => return Ok(Value::Array(values)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let path = Path::Key(&self.path, &key);
            let value = entries.next_value_seed(Reader { path, seen: &mut *self.seen })?;
            if values.contains_key(&key) {
                self.seen.twice.push(path.to_string());
            }
            values.insert(key, value);
        }
        Ok(Value::Object(values))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn value(text: &str) -> Value {
        let (value, twice) = read(text.as_bytes()).unwrap();
        assert_eq!(twice, []);
        value
    }

    #[test]
    fn whole_numbers_are_integers_however_they_are_written() {
        for (text, expected) in [
            ("2.0", json!(2)),
            ("-2.0", json!(-2)),
            ("-0.0", json!(0)),
            ("1e2", json!(100)),
            ("2", json!(2)),
            ("18446744073709551615", json!(u64::MAX)),
            ("2.5", json!(2.5)),
            ("1e300", json!(1e300)),
            (r#"{"a": [1.0, {"b": 2.0}], "c": "2.0"}"#, json!({"a": [1, {"b": 2}], "c": "2.0"})),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn a_name_that_is_there_twice_is_named_with_its_path() {
        let text = r#"{"a": 1, "b": {"c": [{"d": 1, "d": 2, "d": 3}]}, "a": 2}"#;
        let (_, twice) = read(text.as_bytes()).unwrap();
        let twice: Vec<String> = twice.iter().map(|error| error.field.clone()).collect();
        assert_eq!(twice, ["b.c[0].d", "b.c[0].d", "a"]);
    }

    #[test]
    fn no_more_values_are_read_than_a_request_needs() {
        let list = |entries: usize| format!("[{}0]", "0,".repeat(entries - 1));
        assert!(read(list(MAX_VALUES - 1).as_bytes()).is_ok());
        for text in [list(MAX_VALUES), format!("{}, and what follows", list(100_000))] {
            assert!(read(text.as_bytes()).unwrap_err().is_data());
        }
    }

    #[test]
    fn what_is_not_json_is_an_error() {
        for text in ["", "{", "{} {}", "[1,]", "nul", "'a'", &"[".repeat(100_000)] {
            assert!(!read(text.as_bytes()).unwrap_err().is_data(), "{text:.20}");
        }
    }

    proptest! {
        #[test]
        fn other_values_are_read_as_they_are(text in r#"(\[|\]|\{|\}|"a"|"b"|:|,|1|-2|null|true| ){0,12}"#) {
            let plain = serde_json::from_str::<Value>(&text).ok();
            prop_assert_eq!(read(text.as_bytes()).ok().map(|(value, _)| value), plain);
        }
    }
}
