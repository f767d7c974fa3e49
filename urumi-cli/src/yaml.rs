//! Reading and writing YAML.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_saphyr::MergeKeyPolicy;

/// Parses a YAML document. JSON is valid YAML, too.
///
/// Duplicate keys are errors. Only `true` and `false` are booleans: `no`, and also `0755` and `1_000`, are strings. Error
/// messages have one line and don't quote the text, which may contain secrets.
pub(crate) fn parse<T: DeserializeOwned>(text: impl AsRef<[u8]>) -> Result<T, serde_saphyr::Error> {
    let options = serde_saphyr::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        with_snippet: false,
    };
    serde_saphyr::from_slice_with_options(text.as_ref(), options)
}

/// Formats a value as a YAML document. Strings that a YAML 1.1 parser reads as another type are quoted.
pub(crate) fn to_string(value: &impl Serialize) -> Result<String, serde_saphyr::SerializeError> {
    // Keep each long string on one line.
    serde_saphyr::to_string_with_options(value, serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[test]
    fn plain_scalars_have_the_types_of_yaml_1_2() {
        for (text, value) in [
            ("", json!(null)),
            ("~", json!(null)),
            ("true", json!(true)),
            ("no", json!("no")),
            ("on", json!("on")),
            ("0755", json!("0755")),
            ("1_000", json!("1_000")),
            ("12", json!(12)),
            ("-1", json!(-1)),
            ("18446744073709551615", json!(u64::MAX)),
            ("1.5", json!(1.5)),
            ("2026-11-28", json!("2026-11-28")),
            ("12:30", json!("12:30")),
            ("5Gi", json!("5Gi")),
            ("{\"a\": [1, \"x\"]}", json!({"a": [1, "x"]})),
            ("<<: {a: 1}", json!({"<<": {"a": 1}})),
        ] {
            assert_eq!(parse::<Value>(text).unwrap(), value, "{text}");
        }
    }

    #[test]
    fn an_error_has_one_line_and_quotes_nothing() {
        for text in ["a: 1\na: 2", "a: [s3cr3t", "token: s3cr3t\n  x: y"] {
            let error = parse::<Value>(text).unwrap_err().to_string();
            assert!(!error.contains('\n') && !error.contains("s3cr3t") && error.contains("line"), "{error}");
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            "\\PC{0,120}".prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "(no|Yes|on|null|~|0x1f|07|1e3|12:30|- a|# a|a: b|\\.inf|2026-01-01)".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::btree_map(any::<String>(), inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in value()) {
            let text = to_string(&value).unwrap();
            prop_assert_eq!(parse::<Value>(&text).unwrap(), value, "{}", text);
        }
    }
}
