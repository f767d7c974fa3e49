//! A cluster that does not do what urumi asks of it, as if urumi had asked for something else.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret, Service};
use serde_json::{Value, json};
use urumi_core::cluster::{ClusterBackend, LogStream, WatchStream};
use urumi_core::kubernetes::{
    Access, ClusterError, ClusterErrorKind, LogOptions, MetadataPatch, Preconditions, Query, TokenReview, Verb,
};
use urumi_core::kubernetes::{Kind, Object, ObjectRef};
use urumi_core::record;
use urumi_core::secret::SecretString;
use urumi_simulator::engine::{EXTRA, SECRET, SHARED};
use urumi_simulator::look::Look;
use urumi_simulator::{Backend, World};

/// A mistake that somebody could make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// A repair draws the password anew.
    NewPassword,
    /// A deletion takes all namespaces whose names begin with the store's.
    DeleteByPrefix,
    /// A deletion takes another store, too.
    DeleteAnother,
    /// A name that is taken, or an answer that was lost, is answered with another name.
    AnotherNamespace,
    /// Something is made outside of the namespace that nobody owns.
    Unowned,
    /// A store that was ready is provisioning again.
    BackToProvisioning,
    /// A repair overwrites what others have set.
    Overwrite,
    /// What is there already is completed by a field that nobody asked for.
    Embellish,
    /// It is never recorded that a store is ready.
    NeverReady,
    /// The Lease is written whatever its version.
    AnyVersion,
    /// The Lease of somebody else is never taken.
    NeverTaken,
    /// A change is answered before it is on record, and never gets there.
    AnswerFirst,
    /// A change takes the options of the record with it that another one has just set.
    Mix,
    /// What a former revision left over is removed with the Secret.
    PruneSecret,
    /// urumi goes back to something else than the last good revision.
    GoElsewhere,
    /// The former revision is not kept.
    Forget,
}

pub(crate) struct Mutant {
    pub(crate) inner: Backend,
    pub(crate) world: Arc<World>,
    pub(crate) mistake: Mistake,
}

impl Mutant {
    async fn delete_others(&self, meant: &ObjectRef) {
        for other in self.world.cluster.list(&Query::all(Kind::of::<Namespace>())).await.unwrap() {
            let ours = other.label(record::ENABLED).is_some();
            let hit = match self.mistake {
                Mistake::DeleteByPrefix => other.name().starts_with(&meant.name),
                _ => ours,
            };
            if hit && other.name() != meant.name {
                let _ = self.inner.delete(&other.reference(), &Preconditions::of(&other)).await;
            }
        }
    }

    fn under_another_name(object: &Object) -> Object {
        let mut other = object.clone();
        let id = format!("{}x", object.annotation(record::ID).unwrap());
        let metadata = &mut other.as_value_mut()["metadata"];
        metadata["name"] = json!(format!("store-{id}"));
        metadata["labels"][record::ID] = json!(id);
        metadata["annotations"][record::ID] = json!(id);
        other
    }

    /// The spec of a patch with some of its options replaced.
    fn with_options(patch: &mut MetadataPatch, replace: impl Fn(&mut Value)) {
        if let Some(Some(json)) = patch.annotations.get_mut(record::SPEC) {
            let mut spec: Value = serde_json::from_str(json).unwrap();
            replace(&mut spec["options"]);
            *json = spec.to_string();
        }
    }

    /// The answer to a patch that was never sent.
    async fn answer_first(&self, object: &ObjectRef, patch: &MetadataPatch) -> Result<Object, ClusterError> {
        let mut answer = self.inner.get(object).await?.unwrap();
        for (name, value) in &patch.annotations {
            answer.as_value_mut()["metadata"]["annotations"][name] = json!(value);
        }
        Ok(answer)
    }

    fn unowned(object: &Object) -> Object {
        let value = json!({"metadata": {
            "name": format!("{}-copy", object.name()),
            "namespace": SHARED,
            "labels": {record::ID: object.label(record::ID)},
        }});
        Object::from_value(Kind::of::<ConfigMap>(), value).unwrap()
    }
}

#[async_trait]
impl ClusterBackend for Mutant {
    async fn create(&self, object: &Object) -> Result<Object, ClusterError> {
        if self.mistake == Mistake::Forget && *object.kind() == Kind::of::<ControllerRevision>() {
            return Ok(object.clone());
        }
        let created = self.inner.create(object).await;
        match self.mistake {
            Mistake::AnotherNamespace if *object.kind() == Kind::of::<Namespace>() && created.is_err() => {
                return self.inner.create(&Self::under_another_name(object)).await;
            }
            Mistake::Unowned if object.namespace() == Some(SHARED) => {
                let _ = self.inner.create(&Self::unowned(object)).await;
            }
            Mistake::Embellish if *object.kind() == Kind::of::<Service>() => {
                let taken = |error: &ClusterError| error.kind() == ClusterErrorKind::AlreadyExists;
                if created.as_ref().is_err_and(taken) {
                    let mut embellished = object.clone();
                    embellished.as_value_mut()["spec"]["sessionAffinity"] = json!("ClientIP");
                    return self.inner.apply(&embellished).await;
                }
            }
            _ => {}
        }
        created
    }

    async fn apply(&self, object: &Object) -> Result<Object, ClusterError> {
        let mut object = object.clone();
        if self.mistake == Mistake::Overwrite {
            object.as_value_mut()["metadata"]["annotations"]["example.com/foreign"] = json!("overwritten");
        }
        if let (Mistake::NewPassword, Some(id)) = (self.mistake, object.label(record::ID)) {
            let value = json!({
                "metadata": {"name": SECRET, "namespace": format!("store-{id}")},
                "stringData": {"PASSWORD": "another"},
            });
            let _ = self.inner.apply(&Object::from_value(Kind::of::<Secret>(), value).unwrap()).await;
        }
        self.inner.apply(&object).await
    }

    async fn patch_metadata(&self, object: &ObjectRef, patch: &MetadataPatch) -> Result<Object, ClusterError> {
        let mut patch = patch.clone();
        if let Some(value) = patch.annotations.get_mut(record::STATUS) {
            match (self.mistake, value.as_deref()) {
                (Mistake::BackToProvisioning, Some("degraded")) => *value = Some("provisioning".into()),
                (Mistake::NeverReady, Some("ready")) => {
                    let unavailable = ClusterErrorKind::Unavailable;
                    return Err(ClusterError::new(Verb::PatchMetadata, object, unavailable, "not now"));
                }
                _ => {}
            }
        }
        if patch.annotations.contains_key(record::SPEC) {
            let revision = patch.annotations.get(record::REVISION).cloned().flatten().unwrap_or_default();
            let by_itself = revision.contains("\"failed\"");
            match self.mistake {
                Mistake::AnswerFirst if !by_itself => return self.answer_first(object, &patch).await,
                Mistake::Mix => {
                    let seal = Look::default().options()["seal"].clone();
                    Self::with_options(&mut patch, |options| options["seal"] = seal.clone());
                }
                Mistake::GoElsewhere if by_itself => {
                    let elsewhere = Look { colour: 99, ..Look::default() };
                    Self::with_options(&mut patch, |options| *options = json!(elsewhere.options()));
                }
                _ => {}
            }
        }
        self.inner.patch_metadata(object, &patch).await
    }

    async fn delete(&self, object: &ObjectRef, expected: &Preconditions) -> Result<(), ClusterError> {
        if matches!(self.mistake, Mistake::DeleteByPrefix | Mistake::DeleteAnother) {
            self.delete_others(object).await;
        }
        if self.mistake == Mistake::PruneSecret && object.name == EXTRA {
            let secret = ObjectRef::namespaced(Kind::of::<Secret>(), object.namespace.clone().unwrap(), SECRET);
            if let Ok(Some(secret)) = self.inner.get(&secret).await {
                let _ = self.inner.delete(&secret.reference(), &Preconditions::of(&secret)).await;
            }
        }
        self.inner.delete(object, expected).await
    }

    async fn own_created(&self, object: &ObjectRef, released: &'static [&'static str]) -> Result<(), ClusterError> {
        self.inner.own_created(object, released).await
    }

    async fn replace(&self, object: &Object) -> Result<Object, ClusterError> {
        let mut object = object.clone();
        if self.mistake == Mistake::AnyVersion && *object.kind() == Kind::of::<Lease>() {
            object.as_value_mut()["metadata"]["resourceVersion"].take();
            // Or those who take it from each other would leave no time for anything else.
            tokio::time::sleep(Duration::from_millis(300)).await;
            return self.inner.apply(&object).await;
        }
        if self.mistake == Mistake::NeverTaken
            && *object.kind() == Kind::of::<Lease>()
            && let Some(there) = self.inner.get(&object.reference()).await?
        {
            let holder = |lease: &Object| lease.str_at("/spec/holderIdentity").unwrap_or_default().to_owned();
            if !["", &holder(&object)].contains(&holder(&there).as_str()) {
                let unavailable = ClusterErrorKind::Unavailable;
                return Err(ClusterError::new(Verb::Replace, object.reference(), unavailable, "not now"));
            }
        }
        self.inner.replace(&object).await
    }
    async fn get(&self, object: &ObjectRef) -> Result<Option<Object>, ClusterError> {
        self.inner.get(object).await
    }
    async fn list(&self, query: &Query) -> Result<Vec<Object>, ClusterError> {
        self.inner.list(query).await
    }
    fn watch(&self, query: &Query) -> WatchStream {
        self.inner.watch(query)
    }
    async fn logs(&self, pod: &ObjectRef, options: &LogOptions) -> Result<LogStream, ClusterError> {
        self.inner.logs(pod, options).await
    }
    async fn may(&self, access: &Access) -> Result<bool, ClusterError> {
        self.inner.may(access).await
    }
    async fn review_token(&self, token: &SecretString, audiences: &[String]) -> Result<TokenReview, ClusterError> {
        self.inner.review_token(token, audiences).await
    }
    async fn version(&self) -> Result<String, ClusterError> {
        self.inner.version().await
    }
}
