//! A database and a role of the store's own on a server that many stores share.
//!
//! A Job makes them, another removes them when the store is deleted. Both run beside the server's administrator's Secret,
//! in a namespace of the installation's, because whatever is in a store's namespace is the store's to read. There, too,
//! the store's password is generated; the store's namespace gets a copy of the address with it, the server only a verifier.
//!
//! Role and database are called like the store's namespace. The role's comment says which store of that name it was made
//! for, so that nothing that was there before, or that another cluster made on the same server, is taken over or removed.
//!
//! A store's code has the store's role on the server and is not trusted: it may leave objects in databases that it can
//! connect to, hold locks, and grant privileges to other roles. `tests/it/real_postgres.rs` tries this.

use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::api::core::v1::{Container, PodSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::contract::credentials::{DATABASE_URL_KEY, WITH_DATABASE};
use super::contract::database::COMPONENT;
use super::options::DatabaseServer;
use super::resolved::{DatabasePlan, ResolvedStore};
use super::workload::{
    self, container_security, empty_dir, env, env_from_secret, mount, pod, required_or_not, requirements, template,
};
use super::{database, parts, scram};
use crate::engine::{Component, Manifest, RenderError, Stage};
use crate::kubernetes::{Kind, Object, ObjectRef};
use crate::secret::{SecretSource, SecretString};

/// The user `postgres` of the Alpine image.
const USER: i64 = 70;

/// Options of the administrator's sessions. Names are looked up in the system's schema only: in other schemas a store could
/// define functions for the administrator to call. Waiting for a lock ends, so that a store that holds one cannot stop a Job.
const SESSION: &str = "-c search_path=pg_catalog -c lock_timeout=10s";
/// The file, in a Job's container, with the authority that signs the server's certificate.
const CA_FILE: &str = "/tmp/server-ca.crt";

const VERIFIER_KEY: &str = "VERIFIER";
const OWNER_KEY: &str = "OWNER";

/// Makes role and database, or finishes what an earlier try began.
const MAKE: &str = include_str!("managed/make.sql");
/// Removes them, if they are the store's.
const REMOVE: &str = include_str!("managed/remove.sql");

/// The Secret and the Job beside the server, and the copy of the address; nothing in other modes.
pub(super) fn manifests(store: &ResolvedStore<'_>, secrets: &dyn SecretSource) -> Result<Vec<Manifest>, RenderError> {
    let DatabasePlan::Managed(server) = store.database()? else { return Ok(Vec::new()) };
    let secret = secret(store, server, secrets)?;
    let from = secret.object.reference();
    let address =
        workload::secret(&parts::api(store), WITH_DATABASE, &[(DATABASE_URL_KEY, SecretString::new("copied"))]);
    Ok(vec![
        secret,
        Manifest::copy(Object::from_typed(&address)?, from, database::guards(store)?),
        once(Object::from_typed(&job(store, server, &made(store), MAKE, false))?),
    ])
}

/// The Job that makes the database, as a part of the store.
pub(super) fn component(store: &ResolvedStore<'_>) -> Result<Option<Component>, RenderError> {
    let DatabasePlan::Managed(server) = store.database()? else { return Ok(None) };
    Ok(Some(Component::new(COMPONENT, job_ref(server, made(store)))))
}

/// First the database's making is stopped, wherever it is, and cannot begin any more; then what was made is removed.
pub(super) fn teardown(store: &ResolvedStore<'_>, secrets: &dyn SecretSource) -> Result<Vec<Stage>, RenderError> {
    let DatabasePlan::Managed(server) = store.database()? else { return Ok(Vec::new()) };
    let placeholder = Object::from_typed(&job(store, server, &made(store), MAKE, true))?;
    let stopped = Job {
        metadata: ObjectMeta {
            name: Some(made(store)),
            namespace: Some(server.namespace.clone()),
            ..Default::default()
        },
        spec: Some(JobSpec { suspend: Some(true), ..Default::default() }),
        ..Default::default()
    };
    let removal = format!("{}-removal", store.spec.namespace());
    let removal = Object::from_typed(&job(store, server, &removal, REMOVE, false))?;
    Ok(vec![
        Stage { manifests: vec![secret(store, server, secrets)?, once(placeholder)], ends: None },
        Stage {
            manifests: vec![Manifest::managed(Object::from_typed(&stopped)?)],
            ends: Some(job_ref(server, made(store))),
        },
        Stage { ends: Some(removal.reference()), manifests: vec![once(removal)] },
    ])
}

fn made(store: &ResolvedStore<'_>) -> String {
    store.spec.namespace()
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
fn secret(
    store: &ResolvedStore<'_>,
    server: &DatabaseServer,
    secrets: &dyn SecretSource,
) -> Result<Manifest, RenderError> {
    let name = store.spec.namespace();
    let password = secrets.password(database::PASSWORD_LENGTH)?;
    let DatabaseServer { host, port, ssl_mode, .. } = server;
    let url = format!("postgres://{name}:{}@{host}:{port}/{name}?sslmode={}", password.reveal(), ssl_mode.as_str());
    let data = [
        (DATABASE_URL_KEY, SecretString::new(url)),
        (VERIFIER_KEY, scram::verifier(&password, &secrets.password(16)?)),
        (OWNER_KEY, secrets.password(database::PASSWORD_LENGTH)?),
    ];
    let mut secret = workload::secret(&parts::managed_database(server), &name, &data);
    secret.metadata.namespace = Some(server.namespace.clone());
    Ok(Manifest::create_once(Object::from_typed(&secret)?, vec![job_ref(server, made(store))]))
}

/// A Job that has psql run a script as the server's administrator. What it is about comes as environment variables.
///
/// Kubernetes replaces `$(NAME)` and `$$` in arguments; the scripts contain neither.
fn job(store: &ResolvedStore<'_>, server: &DatabaseServer, name: &str, script: &str, suspend: bool) -> Job {
    let part = parts::managed_database(server);
    let namespace = store.spec.namespace();
    let mut variables = vec![
        env("PGHOST", &server.host),
        env("PGPORT", &server.port.to_string()),
        env("PGDATABASE", &server.database),
        env("PGSSLMODE", server.ssl_mode.as_str()),
        env("PGCONNECT_TIMEOUT", "10"),
        env("PGOPTIONS", SESSION),
        env_from_secret("PGUSER", &server.secret_name, "username"),
        env_from_secret("PGPASSWORD", &server.secret_name, "password"),
        env("STORE", &namespace),
        env("STORE_CONNECTIONS", &server.connections.to_string()),
        env_from_secret("STORE_VERIFIER", &namespace, VERIFIER_KEY),
        env_from_secret("STORE_OWNER", &namespace, OWNER_KEY),
        env("HOME", "/tmp"),
    ];
    let mut prologue = String::new();
    if let Some(ca) = &server.ca {
        variables.push(env("SERVER_CA", ca));
        variables.push(env("PGSSLROOTCERT", CA_FILE));
        prologue = format!("printf '%s\\n' \"$SERVER_CA\" >{CA_FILE}\n");
    }
    let container = Container {
        name: "psql".to_owned(),
        image: Some(server.image.clone()),
        command: Some(vec!["sh".to_owned(), "-ec".to_owned()]),
        args: Some(vec![format!("{prologue}exec psql --no-psqlrc --quiet --tuples-only <<'SQL'\n{script}SQL\n")]),
        env: Some(variables),
        resources: server.resources.as_ref().map(requirements),
        security_context: Some(container_security()),
        volume_mounts: Some(vec![mount("tmp", "/tmp")]),
        ..Default::default()
    };
    let pod = PodSpec {
        restart_policy: Some("OnFailure".to_owned()),
        ..pod(&[], container, USER, vec![empty_dir("tmp")], 5)
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

#[cfg(test)]
mod tests {
    use super::{MAKE, REMOVE};

    #[test]
    fn kubernetes_replaces_nothing_in_the_scripts() {
        for script in [MAKE, REMOVE] {
            assert!(!script.contains("$$") && !script.contains("$("), "{script}");
        }
    }
}
