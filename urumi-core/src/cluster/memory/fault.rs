//! Faults of workloads, and which workloads they affect.

use crate::kubernetes::Object;

/// A reason why a workload of the in-memory cluster does not become or stay ready. Statuses and Events have the wording
/// of the real kubelet, scheduler and controllers.
///
/// Images that begin with `fail.example/image-pull`, `fail.example/crash-loop` or `fail.example/never-ready` have these
/// faults without any injection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The image cannot be pulled: `ErrImagePull`, then `ImagePullBackOff`.
    ImagePull,
    /// The container exits again and again: `CrashLoopBackOff`.
    CrashLoop {
        /// The exit code; 137 is reported as `OOMKilled`.
        exit_code: i32,
        /// The number of restarts so far.
        restarts: i32,
    },
    /// The container runs, but its readiness probe fails.
    NeverReady,
    /// The pod waits for a volume that is never provided.
    UnboundClaim,
    /// No node has enough resources for the pod.
    NoRoom,
    /// A ResourceQuota refuses new pods. Running pods are not affected.
    QuotaExceeded,
    /// Smoke orders fail. Nothing else is affected.
    SmokeFails,
    /// The container refers to a missing Secret: `CreateContainerConfigError`. (A pod that really refers to a missing
    /// Secret or ConfigMap fails in the same way without a fault.)
    MissingSecret {
        /// The Secret's name.
        name: String,
    },
}

/// The fault of an image by its name. Such images also fail on the project's test cluster, so that one test can run on
/// both.
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

/// Which workloads a [`Fault`] affects: those that meet every criterion.
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

    /// Workloads with a container whose image begins with this prefix.
    pub fn image(prefix: impl Into<String>) -> Self {
        FaultTarget { image: Some(prefix.into()), ..FaultTarget::default() }
    }

    /// Only workloads in this namespace.
    #[must_use]
    pub fn in_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Whether a workload matches.
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

    /// Whether a container with this image matches: any does, unless the target names an image.
    pub(super) fn fits_image(&self, image: &str) -> bool {
        self.image.as_deref().is_none_or(|prefix| image.starts_with(prefix))
    }
}
