//! The containers of a store's components, and their lines.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;

use crate::kubernetes::{Kind, LogsSince, Object, ObjectRef, Query};
use crate::lines::Piece;
use crate::store::StoreId;
use crate::store::logs::LogLine;

/// A component, and the labels of its pods.
pub(super) struct Selected {
    pub(super) component: String,
    pub(super) labels: BTreeMap<String, String>,
}

impl Selected {
    pub(super) fn has(&self, pod: &Object) -> bool {
        !self.labels.is_empty() && self.labels.iter().all(|(key, value)| pod.label(key) == Some(value))
    }
}

/// A container whose log is read.
#[derive(Clone, Debug)]
pub(super) struct Container {
    pub(super) component: String,
    pub(super) pod: ObjectRef,
    /// The uid of the pod: a later pod may have its name.
    pub(super) uid: String,
    pub(super) name: String,
}

/// What no two containers share: the uid of the pod, and the name.
pub(super) type Key = (String, String);

impl Container {
    /// The containers of a pod; init containers first.
    pub(super) fn all(component: &str, pod: &Object) -> Vec<Container> {
        let lists = ["/spec/initContainers", "/spec/containers"];
        let names = lists.into_iter().flat_map(|list| pod.list_at(list)).filter_map(|c| c.get("name")?.as_str());
        let container = |name: &str| Container {
            component: component.to_owned(),
            pod: pod.reference(),
            uid: pod.uid().unwrap_or_default().to_owned(),
            name: name.to_owned(),
        };
        names.map(container).collect()
    }

    pub(super) fn key(&self) -> Key {
        (self.uid.clone(), self.name.clone())
    }

    /// A line that it wrote.
    pub(super) fn line(&self, Stamped { time, text }: Stamped) -> LogLine {
        LogLine::new(&self.component, &self.pod.name, &self.name, text).at(time)
    }
}

/// A line, or a part of one, with the time at which it was written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stamped {
    pub(super) time: Option<Timestamp>,
    pub(super) text: String,
}

/// Reads the times at the beginnings of lines.
#[derive(Debug, Default)]
pub(super) struct Stamps {
    /// The time of the present line.
    time: Option<Timestamp>,
}

impl Stamps {
    pub(super) fn read(&mut self, piece: Piece) -> Stamped {
        if !piece.begins {
            return Stamped { time: self.time, text: piece.text };
        }
        let parted = piece.text.split_once(' ');
        let parted = parted.and_then(|(time, text)| Some((time.parse::<Timestamp>().ok()?, text.to_owned())));
        let (time, text) = parted.map_or((None, piece.text), |(time, text)| (Some(time), text));
        self.time = time;
        Stamped { time, text }
    }
}

/// The pods of a store.
pub(super) fn pods_of(id: &StoreId) -> Query {
    Query::all(Kind::of::<Pod>()).in_namespace(id.namespace())
}

/// The beginning of lines of at most this age.
pub(super) fn since(age: Duration) -> LogsSince {
    let seconds = age.as_secs().saturating_add(u64::from(age.subsec_nanos() > 0));
    LogsSince::Seconds(u32::try_from(seconds).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_stands_before_the_line() {
        let mut stamps = Stamps::default();
        let time: Timestamp = "2026-01-01T00:00:00.000000001Z".parse().unwrap();
        for (text, begins, expected) in [
            ("2026-01-01T00:00:00.000000001Z two words", true, (Some(time), "two words")),
            ("2026-01-01T00:00:09Z of a long line", false, (Some(time), "2026-01-01T00:00:09Z of a long line")),
            ("2026-01-01T00:00:00.000000001Z ", true, (Some(time), "")),
            ("unable to retrieve container logs", true, (None, "unable to retrieve container logs")),
        ] {
            let Stamped { time, text } = stamps.read(Piece { text: text.to_owned(), begins });
            assert_eq!((time, text.as_str()), expected);
        }
    }

    #[test]
    fn ages_are_rounded_up_to_seconds() {
        for (age, seconds) in
            [(Duration::from_secs(300), 300), (Duration::from_millis(1500), 2), (Duration::MAX, u32::MAX)]
        {
            assert_eq!(since(age), LogsSince::Seconds(seconds));
        }
    }
}
