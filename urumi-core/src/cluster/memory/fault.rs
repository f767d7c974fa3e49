//! What can go wrong with a workload, and which workloads it happens to.

use crate::kubernetes::Object;

/// A way in which a workload of the in-memory cluster does not become, or does not stay, ready. Statuses and Events
/// carry the wording of the real kubelet, scheduler and controllers.
///
/// Images that begin with `fail.example/image-pull`, `fail.example/crash-loop` or `fail.example/never-ready` fail so
/// without any injection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The image cannot be had: `ErrImagePull`, then `ImagePullBackOff`.
    ImagePull,
    /// The container exits again and again: `CrashLoopBackOff`.
    CrashLoop {
        /// With which code it exits; 137 is reported as `OOMKilled`.
        exit_code: i32,
        /// How often it has been started again so far.
        restarts: i32,
    },
    /// The container runs, but its readiness probe fails.
    NeverReady,
    /// The pod waits for a volume that nobody provides.
    UnboundClaim,
    /// No node has room for the pod.
    NoRoom,
    /// A ResourceQuota refuses the pods. Those that run go on running.
    QuotaExceeded,
    /// A smoke order fails. Everything else goes on.
    SmokeFails,
    /// The container refers to a Secret that is not there: `CreateContainerConfigError`. (A pod that really refers
    /// to a missing Secret or ConfigMap fails so without any fault.)
    MissingSecret {
        /// The Secret's name.
        name: String,
    },
}

/// The fault that an image stands for. Images that begin so never work, here and on the project's test cluster, so
/// that one test can run on both.
pub(super) fn of_image(workload: &Object) -> Option<(FaultTarget, Fault)> {
    [
        ("fail.example/image-pull", Fault::ImagePull),
        ("fail.example/crash-loop", Fault::CrashLoop { exit_code: 1, restarts: 3 }),
        ("fail.example/never-ready", Fault::NeverReady),
    ]
    .into_iter()
    .map(|(image, fault)| (FaultTarget::image(image), fault))
    .find(|(target, _)| target.fits(workload))
}

/// Which workloads a [`Fault`] happens to: those that fit everything that is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaultTarget {
    namespace: Option<String>,
    name: Option<String>,
    image: Option<String>,
}

impl FaultTarget {
    /// Every workload.
    pub fn any() -> Self {
        FaultTarget::default()
    }

    /// Workloads of this name, in any namespace.
    pub fn named(name: impl Into<String>) -> Self {
        FaultTarget { name: Some(name.into()), ..FaultTarget::default() }
    }

    /// Workloads with a container whose image begins so.
    pub fn image(prefix: impl Into<String>) -> Self {
        FaultTarget { image: Some(prefix.into()), ..FaultTarget::default() }
    }

    /// Only those in one namespace.
    #[must_use]
    pub fn in_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Whether a workload (or anything with a name and a pod template) fits.
    pub(super) fn fits(&self, workload: &Object) -> bool {
        self.namespace.as_deref().is_none_or(|ns| workload.namespace() == Some(ns))
            && self.name.as_deref().is_none_or(|name| workload.name() == name)
            && self.image.as_deref().is_none_or(|prefix| {
                ["/spec/template/spec/containers", "/spec/template/spec/initContainers"]
                    .iter()
                    .flat_map(|list| workload.list_at(list))
                    .filter_map(|container| container.get("image")?.as_str())
                    .any(|image| image.starts_with(prefix))
            })
    }

    /// Whether a container is the one it happens to: any, unless an image is named.
    pub(super) fn fits_image(&self, image: &str) -> bool {
        self.image.as_deref().is_none_or(|prefix| image.starts_with(prefix))
    }
}
