//! The known path that was probably meant by an unknown one.

/// Longer paths are not compared.
const MAX_BYTES: usize = 200;

/// The most similar of the known paths, with the given segments in place of its parameters.
pub(super) fn nearest(known: &[String], path: &str) -> Option<String> {
    if path.len() > MAX_BYTES {
        return None;
    }
    let segments: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let (_, nearest) =
        known.iter().filter_map(|known| compare(known, &segments)).min_by_key(|(distance, _)| *distance)?;
    Some(nearest)
}

/// The distance of a path from a known one, if they are similar, and the known path with the given segments.
fn compare(known: &str, segments: &[&str]) -> Option<(usize, String)> {
    let pattern: Vec<&str> = known.split('/').collect();
    if pattern.len() != segments.len() {
        return None;
    }
    let mut distance = 0;
    let mut meant = Vec::new();
    for (known, given) in pattern.into_iter().zip(segments) {
        if known.starts_with('{') && !given.is_empty() {
            meant.push(*given);
            continue;
        }
        let typos = strsim::damerau_levenshtein(known, &given.to_lowercase());
        if typos > 1 + known.len() / 4 {
            return None;
        }
        distance += typos;
        meant.push(known);
    }
    Some((distance, meant.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_paths_are_suggested() {
        let known = [
            "/stores",
            "/stores/{id}",
            "/stores/{id}/logs",
            "/stores/{id}/diff",
            "/engines",
            "/healthz",
            "/openapi.json",
        ]
        .map(str::to_owned);
        for (path, expected) in [
            ("/store", Some("/stores")),
            ("/Stores", Some("/stores")),
            ("/engine/", Some("/engines")),
            ("/store/shop", Some("/stores/shop")),
            ("/stores/shop/log", Some("/stores/shop/logs")),
            ("/stores/shop/dif", Some("/stores/shop/diff")),
            ("/health", Some("/healthz")),
            ("/openapi.yml", Some("/openapi.json")),
            ("/nothing", None),
            ("/stores/shop/log/today", None),
            ("/stores//logs", None),
            ("/", None),
            ("", None),
            ("*", None),
        ] {
            assert_eq!(nearest(&known, path).as_deref(), expected, "{path}");
        }
        assert_eq!(nearest(&known, &format!("/store/{}", "x".repeat(MAX_BYTES))), None);
    }
}
