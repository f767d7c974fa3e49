//! Which objects a list or watch is about.

use super::object::{Kind, Object};

/// One requirement on an object's labels.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LabelRequirement {
    /// The label is there, whatever its value.
    Exists(String),
    /// The label has this value.
    Equals(String, String),
}

impl LabelRequirement {
    fn matches(&self, object: &Object) -> bool {
        match self {
            LabelRequirement::Exists(key) => object.label(key).is_some(),
            LabelRequirement::Equals(key, value) => object.label(key) == Some(value),
        }
    }
}

/// A selection of objects: one kind, and optionally one namespace, one name, some labels.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Query {
    /// The kind to look for.
    pub kind: Kind,
    /// Only in this namespace; `None` looks in all.
    pub namespace: Option<String>,
    /// Only the object of this name.
    pub name: Option<String>,
    /// Only objects whose labels meet all of these.
    pub labels: Vec<LabelRequirement>,
}

impl Query {
    /// All objects of a kind.
    pub fn all(kind: Kind) -> Self {
        Query { kind, namespace: None, name: None, labels: Vec::new() }
    }

    /// Only those in one namespace.
    #[must_use]
    pub fn in_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Only the one of this name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Only those that meet a requirement on their labels.
    #[must_use]
    pub fn labelled(mut self, requirement: LabelRequirement) -> Self {
        self.labels.push(requirement);
        self
    }

    /// Whether an object is selected.
    pub fn matches(&self, object: &Object) -> bool {
        *object.kind() == self.kind
            && self.namespace.as_deref().is_none_or(|ns| object.namespace() == Some(ns))
            && self.name.as_deref().is_none_or(|name| object.name() == name)
            && self.labels.iter().all(|r| r.matches(object))
    }

    /// The labels as a Kubernetes label selector, e.g. `a,b=c`; empty where there are none.
    pub fn label_selector(&self) -> String {
        let parts: Vec<String> = self
            .labels
            .iter()
            .map(|r| match r {
                LabelRequirement::Exists(key) => key.clone(),
                LabelRequirement::Equals(key, value) => format!("{key}={value}"),
            })
            .collect();
        parts.join(",")
    }
}

impl std::fmt::Display for Query {
    /// For messages: `deployments`, `deployments in store-x`, `namespaces store-x`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.kind.plural)?;
        if let Some(name) = &self.name {
            write!(f, " {name}")?;
        }
        if let Some(ns) = &self.namespace {
            write!(f, " in {ns}")?;
        }
        Ok(())
    }
}
