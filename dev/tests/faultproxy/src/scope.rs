//! One store's share of a cluster, so that many servers work side by side on one API server.

use http::Uri;

/// Shows a client one store, as if its cluster had no other: its lists and watches of stores and of what belongs to stores
/// get a further condition.
#[derive(Clone, Debug)]
pub struct Scope {
    id: String,
}

impl Scope {
    /// The store of this id.
    pub fn store(id: impl Into<String>) -> Scope {
        Scope { id: id.into() }
    }

    /// The request's address with the further condition, where it selects by one of urumi's labels.
    pub(crate) fn narrow(&self, uri: &Uri) -> Uri {
        let query: Vec<(String, String)> =
            form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        let selects = |label: &str| query.iter().any(|(key, value)| key == "labelSelector" && value.contains(label));
        let mut narrowed = form_urlencoded::Serializer::new(String::new());
        if selects("store.urumi.ai/enabled") && !query.iter().any(|(key, _)| key == "fieldSelector") {
            narrowed.extend_pairs(&query).append_pair("fieldSelector", &format!("metadata.name=store-{}", self.id));
        } else if selects("store.urumi.ai/id") {
            narrowed.extend_pairs(query.iter().map(|(key, value)| {
                let more =
                    if key == "labelSelector" { format!(",store.urumi.ai/id={}", self.id) } else { String::new() };
                (key, format!("{value}{more}"))
            }));
        } else {
            return uri.clone();
        }
        // Made of what was an address before.
        format!("{}?{}", uri.path(), narrowed.finish()).parse().unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_and_what_is_theirs_are_narrowed_down_and_nothing_else() {
        let narrow = |uri: &str| Scope::store("a").narrow(&uri.parse().unwrap()).to_string();
        assert_eq!(
            narrow("/api/v1/namespaces?labelSelector=store.urumi.ai%2Fenabled%3Dtrue&watch=true"),
            "/api/v1/namespaces?labelSelector=store.urumi.ai%2Fenabled%3Dtrue&watch=true&fieldSelector=metadata.name%3Dstore-a"
        );
        assert_eq!(
            narrow("/api/v1/pods?labelSelector=store.urumi.ai%2Fid"),
            "/api/v1/pods?labelSelector=store.urumi.ai%2Fid%2Cstore.urumi.ai%2Fid%3Da"
        );
        let all = "/apis/storage.k8s.io/v1/storageclasses?limit=500";
        assert_eq!(narrow(all), all);
    }
}
