//! A watch and the copy of the objects that it keeps.

use std::collections::BTreeMap;

use futures::StreamExt;

use super::room::{Room, Stop};
use crate::cluster::WatchStream;
use crate::kubernetes::{Object, ObjectRef};
use crate::kubernetes::{Query, WatchEvent};

/// What is seen through a watch.
pub(super) struct Sight<'a> {
    room: &'a Room,
    stream: WatchStream,
    described: String,
    objects: BTreeMap<ObjectRef, Object>,
}

impl<'a> Sight<'a> {
    pub(super) fn new(room: &'a Room, query: &Query) -> Self {
        let stream = room.cluster.watch(query);
        Sight { room, stream, described: query.to_string(), objects: BTreeMap::new() }
    }

    /// The next event. Errors are part of a watch's life and not looked at; the deadline of the check ends a watch
    /// that has nothing else.
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
                self.objects = objects.iter().map(|o| (o.reference(), o.clone())).collect();
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
        self.room.waiting.on(&format!("the first snapshot of a watch of {}", self.described));
        match self.next().await? {
            WatchEvent::Snapshot(objects) => Ok(objects),
            other => Err(Stop::Failed(format!("a watch of {} began with {other:?}", self.described))),
        }
    }

    /// Waits until what is seen fits, and returns it in the order of namespaces and names.
    pub(super) async fn until(&mut self, what: &str, fits: impl Fn(&[&Object]) -> bool) -> Result<Vec<Object>, Stop> {
        self.room.waiting.on(&format!("{what}, watching {}", self.described));
        loop {
            let seen: Vec<&Object> = self.objects.values().collect();
            if fits(&seen) {
                return Ok(seen.into_iter().cloned().collect());
            }
            self.next().await?;
        }
    }
}
