//! The database: a PostgreSQL of the store's own, and the secrets that the store is made with.

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet, StatefulSetSpec};
use k8s_openapi::api::core::v1::{
    Container, PersistentVolumeClaim, PersistentVolumeClaimSpec, VolumeResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::contract::credentials::{
    self, COOKIE_KEY, DATABASE_PASSWORD_KEY, DATABASE_URL_KEY, JWT_KEY, REDIS_PASSWORD_KEY, REDIS_URL_KEY,
    SMOKE_TOKEN_KEY,
};
use super::contract::database::NAME;
use super::contract::{api, redis};
use super::options::{DATABASE_PORT, Storage};
use super::parts;
use super::resolved::{DatabasePlan, ResolvedStore};
use super::workload::{
    self, Part, container_port, container_security, empty_dir, env, env_from_secret, exec, liveness, mount, pod,
    readiness, required_or_not, requirements, selector, service, startup, template,
};
use crate::engine::{Manifest, RenderError};
use crate::kubernetes::{Kind, Object, ObjectRef};
use crate::secret::{SecretSource, SecretString};

const VOLUME: &str = "postgres-data";
const USER: &str = "medusa";
const DATABASE: &str = "medusa";
/// The user `postgres` of the Alpine image.
const UID: i64 = 70;
const MOUNT: &str = "/var/lib/postgresql/data";
/// A directory below the mount, because a fresh volume may hold `lost+found`, which initdb refuses.
const PGDATA: &str = "/var/lib/postgresql/data/pgdata";

pub(super) const PASSWORD_LENGTH: usize = 20;
const TOKEN_LENGTH: usize = 48;

/// The store's generated secrets, which are made once: a new password would lock the store out of its own
/// volume, and new tokens would end every session.
pub(super) fn secret(
    store: &ResolvedStore<'_>,
    secrets: &dyn SecretSource,
    guards: Vec<ObjectRef>,
) -> Result<Manifest, RenderError> {
    let mut data: Vec<(&str, SecretString)> = Vec::with_capacity(7);
    let part = match store.database()? {
        DatabasePlan::Embedded { image, .. } => {
            let password = secrets.password(PASSWORD_LENGTH)?;
            // Within the store's namespace, where the server has no certificate.
            let url =
                format!("postgres://{USER}:{}@{NAME}:{DATABASE_PORT}/{DATABASE}?sslmode=disable", password.reveal());
            data.push((DATABASE_PASSWORD_KEY, password));
            data.push((DATABASE_URL_KEY, SecretString::new(url)));
            parts::database(image)
        }
        DatabasePlan::Managed(_) | DatabasePlan::External { .. } => parts::api(store),
    };
    data.push((JWT_KEY, secrets.password(TOKEN_LENGTH)?));
    data.push((COOKIE_KEY, secrets.password(TOKEN_LENGTH)?));
    data.push((SMOKE_TOKEN_KEY, secrets.password(TOKEN_LENGTH)?));
    // There even while the store has no Redis, since a Secret that is there is never written again.
    let password = secrets.password(PASSWORD_LENGTH)?;
    let url = format!("redis://:{}@{}:{}", password.reveal(), redis::NAME, redis::PORT);
    data.push((REDIS_PASSWORD_KEY, password));
    data.push((REDIS_URL_KEY, SecretString::new(url)));
    Ok(Manifest::create_once(Object::from_typed(&workload::secret(&part, store.credentials()?, &data))?, guards))
}

/// What shows that the store's secrets have been generated before, and would break if they were generated again.
pub(super) fn guards(store: &ResolvedStore<'_>) -> Result<Vec<ObjectRef>, RenderError> {
    let namespace = store.spec.namespace();
    Ok(match store.database()? {
        DatabasePlan::Embedded { .. } => vec![
            ObjectRef::namespaced(Kind::of::<StatefulSet>(), &namespace, NAME),
            ObjectRef::namespaced(Kind::of::<PersistentVolumeClaim>(), &namespace, format!("{VOLUME}-{NAME}-0")),
        ],
        DatabasePlan::Managed(_) | DatabasePlan::External { .. } => {
            vec![ObjectRef::namespaced(Kind::of::<Deployment>(), &namespace, api::NAME)]
        }
    })
}

/// The StatefulSet and its Service; nothing where the database is elsewhere.
pub(super) fn manifests(store: &ResolvedStore<'_>) -> Result<Vec<Manifest>, RenderError> {
    let DatabasePlan::Embedded { image, storage, resources } = store.database()? else {
        return Ok(Vec::new());
    };
    let part = parts::database(image);
    // Over TCP, because while initdb runs there is a server on the local socket only.
    let ready = exec(&["pg_isready", "-h", "127.0.0.1", "-U", USER, "-d", DATABASE]);
    let container = Container {
        name: NAME.to_owned(),
        image: Some(image.to_owned()),
        env: Some(vec![
            env("POSTGRES_USER", USER),
            env("POSTGRES_DB", DATABASE),
            env_from_secret("POSTGRES_PASSWORD", credentials::WITH_DATABASE, DATABASE_PASSWORD_KEY),
            env("PGDATA", PGDATA),
        ]),
        ports: Some(vec![container_port(NAME, DATABASE_PORT)]),
        startup_probe: Some(startup(ready.clone())),
        readiness_probe: Some(readiness(ready.clone())),
        liveness_probe: Some(liveness(ready)),
        resources: Some(requirements(resources)),
        security_context: Some(container_security()),
        volume_mounts: Some(vec![mount(VOLUME, MOUNT), mount("run", "/var/run/postgresql"), mount("tmp", "/tmp")]),
        ..Default::default()
    };
    // Time for a checkpoint of everything in memory.
    let pod = pod(&store.options.image_pull_secrets, container, UID, vec![empty_dir("run"), empty_dir("tmp")], 60);
    let stateful_set = StatefulSet {
        metadata: part.metadata(),
        spec: required_or_not(StatefulSetSpec {
            replicas: Some(1),
            selector: selector(NAME),
            service_name: Some(NAME.to_owned()),
            template: template(&part, pod),
            volume_claim_templates: Some(vec![claim(&part, storage)]),
            ..Default::default()
        }),
        ..Default::default()
    };
    Ok(vec![
        Manifest::managed(Object::from_typed(&service(&part, NAME, DATABASE_PORT, DATABASE_PORT))?),
        Manifest::managed(Object::from_typed(&stateful_set)?),
    ])
}

/// The one claim of the store. Claim templates can never be changed, so they carry no version.
fn claim(part: &Part<'_>, storage: &Storage) -> PersistentVolumeClaim {
    PersistentVolumeClaim {
        metadata: ObjectMeta {
            name: Some(VOLUME.to_owned()),
            labels: Some(part.lasting_labels()),
            ..Default::default()
        },
        spec: Some(PersistentVolumeClaimSpec {
            access_modes: Some(vec!["ReadWriteOnce".to_owned()]),
            resources: Some(VolumeResourceRequirements {
                requests: Some([("storage".to_owned(), storage.size.to_api())].into()),
                ..Default::default()
            }),
            storage_class_name: storage.class_name.clone(),
            ..Default::default()
        }),
        ..Default::default()
    }
}
