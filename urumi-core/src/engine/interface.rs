//! The trait of engines, and its types.

use std::fmt;
use std::sync::Arc;

use k8s_openapi::api::apps::v1::StatefulSet;
use serde_json::Value;

use super::policy::OptionPolicy;
use crate::error::FieldError;
use crate::kubernetes::{Kind, MalformedObject, Object, ObjectRef};
use crate::secret::{NoRandomness, SecretSource};
use crate::store::{Authority, OptionWarning, Options, StoreId, StoreSpec, StoreUrls};

/// The description of an engine, for people and forms.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct EngineInfo {
    /// The engine's name in stores, e.g. `medusa`.
    pub name: String,
    /// A one-line description.
    pub description: String,
    /// JSON Schema (draft 2020-12) of its options, with the defaults of this installation.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub options: Value,
    /// What requests may choose among the options; see [`for_authority`](Self::for_authority). It is not part of the JSON.
    #[serde(skip)]
    pub policy: OptionPolicy,
}

impl EngineInfo {
    /// An engine with this JSON Schema of its options.
    pub fn new(name: impl Into<String>, description: impl Into<String>, options: impl Into<Value>) -> Self {
        let (name, description) = (name.into(), description.into());
        EngineInfo { name, description, options: options.into(), policy: OptionPolicy::default() }
    }

    /// What it offers to requests on this authority: what they may not choose is `readOnly` in the schema, limits are part
    /// of it, and `x-urumi-policy` has the rule of each restricted option.
    #[must_use]
    pub fn for_authority(&self, authority: Authority) -> Self {
        EngineInfo { options: self.policy.describe(authority, &self.options), ..self.clone() }
    }
}

/// A store before its options are resolved.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewStore<'a> {
    /// The store's id.
    pub id: &'a StoreId,
    /// The domain of stores whose options set none, e.g. `localtest.me`.
    pub default_domain: &'a str,
}

impl<'a> NewStore<'a> {
    /// A store with this id, with `default_domain` unless its options set a domain.
    pub fn new(id: &'a StoreId, default_domain: &'a str) -> Self {
        NewStore { id, default_domain }
    }
}

/// What a change makes of the options that a store's request chose.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RequestChange<'a> {
    /// The options that were chosen before.
    pub before: &'a Options,
    /// Those that are chosen after the change.
    pub after: &'a Options,
}

impl<'a> RequestChange<'a> {
    /// The change from these options to those.
    pub fn new(before: &'a Options, after: &'a Options) -> Self {
        RequestChange { before, after }
    }
}

/// How urumi treats an object that an engine rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Policy {
    /// Created if missing; fields that differ from the rendered object are restored.
    Managed,
    /// Created once and never compared or overwritten, because it contains generated secrets or is immutable in
    /// Kubernetes. It is created only while none of its guards exists. The guard of generated secrets is an object that
    /// would not work with new secrets, such as a database's volume; the guard of a Job is the Job itself.
    CreateOnce {
        /// Objects whose existence shows that this one has been created before.
        guards: Vec<ObjectRef>,
    },
    /// A Secret in the store's namespace whose values are copied from a Secret in another namespace, for each key of
    /// its data. Otherwise like [`Policy::CreateOnce`]. The other Secret is created first.
    Copy {
        /// The Secret with the values.
        from: ObjectRef,
        /// Objects whose existence shows that this one has been created before.
        guards: Vec<ObjectRef>,
    },
}

impl Policy {
    /// The objects whose existence shows that this one has been created before; `None` if the object itself shows this.
    pub fn guards(&self) -> Option<&[ObjectRef]> {
        match self {
            Policy::Managed => None,
            Policy::CreateOnce { guards } | Policy::Copy { guards, .. } => Some(guards),
        }
    }
}

/// A rendered object and its policy.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Manifest {
    /// The object.
    pub object: Object,
    /// Its policy.
    pub policy: Policy,
}

impl Manifest {
    /// An object that is created if missing and repaired if it differs.
    pub fn managed(object: Object) -> Self {
        Manifest { object, policy: Policy::Managed }
    }

    /// An object that is created once, while none of `guards` exists.
    pub fn create_once(object: Object, guards: Vec<ObjectRef>) -> Self {
        Manifest { object, policy: Policy::CreateOnce { guards } }
    }

    /// A Secret whose data is copied from another, while none of `guards` exists.
    pub fn copy(object: Object, from: ObjectRef, guards: Vec<ObjectRef>) -> Self {
        Manifest { object, policy: Policy::Copy { from, guards } }
    }
}

/// A stage of a teardown, which removes what a store has outside of its namespace.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Stage {
    /// Objects that must exist as rendered.
    pub manifests: Vec<Manifest>,
    /// The Job among them that must end before the stage is complete: the Job is complete, or it is suspended and its
    /// pods have ended.
    pub ends: Option<ObjectRef>,
}

impl Stage {
    /// A stage that is complete when these objects exist.
    pub fn new(manifests: Vec<Manifest>) -> Self {
        Stage { manifests, ends: None }
    }

    /// The same, but complete only when this Job has ended.
    #[must_use]
    pub fn until(mut self, job: ObjectRef) -> Self {
        self.ends = Some(job);
        self
    }
}

/// A part of a store with a readiness condition of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Component {
    /// Lower-case name, e.g. `database`; its condition is `DatabaseReady`.
    pub name: String,
    /// The Deployment, StatefulSet or other object that must be available.
    pub workload: ObjectRef,
    /// Whether it keeps data, so that a restart of the store leaves it running unless it is named.
    pub keeps_data: bool,
    /// The number of available replicas that is enough where an autoscaler may want more; `None` if all must be available.
    pub enough: Option<u32>,
}

impl Component {
    /// A component that is ready when its workload is available. It keeps data if that is a StatefulSet.
    pub fn new(name: impl Into<String>, workload: ObjectRef) -> Self {
        let keeps_data = workload.kind == Kind::of::<StatefulSet>();
        Component { name: name.into(), workload, keeps_data, enough: None }
    }

    /// The component as one that keeps data.
    #[must_use]
    pub fn keeping_data(self) -> Self {
        Component { keeps_data: true, ..self }
    }

    /// The component with an autoscaler that keeps at least so many replicas. More of them may be starting at any time, and the
    /// component is ready without them.
    #[must_use]
    pub fn autoscaled(self, least: u32) -> Self {
        Component { enough: Some(least), ..self }
    }
}

/// The first sign-in to a store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignIn {
    /// The URL of the sign-in page.
    pub address: String,
    /// The user name or e-mail address.
    pub username: String,
    /// The name of the Secret with the password, in the store's namespace. It is read only on request; a minimal Role
    /// needs its name.
    pub secret: String,
    /// The password's key in the Secret.
    pub password_key: String,
}

impl SignIn {
    /// A sign-in of `username` at `address` with the password at `password_key` in the Secret `secret`.
    pub fn new(
        address: impl Into<String>,
        username: impl Into<String>,
        secret: impl Into<String>,
        password_key: impl Into<String>,
    ) -> Self {
        SignIn {
            address: address.into(),
            username: username.into(),
            secret: secret.into(),
            password_key: password_key.into(),
        }
    }
}

/// Why an engine could not render a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// The spec's options were not resolved by this engine.
    #[error("the spec's options are not usable: {0}")]
    Options(String),
    /// A newer version of the engine rendered the store.
    #[error(
        "it is rendered in way {wanted}, and this version of urumi knows {known} at most: a newer version made or refreshed it"
    )]
    Renderer {
        /// The spec's.
        wanted: u32,
        /// The engine's newest.
        known: u32,
    },
    /// No secret could be generated.
    #[error(transparent)]
    Secrets(#[from] NoRandomness),
    /// An object is malformed.
    #[error(transparent)]
    Object(#[from] MalformedObject),
}

/// A kind of store. Medusa is built in; programs can add others.
///
/// # Contract
/// Every method is pure: equal arguments give equal results, and methods do no I/O and do not block. `render` may be
/// called often, and its result may be discarded; it takes secrets only from the given source.
///
/// urumi adds to each rendered object the store's namespace and the labels `store.urumi.ai/id` and
/// `app.kubernetes.io/{instance,part-of,managed-by}`; the same labels to pod templates and volume claim templates; and
/// `automountServiceAccountToken: false` to pod templates.
///
/// An object with another namespace is created there, such as a Job that creates a database for the store on a shared
/// server. That namespace belongs to the installation, never to a store, and a request must not be able to choose it.
/// Such objects are owned by the store's record and deleted with it; [`Engine::teardown`] undoes their effects.
///
/// After a change, pods see a ConfigMap that they have mounted as a volume at once: urumi annotates them, so that the kubelet renews
/// the volume.
pub trait Engine: Send + Sync + 'static {
    /// The engine's name in stores: 1 to 63 characters of `[a-z0-9-]`.
    fn name(&self) -> &str;

    /// The engine's description and options.
    fn info(&self) -> EngineInfo;

    /// This engine with an installation's defaults for new stores. They have the format of a request's options; options
    /// that they leave out keep the engine's built-in defaults.
    ///
    /// # Errors
    /// Every invalid option, by its path. An engine that does not implement this rejects all defaults.
    fn with_defaults(&self, _defaults: &Options) -> Result<Arc<dyn Engine>, Vec<FieldError>> {
        Err(vec![FieldError::new("", format!("the engine {} takes no defaults", self.name()))])
    }

    /// What requests may choose among the options, unless the installation's policy says otherwise; everything for most
    /// engines.
    fn policy(&self) -> OptionPolicy {
        OptionPolicy::open()
    }

    /// The options of a store whose request chooses none, as far as they are known: what a [`Rule`](super::Rule) compares
    /// a request with.
    fn defaults_for(&self, _store: &NewStore<'_>) -> Options {
        Options::new()
    }

    /// Checks options and adds this engine's defaults. The result is stored in the store's spec and passed to the other
    /// methods, also of later versions of this engine.
    ///
    /// # Errors
    /// Every invalid field, by its path within the options (e.g. `api.replicas`).
    fn resolve(&self, store: &NewStore<'_>, options: &Options) -> Result<Options, Vec<FieldError>>;

    /// Settles a change of a store: `options` would be in force after it. Checks them as a whole, and returns them with what was
    /// decided when the store was created, e.g. a value that follows from another option. What Kubernetes refuses need not be
    /// refused here.
    ///
    /// # Errors
    /// Every option that cannot be changed, by its path within the options, with what to do instead. An engine that does not
    /// implement this refuses every change.
    fn settle(
        &self,
        _store: &StoreSpec,
        _change: &RequestChange<'_>,
        _options: Options,
    ) -> Result<Options, Vec<FieldError>> {
        Err(vec![FieldError::new("", format!("stores of the engine {} cannot be changed", self.name()))])
    }

    /// What the caller should know about options that a request chooses although they are accepted, e.g. a secret value
    /// that is shown; nothing for most engines. The options may be invalid. A warning names them by their paths within the
    /// options, and does not repeat their values.
    fn warnings(&self, _options: &Options) -> Vec<OptionWarning> {
        Vec::new()
    }

    /// The number of this engine's newest way of rendering: one more than before whenever the same options give other objects.
    ///
    /// New stores get it as [`StoreSpec::renderer`] and keep it until they are refreshed, so that a new version of the engine
    /// restarts no store. An engine renders all of its ways, from 1 to this one.
    fn renderer(&self) -> u32 {
        1
    }

    /// All objects of a store, without its namespace, in any order: urumi creates dependencies (secrets, configuration,
    /// policies, services) before workloads and routes.
    ///
    /// # Errors
    /// When the spec is not one that `resolve` made.
    fn render(&self, spec: &StoreSpec, secrets: &dyn SecretSource) -> Result<Vec<Manifest>, RenderError>;

    /// The workloads that must be available for the store to be ready, in the order in which they are shown.
    ///
    /// # Errors
    /// When the spec is not one that `resolve` made.
    fn components(&self, spec: &StoreSpec) -> Result<Vec<Component>, RenderError>;

    /// The store's addresses.
    ///
    /// # Errors
    /// When the spec is not one that `resolve` made.
    fn urls(&self, spec: &StoreSpec) -> Result<StoreUrls, RenderError>;

    /// The first sign-in to the store; `None` if there is none.
    ///
    /// # Errors
    /// When the spec is not one that `resolve` made.
    fn sign_in(&self, _spec: &StoreSpec) -> Result<Option<SignIn>, RenderError> {
        Ok(None)
    }

    /// The stages that undo, when a store is deleted, what was done for it outside of its namespace; none for most
    /// engines.
    ///
    /// The stages run one after the other. The store stays on record as `deleting` until the last one is complete.
    ///
    /// # Errors
    /// When the spec is not one that `resolve` made.
    fn teardown(&self, _spec: &StoreSpec, _secrets: &dyn SecretSource) -> Result<Vec<Stage>, RenderError> {
        Ok(Vec::new())
    }

    /// The Job that places a smoke order in the store, like a customer; `None` if the engine has none.
    ///
    /// The Job and its pod have the label [`smoke::LABEL`](crate::store::smoke::LABEL). For each run, a random suffix
    /// is added to the Job's name. The first container writes a [`SmokeReport`](crate::store::smoke::SmokeReport) as
    /// JSON, of at most 4096 bytes, to its termination log, and exits with 0 if all steps succeeded.
    ///
    /// # Errors
    /// When the spec is not one that `resolve` made.
    fn smoke(&self, _spec: &StoreSpec) -> Result<Option<Object>, RenderError> {
        Ok(None)
    }

    /// The Job that proves that a changed store works; `None` if the engine has none.
    ///
    /// It begins when all pods are of the new revision, whose number is added to the Job's name, and succeeds when the store
    /// serves its customers. A revision whose Job does not succeed is taken back.
    ///
    /// # Errors
    /// When the spec is not one that `resolve` made.
    fn proof(&self, _spec: &StoreSpec) -> Result<Option<Object>, RenderError> {
        Ok(None)
    }

    /// The Pod Security Standard that the store's namespace enforces.
    fn pod_security(&self, _spec: &StoreSpec) -> PodSecurity {
        PodSecurity::Restricted
    }
}

/// The Pod Security Standard of a store's namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PodSecurity {
    /// The default: heavily restricted, current best practice.
    Restricted,
    /// Minimally restrictive, for images that do not run under `restricted`.
    Baseline,
}

impl fmt::Display for PodSecurity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PodSecurity::Restricted => "restricted",
            PodSecurity::Baseline => "baseline",
        })
    }
}
