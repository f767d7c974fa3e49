//! The verb `logs`: finds the run of a container, with the errors of the API server and the kubelet, and streams its log.

use std::collections::VecDeque;

use bytes::Bytes;
use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::cluster::InMemoryCluster;
use super::controllers::settle;
use super::kinds::POD;
use super::output::{Line, Place, Run};
use super::server::Refusal;
use super::state::State;
use crate::cluster::backend::LogStream;
use crate::kubernetes::{ClusterErrorKind, LogOptions, LogsSince};
use crate::kubernetes::{Object, ObjectRef};

/// A log that was found, with the lines so far.
pub(super) struct Reading {
    lines: VecDeque<Line>,
    timestamps: bool,
    /// Where to read on, if the log is followed.
    rest: Option<Rest>,
}

struct Rest {
    place: Place,
    run: u64,
    /// How many of the run's lines have been read.
    taken: usize,
    wake: watch::Receiver<()>,
}

/// Finds the log of a container.
pub(super) fn find(state: &State, reference: &ObjectRef, options: &LogOptions) -> Result<Reading, Refusal> {
    if reference.kind != POD {
        return Err(Refusal::new(ClusterErrorKind::Invalid, "only pods have logs"));
    }
    let pod = state.find(reference).ok_or_else(|| Refusal::not_found(reference))?;
    let container = container(&pod, options.container.as_deref())?;
    if pod.at("/spec/nodeName").is_none() {
        let message = format!("pod \"{}\" has no node yet", pod.name());
        return Err(Refusal::new(ClusterErrorKind::Unavailable, message));
    }
    let place = (pod.namespace().unwrap_or_default().to_owned(), pod.name().to_owned(), container);
    let run = run(state, &pod, &place, options.previous)?;
    let skip =
        options.tail.map_or(0, |tail| run.lines.len().saturating_sub(usize::try_from(tail).unwrap_or(usize::MAX)));
    let since = options.since.and_then(|since| beginning(since, state.time()));
    let wanted = run.lines.iter().skip(skip).filter(|line| since.is_none_or(|since| line.at >= since));
    let lines = wanted.cloned().collect();
    let (number, taken) = (run.number, run.lines.len());
    let rest = options.follow.then(|| Rest { place, run: number, taken, wake: state.outputs.subscribe() });
    Ok(Reading { lines, timestamps: options.timestamps, rest })
}

/// The first time whose lines are wanted; `None` if all are.
fn beginning(since: LogsSince, now: Timestamp) -> Option<Timestamp> {
    match since {
        LogsSince::Seconds(seconds) => now.checked_sub(SignedDuration::from_secs(seconds.max(1).into())).ok(),
        // The API server passes it on to the kubelet in whole seconds.
        LogsSince::Time(time) => Timestamp::from_second(time.as_second()).ok(),
    }
}

/// The name of the container, as the API server determines it.
fn container(pod: &Object, wanted: Option<&str>) -> Result<String, Refusal> {
    let names = |list: &str| -> Vec<String> {
        let names = pod.list_at(list).iter().filter_map(|container| container.get("name")?.as_str());
        names.map(str::to_owned).collect()
    };
    let (init, main) = (names("/spec/initContainers"), names("/spec/containers"));
    let invalid = |message| Err(Refusal::new(ClusterErrorKind::Invalid, message));
    match (wanted, main.as_slice()) {
        (Some(name), _) if init.iter().chain(&main).any(|known| known == name) => Ok(name.to_owned()),
        (Some(name), _) => invalid(format!("container {name} is not valid for pod {}", pod.name())),
        (None, [only]) => Ok(only.clone()),
        (None, _) => invalid(format!(
            "a container name must be specified for pod {}, choose one of: [{}]",
            pod.name(),
            [init, main].concat().join(" "),
        )),
    }
}

/// The run, or why there is none. Like the kubelet, it goes by the pod's status.
fn run<'a>(state: &'a State, pod: &Object, place: &Place, previous: bool) -> Result<&'a Run, Refusal> {
    let (pod_name, container) = (pod.name(), place.2.as_str());
    let not_yet = |why: &str| {
        let message = format!("container \"{container}\" in pod \"{pod_name}\" is {why}");
        Err(Refusal::new(ClusterErrorKind::Unavailable, message))
    };
    let mut statuses =
        ["/status/containerStatuses", "/status/initContainerStatuses"].into_iter().flat_map(|list| pod.list_at(list));
    let Some(status) = statuses.find(|s| s.get("name").and_then(Value::as_str) == Some(container)) else {
        return not_yet("not available");
    };
    let has = |path: &str| status.pointer(path).is_some();
    let mut runs = state.outputs.runs(place).rev();
    if previous {
        let ended = runs.find(|run| run.ended).filter(|_| has("/lastState/terminated"));
        return ended.ok_or_else(|| {
            let message = format!("previous terminated container \"{container}\" in pod \"{pod_name}\" not found");
            Refusal::new(ClusterErrorKind::NotFound, message)
        });
    }
    let shown = ["/state/running", "/state/terminated", "/lastState/terminated"].into_iter().any(has);
    match (shown, runs.next(), status.pointer("/state/waiting/reason").and_then(Value::as_str)) {
        (true, Some(run), _) => Ok(run),
        (false, _, Some("ErrImagePull")) => not_yet("waiting to start: image can't be pulled"),
        (false, _, Some("ImagePullBackOff")) => not_yet("waiting to start: trying and failing to pull image"),
        (false, _, Some(reason)) => not_yet(&format!("waiting to start: {reason}")),
        _ => not_yet("not available"),
    }
}

impl Reading {
    /// A stream of the lines. It ends with the last line or, if it follows, with the container.
    pub(super) fn stream(self, cluster: InMemoryCluster) -> LogStream {
        let follower = (self, cluster);
        stream::unfold(follower, |(mut reading, cluster)| async move {
            let line = reading.next(&cluster).await?;
            let time = if reading.timestamps { format!("{:.9} ", line.at) } else { String::new() };
            Some((Ok(Bytes::from(format!("{time}{}\n", line.text))), (reading, cluster)))
        })
        .boxed()
    }

    async fn next(&mut self, cluster: &InMemoryCluster) -> Option<Line> {
        loop {
            if let Some(line) = self.lines.pop_front() {
                return Some(line);
            }
            let rest = self.rest.as_mut()?;
            let (news, due) = rest.look(cluster)?;
            if news.is_empty() {
                rest.wait(due).await?;
            }
            self.lines.extend(news);
        }
    }
}

impl Rest {
    /// The new lines since the last call, and when something is due in the cluster next; `None` after the end.
    fn look(&mut self, cluster: &InMemoryCluster) -> Option<(Vec<Line>, Option<Instant>)> {
        let mut state = cluster.lock();
        settle(&mut state);
        // All lines so far are read: only later ones wake the reader.
        self.wake.mark_unchanged();
        let run = state.outputs.runs(&self.place).find(|run| run.number == self.run)?;
        let news: Vec<Line> = run.lines.iter().skip(self.taken).cloned().collect();
        if news.is_empty() && run.ended {
            return None;
        }
        self.taken += news.len();
        Some((news, state.due()))
    }

    async fn wait(&mut self, due: Option<Instant>) -> Option<()> {
        let due = async {
            match due {
                Some(due) => sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            changed = self.wake.changed() => changed.ok(),
            () = due => Some(()),
        }
    }
}
