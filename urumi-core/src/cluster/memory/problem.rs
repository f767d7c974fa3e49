//! What keeps a pod from becoming ready, in the words of the kubelet and the scheduler.

use serde_json::Value;

use super::incident::Incident;
use crate::kubernetes::Object;

/// A problem of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    Unschedulable { message: String },
    Image { container: String, image: String },
    Config { container: String, message: String },
    Crash { container: String, exit_code: i32, restarts: i32 },
    NotReady { container: String },
}

/// The kubelet's message for a container that it restarts later.
pub(super) fn back_off(pod: &Object, container: &str, restarts: i32) -> String {
    let seconds = 10_i64.saturating_mul(1 << restarts.clamp(1, 6).saturating_sub(1)).min(300);
    let time = if seconds < 60 { format!("{seconds}s") } else { format!("{}m{}s", seconds / 60, seconds % 60) };
    let (name, namespace) = (pod.name(), pod.namespace().unwrap_or_default());
    let uid = pod.uid().unwrap_or_default();
    format!("back-off {time} restarting failed container={container} pod={name}_{namespace}({uid})")
}

impl Problem {
    /// Whether it prevents that any container is started.
    pub(super) fn prevents_scheduling(&self) -> bool {
        matches!(self, Problem::Unschedulable { .. })
    }

    /// The affected container.
    pub(super) fn container(&self) -> Option<&str> {
        match self {
            Problem::Unschedulable { .. } => None,
            Problem::Image { container, .. }
            | Problem::Config { container, .. }
            | Problem::Crash { container, .. }
            | Problem::NotReady { container } => Some(container),
        }
    }

    /// Whether the affected container is an init container.
    pub(super) fn in_init(&self, pod: &Object) -> bool {
        pod.list_at("/spec/initContainers").iter().any(|c| c.get("name").and_then(Value::as_str) == self.container())
    }

    /// The exit code and the number of restarts of a container that exits.
    pub(super) fn exit(&self) -> Option<(i32, i32)> {
        match self {
            Problem::Crash { exit_code, restarts, .. } => Some((*exit_code, *restarts)),
            _ => None,
        }
    }

    /// Reason and message if the container waits; `None` if it runs.
    pub(super) fn waiting(&self, pod: &Object) -> Option<(&'static str, String)> {
        match self {
            Problem::Image { image, .. } => Some((
                "ImagePullBackOff",
                format!("Back-off pulling image \"{image}\": ErrImagePull: {}", pull_error(image)),
            )),
            Problem::Config { message, .. } => Some(("CreateContainerConfigError", message.clone())),
            Problem::Crash { container, restarts, .. } => {
                Some(("CrashLoopBackOff", back_off(pod, container, *restarts)))
            }
            Problem::NotReady { .. } | Problem::Unschedulable { .. } => None,
        }
    }

    /// The Events that are reported when it begins.
    pub(super) fn incidents(&self, pod: &Object) -> Vec<Incident> {
        let kubelet = |reason, message: String| Incident::warning(reason, message, "kubelet");
        match self {
            Problem::Unschedulable { message } => {
                vec![Incident::warning("FailedScheduling", message.clone(), "default-scheduler")]
            }
            Problem::Image { image, .. } => vec![
                kubelet("Failed", format!("Failed to pull image \"{image}\": {}", pull_error(image))),
                kubelet("Failed", "Error: ErrImagePull".into()),
                Incident::normal("BackOff", format!("Back-off pulling image \"{image}\""), "kubelet"),
                kubelet("Failed", "Error: ImagePullBackOff".into()),
            ],
            Problem::Config { message, .. } => vec![kubelet("Failed", format!("Error: {message}"))],
            Problem::Crash { container, .. } => {
                let (name, namespace) = (pod.name(), pod.namespace().unwrap_or_default());
                let uid = pod.uid().unwrap_or_default();
                let text = format!("Back-off restarting failed container {container} in pod {name}_{namespace}({uid})");
                vec![kubelet("BackOff", text)]
            }
            Problem::NotReady { .. } => {
                vec![kubelet("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503".into())]
            }
        }
    }
}

fn pull_error(image: &str) -> String {
    format!(
        "rpc error: code = NotFound desc = failed to pull and unpack image \"{image}\": failed to resolve reference \
         \"{image}\": {image}: not found"
    )
}
