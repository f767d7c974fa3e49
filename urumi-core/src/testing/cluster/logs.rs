//! Checks of `logs`. The image determines the content; checks of the content are skipped if the log is empty.

use futures::{StreamExt, TryStreamExt};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::context::{Context, Stop, ensure, expect_error};
use super::kinds::{DEPLOYMENT, POD, STATEFUL_SET};
use super::manifests::{container, deployment, stateful_set};
use super::workloads::needs_workloads;
use crate::cluster::LogStream;
use crate::kubernetes::ObjectRef;
use crate::kubernetes::{ClusterErrorKind, LogOptions, LogsSince, Query, Verb};

/// A running pod with these containers, in a namespace of its own.
async fn running(context: &Context, containers: &[&str]) -> Result<ObjectRef, Stop> {
    needs_workloads(context)?;
    let ns = context.namespace().await?;
    let containers: Vec<_> = containers.iter().map(|name| container(context, name)).collect();
    context.cluster.create(&deployment(&ns, "web", 1, &containers)?).await?;
    let mut watch = context.watch(&Query::all(DEPLOYMENT).in_namespace(&ns).named("web"));
    watch
        .until("an available Deployment", |seen| seen.iter().any(|o| o.int_at("/status/availableReplicas") == Some(1)))
        .await?;
    let pods = context.cluster.list(&Query::all(POD).in_namespace(&ns)).await?;
    pods.first().map(|pod| pod.reference()).ok_or_else(|| Stop::Failed("an available Deployment has no pod".into()))
}

/// All lines of a log that is not followed.
async fn lines(context: &Context, log: LogStream) -> Result<Vec<String>, Stop> {
    context.waiting.on("the end of a log that is not followed");
    let bytes: Vec<_> = log.try_collect().await?;
    let text = String::from_utf8_lossy(&bytes.concat()).into_owned();
    Ok(text.lines().map(str::to_owned).collect())
}

/// All lines of a pod's log, which is not empty.
async fn some_lines(context: &Context, pod: &ObjectRef) -> Result<Vec<String>, Stop> {
    let lines = lines(context, context.cluster.logs(pod, &LogOptions::default()).await?).await?;
    if lines.is_empty() {
        return Err(Stop::Skipped(format!("containers of {} write nothing", context.options.image)));
    }
    Ok(lines)
}

pub(super) async fn a_running_containers_log_can_be_read(context: &Context) -> Result<(), Stop> {
    let pod = running(context, &["main"]).await?;
    let unnamed = some_lines(context, &pod).await?;
    let options = LogOptions { container: Some("main".into()), ..LogOptions::default() };
    let named = lines(context, context.cluster.logs(&pod, &options).await?).await?;
    ensure!(named.starts_with(&unnamed), "its only container has another log when it is named: {named:?}");
    Ok(())
}

pub(super) async fn a_tail_is_the_end_of_it(context: &Context) -> Result<(), Stop> {
    let pod = running(context, &["main"]).await?;
    let before = some_lines(context, &pod).await?;
    let tail = |lines| LogOptions { tail: Some(lines), ..LogOptions::default() };
    let one = lines(context, context.cluster.logs(&pod, &tail(1)).await?).await?;
    let none = lines(context, context.cluster.logs(&pod, &tail(0)).await?).await?;
    let after = some_lines(context, &pod).await?;
    // The log may have grown since.
    let ends = after.get(before.len() - 1..).unwrap_or_default();
    ensure!(one.len() == 1 && one.iter().all(|line| ends.contains(line)), "one line from the end is {one:?}");
    ensure!(none.is_empty(), "no line from the end is {none:?}");
    let all = lines(context, context.cluster.logs(&pod, &tail(u32::MAX)).await?).await?;
    ensure!(all.starts_with(&before), "more lines than there are is not all of them, but {all:?}");
    Ok(())
}

pub(super) async fn timestamps_begin_each_line(context: &Context) -> Result<(), Stop> {
    let pod = running(context, &["main"]).await?;
    let plain = some_lines(context, &pod).await?;
    let options = LogOptions { timestamps: true, ..LogOptions::default() };
    let stamped = lines(context, context.cluster.logs(&pod, &options).await?).await?;
    ensure!(stamped.len() >= plain.len(), "with timestamps there are {} lines of {}", stamped.len(), plain.len());
    for (stamped, plain) in stamped.iter().zip(&plain) {
        let Some((time, text)) = stamped.split_once(' ') else {
            return Err(Stop::Failed(format!("a line has no timestamp: {stamped:?}")));
        };
        ensure!(time.parse::<Timestamp>().is_ok(), "{time:?} is no timestamp");
        ensure!(text == plain, "behind its timestamp the line is {text:?}, and without it {plain:?}");
    }
    Ok(())
}

pub(super) async fn a_log_begins_where_it_is_asked_to(context: &Context) -> Result<(), Stop> {
    let pod = running(context, &["main"]).await?;
    let before = some_lines(context, &pod).await?;
    let since = |since| LogOptions { since: Some(since), timestamps: true, ..LogOptions::default() };
    let all = lines(context, context.cluster.logs(&pod, &since(LogsSince::Seconds(u32::MAX))).await?).await?;
    ensure!(all.len() >= before.len(), "since long ago there are {} lines of {}", all.len(), before.len());
    let time = |line: &String| line.split_once(' ').and_then(|(time, _)| time.parse::<Timestamp>().ok());
    let Some(last) = all.last().and_then(time) else {
        return Err(Stop::Failed(format!("a line has no timestamp: {all:?}")));
    };
    let end = lines(context, context.cluster.logs(&pod, &since(LogsSince::Time(last))).await?).await?;
    // The whole second belongs to it.
    let wanted = all.iter().filter(|line| time(line).is_some_and(|time| time.as_second() >= last.as_second()));
    ensure!(end.starts_with(&wanted.cloned().collect::<Vec<_>>()), "since {last} there is {end:?} of {all:?}");
    let tomorrow = LogsSince::Time(last + SignedDuration::from_hours(24));
    let none = lines(context, context.cluster.logs(&pod, &since(tomorrow)).await?).await?;
    ensure!(none.is_empty(), "since tomorrow there is {none:?}");
    Ok(())
}

pub(super) async fn following_begins_with_what_is_there(context: &Context) -> Result<(), Stop> {
    let pod = running(context, &["main"]).await?;
    let known = some_lines(context, &pod).await?.join("\n");
    let options = LogOptions { follow: true, ..LogOptions::default() };
    let mut log = context.cluster.logs(&pod, &options).await?;
    let mut seen = Vec::new();
    context.waiting.on("what a log that is followed has already");
    while seen.len() < known.len() {
        match log.next().await {
            Some(piece) => seen.extend_from_slice(&piece?),
            None => return Err(Stop::Failed("the log of a container that runs ended".into())),
        }
    }
    ensure!(seen.starts_with(known.as_bytes()), "it begins otherwise: {}", String::from_utf8_lossy(&seen));
    Ok(())
}

pub(super) async fn without_a_container_of_that_name_it_is_invalid(context: &Context) -> Result<(), Stop> {
    let pod = running(context, &["main", "aside"]).await?;
    let log = |container: Option<&str>| {
        let options = LogOptions { container: container.map(str::to_owned), ..LogOptions::default() };
        let pod = pod.clone();
        async move { context.cluster.logs(&pod, &options).await }
    };
    expect_error(log(Some("nobody")).await, ClusterErrorKind::Invalid, "the log of a container that is not there")?;
    let which = expect_error(log(None).await, ClusterErrorKind::Invalid, "a log of one of two containers")?;
    ensure!(which.message().contains("main") && which.message().contains("aside"), "it does not name them: {which}");
    // Read to the end, which closes the connection.
    lines(context, log(Some("aside")).await?).await?;
    Ok(())
}

pub(super) async fn a_missing_pod_is_not_found(context: &Context) -> Result<(), Stop> {
    let ns = context.namespace().await?;
    let pod = ObjectRef::namespaced(POD, &ns, "nobody");
    for options in [LogOptions::default(), LogOptions { follow: true, previous: true, ..LogOptions::default() }] {
        let log = context.cluster.logs(&pod, &options).await;
        let error = expect_error(log, ClusterErrorKind::NotFound, "the log of a pod that is not there")?;
        ensure!(error.verb() == Verb::Logs && error.target() == pod.to_string(), "it does not say of what: {error}");
    }
    Ok(())
}

pub(super) async fn a_pod_without_a_node_can_be_asked_again(context: &Context) -> Result<(), Stop> {
    needs_workloads(context)?;
    let ns = context.namespace().await?;
    let mut set = stateful_set(context, &ns, "db")?;
    if let Some(claim) = set.as_value_mut().pointer_mut("/spec/volumeClaimTemplates/0/spec") {
        claim["storageClassName"] = json!("no-such-class");
    }
    context.cluster.create(&set).await?;
    let mut sets = context.watch(&Query::all(STATEFUL_SET).in_namespace(&ns));
    sets.until("a StatefulSet with a pod", |seen| seen.iter().any(|o| o.int_at("/status/replicas") == Some(1))).await?;
    let pod = ObjectRef::namespaced(POD, &ns, "db-0");
    let log = context.cluster.logs(&pod, &LogOptions::default()).await;
    let error = expect_error(log, ClusterErrorKind::Unavailable, "the log of a pod without a node")?;
    ensure!(error.is_retryable(), "it is not said to be worth another try: {error}");
    Ok(())
}
