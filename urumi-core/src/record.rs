//! A store's record: the labels and annotations of its namespace.

pub(crate) mod kept;
mod restarts;
mod revise;
pub(crate) mod revision;
mod stuck_deletion;
pub(crate) mod timeline;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Namespace;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(crate) use self::restarts::Restarts;
pub(crate) use self::revise::is_changed;
use self::revision::Revision;
pub use self::revision::{OBSERVED_REVISION, REVISION};
use self::stuck_deletion::stuck_reason;
use crate::engine::{EngineRegistry, PodSecurity};
use crate::kubernetes::{Kind, MalformedObject, Object, ObjectRef};
use crate::kubernetes::{LabelRequirement, MetadataPatch, Query};
use crate::plan::Life;
use crate::store::idempotency::{Idempotency, owner_label};
use crate::store::status::{Condition, ConditionStatus, StoreStatus};
use crate::store::{Authority, Labels, Options, Store, StoreId, StoreSpec, StoreUrls, seconds};

/// Label on a store's namespace. A namespace without it is not a store.
pub const ENABLED: &str = "store.urumi.ai/enabled";
/// Annotation on the namespace, and label on it and everything in it: the store's id.
pub const ID: &str = "store.urumi.ai/id";
/// Annotation: the display name.
pub const NAME: &str = "store.urumi.ai/name";
/// Annotation: the engine's name.
pub const ENGINE: &str = "store.urumi.ai/engine";
/// Annotation: the status.
pub const STATUS: &str = "store.urumi.ai/status";
/// Annotation: the spec, as versioned JSON.
pub const SPEC: &str = "store.urumi.ai/spec";
/// Annotation: the conditions, as a JSON list.
pub const CONDITIONS: &str = "store.urumi.ai/conditions";
/// Annotation: the program that created the store.
pub const CREATED_BY: &str = "store.urumi.ai/created-by";
/// Annotation: a nonce of the request that created the namespace, or the Job of a smoke order. A repeated request recognises
/// its own object by it. A request that takes long to create a store's objects replaces it as a heartbeat.
pub const CREATION: &str = "store.urumi.ai/creation";
/// Annotation: when the latest attempt to provision the store began. Without it, that is the time of creation.
pub const PROVISIONING_SINCE: &str = "store.urumi.ai/provisioning-since";
/// Annotation: the owner of the store.
pub const OWNER: &str = "store.urumi.ai/owner";
/// Annotation: the labels that the request chose, as JSON. They are not labels of the namespace, because other programs act
/// on those.
pub const LABELS: &str = "store.urumi.ai/labels";
/// Annotation: the options that the request chose, as JSON.
pub const REQUEST: &str = "store.urumi.ai/request";
/// Annotation: the authority on which they were chosen.
pub const AUTHORITY: &str = "store.urumi.ai/authority";
/// Annotation: hashes of the idempotency key and of the request that created the store, as JSON.
pub const IDEMPOTENCY: &str = "store.urumi.ai/idempotency";
/// Label: a hash of the owner, to select the stores of one owner.
pub const OWNER_HASH: &str = "store.urumi.ai/owner-hash";
/// Label: a hash of the idempotency key and the owner, to select the stores that were created with one key.
pub const KEY_HASH: &str = "store.urumi.ai/key-hash";
/// Annotation: when the last restart of each component was requested, as JSON.
pub const RESTARTS: &str = "store.urumi.ai/restarts";
/// Annotation: the last changes of status, as a JSON list, oldest first.
pub const HISTORY: &str = "store.urumi.ai/history";
/// The finalizer that keeps the record of a store with objects outside of its namespace until their effects are undone.
pub(crate) const TEARDOWN: &str = "store.urumi.ai/teardown";

/// The number of changes of status that a record keeps.
const REMEMBERED: usize = 32;
/// The number of characters of a message that the history keeps. All annotations together may have 256 KiB.
const MESSAGE_CHARS: usize = 500;

/// The version of the spec's JSON that this code reads and writes.
const SPEC_VERSION: u32 = 1;

/// The spec as the annotation has it.
#[derive(Serialize, Deserialize)]
struct VersionedSpec {
    version: u32,
    #[serde(flatten)]
    spec: StoreSpec,
}

/// A store's record.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) id: StoreId,
    pub(crate) uid: String,
    pub(crate) resource_version: String,
    pub(crate) status: StoreStatus,
    pub(crate) conditions: Vec<Condition>,
    /// The spec, or why it cannot be read.
    pub(crate) spec: Result<StoreSpec, String>,
    pub(crate) created_at: Timestamp,
    pub(crate) provisioning_since: Timestamp,
    /// The nonce of the request that creates the store's objects, or its last heartbeat.
    pub(crate) creation: Option<String>,
    pub(crate) idempotency: Option<Idempotency>,
    pub(crate) history: Vec<StatusChange>,
    /// When the last restart of each component was requested.
    pub(crate) restarts: Restarts,
    /// The revision.
    pub(crate) revision: Revision,
    /// The number of the revision that the conditions are about.
    pub(crate) observed_revision: u64,
    /// When the deletion of the namespace began.
    pub(crate) deleting_since: Option<Timestamp>,
    /// The finalizers of the namespace, urumi's and others'.
    pub(crate) finalizers: Vec<String>,
    /// Why the namespace still exists although it is being deleted.
    pub(crate) kept_by: Option<String>,
    /// The options that the request chose; `None` in a record of a version that did not keep them.
    pub(crate) request: Option<Options>,
    /// The authority on which they were chosen; an operator's if the record does not say.
    pub(crate) authority: Authority,
    name: String,
    engine: String,
    owner: Option<String>,
    labels: Labels,
}

/// An entry of the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StatusChange {
    #[serde(deserialize_with = "seconds::deserialize")]
    pub(crate) at: Timestamp,
    pub(crate) to: StoreStatus,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) reason: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) message: String,
}

/// The origin of a new store.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Origin<'a> {
    /// The program that creates it.
    pub(crate) created_by: &'a str,
    /// The nonce of the request.
    pub(crate) creation: Option<&'a str>,
    /// The owner.
    pub(crate) owner: Option<&'a str>,
    /// The labels that the request chose.
    pub(crate) labels: Option<&'a Labels>,
    /// The options that the request chose.
    pub(crate) request: Option<&'a Options>,
    /// The authority on which they were chosen.
    pub(crate) authority: Option<Authority>,
    /// The idempotency key of the request, hashed.
    pub(crate) idempotency: Option<&'a Idempotency>,
}

/// The kind of a store's record.
pub(crate) fn namespace_kind() -> Kind {
    Kind::of::<Namespace>()
}

/// The namespace of a store.
pub(crate) fn namespace_ref(id: &StoreId) -> ObjectRef {
    ObjectRef::cluster(namespace_kind(), id.namespace())
}

/// The namespaces of all stores, or of one store.
pub(crate) fn query(id: Option<&StoreId>) -> Query {
    let all = Query::all(namespace_kind()).labelled(LabelRequirement::Equals(ENABLED.into(), "true".into()));
    match id {
        Some(id) => all.named(id.namespace()),
        None => all,
    }
}

/// Every store of one owner, and stores of other owners with the same hash.
pub(crate) fn of_owner(owner: &str) -> Query {
    query(None).labelled(LabelRequirement::Equals(OWNER_HASH.into(), owner_label(owner)))
}

/// Every store that was created with one idempotency key, and stores of other keys with the same hash.
pub(crate) fn of_key(key: &Idempotency) -> Query {
    query(None).labelled(LabelRequirement::Equals(KEY_HASH.into(), key.key_label().to_owned()))
}

/// The objects of a kind that belong to any store, or those of one store in one namespace.
pub(crate) fn owned_objects(kind: Kind, of: Option<(&StoreId, String)>) -> Query {
    match of {
        Some((id, namespace)) => {
            Query::all(kind).in_namespace(namespace).labelled(LabelRequirement::Equals(ID.into(), id.to_string()))
        }
        None => Query::all(kind).labelled(LabelRequirement::Exists(ID.into())),
    }
}

/// The change of a record by which a request shows that it is still creating the store's objects. It applies to the namespace with
/// this uid only.
pub(crate) fn heartbeat(id: &StoreId, uid: &str, nonce: &str) -> Result<Object, MalformedObject> {
    let metadata = json!({"name": id.namespace(), "uid": uid, "annotations": {CREATION: nonce}});
    Object::from_value(namespace_kind(), json!({ "metadata": metadata }))
}

/// Makes a store's namespace the owner of an object. When the namespace is gone, Kubernetes' garbage collector removes the
/// object wherever it is: in another namespace, or in the next namespace of the same name, where a late request may have
/// created it.
pub(crate) fn own(object: &mut Object, id: &StoreId, uid: &str) {
    let owner = json!([{"apiVersion": "v1", "kind": "Namespace", "name": id.namespace(), "uid": uid}]);
    object.set_default(&["metadata"], "ownerReferences", owner);
}

/// Whether an object belongs to the store whose namespace has this uid. The namespace owns it, or it is in the namespace and
/// no namespace owns it. Any other object is left over from an earlier store of the same id and will be removed. A pod
/// that no namespace owns always belongs to the store: a workload creates and selects its own pods.
pub(crate) fn belongs(object: &Object, id: &StoreId, uid: &str) -> bool {
    let owners = object.list_at("/metadata/ownerReferences").iter();
    let mut namespaces =
        owners.filter(|owner| owner.get("kind").and_then(Value::as_str) == Some("Namespace")).peekable();
    match namespaces.peek() {
        Some(_) => namespaces.any(|owner| owner.get("uid").and_then(Value::as_str) == Some(uid)),
        None => object.namespace() == Some(&id.namespace()) || object.kind().kind == "Pod",
    }
}

/// The namespace of the store that an object belongs to: its own namespace if that is a store's, or else that of the store
/// that it is labelled with.
pub(crate) fn home(object: &Object) -> Option<String> {
    let namespace = object.namespace()?;
    match StoreId::from_namespace(namespace) {
        Some(_) => Some(namespace.to_owned()),
        None => StoreId::parse(object.label(ID)?).ok().map(|id| id.namespace()),
    }
}

/// The labels that every object of a store carries.
pub(crate) fn common_labels(id: &StoreId) -> Vec<(String, String)> {
    vec![
        (ID.into(), id.to_string()),
        ("app.kubernetes.io/instance".into(), id.to_string()),
        ("app.kubernetes.io/part-of".into(), "store".into()),
        ("app.kubernetes.io/managed-by".into(), "urumi".into()),
    ]
}

/// The namespace of a new store, which is its record.
pub(crate) fn new_namespace(
    spec: &StoreSpec,
    pod_security: PodSecurity,
    teardown: bool,
    origin: &Origin<'_>,
) -> Result<Object, MalformedObject> {
    let versioned = VersionedSpec { version: SPEC_VERSION, spec: spec.clone() };
    let spec_json = serde_json::to_string(&versioned).map_err(|e| MalformedObject::new(&namespace_kind(), e))?;
    let mut namespace = Object::from_value(
        namespace_kind(),
        json!({"metadata": {
            "name": spec.namespace(),
            "labels": {
                ENABLED: "true",
                "pod-security.kubernetes.io/enforce": pod_security.to_string(),
                "pod-security.kubernetes.io/warn": pod_security.to_string(),
            },
            "annotations": {
                ID: spec.id.as_str(),
                NAME: spec.name.as_str(),
                ENGINE: spec.engine,
                STATUS: StoreStatus::Provisioning.as_str(),
                SPEC: spec_json,
                CREATED_BY: origin.created_by,
            },
        }}),
    )?;
    if teardown {
        namespace.set_default(&["metadata"], "finalizers", json!([TEARDOWN]));
    }
    let mut labels = common_labels(&spec.id);
    labels.extend(origin.owner.map(|owner| (OWNER_HASH.into(), owner_label(owner))));
    labels.extend(origin.idempotency.map(|key| (KEY_HASH.into(), key.key_label().to_owned())));
    namespace.add_labels(&["metadata"], &labels);
    let key = origin.idempotency.and_then(|key| serde_json::to_string(key).ok());
    let request = origin.request.and_then(|request| serde_json::to_string(request).ok());
    let labels = origin.labels.filter(|labels| !labels.is_empty());
    let labels = labels.and_then(|labels| serde_json::to_string(labels).ok());
    let annotations = [
        (CREATION, origin.creation),
        (OWNER, origin.owner),
        (LABELS, labels.as_deref()),
        (REQUEST, request.as_deref()),
        (AUTHORITY, origin.authority.map(Authority::as_str)),
        (IDEMPOTENCY, key.as_deref()),
    ];
    for (annotation, value) in annotations {
        if let Some(value) = value {
            namespace.add_annotation(annotation, value);
        }
    }
    Ok(namespace)
}

impl Record {
    /// Reads a namespace. `None` if it is not a store: it must have the label, *and* the id in its annotation must be the one
    /// in its name.
    pub(crate) fn read(namespace: &Object) -> Option<Record> {
        let id = StoreId::from_namespace(namespace.name())?;
        if namespace.label(ENABLED) != Some("true") || namespace.annotation(ID) != Some(id.as_str()) {
            return None;
        }
        let time = |text: &str| text.parse::<Timestamp>().ok();
        let created_at = namespace
            .str_at("/metadata/creationTimestamp")
            .and_then(time)
            .map_or(Timestamp::UNIX_EPOCH, seconds::whole);
        let spec = read_spec(namespace.annotation(SPEC), &id);
        let status = match namespace.annotation(STATUS).map(StoreStatus::parse) {
            _ if namespace.is_terminating() => StoreStatus::Deleting,
            Some(Some(status)) => status,
            // The monitor will write a status to a record that has none, or an unknown one.
            _ => StoreStatus::Provisioning,
        };
        let conditions = namespace.annotation(CONDITIONS).and_then(|json| serde_json::from_str(json).ok());
        let labels = namespace.annotation(LABELS).and_then(|json| serde_json::from_str(json).ok());
        let history = namespace.annotation(HISTORY).and_then(|json| serde_json::from_str(json).ok());
        Some(Record {
            uid: namespace.uid().unwrap_or_default().to_owned(),
            resource_version: namespace.resource_version().unwrap_or_default().to_owned(),
            status,
            conditions: conditions.unwrap_or_default(),
            created_at,
            provisioning_since: namespace.annotation(PROVISIONING_SINCE).and_then(time).unwrap_or(created_at),
            creation: namespace.annotation(CREATION).map(str::to_owned),
            idempotency: namespace.annotation(IDEMPOTENCY).and_then(|json| serde_json::from_str(json).ok()),
            history: history.unwrap_or_default(),
            restarts: restarts::read(namespace.annotation(RESTARTS)),
            revision: Revision::read(namespace.annotation(REVISION)),
            observed_revision: namespace.annotation(OBSERVED_REVISION).and_then(|n| n.parse().ok()).unwrap_or(1),
            finalizers: {
                let finalizers = namespace.list_at("/metadata/finalizers").iter().filter_map(Value::as_str);
                finalizers.map(str::to_owned).collect()
            },
            kept_by: stuck_reason(namespace, TEARDOWN),
            deleting_since: namespace.str_at("/metadata/deletionTimestamp").and_then(time),
            request: namespace.annotation(REQUEST).and_then(|json| serde_json::from_str(json).ok()),
            authority: namespace.annotation(AUTHORITY).and_then(Authority::parse).unwrap_or_default(),
            owner: namespace.annotation(OWNER).map(str::to_owned),
            labels: labels.unwrap_or_default(),
            name: namespace.annotation(NAME).unwrap_or(id.as_str()).to_owned(),
            engine: namespace.annotation(ENGINE).unwrap_or("unknown").to_owned(),
            spec,
            id,
        })
    }

    /// The store as users see it. A store whose record cannot be read is `failed`, with that reason.
    pub(crate) fn store(&self, engines: &EngineRegistry) -> Store {
        let urls = match (&self.spec, engines.find(&self.engine)) {
            (Ok(spec), Some(engine)) => engine.urls(spec).map_err(|e| e.to_string()),
            (Ok(_), None) => Ok(StoreUrls::default()),
            (Err(message), _) => Err(message.clone()),
        };
        let (status, unreadable) = match &urls {
            Err(message) if self.status != StoreStatus::Deleting => {
                (StoreStatus::Failed, Some(format!("RecordUnreadable {message}")))
            }
            // The effects of its objects outside of its namespace cannot be undone.
            Err(message) if self.awaits_teardown() => (self.status, Some(format!("RecordUnreadable {message}"))),
            _ => (self.status, None),
        };
        Store {
            id: self.id.clone(),
            name: self.name.clone(),
            engine: self.engine.clone(),
            status,
            reason: unreadable.or_else(|| self.reason()),
            namespace: self.id.namespace(),
            urls: urls.unwrap_or_default(),
            created_at: self.created_at,
            ready_at: self.ready_at(),
            owner: self.owner.clone(),
            labels: self.labels.clone(),
            conditions: self.conditions.clone(),
            revision: self.revision.number,
            observed_revision: self.observed_revision,
            resource_version: self.resource_version.clone(),
            uid: Some(self.uid.clone()),
            made_by: self.idempotency.clone(),
        }
    }

    /// The engine's name.
    pub(crate) fn engine(&self) -> &str {
        &self.engine
    }

    /// The owner, where one is recorded.
    pub(crate) fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }

    /// The number of the store among those that its idempotency key has created.
    pub(crate) fn generation(&self) -> u32 {
        self.idempotency.as_ref().map_or(0, |made| made.generation)
    }

    /// When the store first became ready; `None` if the history is full and may no longer have that change.
    fn ready_at(&self) -> Option<Timestamp> {
        if self.history.len() >= REMEMBERED {
            return None;
        }
        self.history.iter().find(|change| change.to == StoreStatus::Ready).map(|change| change.at)
    }

    /// When the store became ready in its latest attempt; `None` if it has not. If the history no longer has that change, it
    /// counts as ready since the attempt began.
    pub(crate) fn opened(&self) -> Option<Timestamp> {
        let became_ready = |change: &&StatusChange| {
            change.to == StoreStatus::Ready && change.at >= seconds::whole(self.provisioning_since)
        };
        match self.status {
            StoreStatus::Provisioning | StoreStatus::Failed => None,
            _ => Some(self.history.iter().find(became_ready).map_or(self.provisioning_since, |change| change.at)),
        }
    }

    /// Whether the store was ever ready. If the history is full, it may have been, so this is true.
    pub(crate) fn was_ready(&self) -> bool {
        self.history.len() >= REMEMBERED || self.history.iter().any(|change| change.to == StoreStatus::Ready)
    }

    /// What happened to the store before.
    pub(crate) fn life(&self) -> Life {
        Life { was_ready: self.was_ready(), was_changed: self.revision.number > 1 }
    }

    /// Why the store is not ready, in one line.
    fn reason(&self) -> Option<String> {
        let told_by = match self.status {
            StoreStatus::Ready => return None,
            StoreStatus::Deleting => Condition::TORN_DOWN,
            _ => Condition::READY,
        };
        let told = self.conditions.iter().find(|c| c.type_ == told_by && c.status != ConditionStatus::True);
        let Some(ready) = told else { return self.kept_by.clone() };
        Some(if ready.message.is_empty() {
            ready.reason.clone()
        } else {
            format!("{} {}", ready.reason, ready.message)
        })
    }

    /// The patch that writes a status and conditions.
    pub(crate) fn update(&self, status: StoreStatus, conditions: &[Condition], now: Timestamp) -> MetadataPatch {
        let mut patch = MetadataPatch::at(&self.resource_version).annotate(STATUS, status.to_string());
        patch.annotations.insert(CONDITIONS.into(), serde_json::to_string(conditions).ok());
        if status != self.status {
            let history = self.history_with(status, conditions, now);
            patch.annotations.insert(HISTORY.into(), serde_json::to_string(&history).ok());
        }
        patch
    }

    /// Whether the store is being deleted and the effects of its objects outside of its namespace must be undone first.
    pub(crate) fn awaits_teardown(&self) -> bool {
        self.status == StoreStatus::Deleting && self.finalizers.iter().any(|f| f == TEARDOWN)
    }

    /// The patch that removes urumi's finalizer, so that Kubernetes can remove the namespace.
    pub(crate) fn release(&self) -> MetadataPatch {
        let others = self.finalizers.iter().filter(|f| *f != TEARDOWN).cloned();
        MetadataPatch::at(&self.resource_version).finalizers(others)
    }

    /// The history after a change, without its oldest entry if it is full.
    fn history_with(&self, to: StoreStatus, conditions: &[Condition], now: Timestamp) -> Vec<StatusChange> {
        let why = conditions.iter().find(|c| c.type_ == Condition::READY);
        let reason = why.map(|c| c.reason.clone()).unwrap_or_default();
        let message = why.map(|c| c.message.chars().take(MESSAGE_CHARS).collect()).unwrap_or_default();
        let mut history: Vec<StatusChange> = self.history.iter().rev().take(REMEMBERED - 1).rev().cloned().collect();
        history.push(StatusChange { at: seconds::whole(now), to, reason, message });
        history
    }

    /// The patch that begins a new attempt to provision a failed store.
    pub(crate) fn provision_again(&self, now: Timestamp) -> MetadataPatch {
        let retrying = Condition::new(Condition::READY, ConditionStatus::False, "Retrying", "", now);
        self.update(StoreStatus::Provisioning, &[retrying], now).annotate(PROVISIONING_SINCE, now.to_string())
    }
}

fn read_spec(annotation: Option<&str>, id: &StoreId) -> Result<StoreSpec, String> {
    let json = annotation.ok_or_else(|| format!("annotation {SPEC} is missing"))?;
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let unreadable = |e: serde_json::Error| format!("annotation {SPEC}: {e}");
    match serde_json::from_str::<Version>(json).map_err(unreadable)?.version {
        SPEC_VERSION => {}
        newer => return Err(format!("annotation {SPEC} has version {newer}; this urumi reads version {SPEC_VERSION}")),
    }
    let spec = serde_json::from_str::<VersionedSpec>(json).map_err(unreadable)?.spec;
    if spec.id != *id {
        return Err(format!("annotation {SPEC} is about store {}", spec.id));
    }
    Ok(spec)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::{ConfigMap, Pod};

    use super::*;
    use crate::store::{CreateStore, StoreName};

    fn spec() -> StoreSpec {
        StoreSpec {
            id: StoreId::parse("abc123").unwrap(),
            name: StoreName::parse("My \"Shop\" 🛍").unwrap(),
            engine: "medusa".into(),
            options: json!({"a": {"b": 1}}).as_object().cloned().unwrap(),
            renderer: 1,
        }
    }

    fn namespace() -> Object {
        let key = CreateStore::new("My Shop", "medusa").idempotency_key("key");
        let key = Idempotency::of(&key);
        let labels = Labels::from([("team".to_owned(), "web".to_owned())]);
        let origin = Origin {
            created_by: "test",
            creation: Some("nonce"),
            owner: Some("user:alice"),
            labels: Some(&labels),
            request: Some(&spec().options),
            authority: Some(Authority::Administrator),
            idempotency: key.as_ref(),
        };
        new_namespace(&spec(), PodSecurity::Restricted, false, &origin).unwrap()
    }

    #[test]
    fn the_namespace_holds_all_that_is_needed() {
        let record = Record::read(&namespace()).unwrap();
        assert_eq!(record.spec, Ok(spec()));
        assert_eq!(record.status, StoreStatus::Provisioning);
        assert_eq!(record.creation.as_deref(), Some("nonce"));
        assert_eq!((&record.request, record.authority), (&Some(spec().options), Authority::Administrator));
        assert_eq!(record.store(&EngineRegistry::new()).labels.get("team").map(String::as_str), Some("web"));
        insta::assert_snapshot!(serde_norway::to_string(&namespace()).unwrap());
    }

    #[test]
    fn the_last_changes_of_status_are_remembered() {
        let mut record = Record::read(&namespace()).unwrap();
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        for second in 0..100 {
            let status = if second % 2 == 0 { StoreStatus::Ready } else { StoreStatus::Degraded };
            let ready = Condition::new(Condition::READY, ConditionStatus::Unknown, "Why", "x".repeat(9999), at(second));
            let patch = record.update(status, &[ready], at(second));
            let history = patch.annotations[HISTORY].clone().unwrap();
            record.status = status;
            record.history = serde_json::from_str(&history).unwrap();
            let first = (record.history.len() < REMEMBERED).then_some(at(0));
            assert_eq!(record.store(&EngineRegistry::new()).ready_at, first);
            assert!(history.len() < 32 * 1024);
        }
        assert_eq!(record.history.len(), REMEMBERED);
        assert_eq!(record.history.last().unwrap().at, at(99));
        let same = record.update(record.status, &[], at(200));
        assert!(!same.annotations.contains_key(HISTORY));
    }

    #[test]
    fn times_of_early_versions_are_shown_in_whole_seconds() {
        let mut ns = namespace();
        let annotations = &mut ns.as_value_mut()["metadata"]["annotations"];
        annotations[LABELS].take();
        annotations[STATUS] = json!("failed");
        annotations[CONDITIONS] = json!(
            r#"[{"type":"Ready","status":"True","reason":"R","lastTransitionTime":"2026-01-01T00:00:07.123456789Z"}]"#
        );
        annotations[HISTORY] = json!(r#"[{"at":"2026-01-01T00:00:05.5Z","to":"ready"}]"#);
        let record = Record::read(&ns).unwrap();
        let store = serde_json::to_value(record.store(&EngineRegistry::new())).unwrap();
        assert_eq!(store["conditions"][0]["lastTransitionTime"], "2026-01-01T00:00:07Z");
        assert_eq!(store["readyAt"], "2026-01-01T00:00:05Z");
        assert_eq!(store.get("labels"), None);
        let now = "2026-01-01T00:00:09.9Z".parse().unwrap();
        let patch = record.provision_again(now);
        let written = |annotation: &str| patch.annotations[annotation].clone().unwrap();
        assert!(
            written(HISTORY).ends_with(r#"{"at":"2026-01-01T00:00:09Z","to":"provisioning","reason":"Retrying"}]"#)
        );
        assert!(written(CONDITIONS).contains(r#""lastTransitionTime":"2026-01-01T00:00:09Z""#));
    }

    #[test]
    fn what_another_namespace_owns_is_not_the_stores_wherever_it_is() {
        let object = |kind: Kind, namespace: &str, owner: Option<(&str, &str)>| {
            let owner = owner.map(|(kind, uid)| json!([{"apiVersion": "v1", "kind": kind, "name": "x", "uid": uid}]));
            let metadata = json!({"name": "x", "namespace": namespace, "ownerReferences": owner});
            belongs(&Object::from_value(kind, json!({"metadata": metadata})).unwrap(), &spec().id, "own")
        };
        let config = Kind::of::<ConfigMap>;
        for (namespace, alone) in [("store-abc123", true), ("elsewhere", false)] {
            assert!(object(config(), namespace, Some(("Namespace", "own"))), "{namespace}");
            assert!(!object(config(), namespace, Some(("Namespace", "earlier"))), "{namespace}");
            assert_eq!(object(config(), namespace, Some(("Deployment", "any"))), alone, "{namespace}");
            assert_eq!(object(config(), namespace, None), alone, "{namespace}");
            assert!(object(Kind::of::<Pod>(), namespace, Some(("Job", "any"))), "{namespace}");
        }
    }

    #[test]
    fn a_foreign_namespace_is_not_ours() {
        let change = |pointer: &str, value: serde_json::Value| {
            let mut ns = namespace();
            *ns.as_value_mut().pointer_mut(pointer).unwrap() = value;
            ns
        };
        assert!(Record::read(&change("/metadata/labels/store.urumi.ai~1enabled", json!("false"))).is_none());
        assert!(Record::read(&change("/metadata/annotations/store.urumi.ai~1id", json!("other"))).is_none());
        assert!(Record::read(&change("/metadata/name", json!("store-other"))).is_none());
        assert!(Record::read(&change("/metadata/name", json!("abc123"))).is_none());
    }

    #[test]
    fn a_record_that_cannot_be_read_is_shown_and_not_dropped() {
        for broken in
            ["", "{", "{}", r#"{"version":9}"#, r#"{"version":1,"id":"x","name":"n","engine":"e","options":{}}"#]
        {
            let mut ns = namespace();
            ns.as_value_mut()["metadata"]["annotations"][SPEC] = json!(broken);
            let store = Record::read(&ns).unwrap().store(&EngineRegistry::new());
            assert_eq!(store.status, StoreStatus::Failed, "{broken}");
            assert!(store.reason.unwrap().contains("RecordUnreadable"), "{broken}");
            assert_eq!(store.name, spec().name.as_str());
        }
    }

    #[test]
    fn a_terminating_namespace_is_deleting_whatever_its_annotation_says() {
        let mut ns = namespace();
        ns.as_value_mut()["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        ns.as_value_mut()["metadata"]["annotations"][STATUS] = json!("ready");
        assert_eq!(Record::read(&ns).unwrap().store(&EngineRegistry::new()).status, StoreStatus::Deleting);
    }
}
