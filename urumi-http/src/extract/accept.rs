//! Chooses the media type of an answer by `Accept`.

use http::HeaderMap;
use http::header::ACCEPT;

/// The media type among `offered` that a client prefers: the one with the greatest weight, the first of several. `None` if
/// the client accepts none of them. A client without `Accept` accepts everything.
pub(crate) fn preferred<'a>(headers: &HeaderMap, offered: &[&'a str]) -> Option<&'a str> {
    let accepted: Vec<&str> = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    if accepted.is_empty() {
        return offered.first().copied();
    }
    let ranges: Vec<(String, f32)> = accepted.iter().flat_map(|value| value.split(',')).map(range).collect();
    // The most specific range decides: `text/*;q=0.5, text/plain;q=0` does not accept text/plain.
    let weight = |media_type: &str| {
        let group = media_type.split('/').next().unwrap_or_default();
        let about = |wanted: &str| ranges.iter().find(|(range, _)| range == wanted).map(|(_, weight)| *weight);
        about(media_type).or_else(|| about(&format!("{group}/*"))).or_else(|| about("*/*")).unwrap_or_default()
    };
    let mut best: Option<(&str, f32)> = None;
    for media_type in offered {
        let weight = weight(media_type);
        if weight > best.map_or(0.0, |(_, most)| most) {
            best = Some((media_type, weight));
        }
    }
    best.map(|(media_type, _)| media_type)
}

/// A media range without its parameters, and its weight.
fn range(text: &str) -> (String, f32) {
    let mut parts = text.split(';').map(str::trim);
    let range = parts.next().unwrap_or_default().to_ascii_lowercase();
    let weight = parts.find_map(|parameter| parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q=")));
    (range, weight.map_or(1.0, |weight| weight.parse().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_client_chooses_among_what_is_offered() {
        let offered = ["text/plain", "application/x-ndjson", "application/json"];
        let chosen = |values: &[&'static str]| {
            let values = values.iter().map(|value| (ACCEPT, HeaderValue::from_static(value)));
            preferred(&values.collect(), &offered)
        };
        for (values, expected) in [
            (&[][..], Some("text/plain")),
            (&["*/*"], Some("text/plain")),
            (&["text/*"], Some("text/plain")),
            (&["application/x-ndjson"], Some("application/x-ndjson")),
            (&["Application/JSON; charset=utf-8"], Some("application/json")),
            (&["application/json, text/plain, */*"], Some("text/plain")),
            (&["application/json, text/plain;q=0.5"], Some("application/json")),
            (&["text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8"], Some("text/plain")),
            (&["text/html", "application/json;q=0.1"], Some("application/json")),
            (&["text/*;q=0.5, text/plain;q=0"], None),
            (&["application/json;q=0"], None),
            (&["image/png"], None),
            (&[""], None),
            (&["*/*;q=x"], None),
        ] {
            assert_eq!(chosen(values), expected, "{values:?}");
        }
    }
}
