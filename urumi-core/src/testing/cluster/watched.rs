//! A watch, and the objects as its events describe them.

use std::collections::BTreeMap;

use futures::StreamExt;

use crate::cluster::WatchStream;
use crate::kubernetes::{Object, ObjectRef, Query, WatchEvent};
use crate::testing::{Stop, Waiting};

/// A watch under test, with a copy of the objects that it has reported.
pub(super) struct WatchedObjects<'a> {
    waiting: &'a Waiting,
    stream: WatchStream,
    described: String,
    objects: BTreeMap<ObjectRef, Object>,
}

impl<'a> WatchedObjects<'a> {
    pub(super) fn new(stream: WatchStream, query: &Query, waiting: &'a Waiting) -> Self {
        WatchedObjects { waiting, stream, described: query.to_string(), objects: BTreeMap::new() }
    }

    /// The next event. It skips errors, which the contract of watches allows. If there are only errors, the check's
    /// deadline ends the wait.
    pub(super) async fn next(&mut self) -> Result<WatchEvent, Stop> {
        loop {
            match self.stream.next().await {
                None => return Err(Stop::Failed(format!("the watch of {} ended by itself", self.described))),
                Some(Err(_)) => {}
                Some(Ok(event)) => {
                    self.take_in(&event);
                    return Ok(event);
                }
            }
        }
    }

    fn take_in(&mut self, event: &WatchEvent) {
        match event {
            WatchEvent::Snapshot(objects) => {
                self.objects = objects.iter().map(|o| (o.reference(), o)).collect();
            }
            WatchEvent::Applied(object) => {
                self.objects.insert(object.reference(), object.clone());
            }
            WatchEvent::Deleted(object) => {
                self.objects.remove(&object.reference());
            }
        }
    }

    /// The first event, which must be a snapshot.
    pub(super) async fn snapshot(&mut self) -> Result<Vec<Object>, Stop> {
        self.waiting.on(&format!("the first snapshot of a watch of {}", self.described));
        match self.next().await? {
            WatchEvent::Snapshot(objects) => Ok(objects.into_iter().collect()),
            other => Err(Stop::Failed(format!("a watch of {} began with {other:?}", self.described))),
        }
    }

    /// Waits until the objects fit, and returns them ordered by namespace and name.
    pub(super) async fn until(&mut self, what: &str, fits: impl Fn(&[&Object]) -> bool) -> Result<Vec<Object>, Stop> {
        self.waiting.on(&format!("{what}, watching {}", self.described));
        loop {
            let seen: Vec<&Object> = self.objects.values().collect();
            if fits(&seen) {
                return Ok(seen.into_iter().cloned().collect());
            }
            self.next().await?;
        }
    }
}
