//! Merge patches of options (RFC 7396).

use serde_json::{Map, Value};

use super::request::Options;

/// Applies a merge patch: `null` removes an option, an object changes what it names, any other value replaces.
pub(crate) fn apply(options: &mut Options, patch: &Options) {
    for (name, change) in patch {
        match change {
            Value::Null => {
                options.remove(name);
            }
            Value::Object(inner) => {
                let option = options.entry(name.clone()).or_insert_with(|| Map::new().into());
                if !option.is_object() {
                    *option = Map::new().into();
                }
                if let Value::Object(option) = option {
                    apply(option, inner);
                }
            }
            value => {
                options.insert(name.clone(), value.clone());
            }
        }
    }
}

/// The merge patch that makes `to` of `from`. Of values that are `null`, which a merge patch cannot set, it removes the option.
pub(crate) fn between(from: &Options, to: &Options) -> Options {
    let mut patch = Options::new();
    for (name, before) in from {
        match (before, to.get(name)) {
            (_, None) => {
                patch.insert(name.clone(), Value::Null);
            }
            (Value::Object(before), Some(Value::Object(after))) => {
                let inner = between(before, after);
                if !inner.is_empty() {
                    patch.insert(name.clone(), inner.into());
                }
            }
            (before, Some(after)) if before != after => {
                patch.insert(name.clone(), after.clone());
            }
            _ => {}
        }
    }
    let new = to.iter().filter(|(name, _)| !from.contains_key(*name));
    patch.extend(new.map(|(name, value)| (name.clone(), value.clone())));
    patch
}

/// The paths of the options that a patch names.
pub(crate) fn paths(patch: &Options) -> Vec<Vec<String>> {
    fn below(prefix: &[String], patch: &Options, paths: &mut Vec<Vec<String>>) {
        for (name, value) in patch {
            let path = [prefix, std::slice::from_ref(name)].concat();
            match value {
                Value::Object(inner) if !inner.is_empty() => below(&path, inner, paths),
                _ => paths.push(path),
            }
        }
    }
    let mut paths = Vec::new();
    below(&[], patch, &mut paths);
    paths
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn options(value: Value) -> Options {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn the_examples_of_the_rfc() {
        for (before, patch, after) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let mut merged = options(before);
            apply(&mut merged, &options(patch));
            assert_eq!(merged, options(after));
        }
    }

    fn any_options() -> impl Strategy<Value = Options> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-c]{0,2}".prop_map(Value::from)
        ];
        let value = leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::btree_map("[a-d]", inner.clone(), 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
                prop::collection::vec(inner, 0..3).prop_map(Value::from),
            ]
        });
        prop::collection::btree_map("[a-d]", value, 0..4).prop_map(|map| map.into_iter().collect())
    }

    proptest! {
        /// Options have no `null`, which a merge patch could not say.
        #[test]
        fn what_is_between_leads_from_one_to_the_other(from in any_options(), to in any_options()) {
            let mut merged = from.clone();
            apply(&mut merged, &between(&from, &to));
            prop_assert_eq!(merged, to);
        }

        #[test]
        fn nothing_is_between_equals(options in any_options()) {
            prop_assert!(between(&options, &options).is_empty());
        }
    }
}
