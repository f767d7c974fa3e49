//! A database and a role of the store's own on a server that many stores share.
//!
//! A Job makes them, another removes them when the store is deleted. Both run beside the server's administrator's Secret,
//! in a namespace of the installation's, because whatever is in a store's namespace is the store's to read. There, too,
//! the store's password is drawn; the store's namespace gets a copy of the address with it, the server only a verifier.
//!
//! Role and database are called like the store's namespace. The role's comment says which store of that name it was made
//! for, so that nothing that was there before, or that another cluster made on the same server, is taken over or removed.

use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::api::core::v1::{Container, PodSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::database::{COMPONENT, CREDENTIALS, PASSWORD_LENGTH, URL_KEY};
use super::options::DatabaseServer;
use super::shop::{DatabasePlan, Shop};
use super::workload::{
    self, Part, container_security, empty_dir, env, env_from_secret, mount, pod, required_or_not, requirements,
    template,
};
use super::{api, database, scram};
use crate::engine::{Component, Manifest, RenderError, Stage};
use crate::kubernetes::{Kind, Object, ObjectRef};
use crate::secret::{SecretSource, SecretString};

/// The user `postgres` of the Alpine image.
const USER: i64 = 70;

const VERIFIER_KEY: &str = "VERIFIER";
const OWNER_KEY: &str = "OWNER";

/// Makes role and database, or finishes what an earlier try began.
const MAKE: &str = include_str!("managed/make.sql");
/// Removes them, if they are the store's.
const REMOVE: &str = include_str!("managed/remove.sql");

/// The Secret and the Job beside the server, and the copy of the address; nothing in other modes.
pub(super) fn manifests(shop: &Shop<'_>, secrets: &dyn SecretSource) -> Result<Vec<Manifest>, RenderError> {
    let DatabasePlan::Managed(server) = shop.database()? else { return Ok(Vec::new()) };
    let secret = secret(shop, server, secrets)?;
    let from = secret.object.reference();
    let address = workload::secret(&api::part(shop), CREDENTIALS, &[(URL_KEY, SecretString::new("copied"))]);
    Ok(vec![
        secret,
        Manifest::copy(Object::from_typed(&address)?, from, database::guards(shop)?),
        once(Object::from_typed(&job(shop, server, &made(shop), MAKE, false))?),
    ])
}

/// The Job that makes the database, as a part of the store.
pub(super) fn component(shop: &Shop<'_>) -> Result<Option<Component>, RenderError> {
    let DatabasePlan::Managed(server) = shop.database()? else { return Ok(None) };
    Ok(Some(Component { name: COMPONENT.into(), workload: job_ref(server, made(shop)) }))
}

/// First the database's making is stopped, wherever it is, and cannot begin any more; then what was made is removed.
pub(super) fn teardown(shop: &Shop<'_>, secrets: &dyn SecretSource) -> Result<Vec<Stage>, RenderError> {
    let DatabasePlan::Managed(server) = shop.database()? else { return Ok(Vec::new()) };
    let placeholder = Object::from_typed(&job(shop, server, &made(shop), MAKE, true))?;
    let stopped = Job {
        metadata: ObjectMeta {
            name: Some(made(shop)),
            namespace: Some(server.namespace.clone()),
            ..Default::default()
        },
        spec: Some(JobSpec { suspend: Some(true), ..Default::default() }),
        ..Default::default()
    };
    let removal = format!("{}-removal", shop.spec.namespace());
    let removal = Object::from_typed(&job(shop, server, &removal, REMOVE, false))?;
    Ok(vec![
        Stage { manifests: vec![secret(shop, server, secrets)?, once(placeholder)], ends: None },
        Stage {
            manifests: vec![Manifest::managed(Object::from_typed(&stopped)?)],
            ends: Some(job_ref(server, made(shop))),
        },
        Stage { ends: Some(removal.reference()), manifests: vec![once(removal)] },
    ])
}

fn made(shop: &Shop<'_>) -> String {
    shop.spec.namespace()
}

fn job_ref(server: &DatabaseServer, name: String) -> ObjectRef {
    ObjectRef::namespaced(Kind::of::<Job>(), &server.namespace, name)
}

/// A Job is made once, since its template cannot be changed.
fn once(job: Object) -> Manifest {
    let itself = job.reference();
    Manifest::create_once(job, vec![itself])
}

/// What the store's Jobs need besides the administrator's password, and the address that the store gets.
fn secret(shop: &Shop<'_>, server: &DatabaseServer, secrets: &dyn SecretSource) -> Result<Manifest, RenderError> {
    let name = shop.spec.namespace();
    let password = secrets.password(PASSWORD_LENGTH)?;
    let DatabaseServer { host, port, ssl_mode, .. } = server;
    let url = format!("postgres://{name}:{}@{host}:{port}/{name}?sslmode={}", password.reveal(), ssl_mode.as_str());
    let data = [
        (URL_KEY, SecretString::new(url)),
        (VERIFIER_KEY, scram::verifier(&password, &secrets.password(16)?)),
        (OWNER_KEY, secrets.password(PASSWORD_LENGTH)?),
    ];
    let mut secret = workload::secret(&part(server), &name, &data);
    secret.metadata.namespace = Some(server.namespace.clone());
    Ok(Manifest::create_once(Object::from_typed(&secret)?, vec![job_ref(server, made(shop))]))
}

fn part(server: &DatabaseServer) -> Part<'_> {
    Part { name: "store-database", component: COMPONENT, image: &server.image }
}

/// A Job that has psql run a script as the server's administrator. What it is about comes as environment variables.
fn job(shop: &Shop<'_>, server: &DatabaseServer, name: &str, script: &str, suspend: bool) -> Job {
    let part = part(server);
    let store = shop.spec.namespace();
    let container = Container {
        name: "psql".to_owned(),
        image: Some(server.image.clone()),
        command: Some(vec!["sh".to_owned(), "-ec".to_owned()]),
        args: Some(vec![format!("exec psql --no-psqlrc --quiet --tuples-only <<'SQL'\n{script}SQL\n")]),
        env: Some(vec![
            env("PGHOST", &server.host),
            env("PGPORT", &server.port.to_string()),
            env("PGDATABASE", &server.database),
            env("PGSSLMODE", server.ssl_mode.as_str()),
            env("PGCONNECT_TIMEOUT", "10"),
            env_from_secret("PGUSER", &server.secret_name, "username"),
            env_from_secret("PGPASSWORD", &server.secret_name, "password"),
            env("STORE", &store),
            env("STORE_CONNECTIONS", &server.connections.to_string()),
            env_from_secret("STORE_VERIFIER", &store, VERIFIER_KEY),
            env_from_secret("STORE_OWNER", &store, OWNER_KEY),
            env("HOME", "/tmp"),
        ]),
        resources: server.resources.as_ref().map(requirements),
        security_context: Some(container_security()),
        volume_mounts: Some(vec![mount("tmp", "/tmp")]),
        ..Default::default()
    };
    let pod = PodSpec {
        // The pull secrets of a store are in its own namespace.
        image_pull_secrets: None,
        restart_policy: Some("OnFailure".to_owned()),
        ..pod(shop, container, USER, vec![empty_dir("tmp")], 5)
    };
    Job {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(server.namespace.clone()),
            labels: Some(part.labels()),
            ..Default::default()
        },
        spec: Some(JobSpec {
            // It is never given up: a server that cannot be reached now may be tomorrow.
            backoff_limit: Some(i32::MAX),
            suspend: suspend.then_some(true),
            template: required_or_not(template(&part, pod)),
            ..Default::default()
        }),
        ..Default::default()
    }
}
