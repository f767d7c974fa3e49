//! Kubernetes objects as plain data: one dynamic type for every kind.
//!
//! urumi renders with `k8s-openapi`'s types and then treats objects uniformly: a plan compares, creates and applies
//! them without knowing their kinds, and an engine of another crate may use kinds that this crate does not know.

use std::borrow::Cow;
use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::{ClusterResourceScope, Metadata, NamespaceResourceScope, Resource};
use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

/// A kind of Kubernetes object, and how to address it: group, version, kind, plural and scope.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind {
    /// API group, empty for the core group.
    pub group: Cow<'static, str>,
    /// API version, e.g. `v1`.
    pub version: Cow<'static, str>,
    /// The kind as it is written in manifests, e.g. `Deployment`.
    pub kind: Cow<'static, str>,
    /// The plural as it is written in URLs and RBAC rules, e.g. `deployments`.
    pub plural: Cow<'static, str>,
    /// Whether objects of this kind live in a namespace.
    pub namespaced: bool,
}

/// Says, for a scope of `k8s-openapi`, whether it is that of namespaced objects.
pub trait Scope {
    /// Whether objects of this scope live in a namespace.
    const NAMESPACED: bool;
}
impl Scope for NamespaceResourceScope {
    const NAMESPACED: bool = true;
}
impl Scope for ClusterResourceScope {
    const NAMESPACED: bool = false;
}

impl Kind {
    /// The kind of a `k8s-openapi` type.
    pub const fn of<K>() -> Self
    where
        K: Resource,
        K::Scope: Scope,
    {
        Kind {
            group: Cow::Borrowed(K::GROUP),
            version: Cow::Borrowed(K::VERSION),
            kind: Cow::Borrowed(K::KIND),
            plural: Cow::Borrowed(K::URL_PATH_SEGMENT),
            namespaced: <K::Scope as Scope>::NAMESPACED,
        }
    }

    /// `apiVersion` as it is written in manifests: `v1` or `group/version`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_string() } else { format!("{}/{}", self.group, self.version) }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)
    }
}

/// The address of one object: its kind, namespace (none for cluster-scoped kinds) and name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectRef {
    /// The object's kind.
    pub kind: Kind,
    /// The namespace it lives in; `None` for cluster-scoped kinds.
    pub namespace: Option<String>,
    /// The object's name.
    pub name: String,
}

impl ObjectRef {
    /// The address of a namespaced object.
    pub fn namespaced(kind: Kind, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        ObjectRef { kind, namespace: Some(namespace.into()), name: name.into() }
    }

    /// The address of a cluster-scoped object.
    pub fn cluster(kind: Kind, name: impl Into<String>) -> Self {
        ObjectRef { kind, namespace: None, name: name.into() }
    }
}

impl fmt::Display for ObjectRef {
    /// `Kind namespace/name`, or `Kind name`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(ns) => write!(f, "{} {ns}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

/// One Kubernetes object of any kind.
///
/// Serializes as the manifest does. `Debug` shows only the address, so that no Secret's content reaches a log.
#[derive(Clone, PartialEq)]
pub struct Object {
    kind: Kind,
    value: Value,
}

/// A value that is not the object it was said to be.
#[derive(Debug, thiserror::Error)]
#[error("not a {kind}: {message}")]
pub struct MalformedObject {
    kind: String,
    message: String,
}

impl MalformedObject {
    /// A value that was meant to be of `kind`, and what is wrong with it.
    pub fn new(kind: &Kind, message: impl fmt::Display) -> Self {
        MalformedObject { kind: kind.kind.to_string(), message: message.to_string() }
    }

    /// What is wrong with it.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl Object {
    /// Wraps a `k8s-openapi` object.
    ///
    /// # Errors
    /// When the object cannot be represented as JSON, which the generated types always can.
    pub fn from_typed<K>(typed: &K) -> Result<Self, MalformedObject>
    where
        K: Resource + Metadata<Ty = ObjectMeta> + Serialize,
        K::Scope: Scope,
    {
        let value = serde_json::to_value(typed).map_err(|e| MalformedObject::new(&Kind::of::<K>(), e))?;
        Object::from_value(Kind::of::<K>(), value)
    }

    /// Wraps a JSON object of the given kind; `apiVersion` and `kind` are filled in, `metadata.name` must be there.
    ///
    /// # Errors
    /// When the value is no JSON object, has no name, or says that it is of another kind.
    pub fn from_value(kind: Kind, mut value: Value) -> Result<Self, MalformedObject> {
        let bad = |message: String| MalformedObject::new(&kind, message);
        let map = value.as_object_mut().ok_or_else(|| bad("not a JSON object".into()))?;
        for (field, expected) in [("apiVersion", kind.api_version()), ("kind", kind.kind.to_string())] {
            match map.get(field).and_then(Value::as_str) {
                Some(found) if found != expected => {
                    return Err(bad(format!("its {field} is {found:?}, expected {expected:?}")));
                }
                Some(_) => {}
                None => {
                    map.insert(field.into(), Value::String(expected));
                }
            }
        }
        let object = Object { kind: kind.clone(), value };
        if object.name().is_empty() {
            return Err(bad("it has no metadata.name".into()));
        }
        Ok(object)
    }

    /// The object as a `k8s-openapi` type.
    ///
    /// # Errors
    /// When a field has not the shape that the type wants.
    pub fn to_typed<K>(&self) -> Result<K, MalformedObject>
    where
        K: Resource + DeserializeOwned,
    {
        K::deserialize(&self.value).map_err(|e| MalformedObject::new(&self.kind, e))
    }

    /// The object's kind.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// The object's address.
    pub fn reference(&self) -> ObjectRef {
        ObjectRef {
            kind: self.kind.clone(),
            namespace: self.namespace().map(str::to_owned),
            name: self.name().to_owned(),
        }
    }

    /// `metadata.name`.
    pub fn name(&self) -> &str {
        self.str_at("/metadata/name").unwrap_or_default()
    }

    /// `metadata.namespace`.
    pub fn namespace(&self) -> Option<&str> {
        self.str_at("/metadata/namespace")
    }

    /// `metadata.uid`, given by the API server.
    pub fn uid(&self) -> Option<&str> {
        self.str_at("/metadata/uid")
    }

    /// `metadata.resourceVersion`, given by the API server.
    pub fn resource_version(&self) -> Option<&str> {
        self.str_at("/metadata/resourceVersion")
    }

    /// Whether deletion has begun (`metadata.deletionTimestamp` is set).
    pub fn is_terminating(&self) -> bool {
        self.value.pointer("/metadata/deletionTimestamp").is_some_and(|v| !v.is_null())
    }

    /// One label's value.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.value.pointer("/metadata/labels")?.get(key)?.as_str()
    }

    /// One annotation's value.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.value.pointer("/metadata/annotations")?.get(key)?.as_str()
    }

    /// The value at a JSON pointer (RFC 6901), e.g. `/spec/replicas`.
    pub fn at(&self, pointer: &str) -> Option<&Value> {
        self.value.pointer(pointer)
    }

    /// The string at a JSON pointer.
    pub fn str_at(&self, pointer: &str) -> Option<&str> {
        self.value.pointer(pointer)?.as_str()
    }

    /// The integer at a JSON pointer.
    pub fn int_at(&self, pointer: &str) -> Option<i64> {
        self.value.pointer(pointer)?.as_i64()
    }

    /// The array at a JSON pointer; empty where there is none.
    pub fn list_at(&self, pointer: &str) -> &[Value] {
        self.value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The whole object as JSON.
    pub fn as_value(&self) -> &Value {
        &self.value
    }

    /// The whole object as JSON, to change it.
    pub fn as_value_mut(&mut self) -> &mut Value {
        &mut self.value
    }

    /// Consumes the object and returns its JSON.
    pub fn into_value(self) -> Value {
        self.value
    }

    /// Sets `metadata.namespace`.
    pub fn set_namespace(&mut self, namespace: &str) {
        if let Some(metadata) = self.map_at(&["metadata"]) {
            metadata.insert("namespace".into(), Value::String(namespace.to_owned()));
        }
    }

    /// Sets `metadata.name`.
    pub(crate) fn set_name(&mut self, name: &str) {
        if let Some(metadata) = self.map_at(&["metadata"]) {
            metadata.insert("name".into(), Value::String(name.to_owned()));
        }
    }

    /// Sets labels at `path` (the keys that lead to a `metadata` object), keeping those that are there already.
    pub(crate) fn add_labels(&mut self, path: &[&str], labels: &[(String, String)]) {
        let mut full = path.to_vec();
        full.push("labels");
        if let Some(map) = self.map_at(&full) {
            set_missing(map, labels);
        }
    }

    /// Sets an annotation.
    pub(crate) fn add_annotation(&mut self, key: &str, value: &str) {
        if let Some(map) = self.map_at(&["metadata", "annotations"]) {
            map.insert(key.to_owned(), Value::String(value.to_owned()));
        }
    }

    /// Sets a field of the JSON object behind a path of keys, unless it is there.
    pub(crate) fn set_default(&mut self, path: &[&str], key: &str, value: Value) {
        if let Some(map) = self.map_at(path) {
            map.entry(key).or_insert(value);
        }
    }

    /// Sets labels on a StatefulSet's claim templates, keeping those that are there already.
    pub(crate) fn label_claim_templates(&mut self, labels: &[(String, String)]) {
        let templates = self.value.pointer_mut("/spec/volumeClaimTemplates").and_then(Value::as_array_mut);
        for template in templates.into_iter().flatten() {
            if let Some(map) = object_at(template, &["metadata", "labels"]) {
                set_missing(map, labels);
            }
        }
    }

    /// Makes this a change of that very object which `actual` is, and of no other that has its name by then.
    pub(crate) fn pin_to(&mut self, actual: &Object) {
        if let (Some(metadata), Some(uid)) = (self.map_at(&["metadata"]), actual.uid()) {
            metadata.insert("uid".into(), uid.into());
        }
    }

    /// The JSON object behind a path of keys, made where it is missing; `None` where something else is in the way.
    fn map_at(&mut self, path: &[&str]) -> Option<&mut Map<String, Value>> {
        object_at(&mut self.value, path)
    }
}

/// Whether one resourceVersion is older than another. Kubernetes defines them as comparable integers; where one is
/// none, nothing is known and the answer is no.
pub fn is_older(one: &str, other: &str) -> bool {
    matches!((one.parse::<u64>(), other.parse::<u64>()), (Ok(one), Ok(other)) if one < other)
}

fn object_at<'a>(value: &'a mut Value, path: &[&str]) -> Option<&'a mut Map<String, Value>> {
    let mut map = value.as_object_mut()?;
    for key in path {
        map = map.entry(*key).or_insert_with(|| Value::Object(Map::new())).as_object_mut()?;
    }
    Some(map)
}

fn set_missing(map: &mut Map<String, Value>, labels: &[(String, String)]) {
    for (key, value) in labels {
        map.entry(key).or_insert_with(|| Value::String(value.clone()));
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Object({})", self.reference())
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}
