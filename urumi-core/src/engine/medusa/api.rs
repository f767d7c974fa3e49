//! The commerce API: Medusa itself.

use k8s_openapi::api::core::v1::{Container, EnvVar, PodSpec};

use super::autoscaling;
use super::contract::api::{DATABASE_CA, NAME, PORT, REDIS_URL, SERVICE_PORT};
use super::contract::credentials::{self, COOKIE_KEY, DATABASE_URL_KEY, JWT_KEY, REDIS_URL_KEY, SMOKE_TOKEN_KEY};
use super::contract::{admin, storefront};
use super::options::DatabaseServer;
use super::parts;
use super::resolved::{DatabasePlan, ResolvedStore};
use super::theme;
use super::workload::{
    NODE_USER, START_SECONDS, container_port, container_security, deployment, drained, empty_dir, env,
    env_from_config_map, env_from_secret, env_from_secret_if_there, env_from_secrets, http_get, last_words, liveness,
    mount, node_options, pod, readiness, requirements, rolling, service, startup, template,
};
use crate::engine::{Manifest, RenderError};
use crate::kubernetes::Object;
use crate::store::HANDED_SECRET;

/// The Deployment, its Service, and its autoscaler if there is one.
pub(super) fn manifests(store: &ResolvedStore<'_>) -> Result<Vec<Manifest>, RenderError> {
    let api = &store.options.api;
    let part = parts::api(store);
    let own = store.credentials()?;
    let (url_secret, url_key) = match store.database()? {
        DatabasePlan::Embedded { .. } | DatabasePlan::Managed(_) => (credentials::WITH_DATABASE, DATABASE_URL_KEY),
        DatabasePlan::External { secret, .. } => (secret.name.as_str(), secret.key.as_str()),
    };
    let (shop, backend) = (store.storefront_url(), store.api_url());
    let variables = vec![
        env_from_secret("DATABASE_URL", url_secret, url_key),
        env_from_secret("JWT_SECRET", own, JWT_KEY),
        env_from_secret("COOKIE_SECRET", own, COOKIE_KEY),
        env_from_secret_if_there(SMOKE_TOKEN_KEY, own, SMOKE_TOKEN_KEY),
        env("STORE_CORS", &shop),
        // The admin's pages are served by the API itself.
        env("ADMIN_CORS", &backend),
        env("AUTH_CORS", &format!("{shop},{backend}")),
        env("MEDUSA_BACKEND_URL", &backend),
        env("STOREFRONT_URL", &shop),
        env("PORT", &PORT.to_string()),
        env("NODE_ENV", "production"),
        env("MEDUSA_DISABLE_TELEMETRY", "true"),
        env("MEDUSA_WORKER_MODE", "shared"),
        // Medusa writes its settings below the home directory, and the root file system cannot be written.
        env("HOME", "/tmp"),
        node_options(&api.resources),
    ];
    let mut given: Vec<EnvVar> = Vec::new();
    if store.options.redis().is_some() {
        given.push(env_from_secret(REDIS_URL, own, REDIS_URL_KEY));
    }
    if let DatabasePlan::Managed(DatabaseServer { ca: Some(ca), .. }) = store.database()?
        && !api.env.contains_key(DATABASE_CA)
    {
        given.push(env(DATABASE_CA, ca));
    }
    given.extend(api.env.iter().map(|(name, value)| env(name, value)));
    let handed = |name: &String| env_from_secret(name, HANDED_SECRET, &format!("api.secretEnv.{name}"));
    given.extend(api.secret_env.keys().map(handed));
    let mut preparing = vec![
        if store.is_live() {
            env_from_config_map("STORE_NAME", storefront::NAME, theme::NAME_KEY)
        } else {
            env("STORE_NAME", store.spec.name.as_str())
        },
        env("MEDUSA_PUBLISHABLE_KEY", &store.publishable_key()),
        env("STORE_ADMIN_EMAIL", store.admin_email()?),
        env_from_secret("STORE_ADMIN_PASSWORD", admin::SECRET, admin::PASSWORD_KEY),
    ];
    if let DatabasePlan::Embedded { .. } = store.database()? {
        // It starts at the same time, on a volume that may take minutes to come, and what keeps it is told of itself.
        preparing.push(env("DATABASE_PATIENCE_SECONDS", &START_SECONDS.to_string()));
    }

    let ready = http_get(&api.readiness_path, PORT);
    let container = Container {
        name: NAME.to_owned(),
        image: Some(api.image.clone()),
        args: Some(vec!["start".to_owned()]),
        env: Some([variables.clone(), given.clone()].concat()),
        env_from: env_from_secrets(&api.env_secrets),
        ports: Some(vec![container_port("http", PORT)]),
        startup_probe: Some(startup(ready.clone())),
        readiness_probe: Some(readiness(ready)),
        liveness_probe: Some(liveness(http_get(&api.liveness_path, PORT))),
        lifecycle: Some(drained()),
        resources: Some(requirements(&api.resources)),
        security_context: Some(container_security()),
        volume_mounts: Some(vec![mount("tmp", "/tmp")]),
        ..Default::default()
    };
    let prepare = api.prepare.then(|| {
        vec![Container {
            name: "prepare".to_owned(),
            args: Some(vec!["prepare".to_owned()]),
            termination_message_policy: last_words(),
            env: Some([variables, preparing, given].concat()),
            ports: None,
            startup_probe: None,
            readiness_probe: None,
            liveness_probe: None,
            lifecycle: None,
            ..container.clone()
        }]
    });
    let pod = PodSpec {
        init_containers: prepare,
        ..pod(&store.options.image_pull_secrets, container, NODE_USER, vec![empty_dir("tmp")], 30)
    };
    let deployment = deployment(&part, api.fixed_replicas(), rolling(), template(&part, pod));
    let mut manifests = vec![
        Manifest::managed(Object::from_typed(&service(&part, "http", SERVICE_PORT, PORT))?),
        Manifest::managed(Object::from_typed(&deployment)?),
    ];
    manifests.extend(autoscaling::manifest(&part, api.autoscaling.as_ref())?);
    Ok(manifests)
}
