//! Reads YAML files. Values are typed as in YAML 1.2, and keys must not be duplicated.

use serde::de::DeserializeOwned;
use serde_saphyr::{Options, UserMessageFormatter, budget, options};

/// Enough for the largest file that is read, 4 MiB of tokens. The limit of depth is the library's.
const MAX_NODES: usize = 1_000_000;

/// Parses a document. The error names the line and contains no other part of the text.
pub(crate) fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let parsed = serde_saphyr::from_str_with_options(text, settings());
    parsed.map_err(|error| error.render_with_formatter(&UserMessageFormatter))
}

fn settings() -> Options {
    options! {
        budget: budget! { max_nodes: MAX_NODES, max_events: 4 * MAX_NODES },
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        with_snippet: false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn values_have_the_types_of_yaml_1_2() {
        let text = "a: no\nb: 010\nc: 1_000\nd: true\ne: 7\nf: 2027-01-31\ng:\nh: '7'\n";
        let value =
            json!({"a": "no", "b": "010", "c": "1_000", "d": true, "e": 7, "f": "2027-01-31", "g": null, "h": "7"});
        assert_eq!(from_str::<Value>(text), Ok(value));
    }

    #[test]
    fn duplicate_keys_and_deep_nesting_are_refused() {
        let error = from_str::<Value>("a: {b: 1, b: 2}").unwrap_err();
        assert_eq!(error, "duplicate mapping key `b` is not allowed here at line 1, column 11");
        assert!(from_str::<Value>(&"[".repeat(100_000)).is_err());
    }
}
