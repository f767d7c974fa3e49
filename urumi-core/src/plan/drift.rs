//! Drift: the fields of an object that differ from its manifest.

use serde_json::Value;

use crate::kubernetes::Object;
use crate::kubernetes::merge_keys::{is_selector, merge_keys, same_item};
use crate::store::preview::Drift;

/// The fields of `desired` that are missing in `actual` or have another value there. Additional fields of `actual` are
/// ignored.
///
/// Lists are compared as the API server merges them. A list with merge keys is compared entry by entry; the order and
/// additional entries are ignored. Any other list is compared as a whole; additional (defaulted) fields of its entries are
/// ignored.
pub fn drift(desired: &Object, actual: &Object) -> Vec<Drift> {
    let mut found = Vec::new();
    compare(&mut Path::default(), desired.as_value(), Some(actual.as_value()), &mut found);
    found
}

/// The position of a comparison in an object: as text for users, and as keys for the table of merge keys.
#[derive(Default)]
struct Path<'a> {
    text: Vec<String>,
    keys: Vec<&'a str>,
}

impl<'a> Path<'a> {
    fn within<T>(&mut self, key: &'a str, then: impl FnOnce(&mut Self) -> T) -> T {
        let shown = if key.contains(['.', '/']) { format!("[{key}]") } else { format!(".{key}") };
        self.keys.push(key);
        self.text.push(shown);
        let result = then(self);
        self.text.pop();
        self.keys.pop();
        result
    }

    fn entry<T>(&mut self, entry: String, then: impl FnOnce(&mut Self) -> T) -> T {
        self.text.push(format!("[{entry}]"));
        let result = then(self);
        self.text.pop();
        result
    }

    fn report(&self, desired: &Value, actual: Option<&Value>, found: &mut Vec<Drift>) {
        let path = self.text.concat().trim_start_matches('.').to_owned();
        found.push(Drift { path, desired: desired.clone(), actual: actual.cloned() });
    }
}

fn compare<'a>(path: &mut Path<'a>, desired: &'a Value, actual: Option<&'a Value>, found: &mut Vec<Drift>) {
    match (desired, actual) {
        (Value::Null, _) => {}
        (Value::Object(desired), None | Some(Value::Null)) if desired.is_empty() => {}
        (Value::Object(desired), Some(Value::Object(actual))) if !is_selector(&path.keys) => {
            for (key, value) in desired {
                path.within(key, |path| compare(path, value, actual.get(key), found));
            }
        }
        (Value::Array(wanted), Some(Value::Array(there))) => match merge_keys(&path.keys) {
            Some(keys) => {
                for entry in wanted {
                    let name: Vec<String> = keys.iter().map(|k| format!("{k}={}", plain(entry.get(k)))).collect();
                    let twin = there.iter().find(|other| same_item(keys, entry, other));
                    path.entry(name.join(","), |path| compare(path, entry, twin, found));
                }
            }
            None if wanted.len() != there.len() => path.report(desired, actual, found),
            None => {
                for (index, (entry, twin)) in wanted.iter().zip(there).enumerate() {
                    path.entry(index.to_string(), |path| compare(path, entry, Some(twin), found));
                }
            }
        },
        (desired, actual) if actual == Some(desired) => {}
        (desired, actual) => path.report(desired, actual, found),
    }
}

fn plain(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::Kind;
    use k8s_openapi::api::apps::v1::Deployment;
    use serde_json::json;

    fn differences(desired: Value, actual: Value) -> Vec<String> {
        let object = |mut spec: Value| {
            spec["metadata"] = json!({"name": "x"});
            Object::from_value(Kind::of::<Deployment>(), spec).unwrap()
        };
        drift(&object(desired), &object(actual)).iter().map(ToString::to_string).collect()
    }

    fn pod(containers: Value) -> Value {
        json!({"spec": {"template": {"spec": {"containers": containers}}}})
    }

    #[test]
    fn defaults_and_foreign_fields_are_no_drift() {
        let desired = pod(json!([{"name": "a", "image": "i", "resources": {}, "ports": [{"containerPort": 80}]}]));
        let actual = json!({"spec": {"paused": false, "template": {"spec": {"dnsPolicy": "ClusterFirst", "containers": [
            {"name": "sidecar", "image": "s"},
            {"name": "a", "image": "i", "imagePullPolicy": "Always", "ports": [{"containerPort": 80, "protocol": "TCP"}]}
        ]}}}, "status": {"replicas": 1}});
        assert_eq!(differences(desired, actual), Vec::<String>::new());
    }

    #[test]
    fn a_selector_with_one_key_more_selects_something_else() {
        let selector = |labels: Value| json!({"spec": {"selector": labels}});
        let found = differences(selector(json!({"a": "1"})), selector(json!({"a": "1", "b": "2"})));
        assert_eq!(found, [r#"spec.selector: {"a":"1","b":"2"} should be {"a":"1"}"#]);
    }

    #[test]
    fn each_difference_is_named() {
        let desired =
            pod(json!([{"name": "a", "image": "i", "env": [{"name": "X", "value": "1"}], "args": ["a", "b"]}]));
        let actual = pod(json!([{"name": "a", "image": "j", "env": [{"name": "Y", "value": "1"}], "args": ["a"]}]));
        insta::assert_snapshot!(differences(desired, actual).join("\n"), @r#"
        spec.template.spec.containers[name=a].args: ["a"] should be ["a","b"]
        spec.template.spec.containers[name=a].env[name=X]: missing, should be {"name":"X","value":"1"}
        spec.template.spec.containers[name=a].image: "j" should be "i"
        "#);
    }
}
