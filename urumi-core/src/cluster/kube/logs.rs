//! Logs: streams the body, and tells the kubelet's errors apart by their messages.

use ::kube::client::Body;
use futures::{StreamExt, stream};
use http::StatusCode;
use http_body_util::BodyExt;
use k8s_openapi::api::core::v1::Pod;

use super::errors::Failure;
use super::request::Call;
use super::transport::Transport;
use crate::cluster::backend::LogStream;
use crate::kubernetes::{ClusterErrorKind, LogOptions, Verb};
use crate::kubernetes::{Kind, ObjectRef};

pub(super) async fn open(transport: &Transport, pod: &ObjectRef, options: &LogOptions) -> Result<LogStream, Failure> {
    if pod.kind != Kind::of::<Pod>() {
        return Err(Failure::invalid("only pods have logs"));
    }
    let response = transport.open(&Call::logs(pod, options)?).await.map_err(explained)?;
    // The API server's answer for a pod without a node, which has no kubelet to ask.
    if response.status() == StatusCode::NO_CONTENT {
        return Err(Failure::not_yet(format!("pod \"{}\" has no node yet", pod.name)));
    }
    Ok(pieces(response.into_body(), pod.to_string()))
}

/// The chunks of the body, until its end or the first failure.
fn pieces(body: Body, target: String) -> LogStream {
    stream::unfold(Some((body, target)), |rest| async {
        let (mut body, target) = rest?;
        loop {
            match body.frame().await? {
                Ok(frame) => match frame.into_data() {
                    Ok(data) if !data.is_empty() => return Some((Ok(data), Some((body, target)))),
                    _ => {}
                },
                Err(error) => return Some((Err(Failure::from_transport(error).into_error(Verb::Logs, target)), None)),
            }
        }
    })
    .boxed()
}

/// The kind of an error. The kubelet answers most errors with 400, and the API server forwards its messages. They have
/// not changed since long before the oldest Kubernetes that urumi supports.
fn explained(mut failure: Failure) -> Failure {
    let says = |words: &str| failure.message.contains(words);
    failure.kind = match failure.kind {
        ClusterErrorKind::Invalid if says("is waiting to start") => ClusterErrorKind::Unavailable,
        // The kubelet has not seen the pod yet.
        ClusterErrorKind::Invalid if says("is not available") || says("cannot be found - no logs available") => {
            ClusterErrorKind::Unavailable
        }
        ClusterErrorKind::Invalid if says("previous terminated container") || says("is terminated") => {
            ClusterErrorKind::NotFound
        }
        // The pod exists, but its node does not, or the kubelet does not know the pod yet.
        ClusterErrorKind::NotFound if says("nodes ") || says("( pods/log ") => ClusterErrorKind::Unavailable,
        kind => kind,
    };
    failure
}
