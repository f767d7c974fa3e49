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
mod database;
mod looks;
mod managed;
mod network;
mod options;
mod proof;
mod quota;
mod redis;
mod resolve;
mod routes;
mod scram;
mod shop;
mod smoke;
mod storefront;
#[cfg(test)]
mod tests;
mod validate;
mod workload;

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;

pub use self::options::{
    Admin, Api, Colors, Database, DatabaseMode, DatabaseSecret, DatabaseServer, FooterLink, IngressOptions, Limits,
    Locale, ManualPayment, MedusaOptions, NetworkPolicyOptions, ProofOfLife, Redis, Replicas, ResourceList, Resources,
    Robots, Smoke, SslMode, Storage, Storefront, Theme, Tls,
};
use self::shop::Shop;
use super::{Component, Engine, EngineInfo, Manifest, NewStore, RenderError, SignIn, Stage};
use crate::error::FieldError;
use crate::kubernetes::{Kind, Object, ObjectRef};
use crate::secret::SecretSource;
use crate::store::{Options, StoreSpec, StoreUrls};

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
}

impl MedusaEngine {
    /// The name by which stores refer to this engine.
    pub const NAME: &'static str = "medusa";
    /// The name of the Secret, in each store's namespace, with the first administrator's password.
    pub const ADMIN_SECRET: &'static str = admin::SECRET;

    /// An engine whose defaults are these, and the built-in ones for what they leave out. They have the shape of a
    /// request's options, [`MedusaOptions`].
    ///
    /// # Errors
    /// Every field that is wrong, by its path.
    pub fn with_defaults(defaults: Options) -> Result<Self, Vec<FieldError>> {
        Ok(MedusaEngine { defaults: resolve::defaults(&defaults)? })
    }

    /// The defaults of this engine, complete.
    pub fn defaults(&self) -> &Options {
        &self.defaults
    }
}

impl Default for MedusaEngine {
    fn default() -> Self {
        MedusaEngine { defaults: options::builtin() }
    }
}

impl Engine for MedusaEngine {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn info(&self) -> EngineInfo {
        EngineInfo {
            name: Self::NAME.into(),
            description: "Medusa: a storefront, its commerce API and a PostgreSQL database".into(),
            options: options::schema(&self.defaults),
        }
    }

    fn resolve(&self, store: &NewStore<'_>, options: &Options) -> Result<Options, Vec<FieldError>> {
        resolve::resolve(&self.defaults, options, store.id, store.default_domain)
    }

    fn render(&self, spec: &StoreSpec, secrets: &dyn SecretSource) -> Result<Vec<Manifest>, RenderError> {
        let shop = Shop::read(spec)?;
        let guards = database::guards(&shop)?;
        let mut manifests =
            vec![database::secret(&shop, secrets, guards.clone())?, admin::secret(&shop, secrets, guards)?];
        manifests.extend(quota::manifests(&shop)?);
        manifests.extend(network::manifests(&shop)?);
        manifests.extend(database::manifests(&shop)?);
        manifests.extend(managed::manifests(&shop, secrets)?);
        manifests.extend(redis::manifests(&shop)?);
        manifests.extend(api::manifests(&shop)?);
        manifests.extend(storefront::manifests(&shop)?);
        manifests.extend(proof::manifests(&shop)?);
        manifests.extend(smoke::manifests(&shop)?);
        manifests.extend(routes::manifests(&shop)?);
        Ok(manifests)
    }

    fn components(&self, spec: &StoreSpec) -> Result<Vec<Component>, RenderError> {
        let shop = Shop::read(spec)?;
        let component = |name: &str, kind: Kind, workload: &str| Component {
            name: name.into(),
            workload: ObjectRef::namespaced(kind, spec.namespace(), workload),
        };
        let mut components = Vec::with_capacity(5);
        if shop.options.is_embedded() {
            components.push(component(database::COMPONENT, Kind::of::<StatefulSet>(), database::NAME));
        }
        components.extend(managed::component(&shop)?);
        if shop.options.redis().is_some() {
            components.push(component(redis::COMPONENT, Kind::of::<Deployment>(), redis::NAME));
        }
        components.push(component(api::COMPONENT, Kind::of::<Deployment>(), api::NAME));
        components.push(component(storefront::COMPONENT, Kind::of::<Deployment>(), storefront::NAME));
        if shop.options.proof_of_life.enabled {
            components.push(component(proof::COMPONENT, Kind::of::<Job>(), proof::NAME));
        }
        Ok(components)
    }

    fn teardown(&self, spec: &StoreSpec, secrets: &dyn SecretSource) -> Result<Vec<Stage>, RenderError> {
        managed::teardown(&Shop::read(spec)?, secrets)
    }

    fn sign_in(&self, spec: &StoreSpec) -> Result<Option<SignIn>, RenderError> {
        admin::sign_in(&Shop::read(spec)?).map(Some)
    }

    fn smoke(&self, spec: &StoreSpec) -> Result<Option<Object>, RenderError> {
        smoke::job(&Shop::read(spec)?).map(Some)
    }

    fn urls(&self, spec: &StoreSpec) -> Result<StoreUrls, RenderError> {
        let shop = Shop::read(spec)?;
        Ok(StoreUrls { storefront: Some(shop.storefront_url()), api: Some(shop.api_url()) })
    }
}
