//! The commerce API: Medusa itself.

use k8s_openapi::api::core::v1::Container;

use super::database::{COOKIE_KEY, CREDENTIALS, JWT_KEY, MEDUSA_CREDENTIALS, URL_KEY};
use super::shop::{DatabasePlan, Shop};
use super::workload::{
    NODE_USER, Part, container_port, container_security, deployment, empty_dir, env, env_from_secret, http_get,
    liveness, mount, node_options, pod, readiness, requirements, service, startup,
};
use crate::engine::{Manifest, RenderError};
use crate::object::Object;

pub(super) const NAME: &str = "medusa-api";
pub(super) const COMPONENT: &str = "api";
/// Where the container listens.
pub(super) const PORT: u16 = 9000;
/// Where the Service listens.
pub(super) const SERVICE_PORT: u16 = 80;

/// The names that urumi sets in the container's environment, in the order in which they are rendered.
pub(super) const RESERVED: [&str; 13] = [
    "DATABASE_URL",
    "JWT_SECRET",
    "COOKIE_SECRET",
    "STORE_CORS",
    "ADMIN_CORS",
    "AUTH_CORS",
    "MEDUSA_BACKEND_URL",
    "PORT",
    "NODE_ENV",
    "MEDUSA_DISABLE_TELEMETRY",
    "MEDUSA_WORKER_MODE",
    "HOME",
    "NODE_OPTIONS",
];

pub(super) fn part<'a>(shop: &'a Shop<'_>) -> Part<'a> {
    Part { name: NAME, component: COMPONENT, image: &shop.options.api.image }
}

/// The Deployment and its Service.
pub(super) fn manifests(shop: &Shop<'_>) -> Result<Vec<Manifest>, RenderError> {
    let api = &shop.options.api;
    let part = part(shop);
    let (own, (url_secret, url_key)) = match shop.database()? {
        DatabasePlan::Embedded { .. } => (CREDENTIALS, (CREDENTIALS, URL_KEY)),
        DatabasePlan::External { secret, .. } => (MEDUSA_CREDENTIALS, (secret.name.as_str(), secret.key.as_str())),
    };
    let (storefront, backend) = (shop.storefront_url(), shop.api_url());
    let mut variables = vec![
        env_from_secret("DATABASE_URL", url_secret, url_key),
        env_from_secret("JWT_SECRET", own, JWT_KEY),
        env_from_secret("COOKIE_SECRET", own, COOKIE_KEY),
        env("STORE_CORS", &storefront),
        // The admin's pages are served by the API itself.
        env("ADMIN_CORS", &backend),
        env("AUTH_CORS", &format!("{storefront},{backend}")),
        env("MEDUSA_BACKEND_URL", &backend),
        env("PORT", &PORT.to_string()),
        env("NODE_ENV", "production"),
        env("MEDUSA_DISABLE_TELEMETRY", "true"),
        env("MEDUSA_WORKER_MODE", "shared"),
        // Medusa writes its settings below the home directory, and the root file system cannot be written.
        env("HOME", "/tmp"),
        node_options(&api.resources),
    ];
    variables.extend(api.env.iter().map(|(name, value)| env(name, value)));

    let health = http_get("/health", PORT);
    let container = Container {
        name: NAME.to_owned(),
        image: Some(api.image.clone()),
        env: Some(variables),
        ports: Some(vec![container_port("http", PORT)]),
        startup_probe: Some(startup(health.clone())),
        readiness_probe: Some(readiness(health.clone())),
        liveness_probe: Some(liveness(health)),
        resources: Some(requirements(&api.resources)),
        security_context: Some(container_security()),
        volume_mounts: Some(vec![mount("tmp", "/tmp")]),
        ..Default::default()
    };
    let pod = pod(shop, container, NODE_USER, vec![empty_dir("tmp")], 30);
    Ok(vec![
        Manifest::managed(Object::from_typed(&service(&part, "http", SERVICE_PORT, PORT))?),
        Manifest::managed(Object::from_typed(&deployment(&part, api.replicas, pod))?),
    ])
}
