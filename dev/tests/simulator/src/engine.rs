//! A small engine that has one object of each way in which urumi treats objects, so that a seed costs little.

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Secret, Service};
use serde_json::{Value, json};
use urumi_core::engine::{Component, Engine, EngineInfo, Manifest, NewStore, RenderError, RequestChange};
use urumi_core::error::FieldError;
use urumi_core::kubernetes::{Kind, Object, ObjectRef};
use urumi_core::secret::SecretSource;
use urumi_core::store::{Options, StoreSpec, StoreUrls};

use crate::look::Look;

/// The namespace of the installation in which stores of this engine have something, too.
pub const SHARED: &str = "shared-services";
/// The Secret with the one password that a store ever has.
pub const SECRET: &str = "credentials";

/// The ConfigMap that a store has only while its options say so.
pub const EXTRA: &str = "extra";
/// The Job that proves a revision, before the number of the revision.
pub const PROOF: &str = "proof";

/// Two workloads, a Secret that is drawn once, a Service, a ConfigMap in [`SHARED`], and at times another one. Its options are
/// those of a [`Look`].
#[derive(Clone, Copy, Debug, Default)]
pub struct StallEngine;

impl StallEngine {
    /// The name by which stores refer to it.
    pub const NAME: &'static str = "stall";
}

/// The database, or with the options of a store, its web workload.
fn workload(kind: Kind, name: &str, options: Option<&Options>) -> Result<Object, RenderError> {
    let labels = json!({"app.kubernetes.io/name": name});
    let option = |name: &str| options.and_then(|options| options.get(name)).cloned();
    let container = json!({
        "name": name,
        "image": option("image").unwrap_or_else(|| json!(format!("example.com/{name}:1"))),
        "ports": [{"name": "http", "containerPort": 8080}],
        "env": [
            {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": SECRET, "key": "PASSWORD"}}},
            {"name": "MODE", "value": "simulated"},
            {"name": "COLOUR", "value": option("colour").unwrap_or_else(|| json!("none"))},
            {"name": "SEAL", "value": option("seal").unwrap_or_else(|| json!("none"))},
        ],
    });
    let mut spec = json!({
        "replicas": 1,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
    });
    if options.is_none()
        && let Some(spec) = spec.as_object_mut()
    {
        let wanted = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
        spec.insert("serviceName".into(), name.into());
        spec.insert("volumeClaimTemplates".into(), json!([{"metadata": {"name": "data"}, "spec": wanted}]));
    }
    object(kind, name, json!({"spec": spec, "metadata": {"labels": labels}}))
}

fn object(kind: Kind, name: &str, mut value: Value) -> Result<Object, RenderError> {
    if let Some(value) = value.as_object_mut() {
        let metadata = value.entry("metadata").or_insert_with(|| json!({}));
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.insert("name".into(), name.into());
        }
    }
    Ok(Object::from_value(kind, value)?)
}

impl Engine for StallEngine {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn info(&self) -> EngineInfo {
        EngineInfo::new(Self::NAME, "A small store", json!({}))
    }

    fn resolve(&self, _store: &NewStore<'_>, options: &Options) -> Result<Options, Vec<FieldError>> {
        let mut resolved = Look::default().options();
        resolved.extend(options.clone());
        Ok(resolved)
    }

    fn settle(
        &self,
        _store: &StoreSpec,
        _change: &RequestChange<'_>,
        options: Options,
    ) -> Result<Options, Vec<FieldError>> {
        Ok(options)
    }

    fn render(&self, spec: &StoreSpec, secrets: &dyn SecretSource) -> Result<Vec<Manifest>, RenderError> {
        let password = secrets.password(20)?;
        let data = json!({"PASSWORD": password.reveal()});
        let secret = object(Kind::of::<Secret>(), SECRET, json!({"stringData": data, "type": "Opaque"}))?;
        let guards = vec![
            ObjectRef::namespaced(Kind::of::<StatefulSet>(), spec.namespace(), "database"),
            ObjectRef::namespaced(Kind::of::<PersistentVolumeClaim>(), spec.namespace(), "data-database-0"),
        ];
        let mut outside = object(
            Kind::of::<ConfigMap>(),
            &format!("address-{}", spec.id),
            json!({"data": {"address": format!("{}.example.com", spec.id)}}),
        )?;
        outside.set_namespace(SHARED);
        let port = json!({"name": "http", "port": 80, "targetPort": "http"});
        let service = json!({"spec": {"selector": {"app.kubernetes.io/name": "web"}, "ports": [port]}});
        let mut manifests = vec![
            Manifest::create_once(secret, guards),
            Manifest::managed(outside),
            Manifest::managed(object(Kind::of::<Service>(), "web", service)?),
            Manifest::managed(workload(Kind::of::<StatefulSet>(), "database", None)?),
            Manifest::managed(workload(Kind::of::<Deployment>(), "web", Some(&spec.options))?),
        ];
        if spec.options.get("extra") == Some(&json!(true)) {
            let extra = object(Kind::of::<ConfigMap>(), EXTRA, json!({"data": {"extra": "yes"}}))?;
            manifests.push(Manifest::managed(extra));
        }
        Ok(manifests)
    }

    fn components(&self, spec: &StoreSpec) -> Result<Vec<Component>, RenderError> {
        let component = |name: &str, kind: Kind, workload: &str| {
            Component::new(name, ObjectRef::namespaced(kind, spec.namespace(), workload))
        };
        Ok(vec![
            component("database", Kind::of::<StatefulSet>(), "database"),
            component("web", Kind::of::<Deployment>(), "web"),
        ])
    }

    fn proof(&self, _spec: &StoreSpec) -> Result<Option<Object>, RenderError> {
        let container = json!({"name": PROOF, "image": "example.com/proof:1"});
        let template = json!({"spec": {"restartPolicy": "OnFailure", "containers": [container]}});
        object(Kind::of::<Job>(), PROOF, json!({"spec": {"template": template}})).map(Some)
    }

    fn urls(&self, _spec: &StoreSpec) -> Result<StoreUrls, RenderError> {
        Ok(StoreUrls::default())
    }
}
