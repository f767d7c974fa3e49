//! A small engine that has one object of each way in which urumi treats objects, so that a seed costs little.

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Secret, Service};
use serde_json::{Value, json};
use urumi_core::engine::{Component, Engine, EngineInfo, Manifest, NewStore, RenderError};
use urumi_core::error::FieldError;
use urumi_core::kubernetes::{Kind, Object, ObjectRef};
use urumi_core::secret::SecretSource;
use urumi_core::store::{Options, StoreSpec, StoreUrls};

/// The namespace of the installation in which stores of this engine have something, too.
pub const SHARED: &str = "shared-services";
/// The Secret with the one password that a store ever has.
pub const SECRET: &str = "credentials";

/// Two workloads, a Secret that is drawn once, a Service, and a ConfigMap in [`SHARED`].
#[derive(Clone, Copy, Debug, Default)]
pub struct StallEngine;

impl StallEngine {
    /// The name by which stores refer to it.
    pub const NAME: &'static str = "stall";
}

fn workload(kind: Kind, name: &str, claim: bool) -> Result<Object, RenderError> {
    let labels = json!({"app.kubernetes.io/name": name});
    let container = json!({
        "name": name,
        "image": format!("example.com/{name}:1"),
        "ports": [{"name": "http", "containerPort": 8080}],
        "env": [
            {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": SECRET, "key": "PASSWORD"}}},
            {"name": "MODE", "value": "simulated"},
        ],
    });
    let mut spec = json!({
        "replicas": 1,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
    });
    if claim && let Some(spec) = spec.as_object_mut() {
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
        Ok(options.clone())
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
        Ok(vec![
            Manifest::create_once(secret, guards),
            Manifest::managed(outside),
            Manifest::managed(object(Kind::of::<Service>(), "web", service)?),
            Manifest::managed(workload(Kind::of::<StatefulSet>(), "database", true)?),
            Manifest::managed(workload(Kind::of::<Deployment>(), "web", false)?),
        ])
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

    fn urls(&self, _spec: &StoreSpec) -> Result<StoreUrls, RenderError> {
        Ok(StoreUrls::default())
    }
}
