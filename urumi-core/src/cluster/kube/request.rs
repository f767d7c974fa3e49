//! The HTTP requests for the verbs.

use std::borrow::Cow;
use std::fmt::Write as _;

use bytes::Bytes;
use http::Method;
use serde_json::{Map, Value, json};

use super::errors::Failure;
use crate::kubernetes::{Access, FIELD_MANAGER, LogOptions, LogsSince, MetadataPatch, Preconditions, Query};
use crate::kubernetes::{Kind, Object, ObjectRef};
use crate::secret::SecretString;

/// Metadata that only the API server sets: it rejects a creation with these fields.
const NOT_IN_CREATE: [&str; 3] = ["managedFields", "resourceVersion", "uid"];
/// Metadata that an apply would own, or require unchanged, and must not. The `uid` stays: it identifies the object.
const NOT_IN_APPLY: [&str; 2] = ["managedFields", "resourceVersion"];

/// An HTTP request that can be sent several times.
pub(super) struct Call {
    /// Kubernetes' name of the verb, for metrics.
    pub(super) verb: &'static str,
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) content_type: &'static str,
    pub(super) body: Bytes,
}

impl Call {
    fn read(uri: Uri) -> Self {
        Call { verb: "get", method: Method::GET, uri, content_type: "", body: Bytes::new() }
    }

    fn write(method: Method, uri: Uri, content_type: &'static str, body: &Value) -> Self {
        let verb = match method {
            Method::PATCH => "patch",
            Method::PUT => "update",
            Method::DELETE => "delete",
            _ => "create",
        };
        // A `Value` has only string keys, so `Display` can always write it as JSON.
        Call { verb, method, uri, content_type, body: Bytes::from(body.to_string()) }
    }

    pub(super) fn create(object: &Object) -> Result<Self, Failure> {
        let uri = collection_of(object.kind(), object.namespace())?
            .with("fieldManager", FIELD_MANAGER)
            .with("fieldValidation", "Strict");
        Ok(Call::write(Method::POST, uri, "application/json", &without(object, &NOT_IN_CREATE)))
    }

    pub(super) fn apply(object: &Object) -> Result<Self, Failure> {
        let uri = collection_of(object.kind(), object.namespace())?
            .segment(object.name())
            .with("fieldManager", FIELD_MANAGER)
            .with("force", "true")
            .with("fieldValidation", "Strict");
        // JSON is YAML, and all servers support this content type.
        Ok(Call::write(Method::PATCH, uri, "application/apply-patch+yaml", &without(object, &NOT_IN_APPLY)))
    }

    pub(super) fn replace(object: &Object) -> Result<Self, Failure> {
        if object.resource_version().is_none_or(str::is_empty) {
            return Err(Failure::invalid("it names no resourceVersion"));
        }
        let uri = collection_of(object.kind(), object.namespace())?
            .segment(object.name())
            .with("fieldManager", FIELD_MANAGER)
            .with("fieldValidation", "Strict");
        Ok(Call::write(Method::PUT, uri, "application/json", object.as_value()))
    }

    pub(super) fn get(object: &ObjectRef) -> Result<Self, Failure> {
        Ok(Call::read(address(object)?))
    }

    /// A page of a list. Without a `resourceVersion`, the list is the latest state and never goes back in time.
    pub(super) fn list(query: &Query, limit: Option<usize>, next: Option<&str>) -> Self {
        let mut uri = selection(query);
        if let Some(limit) = limit {
            uri = uri.with("limit", &limit.to_string());
        }
        if let Some(next) = next {
            uri = uri.with("continue", next);
        }
        Call { verb: "list", ..Call::read(uri) }
    }

    pub(super) fn watch(query: &Query, version: &str, seconds: u64) -> Self {
        let uri = selection(query)
            .with("watch", "true")
            .with("allowWatchBookmarks", "true")
            .with("resourceVersion", version)
            .with("timeoutSeconds", &seconds.to_string());
        Call { verb: "watch", ..Call::read(uri) }
    }

    /// The API server rejects a merge patch with another `resourceVersion` than the object's.
    pub(super) fn patch_metadata(object: &ObjectRef, patch: &MetadataPatch) -> Result<Self, Failure> {
        if patch.resource_version.is_empty() {
            return Err(Failure::invalid("the patch names no resourceVersion"));
        }
        let mut metadata = Map::from_iter([("resourceVersion".to_owned(), json!(patch.resource_version))]);
        for (field, changes) in [("annotations", &patch.annotations), ("labels", &patch.labels)] {
            if !changes.is_empty() {
                metadata.insert(field.into(), json!(changes));
            }
        }
        if let Some(finalizers) = &patch.finalizers {
            metadata.insert("finalizers".into(), json!(finalizers));
        }
        let uri = address(object)?.with("fieldManager", FIELD_MANAGER).with("fieldValidation", "Strict");
        Ok(Call::write(Method::PATCH, uri, "application/merge-patch+json", &json!({ "metadata": metadata })))
    }

    /// The API server rejects it if the object has another `resourceVersion` by now.
    pub(super) fn set_managed_fields(object: &ObjectRef, version: &str, entries: &[Value]) -> Result<Self, Failure> {
        let replace = |path: &str, value: Value| json!({"op": "replace", "path": path, "value": value});
        let patch = json!([
            replace("/metadata/managedFields", entries.into()),
            replace("/metadata/resourceVersion", version.into()),
        ]);
        let uri = address(object)?.with("fieldManager", FIELD_MANAGER);
        Ok(Call::write(Method::PATCH, uri, "application/json-patch+json", &patch))
    }

    pub(super) fn delete(object: &ObjectRef, expected: &Preconditions) -> Result<Self, Failure> {
        let mut preconditions = Map::from_iter([("uid".to_owned(), json!(expected.uid))]);
        if let Some(version) = &expected.resource_version {
            preconditions.insert("resourceVersion".into(), json!(version));
        }
        let body = json!({
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": preconditions,
            "propagationPolicy": "Background",
        });
        Ok(Call::write(Method::DELETE, address(object)?, "application/json", &body))
    }

    pub(super) fn logs(pod: &ObjectRef, options: &LogOptions) -> Result<Self, Failure> {
        let mut uri = address(pod)?.segment("log");
        if let Some(container) = &options.container {
            uri = uri.with("container", container);
        }
        if let Some(lines) = options.tail {
            uri = uri.with("tailLines", &lines.to_string());
        }
        match options.since {
            Some(LogsSince::Seconds(seconds)) => uri = uri.with("sinceSeconds", &seconds.max(1).to_string()),
            Some(LogsSince::Time(time)) => uri = uri.with("sinceTime", &format!("{time:.0}")),
            None => {}
        }
        let switches = [("follow", options.follow), ("timestamps", options.timestamps), ("previous", options.previous)];
        for (name, _) in switches.iter().filter(|(_, on)| *on) {
            uri = uri.with(name, "true");
        }
        Ok(Call { verb: "logs", ..Call::read(uri) })
    }

    pub(super) fn review(access: &Access) -> Self {
        let (resource, subresource) = access.resource.split_once('/').unwrap_or((&access.resource, ""));
        let body = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": { "resourceAttributes": {
                "verb": access.verb,
                "group": access.group,
                "resource": resource,
                "subresource": subresource,
                "namespace": access.namespace.as_deref().unwrap_or_default(),
                "name": access.name.as_deref().unwrap_or_default(),
            } },
        });
        let uri = Uri::new("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews");
        Call::write(Method::POST, uri, "application/json", &body)
    }

    /// The answer contains the token, so do not keep it.
    pub(super) fn review_token(token: &SecretString, audiences: &[String]) -> Self {
        let body = json!({
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": { "token": token.reveal(), "audiences": audiences },
        });
        Call::write(Method::POST, Uri::new("/apis/authentication.k8s.io/v1/tokenreviews"), "application/json", &body)
    }

    pub(super) fn version() -> Self {
        Call::read(Uri::new("/version"))
    }
}

/// Builds a path and a query with escaping.
pub(super) struct Uri {
    text: String,
    path_len: usize,
}

impl Uri {
    fn new(path: &str) -> Self {
        Uri { text: path.to_owned(), path_len: path.len() }
    }

    fn segment(mut self, segment: &str) -> Self {
        self.text.push('/');
        escape(segment, &mut self.text);
        self.path_len = self.text.len();
        self
    }

    fn with(mut self, key: &str, value: &str) -> Self {
        self.text.push(if self.text.len() == self.path_len { '?' } else { '&' });
        self.text.push_str(key);
        self.text.push('=');
        escape(value, &mut self.text);
        self
    }

    /// Path and query.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Only the path, for logs.
    pub(super) fn path(&self) -> &str {
        self.text.get(..self.path_len).unwrap_or_default()
    }
}

/// Percent-encodes all characters except the unreserved ones of RFC 3986.
fn escape(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

fn collection(kind: &Kind, namespace: Option<&str>) -> Uri {
    let uri = if kind.group.is_empty() { Uri::new("/api") } else { Uri::new("/apis").segment(&kind.group) };
    let uri = uri.segment(&kind.version);
    match namespace {
        Some(ns) if kind.namespaced => uri.segment("namespaces").segment(ns).segment(&kind.plural),
        _ => uri.segment(&kind.plural),
    }
}

fn collection_of(kind: &Kind, namespace: Option<&str>) -> Result<Uri, Failure> {
    let namespace = namespace.filter(|ns| !ns.is_empty());
    if kind.namespaced && namespace.is_none() {
        return Err(Failure::invalid("it has no namespace"));
    }
    Ok(collection(kind, namespace))
}

fn address(object: &ObjectRef) -> Result<Uri, Failure> {
    Ok(collection_of(&object.kind, object.namespace.as_deref())?.segment(&object.name))
}

fn selection(query: &Query) -> Uri {
    let mut uri = collection(&query.kind, query.namespace.as_deref());
    let labels = query.label_selector();
    if !labels.is_empty() {
        uri = uri.with("labelSelector", &labels);
    }
    if let Some(name) = &query.name {
        uri = uri.with("fieldSelector", &format!("metadata.name={name}"));
    }
    uri
}

/// The object without some fields of its metadata; copied only if it has such fields.
fn without<'a>(object: &'a Object, fields: &[&str]) -> Cow<'a, Value> {
    let value = object.as_value();
    if !fields.iter().any(|field| value.pointer("/metadata").is_some_and(|m| m.get(field).is_some())) {
        return Cow::Borrowed(value);
    }
    let mut value = value.clone();
    if let Some(metadata) = value.pointer_mut("/metadata").and_then(Value::as_object_mut) {
        for field in fields {
            metadata.remove(*field);
        }
    }
    Cow::Owned(value)
}
