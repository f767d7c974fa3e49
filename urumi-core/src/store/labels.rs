//! The labels of a store: keys and values that people choose, to select stores by.

use std::collections::BTreeMap;

use super::field::FieldError;
use crate::kubernetes::syntax::{label_key, label_value};

/// The labels of a store, with keys and values in the syntax of Kubernetes' labels. urumi keeps them on record, shows them
/// and selects stores by them. They are not labels of the store's namespace.
pub type Labels = BTreeMap<String, String>;

/// The most labels that a store may have.
pub const MAX_LABELS: usize = 32;

/// Domains whose keys have a meaning to Kubernetes or to urumi.
const RESERVED: [&str; 3] = ["kubernetes.io", "k8s.io", "urumi.ai"];

/// Checks labels; returns what is wrong with each.
pub(crate) fn check_labels(labels: &Labels) -> Vec<FieldError> {
    let mut wrong: Vec<FieldError> = labels.iter().filter_map(|(key, value)| check(key, value).err()).collect();
    if labels.len() > MAX_LABELS {
        wrong.push(FieldError::new("labels", format!("has {} labels, at most {MAX_LABELS} are allowed", labels.len())));
    }
    wrong
}

fn check(key: &str, value: &str) -> Result<(), FieldError> {
    let field = || format!("labels.{key}");
    label_key(key).map_err(|why| FieldError::new(field(), format!("the key {why}")))?;
    if let Some(domain) = reserved(key) {
        let message = format!("has a prefix of {domain}, which is reserved; choose another prefix, or none");
        return Err(FieldError::new(field(), message));
    }
    label_value(value).map_err(|why| FieldError::new(field(), format!("the value {why}")))
}

/// The reserved domain that the key's prefix is in.
fn reserved(key: &str) -> Option<&'static str> {
    let (prefix, _) = key.split_once('/')?;
    let is_in = |domain: &&str| prefix.strip_suffix(*domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    RESERVED.into_iter().find(is_in)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(labels: &[(&str, &str)]) -> Vec<String> {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        check_labels(&labels).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn labels_have_the_syntax_of_kubernetes() {
        let right = [("team", "web"), ("example.com/Cost-Center", "R_4.2"), ("empty", ""), ("notk8s.io/tier", "1")];
        assert_eq!(said(&right), Vec::<String>::new());
        let wrong = said(&[("", "x"), ("a b", "x"), ("a/b/c", "x"), ("team", "-web"), ("tier", &"x".repeat(64))]);
        let fields: Vec<&str> = wrong.iter().filter_map(|line| line.split(": ").next()).collect();
        assert_eq!(fields, ["labels.", "labels.a b", "labels.a/b/c", "labels.team", "labels.tier"]);
        assert!(wrong[1].contains("the key contains ' '"), "{wrong:?}");
        assert!(wrong[3].contains("the value must begin"), "{wrong:?}");
    }

    #[test]
    fn keys_of_kubernetes_and_urumi_are_reserved() {
        for key in ["kubernetes.io/a", "app.kubernetes.io/a", "k8s.io/a", "store.urumi.ai/a", "urumi.ai/a"] {
            assert!(said(&[(key, "x")])[0].contains("is reserved"), "{key}");
        }
    }

    #[test]
    fn there_are_at_most_32() {
        let labels = |count: usize| (0..count).map(|n| (format!("l{n}"), String::new())).collect();
        assert!(check_labels(&labels(MAX_LABELS)).is_empty());
        let wrong = check_labels(&labels(MAX_LABELS + 1));
        assert_eq!(wrong, [FieldError::new("labels", "has 33 labels, at most 32 are allowed")]);
    }
}
