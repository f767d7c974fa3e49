//! The storefront: the shop that customers see.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Probe, VolumeMount};

use super::shop::{Shop, digest};
use super::workload::{
    NODE_USER, Part, container_port, container_security, deployment, drained, empty_dir, env, http_get, liveness,
    mount, node_options, pod, readiness, requirements, rolling, service, startup, template,
};
use super::{api, looks};
use crate::engine::{Manifest, RenderError};
use crate::kubernetes::Object;

pub(super) const NAME: &str = "medusa-storefront";
pub(super) const COMPONENT: &str = "storefront";
/// Where the container listens: above 1024, since it is not root.
pub(super) const PORT: u16 = 8000;
/// Where the Service listens.
pub(super) const SERVICE_PORT: u16 = 80;

/// The names that urumi sets in the container's environment, in the order in which they are rendered.
pub(super) const RESERVED: [&str; 10] = [
    "MEDUSA_BACKEND_URL",
    "MEDUSA_PUBLIC_URL",
    "STOREFRONT_URL",
    "MEDUSA_PUBLISHABLE_KEY",
    "STORE_NAME",
    "PORT",
    "NODE_ENV",
    "HOME",
    "NODE_OPTIONS",
    SETTINGS_KEY,
];
/// Where the shop finds its settings.
const SETTINGS_KEY: &str = "STOREFRONT_SETTINGS";
/// Where it finds Stripe's publishable key.
pub(super) const STRIPE_KEY: &str = "STRIPE_PUBLISHABLE_KEY";
/// The volume with its settings.
const SETTINGS_VOLUME: &str = "settings";

pub(super) fn part<'a>(shop: &'a Shop<'_>) -> Part<'a> {
    Part { name: NAME, component: COMPONENT, image: &shop.options.storefront.image }
}

/// The Deployment and its Service, and where the shop has settings, the ConfigMap with them.
pub(super) fn manifests(shop: &Shop<'_>) -> Result<Vec<Manifest>, RenderError> {
    let storefront = &shop.options.storefront;
    let part = part(shop);
    let settings = looks::settings(storefront)?;
    let mut variables = vec![
        // Inside of the cluster the Service is nearer than the Ingress, and needs neither DNS nor TLS from outside.
        env("MEDUSA_BACKEND_URL", &format!("http://{}", api::NAME)),
        env("MEDUSA_PUBLIC_URL", &shop.api_url()),
        env("STOREFRONT_URL", &shop.storefront_url()),
        env("MEDUSA_PUBLISHABLE_KEY", &shop.publishable_key()),
        env("STORE_NAME", shop.spec.name.as_str()),
        env("PORT", &PORT.to_string()),
        env("NODE_ENV", "production"),
        env("HOME", "/tmp"),
        node_options(&storefront.resources),
    ];
    let mut mounts = vec![mount("tmp", "/tmp")];
    let mut volumes = vec![empty_dir("tmp")];
    if settings.is_some() {
        variables.push(env(SETTINGS_KEY, &format!("{}/{}", looks::DIRECTORY, looks::FILE)));
        mounts.push(VolumeMount { read_only: Some(true), ..mount(SETTINGS_VOLUME, looks::DIRECTORY) });
        volumes.push(looks::volume(SETTINGS_VOLUME, NAME));
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
    let mut template = template(&part, pod(shop, container, NODE_USER, volumes, 30));
    let mut manifests = Vec::with_capacity(3);
    if let Some(settings) = &settings {
        // Pods read their settings once, when they start.
        let checksum = BTreeMap::from([(looks::CHECKSUM.to_owned(), digest(settings))]);
        template.metadata.get_or_insert_default().annotations = Some(checksum);
        manifests.push(Manifest::managed(Object::from_typed(&looks::config_map(&part, settings))?));
    }
    manifests.extend([
        Manifest::managed(Object::from_typed(&service(&part, "http", SERVICE_PORT, PORT))?),
        Manifest::managed(Object::from_typed(&deployment(&part, storefront.replicas, rolling(), template))?),
    ]);
    Ok(manifests)
}
