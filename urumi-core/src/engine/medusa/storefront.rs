//! The storefront: the shop that customers see.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Probe, VolumeMount};

use super::autoscaling;
use super::contract::api;
use super::contract::storefront::{NAME, PORT, SERVICE_PORT, SETTINGS, STRIPE_KEY};
use super::parts;
use super::resolved::{ResolvedStore, digest};
use super::theme;
use super::workload::{
    NODE_USER, container_port, container_security, deployment, drained, empty_dir, env, http_get, liveness, mount,
    node_options, pod, readiness, requirements, rolling, service, startup, template,
};
use crate::engine::{Manifest, RenderError};
use crate::kubernetes::Object;

/// The volume with its settings.
const SETTINGS_VOLUME: &str = "settings";

/// The Deployment and its Service; where the shop has settings, the ConfigMap with them; and its autoscaler if there is one.
pub(super) fn manifests(store: &ResolvedStore<'_>) -> Result<Vec<Manifest>, RenderError> {
    let storefront = &store.options.storefront;
    let part = parts::storefront(store);
    // In the first way of rendering, the pods read their settings once, when they start.
    let name = store.is_live().then(|| store.spec.name.as_str());
    let settings = theme::settings(name, storefront)?;
    let mut variables = vec![
        // Inside of the cluster the Service is nearer than the Ingress, and needs neither DNS nor TLS from outside.
        env("MEDUSA_BACKEND_URL", &format!("http://{}", api::NAME)),
        env("MEDUSA_PUBLIC_URL", &store.api_url()),
        env("STOREFRONT_URL", &store.storefront_url()),
        env("MEDUSA_PUBLISHABLE_KEY", &store.publishable_key()),
    ];
    variables.extend((!store.is_live()).then(|| env("STORE_NAME", store.spec.name.as_str())));
    variables.extend([
        env("PORT", &PORT.to_string()),
        env("NODE_ENV", "production"),
        env("HOME", "/tmp"),
        node_options(&storefront.resources),
    ]);
    let mut mounts = vec![mount("tmp", "/tmp")];
    let mut volumes = vec![empty_dir("tmp")];
    if settings.is_some() {
        variables.push(env(SETTINGS, &format!("{}/{}", theme::DIRECTORY, theme::FILE)));
        mounts.push(VolumeMount { read_only: Some(true), ..mount(SETTINGS_VOLUME, theme::DIRECTORY) });
        volumes.push(theme::volume(SETTINGS_VOLUME, NAME));
    }
    variables.extend(storefront.stripe_publishable_key.iter().map(|key| env(STRIPE_KEY, key)));
    variables.extend(storefront.env.iter().map(|(name, value)| env(name, value)));

    let container = Container {
        name: NAME.to_owned(),
        image: Some(storefront.image.clone()),
        args: Some(vec!["start".to_owned()]),
        env: Some(variables),
        ports: Some(vec![container_port("http", PORT)]),
        // A shop that cannot reach its API is not ready, and a restart would not help it: it goes on living.
        startup_probe: Some(startup(http_get(&storefront.liveness_path, PORT))),
        readiness_probe: Some(Probe {
            period_seconds: Some(2),
            ..readiness(http_get(&storefront.readiness_path, PORT))
        }),
        liveness_probe: Some(liveness(http_get(&storefront.liveness_path, PORT))),
        lifecycle: Some(drained()),
        resources: Some(requirements(&storefront.resources)),
        security_context: Some(container_security()),
        volume_mounts: Some(mounts),
        ..Default::default()
    };
    let mut template = template(&part, pod(&store.options.image_pull_secrets, container, NODE_USER, volumes, 30));
    let mut manifests = Vec::with_capacity(4);
    if let Some(settings) = &settings {
        if !store.is_live() {
            let checksum = BTreeMap::from([(theme::CHECKSUM.to_owned(), digest(settings))]);
            template.metadata.get_or_insert_default().annotations = Some(checksum);
        }
        manifests.push(Manifest::managed(Object::from_typed(&theme::config_map(&part, settings, name))?));
    }
    manifests.extend([
        Manifest::managed(Object::from_typed(&service(&part, "http", SERVICE_PORT, PORT))?),
        Manifest::managed(Object::from_typed(&deployment(&part, storefront.fixed_replicas(), rolling(), template))?),
    ]);
    manifests.extend(autoscaling::manifest(&part, storefront.autoscaling.as_ref())?);
    Ok(manifests)
}
