//! The recent changes of the objects of one kind, for watches: bounded like an API server's watch cache.

use std::collections::VecDeque;
use std::sync::Arc;

use super::wake::{Sleeper, Wake};
use crate::kubernetes::Object;
use crate::kubernetes::{Query, WatchEvent};

/// One change: the object before and after it.
#[derive(Clone)]
pub(super) struct Change {
    pub(super) before: Option<Arc<Object>>,
    pub(super) after: Option<Arc<Object>>,
}

impl Change {
    /// The event of a watch with this selection.
    pub(super) fn seen_by(&self, query: &Query) -> Option<WatchEvent> {
        let matched = self.before.as_ref().filter(|o| query.matches(o));
        let matches = self.after.as_ref().filter(|o| query.matches(o));
        match (matched, matches) {
            (_, Some(after)) => Some(WatchEvent::Applied(Object::clone(after))),
            (Some(before), None) => Some(WatchEvent::Deleted(Object::clone(before))),
            (None, None) => None,
        }
    }
}

/// The changes of one kind, newest last.
pub(super) struct Log {
    changes: VecDeque<Change>,
    capacity: usize,
    /// The number of the next change.
    next: u64,
    wake: Wake,
}

impl Log {
    pub(super) fn new(capacity: usize) -> Self {
        Log { changes: VecDeque::new(), capacity, next: 0, wake: Wake::default() }
    }

    pub(super) fn push(&mut self, change: Change) {
        // A watch reads no changes from before its beginning, so without watches none are needed.
        if self.wake.sleepers() == 0 {
            self.changes.clear();
        } else {
            self.changes.push_back(change);
            if self.changes.len() > self.capacity {
                self.changes.pop_front();
            }
        }
        self.next += 1;
        self.wake.wake();
    }

    /// The number of the next change: the first that a new watch sees.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// The changes from number `from` on; `None` when some of them are no longer kept.
    pub(super) fn since(&self, from: u64) -> Option<impl Iterator<Item = &Change>> {
        let behind = usize::try_from(self.next.saturating_sub(from)).ok()?;
        let skip = self.changes.len().checked_sub(behind)?;
        Some(self.changes.iter().skip(skip))
    }

    pub(super) fn subscribe(&self) -> Sleeper {
        self.wake.subscribe()
    }

    /// Wakes all watches although nothing changed.
    pub(super) fn nudge(&self) {
        self.wake.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_only_what_fits_and_says_so() {
        let mut log = Log::new(2);
        let _watcher = log.subscribe();
        for _ in 0..3 {
            log.push(Change { before: None, after: None });
        }
        assert_eq!(log.next(), 3);
        assert!(log.since(0).is_none());
        assert_eq!(log.since(1).map(Iterator::count), Some(2));
        assert_eq!(log.since(3).map(Iterator::count), Some(0));
    }

    #[test]
    fn keeps_nothing_while_nobody_watches() {
        let mut log = Log::new(2);
        log.push(Change { before: None, after: None });
        assert_eq!(log.changes.len(), 0);
    }
}
