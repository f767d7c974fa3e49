//! Smoke orders: a Job that buys in the shop as a customer would, on demand and on a schedule.
//!
//! It needs no permission beyond that of making objects in the store's namespace, and passes through the same network
//! policies as everybody's traffic. Its orders carry a token, by which the API knows them from customers'.

use k8s_openapi::api::batch::v1::{CronJob, CronJobSpec, Job, JobSpec, JobTemplateSpec};
use k8s_openapi::api::core::v1::{Container, PodSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::contract::credentials::SMOKE_TOKEN_KEY;
use super::contract::smoke::NAME;
use super::contract::{api, storefront};
use super::parts;
use super::resolved::ResolvedStore;
use super::workload::{
    NODE_USER, container_security, empty_dir, env, env_from_secret_if_there, mount, node_options, pod, required_or_not,
    requirements, template,
};
use crate::engine::{Manifest, RenderError};
use crate::kubernetes::Object;
use crate::store::smoke::LABEL;

/// How long a run that has ended can be looked at.
const KEPT_SECONDS: i32 = 600;

/// The Job that places one order.
pub(super) fn job(store: &ResolvedStore<'_>) -> Result<Object, RenderError> {
    let job = Job { metadata: metadata(store), spec: Some(spec(store)?), ..Default::default() };
    Ok(Object::from_typed(&job)?)
}

/// The CronJob that places orders by itself; nothing where none is scheduled.
pub(super) fn manifests(store: &ResolvedStore<'_>) -> Result<Vec<Manifest>, RenderError> {
    let Some(schedule) = &store.options.smoke.schedule else { return Ok(Vec::new()) };
    let labels = metadata(store).labels;
    let cron_job = CronJob {
        metadata: parts::smoke(store).metadata(),
        spec: required_or_not(CronJobSpec {
            schedule: schedule.clone(),
            concurrency_policy: Some("Forbid".to_owned()),
            successful_jobs_history_limit: Some(1),
            failed_jobs_history_limit: Some(1),
            job_template: JobTemplateSpec {
                metadata: Some(ObjectMeta { labels, ..Default::default() }),
                spec: Some(spec(store)?),
            },
            ..Default::default()
        }),
        ..Default::default()
    };
    Ok(vec![Manifest::managed(Object::from_typed(&cron_job)?)])
}

fn metadata(store: &ResolvedStore<'_>) -> ObjectMeta {
    let mut metadata = parts::smoke(store).metadata();
    metadata.labels.get_or_insert_default().insert(LABEL.to_owned(), "true".to_owned());
    metadata
}

fn spec(store: &ResolvedStore<'_>) -> Result<JobSpec, RenderError> {
    let part = parts::smoke(store);
    let resources = &store.options.proof_of_life.resources;
    let container = Container {
        name: NAME.to_owned(),
        image: Some(store.options.storefront.image.clone()),
        args: Some(vec!["smoke".to_owned()]),
        env: Some(vec![
            env("SMOKE_STOREFRONT_URL", &format!("http://{}", storefront::NAME)),
            env("SMOKE_API_URL", &format!("http://{}", api::NAME)),
            // The origin that the shop expects its forms to come from.
            env("STOREFRONT_URL", &store.storefront_url()),
            env("MEDUSA_PUBLISHABLE_KEY", &store.publishable_key()),
            env_from_secret_if_there(SMOKE_TOKEN_KEY, store.credentials()?, SMOKE_TOKEN_KEY),
            env("NODE_ENV", "production"),
            env("HOME", "/tmp"),
            node_options(resources),
        ]),
        resources: Some(requirements(resources)),
        security_context: Some(container_security()),
        volume_mounts: Some(vec![mount("tmp", "/tmp")]),
        ..Default::default()
    };
    let pod = PodSpec {
        restart_policy: Some("Never".to_owned()),
        ..pod(&store.options.image_pull_secrets, container, NODE_USER, vec![empty_dir("tmp")], 5)
    };
    let mut template = template(&part, pod);
    let labels = template.metadata.get_or_insert_default().labels.get_or_insert_default();
    labels.insert(LABEL.to_owned(), "true".to_owned());
    Ok(JobSpec {
        // A run that failed has said what there is to say.
        backoff_limit: Some(0),
        active_deadline_seconds: Some(i64::from(store.options.smoke.deadline_seconds)),
        ttl_seconds_after_finished: Some(KEPT_SECONDS),
        template: required_or_not(template),
        ..Default::default()
    })
}
