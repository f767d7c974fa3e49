//! Proof of life: a Job that opens the shop and asks its API, through their Services, as a customer's browser would.
//!
//! It begins with everything else and ends when both have answered, so a store that is ready has served a page. That
//! needs no permission beyond that of making objects in the store's namespace, and passes through the same network
//! policies as everybody's traffic.

use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::api::core::v1::{Container, PodSpec};

use super::contract::proof_of_life::NAME;
use super::contract::{api, storefront};
use super::parts;
use super::resolved::ResolvedStore;
use super::workload::{
    NODE_USER, container_security, empty_dir, env, mount, node_options, pod, required_or_not, requirements, template,
};
use crate::engine::{Manifest, RenderError};
use crate::kubernetes::Object;

/// How long the Job of a revision stays after its end: until a monitor has seen it, also after an outage of an hour.
const KEPT_SECONDS: i32 = 3600;

/// The Job of a new store; nothing where it is switched off.
pub(super) fn manifests(store: &ResolvedStore<'_>) -> Result<Vec<Manifest>, RenderError> {
    if !store.options.proof_of_life.enabled {
        return Ok(Vec::new());
    }
    let object = Object::from_typed(&job(store))?;
    // A Job's template cannot be changed, so it is made once and then left as it is.
    let itself = object.reference();
    Ok(vec![Manifest::create_once(object, vec![itself])])
}

/// The Job that proves a changed store; `None` where it is switched off.
pub(super) fn of_revision(store: &ResolvedStore<'_>) -> Result<Option<Object>, RenderError> {
    if !store.options.proof_of_life.enabled {
        return Ok(None);
    }
    let mut job = job(store);
    if let Some(spec) = &mut job.spec {
        spec.ttl_seconds_after_finished = Some(KEPT_SECONDS);
    }
    Ok(Some(Object::from_typed(&job)?))
}

fn job(store: &ResolvedStore<'_>) -> Job {
    let proof = &store.options.proof_of_life;
    let part = parts::proof_of_life(store);
    let container = Container {
        name: NAME.to_owned(),
        image: Some(proof.image.clone()),
        args: Some(vec!["prove".to_owned()]),
        env: Some(vec![
            env("PROVE_STOREFRONT_URL", &format!("http://{}", storefront::NAME)),
            env("PROVE_API_URL", &format!("http://{}", api::NAME)),
            env("MEDUSA_PUBLISHABLE_KEY", &store.publishable_key()),
            env("NODE_ENV", "production"),
            env("HOME", "/tmp"),
            node_options(&proof.resources),
        ]),
        resources: Some(requirements(&proof.resources)),
        security_context: Some(container_security()),
        volume_mounts: Some(vec![mount("tmp", "/tmp")]),
        ..Default::default()
    };
    let pod = PodSpec {
        restart_policy: Some("OnFailure".to_owned()),
        ..pod(&store.options.image_pull_secrets, container, NODE_USER, vec![empty_dir("tmp")], 5)
    };
    Job {
        metadata: part.metadata(),
        spec: Some(JobSpec {
            // It is never given up: whether the store has failed is for the store's own deadline to say.
            backoff_limit: Some(i32::MAX),
            template: required_or_not(template(&part, pod)),
            ..Default::default()
        }),
        ..Default::default()
    }
}
