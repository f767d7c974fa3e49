//! What an engine is: the trait, and the types that it speaks in.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::policy::OptionPolicy;
use crate::error::FieldError;
use crate::kubernetes::{MalformedObject, Object, ObjectRef};
use crate::secret::{NoRandomness, SecretSource};
use crate::store::{Authority, Options, StoreId, StoreSpec, StoreUrls};

/// What an engine offers, for people and forms.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct EngineInfo {
    /// The name by which stores refer to it, e.g. `medusa`.
    pub name: String,
    /// One line for people.
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

/// What is known of a store before its options are resolved.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewStore<'a> {
    /// The store's id.
    pub id: &'a StoreId,
    /// The domain under which stores are reachable where the options name none, e.g. `localtest.me`.
    pub default_domain: &'a str,
}

impl<'a> NewStore<'a> {
    /// A store with this id, below `default_domain` unless its options name a domain.
    pub fn new(id: &'a StoreId, default_domain: &'a str) -> Self {
        NewStore { id, default_domain }
    }
}

/// How urumi treats an object that an engine rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Policy {
    /// Created where it is missing; fields that differ from what was rendered are set back.
    Managed,
    /// Created once and never compared or overwritten: because it holds generated secrets, or because Kubernetes
    /// lets nobody change it. It is created only while none of the guards exists. A guard of generated secrets is an
    /// object that would break if they were drawn anew, such as a database's volume; that of a Job is the Job itself.
    CreateOnce {
        /// Objects whose existence shows that this one has been created before.
        guards: Vec<ObjectRef>,
    },
    /// A Secret in the store's namespace with values of a Secret elsewhere: each key of its data is copied from there.
    /// Like [`Policy::CreateOnce`] otherwise. The Secret elsewhere is created before.
    Copy {
        /// Where the values are.
        from: ObjectRef,
        /// Objects whose existence shows that this one has been created before.
        guards: Vec<ObjectRef>,
    },
}

impl Policy {
    /// The objects whose existence shows that this one has been created before; `None` where that is seen by itself.
    pub fn guards(&self) -> Option<&[ObjectRef]> {
        match self {
            Policy::Managed => None,
            Policy::CreateOnce { guards } | Policy::Copy { guards, .. } => Some(guards),
        }
    }
}

/// An object that an engine rendered, and how urumi treats it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Manifest {
    /// The object.
    pub object: Object,
    /// How it is treated.
    pub policy: Policy,
}

impl Manifest {
    /// An object that is created where missing and repaired where it differs.
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

/// A stage of what undoes what a store has outside of its namespace.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Stage {
    /// Objects that must be there, as they are rendered.
    pub manifests: Vec<Manifest>,
    /// The Job among them that must have ended before the stage is over: it is complete, or suspended and its pods have
    /// ended.
    pub ends: Option<ObjectRef>,
}

impl Stage {
    /// A stage that is over as soon as these objects exist.
    pub fn new(manifests: Vec<Manifest>) -> Self {
        Stage { manifests, ends: None }
    }

    /// The same, but it is over only when this Job has ended.
    #[must_use]
    pub fn until(mut self, job: ObjectRef) -> Self {
        self.ends = Some(job);
        self
    }
}

/// A part of a store whose readiness is reported by its own name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Component {
    /// Lower-case name, e.g. `database`; its condition is `DatabaseReady`.
    pub name: String,
    /// The Deployment, StatefulSet or other object that must be available.
    pub workload: ObjectRef,
}

impl Component {
    /// A component that is ready when its workload is available.
    pub fn new(name: impl Into<String>, workload: ObjectRef) -> Self {
        Component { name: name.into(), workload }
    }
}

/// How somebody signs in to a store for the first time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignIn {
    /// The address of the page to sign in at.
    pub address: String,
    /// The name, or e-mail address, to sign in with.
    pub username: String,
    /// The name of the Secret, in the store's namespace, that has the password. It is read only when somebody asks for
    /// it; a role that permits no more than that needs the name.
    pub secret: String,
    /// The key within it.
    pub password_key: String,
}

impl SignIn {
    /// The page at `address`, where `username` signs in with the password under `password_key` in the Secret `secret`.
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

/// Something an engine could not render.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// The spec's options are not what this engine resolved.
    #[error("the spec's options are not usable: {0}")]
    Options(String),
    /// No secret could be drawn.
    #[error(transparent)]
    Secrets(#[from] NoRandomness),
    /// An object is malformed.
    #[error(transparent)]
    Object(#[from] MalformedObject),
}

/// A kind of store: Medusa is built in, others are plugins.
///
/// # Contract
/// Every method is pure: the same arguments give the same result, nothing is read from outside, nothing blocks.
/// `render` may be called often and its result thrown away; secrets come only from the source it is given.
///
/// urumi itself adds to each rendered object: the store's namespace, the label `store.urumi.ai/id`, the labels
/// `app.kubernetes.io/{instance,part-of,managed-by}`; to pod templates and volume claim templates the same labels,
/// and to pod templates the refusal of a ServiceAccount token.
///
/// An object that names another namespace is made there: for what a store has outside of its own, such as a Job that
/// makes its database on a server of many stores. That namespace is the installation's and never a store's, and must
/// not be the choice of whoever asks for a store. Such objects go with the store's record, which owns them; what they
/// have done is undone by [`Engine::teardown`].
pub trait Engine: Send + Sync + 'static {
    /// The name by which stores refer to it: 1 to 63 characters of `[a-z0-9-]`.
    fn name(&self) -> &str;

    /// What it is and which options it has.
    fn info(&self) -> EngineInfo;

    /// This engine with an installation's defaults, which new stores start from. They have the shape of a request's
    /// options; what they leave out has the engine's built-in default.
    ///
    /// # Errors
    /// Every option that is wrong, by its path. An engine that does not implement this takes no defaults and refuses
    /// them all.
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

    /// Checks options and completes them with this engine's defaults. The result is what is kept in the store's spec
    /// and given to the other methods, also by later versions of this engine.
    ///
    /// # Errors
    /// Every field that is wrong, by its path within the options (e.g. `api.replicas`).
    fn resolve(&self, store: &NewStore<'_>, options: &Options) -> Result<Options, Vec<FieldError>>;

    /// All objects of a store, without its namespace. Order does not matter: what others depend on (secrets,
    /// configuration, policies, services) is created before workloads and routes.
    ///
    /// # Errors
    /// When the spec is not one that `resolve` made.
    fn render(&self, spec: &StoreSpec, secrets: &dyn SecretSource) -> Result<Vec<Manifest>, RenderError>;

    /// Which workloads must be available for the store to be ready, in the order in which people want to see them.
    ///
    /// # Errors
    /// When the spec is not one that `resolve` made.
    fn components(&self, spec: &StoreSpec) -> Result<Vec<Component>, RenderError>;

    /// Where the store is reached.
    ///
    /// # Errors
    /// When the spec is not one that `resolve` made.
    fn urls(&self, spec: &StoreSpec) -> Result<StoreUrls, RenderError>;

    /// How somebody signs in to the store for the first time; `None` where nobody can.
    ///
    /// # Errors
    /// When the spec is not one that `resolve` made.
    fn sign_in(&self, _spec: &StoreSpec) -> Result<Option<SignIn>, RenderError> {
        Ok(None)
    }

    /// What undoes, when a store is deleted, what was done for it outside of its namespace; nothing for most engines.
    ///
    /// The stages are carried out one after the other. The store stays on record as `deleting` until the last is over.
    ///
    /// # Errors
    /// When the spec is not one that `resolve` made.
    fn teardown(&self, _spec: &StoreSpec, _secrets: &dyn SecretSource) -> Result<Vec<Stage>, RenderError> {
        Ok(Vec::new())
    }

    /// The Job that tries a store by placing an order as a customer would; `None` where there is no such thing.
    ///
    /// It has the label [`smoke::LABEL`](crate::store::smoke::LABEL), as has its pod; to its name something random is added for
    /// each run. Its first container writes a [`SmokeReport`](crate::store::smoke::SmokeReport) as JSON, of at most 4096 bytes, to
    /// where Kubernetes expects its last words, and ends with code 0 if all went well.
    ///
    /// # Errors
    /// When the spec is not one that `resolve` made.
    fn smoke(&self, _spec: &StoreSpec) -> Result<Option<Object>, RenderError> {
        Ok(None)
    }

    /// The Pod Security Standard that the store's namespace enforces.
    fn pod_security(&self, _spec: &StoreSpec) -> PodSecurity {
        PodSecurity::Restricted
    }
}

/// A Pod Security Standard, enforced on a store's namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PodSecurity {
    /// The default: heavily restricted, current best practice.
    Restricted,
    /// Minimally restrictive; for images that cannot do with less.
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
