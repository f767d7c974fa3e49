//! Logs: a body that is passed on as it comes, and the kubelet's sentences, which are all that tells its refusals apart.

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
    // What the API server says of a pod without a node: there is nobody whom it could ask.
    if response.status() == StatusCode::NO_CONTENT {
        return Err(Failure::not_yet(format!("pod \"{}\" has no node yet", pod.name)));
    }
    Ok(pieces(response.into_body(), pod.to_string()))
}

/// The body, piece by piece, until its end or first failure.
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

/// What a refusal means. The kubelet answers 400 to nearly everything, and the API server passes on its words; these
/// have been the same since long before the oldest Kubernetes that urumi supports.
fn explained(mut failure: Failure) -> Failure {
    let says = |words: &str| failure.message.contains(words);
    failure.kind = match failure.kind {
        ClusterErrorKind::Invalid if says("is waiting to start") => ClusterErrorKind::Unavailable,
        // The kubelet has not looked at the pod yet.
        ClusterErrorKind::Invalid if says("is not available") || says("cannot be found - no logs available") => {
            ClusterErrorKind::Unavailable
        }
        ClusterErrorKind::Invalid if says("previous terminated container") || says("is terminated") => {
            ClusterErrorKind::NotFound
        }
        // The pod is there, but not its node, or its kubelet has not heard of it.
        ClusterErrorKind::NotFound if says("nodes ") || says("( pods/log ") => ClusterErrorKind::Unavailable,
        kind => kind,
    };
    failure
}
