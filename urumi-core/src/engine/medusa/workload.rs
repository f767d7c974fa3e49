//! Building blocks of the parts: labels, pods that meet Pod Security `restricted`, probes, Services. They know the options'
//! types but no store.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment};
use k8s_openapi::api::core::v1::{
    Capabilities, ConfigMapKeySelector, Container, ContainerPort, EmptyDirVolumeSource, EnvFromSource, EnvVar,
    EnvVarSource, Lifecycle, LifecycleHandler, LocalObjectReference, PodSecurityContext, PodSpec, PodTemplateSpec,
    Probe, ResourceRequirements, SeccompProfile, Secret, SecretEnvSource, SecretKeySelector, SecurityContext, Service,
    ServicePort, ServiceSpec, SleepAction, Volume, VolumeMount,
};
use k8s_openapi::api::core::v1::{ExecAction, HTTPGetAction};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::options::{Replicas, ResourceList, Resources};
use crate::kubernetes::syntax::{self, Quantity};
use crate::secret::SecretString;

/// The user `node` of Node's official image.
pub(super) const NODE_USER: i64 = 1000;
/// The time limit of a first start: the API migrates an empty database, maybe on a busy node.
pub(super) const START_SECONDS: i32 = 600;
/// The period of the startup probe: short, so that a ready store is noticed soon.
const START_PERIOD: i32 = 1;

const NAME: &str = "app.kubernetes.io/name";

/// A part of a store: the name of its objects, its component, and the image that it runs.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) name: &'a str,
    pub(super) component: &'a str,
    pub(super) image: &'a str,
}

impl Part<'_> {
    /// The labels that never change during the store's life.
    pub(super) fn lasting_labels(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            (NAME.to_owned(), self.name.to_owned()),
            ("app.kubernetes.io/component".to_owned(), self.component.to_owned()),
        ])
    }

    /// All labels that this engine sets. The version is left out where the image's tag is not a valid label value.
    pub(super) fn labels(&self) -> BTreeMap<String, String> {
        let mut labels = self.lasting_labels();
        if let Some(tag) = syntax::image_tag(self.image).filter(|tag| syntax::label_value(tag).is_ok()) {
            labels.insert("app.kubernetes.io/version".to_owned(), tag.to_owned());
        }
        labels
    }

    pub(super) fn metadata(&self) -> ObjectMeta {
        self.metadata_named(self.name)
    }

    pub(super) fn metadata_named(&self, name: &str) -> ObjectMeta {
        ObjectMeta { name: Some(name.to_owned()), labels: Some(self.labels()), ..Default::default() }
    }
}

/// Selects a part's pods by name, which is enough within the store's namespace. Selectors are immutable, so this one
/// contains nothing that may change.
pub(super) fn selector(name: &str) -> LabelSelector {
    LabelSelector { match_labels: Some(selected(name)), ..Default::default() }
}

fn selected(name: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(NAME.to_owned(), name.to_owned())])
}

/// An environment variable with a literal value. Kubernetes expands `$(NAME)` and reads `$$` as `$`, so every `$` is
/// doubled. An empty value is left out, as the API server does.
pub(super) fn env(name: &str, value: &str) -> EnvVar {
    let value = (!value.is_empty()).then(|| value.replace('$', "$$"));
    EnvVar { name: name.to_owned(), value, ..Default::default() }
}

/// An environment variable from a Secret key.
pub(super) fn env_from_secret(name: &str, secret: &str, key: &str) -> EnvVar {
    let source = SecretKeySelector { name: secret.to_owned(), key: key.to_owned(), ..Default::default() };
    EnvVar {
        name: name.to_owned(),
        value_from: Some(EnvVarSource { secret_key_ref: Some(source), ..Default::default() }),
        ..Default::default()
    }
}

/// An environment variable from a key of a ConfigMap.
pub(super) fn env_from_config_map(name: &str, config_map: &str, key: &str) -> EnvVar {
    let source = ConfigMapKeySelector { name: config_map.to_owned(), key: key.to_owned(), ..Default::default() };
    EnvVar {
        name: name.to_owned(),
        value_from: Some(EnvVarSource { config_map_key_ref: Some(source), ..Default::default() }),
        ..Default::default()
    }
}

/// An environment variable from a Secret key that may be missing: Secrets of older stores lack newer keys.
pub(super) fn env_from_secret_if_there(name: &str, secret: &str, key: &str) -> EnvVar {
    let mut variable = env_from_secret(name, secret, key);
    if let Some(source) = variable.value_from.as_mut().and_then(|from| from.secret_key_ref.as_mut()) {
        source.optional = Some(true);
    }
    variable
}

/// All keys of Secrets as environment variables.
pub(super) fn env_from_secrets(names: &[String]) -> Option<Vec<EnvFromSource>> {
    let source = |name: &String| EnvFromSource {
        secret_ref: Some(SecretEnvSource { name: name.clone(), ..Default::default() }),
        ..Default::default()
    };
    (!names.is_empty()).then(|| names.iter().map(source).collect())
}

/// Limits Node's heap to three quarters of the container's memory, so that Node collects garbage before it is killed.
pub(super) fn node_options(resources: &Resources) -> EnvVar {
    let bytes = resources.limits.memory.whole().unwrap_or(u64::MAX);
    env("NODE_OPTIONS", &format!("--max-old-space-size={}", bytes / 4 * 3 / (1024 * 1024)))
}

pub(super) fn requirements(resources: &Resources) -> ResourceRequirements {
    ResourceRequirements {
        requests: Some(amounts(&resources.requests)),
        limits: Some(amounts(&resources.limits)),
        ..Default::default()
    }
}

pub(super) fn amounts(
    list: &ResourceList,
) -> BTreeMap<String, k8s_openapi::apimachinery::pkg::api::resource::Quantity> {
    let amount = |name: &str, quantity: &Quantity| (name.to_owned(), quantity.to_api());
    BTreeMap::from([amount("cpu", &list.cpu), amount("memory", &list.memory)])
}

/// The container settings that Pod Security `restricted` requires, and a read-only root file system.
pub(super) fn container_security() -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), ..Default::default() }),
        read_only_root_filesystem: Some(true),
        ..Default::default()
    }
}

/// Takes the end of the log as the termination message of containers that wrote none, e.g. because they ran out of memory.
pub(super) fn last_words() -> Option<String> {
    Some("FallbackToLogsOnError".to_owned())
}

/// A pod of one container that runs as `user`, without access to the Kubernetes API. `pull` names the pull secrets.
pub(super) fn pod(pull: &[String], container: Container, user: i64, volumes: Vec<Volume>, grace: i64) -> PodSpec {
    let container = Container { termination_message_policy: last_words(), ..container };
    PodSpec {
        automount_service_account_token: Some(false),
        containers: vec![container],
        // Service links add variables for every Service, e.g. POSTGRES_PORT=tcp://…, which clash with the programs' own.
        enable_service_links: Some(false),
        image_pull_secrets: (!pull.is_empty())
            .then(|| pull.iter().map(|name| LocalObjectReference { name: name.clone() }).collect()),
        security_context: Some(PodSecurityContext {
            fs_group: Some(user),
            fs_group_change_policy: Some("OnRootMismatch".to_owned()),
            run_as_group: Some(user),
            run_as_non_root: Some(true),
            run_as_user: Some(user),
            seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), ..Default::default() }),
            ..Default::default()
        }),
        termination_grace_period_seconds: Some(grace),
        volumes: Some(volumes),
        ..Default::default()
    }
}

pub(super) fn template(part: &Part<'_>, pod: PodSpec) -> PodTemplateSpec {
    let metadata = ObjectMeta { labels: Some(part.labels()), ..Default::default() };
    PodTemplateSpec { metadata: Some(metadata), spec: Some(pod) }
}

pub(super) fn empty_dir(name: &str) -> Volume {
    Volume { name: name.to_owned(), empty_dir: Some(EmptyDirVolumeSource::default()), ..Default::default() }
}

pub(super) fn mount(name: &str, path: &str) -> VolumeMount {
    VolumeMount { name: name.to_owned(), mount_path: path.to_owned(), ..Default::default() }
}

pub(super) fn container_port(name: &str, port: u16) -> ContainerPort {
    ContainerPort {
        name: Some(name.to_owned()),
        container_port: i32::from(port),
        protocol: Some("TCP".to_owned()),
        ..Default::default()
    }
}

pub(super) fn http_get(path: &str, port: u16) -> Probe {
    let action = HTTPGetAction { path: Some(path.to_owned()), port: number(port), ..Default::default() };
    Probe { http_get: Some(action), ..Default::default() }
}

pub(super) fn exec(command: &[&str]) -> Probe {
    let command = command.iter().map(|c| (*c).to_owned()).collect();
    Probe { exec: Some(ExecAction { command: Some(command) }), ..Default::default() }
}

/// The startup probe: frequent until it succeeds once. The other probes wait for it.
pub(super) fn startup(probe: Probe) -> Probe {
    Probe {
        period_seconds: Some(START_PERIOD),
        timeout_seconds: Some(5),
        failure_threshold: Some(START_SECONDS / START_PERIOD),
        ..probe
    }
}

/// The readiness probe: decides whether the pod gets traffic.
pub(super) fn readiness(probe: Probe) -> Probe {
    Probe { period_seconds: Some(5), timeout_seconds: Some(5), failure_threshold: Some(3), ..probe }
}

/// The liveness probe: patient, because restarting a slow container makes it slower.
pub(super) fn liveness(probe: Probe) -> Probe {
    Probe { period_seconds: Some(10), timeout_seconds: Some(5), failure_threshold: Some(6), ..probe }
}

/// Waits before termination: requests may arrive until every node knows that the pod is being removed.
pub(super) fn drained() -> Lifecycle {
    let pause = LifecycleHandler { sleep: Some(SleepAction { seconds: 3 }), ..Default::default() };
    Lifecycle { pre_stop: Some(pause), ..Default::default() }
}

/// An update during which at least one pod runs.
pub(super) fn rolling() -> DeploymentStrategy {
    DeploymentStrategy {
        rolling_update: Some(RollingUpdateDeployment {
            max_surge: Some(IntOrString::Int(1)),
            max_unavailable: Some(IntOrString::Int(0)),
        }),
        type_: Some("RollingUpdate".to_owned()),
    }
}

/// An update during which at most one pod runs.
pub(super) fn recreating() -> DeploymentStrategy {
    DeploymentStrategy { type_: Some("Recreate".to_owned()), ..Default::default() }
}

/// A Deployment. The number of replicas is left out where an autoscaler sets it.
pub(super) fn deployment(
    part: &Part<'_>,
    replicas: Option<Replicas>,
    strategy: DeploymentStrategy,
    template: PodTemplateSpec,
) -> Deployment {
    Deployment {
        metadata: part.metadata(),
        spec: required_or_not(DeploymentSpec {
            // Longer than the startup probe's limit, so that the probe decides first.
            progress_deadline_seconds: Some(START_SECONDS + 300),
            replicas: replicas.map(|replicas| i32::from(replicas.get())),
            revision_history_limit: Some(3),
            selector: selector(part.name),
            strategy: Some(strategy),
            template,
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// A ClusterIP Service from `port` to the container port `target`. Both are numbers, so that a reader sees without a
/// look-up that they match.
pub(super) fn service(part: &Part<'_>, port_name: &str, port: u16, target: u16) -> Service {
    Service {
        metadata: part.metadata(),
        spec: Some(ServiceSpec {
            ports: Some(vec![ServicePort {
                name: Some(port_name.to_owned()),
                port: i32::from(port),
                protocol: Some("TCP".to_owned()),
                target_port: Some(number(target)),
                ..Default::default()
            }]),
            selector: Some(selected(part.name)),
            type_: Some("ClusterIP".to_owned()),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// A Secret of generated values.
pub(super) fn secret(part: &Part<'_>, name: &str, data: &[(&str, SecretString)]) -> Secret {
    let data = data.iter().map(|(key, text)| ((*key).to_owned(), ByteString(text.reveal().as_bytes().to_vec())));
    Secret {
        metadata: part.metadata_named(name),
        data: Some(data.collect()),
        type_: Some("Opaque".to_owned()),
        ..Default::default()
    }
}

/// Converts a spec to its field's type: some Kubernetes versions declare the field as `Option`, others do not.
pub(super) fn required_or_not<S, F: From<S>>(spec: S) -> F {
    F::from(spec)
}

pub(super) fn number(port: u16) -> IntOrString {
    IntOrString::Int(i32::from(port))
}
