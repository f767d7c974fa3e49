//! When to decide again on a store, even if nothing changes.

use std::collections::{BTreeSet, HashMap};

use tokio::time::Instant;

/// At most one alarm for each namespace.
#[derive(Default)]
pub(super) struct Alarms {
    by_time: BTreeSet<(Instant, String)>,
    by_namespace: HashMap<String, Instant>,
}

impl Alarms {
    /// Sets an alarm. If the namespace already has one, the earlier of the two remains.
    pub(super) fn set(&mut self, namespace: &str, at: Instant) {
        if self.by_namespace.get(namespace).is_some_and(|earlier| *earlier <= at) {
            return;
        }
        self.remove(namespace);
        self.by_namespace.insert(namespace.to_owned(), at);
        self.by_time.insert((at, namespace.to_owned()));
    }

    /// Removes the alarm of a namespace.
    pub(super) fn remove(&mut self, namespace: &str) {
        if let Some(at) = self.by_namespace.remove(namespace) {
            self.by_time.remove(&(at, namespace.to_owned()));
        }
    }

    /// The time of the next alarm.
    pub(super) fn next(&self) -> Option<Instant> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Removes every alarm that is due and returns their namespaces.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<String> {
        let mut due = Vec::new();
        while self.next().is_some_and(|at| at <= now) {
            let Some((_, namespace)) = self.by_time.pop_first() else { break };
            self.by_namespace.remove(&namespace);
            due.push(namespace);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_earliest_alarm_of_a_namespace_counts() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut alarms = Alarms::default();
        alarms.set("a", at(5));
        alarms.set("a", at(7));
        alarms.set("b", at(6));
        alarms.set("b", at(3));
        alarms.set("c", at(1));
        alarms.remove("c");
        assert_eq!(alarms.next(), Some(at(3)));
        assert_eq!(alarms.take_due(at(2)), Vec::<String>::new());
        assert_eq!(alarms.take_due(at(5)), ["b", "a"]);
        assert_eq!(alarms.next(), None);
        alarms.set("a", at(9));
        assert_eq!(alarms.next(), Some(at(9)), "an alarm that went off does not prevent a later one");
    }
}
