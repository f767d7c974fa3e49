//! Redis: what several API replicas share. It holds locks, events and workflows under way, nothing of the shop's.

use k8s_openapi::api::core::v1::Container;

use super::contract::credentials::REDIS_PASSWORD_KEY;
use super::contract::redis::{NAME, PORT};
use super::options::Replicas;
use super::parts;
use super::resolved::ResolvedStore;
use super::workload::{
    container_port, container_security, deployment, empty_dir, env_from_secret, exec, liveness, mount, pod, readiness,
    recreating, requirements, service, startup, template,
};
use crate::engine::{Manifest, RenderError};
use crate::kubernetes::Object;

/// The user `redis` of the official image.
const UID: i64 = 999;
/// The settings come through standard input, since a password among the arguments could be read in the process list.
const START: &str = r#"exec redis-server - <<END
requirepass $REDIS_PASSWORD
dir /tmp
save ""
END
"#;

/// The Deployment and its Service; nothing where the store has no Redis of its own.
pub(super) fn manifests(store: &ResolvedStore<'_>) -> Result<Vec<Manifest>, RenderError> {
    let Some(redis) = store.options.redis() else { return Ok(Vec::new()) };
    let part = parts::redis(redis);
    let secret = store.credentials()?;
    let answers = exec(&["redis-cli", "ping"]);
    let container = Container {
        name: NAME.to_owned(),
        image: Some(redis.image.clone()),
        command: Some(["sh", "-c", START].map(str::to_owned).to_vec()),
        env: Some(vec![
            env_from_secret("REDIS_PASSWORD", secret, REDIS_PASSWORD_KEY),
            env_from_secret("REDISCLI_AUTH", secret, REDIS_PASSWORD_KEY),
        ]),
        ports: Some(vec![container_port(NAME, PORT)]),
        startup_probe: Some(startup(answers.clone())),
        readiness_probe: Some(readiness(answers.clone())),
        liveness_probe: Some(liveness(answers)),
        resources: Some(requirements(&redis.resources)),
        security_context: Some(container_security()),
        volume_mounts: Some(vec![mount("tmp", "/tmp")]),
        ..Default::default()
    };
    let pod = pod(&store.options.image_pull_secrets, container, UID, vec![empty_dir("tmp")], 10);
    // Two at once would be two sets of locks.
    let deployment = deployment(&part, Some(Replicas::ONE), recreating(), template(&part, pod));
    Ok(vec![
        Manifest::managed(Object::from_typed(&service(&part, NAME, PORT, PORT))?),
        Manifest::managed(Object::from_typed(&deployment)?),
    ])
}
