//! Medusa: a shop, its commerce API and a PostgreSQL database, in the objects and by the names of one namespace.
//!
//! | component | workload | Service | Ingress host |
//! |---|---|---|---|
//! | `database` | StatefulSet `postgres` (absent with an external database; on a shared server, a Job beside that) | `postgres` 5432 | none |
//! | `redis` | Deployment `redis` (only where several API replicas share one) | `redis` 6379 | none |
//! | `api` | Deployment `medusa-api` | `medusa-api` 80 → 9000 | `api-<id>.<domain>` |
//! | `storefront` | Deployment `medusa-storefront` | `medusa-storefront` 80 → 8000 | `store-<id>.<domain>` |
//! | `proof-of-life` | Job `proof-of-life`, which opens the shop as a customer would | none | none |
//! | `smoke` | Job `smoke-<random>`, on demand; CronJob `smoke` (only with a schedule) | none | none |
//!
//! Rendering is pure and in the API server's canonical form: every field that is written here is stored exactly so,
//! and a comparison with what is stored shows real differences only.

mod admin;
mod api;
mod autoscaling;
mod change;
mod contract;
mod database;
mod managed;
mod network;
mod options;
mod parts;
mod policy;
mod proof_of_life;
mod quota;
mod redis;
mod resolve;
mod resolved;
mod routes;
mod scram;
mod smoke_job;
mod storefront;
#[cfg(test)]
mod tests;
mod theme;
mod validate;
mod warnings;
mod workload;

use std::sync::Arc;

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;

pub use self::options::{
    Admin, Api, Autoscaling, ClusterDns, Colors, Database, DatabaseMode, DatabaseSecret, DatabaseServer, FooterLink,
    Handed, IngressOptions, Limits, Locale, ManualPayment, MedusaOptions, NetworkPolicyOptions, ProofOfLife, Redis,
    Replicas, ResourceList, Resources, Robots, Smoke, SslMode, Storage, Storefront, Theme, Tls,
};
use self::resolved::{RENDERER, ResolvedStore};
use super::{
    Component, Engine, EngineInfo, Manifest, NewStore, OptionPolicy, RenderError, RequestChange, SignIn, Stage,
};
use crate::error::FieldError;
use crate::kubernetes::{Kind, Object, ObjectRef};
use crate::secret::SecretSource;
use crate::store::{OptionWarning, Options, StoreSpec, StoreUrls};

/// The engine of Medusa stores.
///
/// `MedusaEngine::default()` has the built-in defaults; an installation sets its own:
///
/// ```
/// use urumi_core::engine::medusa::MedusaEngine;
///
/// let defaults = serde_json::json!({
///     "database": { "storage": { "size": "10Gi", "className": "local-path" } },
///     "ingress": { "className": "traefik" },
///     "tls": { "clusterIssuer": "letsencrypt" },
/// });
/// let engine = MedusaEngine::with_defaults(defaults.as_object().cloned().unwrap_or_default());
/// assert!(engine.is_ok());
/// ```
#[derive(Clone, Debug)]
pub struct MedusaEngine {
    defaults: Options,
    /// The installation's database servers, from the defaults.
    servers: Vec<DatabaseServer>,
}

impl MedusaEngine {
    /// The name by which stores refer to this engine.
    pub const NAME: &'static str = "medusa";
    /// The name of the Secret, in each store's namespace, with the first administrator's password.
    pub const ADMIN_SECRET: &'static str = contract::admin::SECRET;

    /// An engine whose defaults are these, and the built-in ones for what they leave out. They have the shape of a
    /// request's options, [`MedusaOptions`].
    ///
    /// # Errors
    /// Every field that is wrong, by its path.
    pub fn with_defaults(defaults: Options) -> Result<Self, Vec<FieldError>> {
        let defaults = resolve::defaults(&defaults)?;
        Ok(MedusaEngine { servers: resolve::servers(&defaults), defaults })
    }

    /// The defaults of this engine, complete.
    pub fn defaults(&self) -> &Options {
        &self.defaults
    }
}

impl Default for MedusaEngine {
    fn default() -> Self {
        MedusaEngine { defaults: options::builtin(), servers: Vec::new() }
    }
}

impl Engine for MedusaEngine {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn with_defaults(&self, defaults: &Options) -> Result<Arc<dyn Engine>, Vec<FieldError>> {
        Ok(Arc::new(MedusaEngine::with_defaults(defaults.clone())?))
    }

    fn info(&self) -> EngineInfo {
        let description = "Medusa: a storefront, its commerce API and a PostgreSQL database";
        EngineInfo::new(Self::NAME, description, options::schema(&self.defaults))
    }

    fn policy(&self) -> OptionPolicy {
        policy::builtin()
    }

    fn defaults_for(&self, store: &NewStore<'_>) -> Options {
        let mut defaults = self.defaults.clone();
        defaults.entry("domain").or_insert_with(|| store.default_domain.into());
        defaults
    }

    fn resolve(&self, store: &NewStore<'_>, options: &Options) -> Result<Options, Vec<FieldError>> {
        resolve::resolve(&self.defaults, options, store.id, store.default_domain)
    }

    fn settle(
        &self,
        store: &StoreSpec,
        change: &RequestChange<'_>,
        options: Options,
    ) -> Result<Options, Vec<FieldError>> {
        change::settle(store, change, options)
    }

    fn warnings(&self, options: &Options) -> Vec<OptionWarning> {
        warnings::of(options)
    }

    fn renderer(&self) -> u32 {
        RENDERER
    }

    fn render(&self, spec: &StoreSpec, secrets: &dyn SecretSource) -> Result<Vec<Manifest>, RenderError> {
        let store = ResolvedStore::read(spec, &self.servers)?;
        let guards = database::guards(&store)?;
        let mut manifests =
            vec![database::secret(&store, secrets, guards.clone())?, admin::secret(&store, secrets, guards)?];
        manifests.extend(quota::manifests(&store)?);
        manifests.extend(network::manifests(&store)?);
        manifests.extend(database::manifests(&store)?);
        manifests.extend(managed::manifests(&store, secrets)?);
        manifests.extend(redis::manifests(&store)?);
        manifests.extend(api::manifests(&store)?);
        manifests.extend(storefront::manifests(&store)?);
        manifests.extend(proof_of_life::manifests(&store)?);
        manifests.extend(smoke_job::manifests(&store)?);
        manifests.extend(routes::manifests(&store)?);
        Ok(manifests)
    }

    fn components(&self, spec: &StoreSpec) -> Result<Vec<Component>, RenderError> {
        let store = ResolvedStore::read(spec, &self.servers)?;
        let component = |name: &str, kind: Kind, workload: &str| {
            Component::new(name, ObjectRef::namespaced(kind, spec.namespace(), workload))
        };
        let mut components = Vec::with_capacity(5);
        if store.options.is_embedded() {
            components.push(component(
                contract::database::COMPONENT,
                Kind::of::<StatefulSet>(),
                contract::database::NAME,
            ));
        }
        components.extend(managed::component(&store)?);
        if store.options.redis().is_some() {
            let redis = component(contract::redis::COMPONENT, Kind::of::<Deployment>(), contract::redis::NAME);
            components.push(redis.keeping_data());
        }
        let scaled = |component: Component, autoscaling: Option<&Autoscaling>| match autoscaling {
            Some(autoscaling) => component.autoscaled(autoscaling.min.get().into()),
            None => component,
        };
        let api = component(contract::api::COMPONENT, Kind::of::<Deployment>(), contract::api::NAME);
        components.push(scaled(api, store.options.api.autoscaling.as_ref()));
        let shop = component(contract::storefront::COMPONENT, Kind::of::<Deployment>(), contract::storefront::NAME);
        components.push(scaled(shop, store.options.storefront.autoscaling.as_ref()));
        if store.options.proof_of_life.enabled {
            components.push(component(
                contract::proof_of_life::COMPONENT,
                Kind::of::<Job>(),
                contract::proof_of_life::NAME,
            ));
        }
        Ok(components)
    }

    fn teardown(&self, spec: &StoreSpec, secrets: &dyn SecretSource) -> Result<Vec<Stage>, RenderError> {
        managed::teardown(&ResolvedStore::read(spec, &self.servers)?, secrets)
    }

    fn sign_in(&self, spec: &StoreSpec) -> Result<Option<SignIn>, RenderError> {
        admin::sign_in(&ResolvedStore::read(spec, &self.servers)?).map(Some)
    }

    fn smoke(&self, spec: &StoreSpec) -> Result<Option<Object>, RenderError> {
        smoke_job::job(&ResolvedStore::read(spec, &self.servers)?).map(Some)
    }

    fn proof(&self, spec: &StoreSpec) -> Result<Option<Object>, RenderError> {
        proof_of_life::of_revision(&ResolvedStore::read(spec, &self.servers)?)
    }

    fn urls(&self, spec: &StoreSpec) -> Result<StoreUrls, RenderError> {
        let store = ResolvedStore::read(spec, &self.servers)?;
        Ok(StoreUrls { storefront: Some(store.storefront_url()), api: Some(store.api_url()) })
    }
}
