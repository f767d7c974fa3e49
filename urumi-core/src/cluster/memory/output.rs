//! The logs of containers: a few lines about their start and their end, so that there is something to read.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::sync::watch;

use crate::kubernetes::Object;

/// How many runs of a container are kept: like the kubelet, the current one and the one before.
const RUNS: usize = 2;

/// Namespace and name of a pod, and the name of a container in it.
pub(super) type Place = (String, String, String);

/// One line of a log.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) at: Timestamp,
    pub(super) text: String,
}

/// One run of a container, from its start to its exit.
pub(super) struct Run {
    /// Unique among all runs of all containers.
    pub(super) number: u64,
    pub(super) lines: Vec<Line>,
    pub(super) ended: bool,
    /// Whether the log has the line that the container is ready.
    ready: bool,
}

/// The logs of all containers.
pub(super) struct Outputs {
    runs: BTreeMap<Place, VecDeque<Run>>,
    begun: u64,
    /// The earliest time of the next line. No two lines have the same time, as if each took a nanosecond to write.
    next: Timestamp,
    /// Wakes the readers that follow a log, also when something is due earlier than they know.
    wake: watch::Sender<()>,
}

impl Outputs {
    pub(super) fn new() -> Self {
        Outputs { runs: BTreeMap::new(), begun: 0, next: Timestamp::MIN, wake: watch::Sender::new(()) }
    }

    pub(super) fn nudge(&self) {
        self.wake.send_replace(());
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<()> {
        self.wake.subscribe()
    }

    /// The runs of a container that are kept, oldest first.
    pub(super) fn runs(&self, place: &Place) -> impl DoubleEndedIterator<Item = &Run> {
        self.runs.get(place).into_iter().flatten()
    }

    /// Forgets the logs of a pod.
    pub(super) fn forget(&mut self, namespace: &str, pod: &str) {
        let first = (namespace.to_owned(), pod.to_owned(), String::new());
        let of_pod = self.runs.range(first..).take_while(|((ns, name, _), _)| ns == namespace && name == pod);
        let places: Vec<Place> = of_pod.map(|(place, _)| place.clone()).collect();
        for place in places {
            self.runs.remove(&place);
        }
        self.nudge();
    }

    /// The current run of a container; a new one if there is none.
    fn present(&mut self, place: &Place, first: impl FnOnce() -> Line) -> Option<&mut Run> {
        // The caller may write into the run.
        self.nudge();
        let runs = self.runs.entry(place.clone()).or_default();
        if runs.back().is_none_or(|run| run.ended) {
            self.begun += 1;
            runs.push_back(Run { number: self.begun, lines: vec![first()], ended: false, ready: false });
            if runs.len() > RUNS {
                runs.pop_front();
            }
        }
        runs.back_mut()
    }

    /// Writes the lines that follow from a pod's new status `after`.
    pub(super) fn note(&mut self, at: Timestamp, pod: &Object, after: &Value) {
        let lists = [("/spec/initContainers", "initContainerStatuses"), ("/spec/containers", "containerStatuses")];
        for (specs, field) in lists {
            let before = pod.list_at(&format!("/status/{field}"));
            let after = after.get(field).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            for container in pod.list_at(specs) {
                self.note_container(at, pod, container, [status_of(container, before), status_of(container, after)]);
            }
        }
    }

    fn note_container(&mut self, at: Timestamp, pod: &Object, container: &Value, [before, after]: [&Value; 2]) {
        let text = |field: &str| container.get(field).and_then(Value::as_str).unwrap_or_default();
        let next = Cell::new(at.max(self.next));
        let line = |text: String| {
            let at = next.get();
            next.set(at.checked_add(SignedDuration::from_nanos(1)).unwrap_or(at));
            Line { at, text }
        };
        let place = (pod.namespace().unwrap_or_default().to_owned(), pod.name().to_owned(), text("name").to_owned());
        let start = || line(format!("starting {} from {}", text("name"), text("image")));

        let exit = exit_code(before, after);
        if let Some(code) = exit
            && let Some(run) = self.present(&place, start)
        {
            match code {
                0 => run.lines.push(line("done".into())),
                // A container that is killed for its memory writes nothing more.
                137 => {}
                _ => run.lines.push(line(format!("fatal: exiting with code {code}"))),
            }
            run.ended = true;
        }
        if after.pointer("/state/running").is_some() {
            let ready = after.get("ready").and_then(Value::as_bool) == Some(true);
            if let Some(run) = self.present(&place, start).filter(|run| ready && !run.ready) {
                run.ready = true;
                let port = container.pointer("/ports/0/containerPort").and_then(Value::as_u64);
                run.lines.push(line(port.map_or("ready".into(), |port| format!("ready, listening on port {port}"))));
            }
        } else if exit.is_none() && self.runs(&place).next_back().is_some_and(|run| !run.ended) {
            // A fault was injected into a running pod: its log is that of a new pod.
            self.runs.remove(&place);
            self.nudge();
        }
        self.next = next.get();
    }
}

fn status_of<'a>(container: &Value, statuses: &'a [Value]) -> &'a Value {
    static NONE: Value = Value::Null;
    statuses.iter().find(|status| status.get("name") == container.get("name")).unwrap_or(&NONE)
}

/// The exit code, if the container exited between the two statuses.
fn exit_code(before: &Value, after: &Value) -> Option<i64> {
    let restarts = |status: &Value| status.get("restartCount").and_then(Value::as_i64).unwrap_or(0);
    let code = |status: &Value, state: &str| status.pointer(&format!("/{state}/terminated/exitCode"))?.as_i64();
    if restarts(after) > restarts(before) || code(before, "lastState").is_none() && code(after, "lastState").is_some() {
        return code(after, "lastState");
    }
    code(after, "state").filter(|_| code(before, "state").is_none())
}
