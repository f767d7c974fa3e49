//! The header `Warning` of answers, as Kubernetes uses it.

use reqwest::header::{HeaderMap, WARNING};

/// The texts of the warnings: `299 AGENT "TEXT"`. Others are those of caches.
pub(super) fn texts(headers: &HeaderMap) -> Vec<String> {
    let mut texts = Vec::new();
    for value in headers.get_all(WARNING) {
        let mut rest = std::str::from_utf8(value.as_bytes()).unwrap_or_default();
        // A proxy may have joined several.
        while let Some((before, quoted)) = rest.split_once('"') {
            let mut text = String::new();
            let mut chars = quoted.chars();
            while let Some(c) = chars.next().filter(|c| *c != '"') {
                text.extend(if c == '\\' { chars.next() } else { Some(c) });
            }
            rest = chars.as_str();
            if before.trim_start_matches([',', ' ']).starts_with("299 ") {
                texts.push(text);
            }
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn texts_are_read_from_one_or_several_headers() {
        let said = |values: &[&str]| {
            let values = values.iter().map(|value| HeaderValue::from_bytes(value.as_bytes()).unwrap());
            texts(&values.map(|value| (WARNING, value)).collect())
        };
        assert_eq!(said(&[]), [""; 0]);
        assert_eq!(said(&[r#"299 - "a, \"b\" … \\ c""#, r#"299 - "d""#]), [r#"a, "b" … \ c"#, "d"]);
        assert_eq!(said(&[r#"299 - "a" "Sat, 25 Aug 2026 23:34:45 GMT", 299 x "b""#]), ["a", "b"]);
        assert_eq!(said(&[r#"110 - "Response is stale", 299 - "a""#]), ["a"]);
        for broken in ["", "299", "299 -", "299 - text", "\""] {
            assert_eq!(said(&[broken]), [""; 0], "{broken}");
        }
        assert_eq!(said(&[r#"299 - "a\"#]), ["a"]);
    }
}
