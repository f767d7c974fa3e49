//! What goes wrong, and when: written down before it happens, so that it can be repeated.

use std::fmt;
use std::time::Duration;

use rand::prelude::*;

/// A point in the life of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before the API server gets it.
    Before,
    /// When the API server has carried it out; the answer is withheld.
    After,
    /// When the answer has been delivered.
    Replied,
}

impl Moment {
    /// All of them.
    pub const ALL: [Moment; 3] = [Moment::Before, Moment::After, Moment::Replied];
}

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process that made it is killed (`SIGKILL`).
    Kill(Moment),
    /// 429 with `Retry-After: 1`; the API server does not get it.
    TooMany,
    /// 500; the API server does not get it.
    Internal,
    /// 503; the API server does not get it.
    Unavailable,
    /// 504, although the API server has carried it out.
    LateTimeout,
    /// The connection is reset (TCP's RST); the API server does not get it.
    ResetBefore,
    /// The connection is reset after the API server has carried it out.
    ResetAfter,
    /// It is never answered, and the API server does not get it.
    Hang,
    /// The API server carries it out, and half of the answer arrives.
    Truncate,
}

impl Fault {
    /// Those that a process survives.
    pub const PASSING: [Fault; 8] = [
        Fault::TooMany,
        Fault::Internal,
        Fault::Unavailable,
        Fault::LateTimeout,
        Fault::ResetBefore,
        Fault::ResetAfter,
        Fault::Hang,
        Fault::Truncate,
    ];
}

/// Which requests a rule counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requests {
    /// Every one.
    All,
    /// Those that may change something.
    Writes,
}

/// One fault, at the `nth` request (from 1) since the plan was given to the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What is counted.
    pub requests: Requests,
    /// At which one it begins.
    pub nth: usize,
    /// How many in a row it befalls.
    pub times: usize,
    /// What befalls them.
    pub fault: Fault,
}

/// What goes wrong with a watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchFault {
    /// The event, and all that follow for this long, are never sent; then the watch expires (410), as for a client that
    /// was cut off while the API server's memory was compacted. (No API server loses an event without saying so.)
    Lose(Duration),
    /// The event, and so all behind it, come this much later.
    Delay(Duration),
    /// The event comes twice.
    Repeat,
    /// The stream ends before the event.
    End,
    /// The stream ends within the event.
    Cut,
    /// The watch expires (410) instead of the event: what is known is listed again.
    Expire,
    /// The same, and the list that follows is an old one, with its old `resourceVersion`: that of an API server that
    /// lags behind. The watch from there replays all that has happened since.
    Stale,
}

/// One fault at the `nth` event (from 1) of a kind, bookmarks not counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchRule {
    /// The kind, as it stands in paths: `deployments`.
    pub kind: String,
    /// At which event.
    pub nth: usize,
    /// What befalls it.
    pub fault: WatchFault,
}

/// What goes to the second API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// Everything, as when the first one is lost.
    All,
    /// Lists and watches, as when a load balancer spreads connections.
    Reads,
    /// Watches.
    Watches,
}

impl Moved {
    /// All of them.
    pub const ALL: [Moved; 3] = [Moved::All, Moved::Reads, Moved::Watches];
}

/// The way to another API server, once. Every connection of before is cut, to and fro.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// At which request (from 1) it is taken, or 0 for at once.
    pub nth: usize,
    /// Who takes it.
    pub what: Moved,
    /// How long it is until the way back, which else is taken with the next plan.
    pub back: Option<Duration>,
}

/// All that goes wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// With requests; of several that apply the first counts.
    pub rules: Vec<Rule>,
    /// With watches.
    pub watches: Vec<WatchRule>,
    /// With the API server itself.
    pub moving: Option<Move>,
}

impl Plan {
    /// One fault at one request.
    pub fn at(requests: Requests, nth: usize, fault: Fault) -> Plan {
        Plan { rules: vec![Rule { requests, nth, times: 1, fault }], ..Plan::default() }
    }

    /// Three to eight faults with the watches of these kinds, among their first `events` events. A seed gives the same
    /// plan always.
    pub fn watches(seed: u64, kinds: &[&str], events: usize) -> Plan {
        let mut dice = StdRng::seed_from_u64(seed);
        let watches = (0..dice.random_range(3..=8)).map(|_| {
            let kind = kinds.choose(&mut dice).copied().unwrap_or_default().to_owned();
            let nth = dice.random_range(1..=events);
            let pause = Duration::from_millis(dice.random_range(50..=1500));
            let fault = match dice.random_range(0..7) {
                0 => WatchFault::Lose(pause),
                1 => WatchFault::Delay(pause),
                2 => WatchFault::Repeat,
                3 => WatchFault::End,
                4 => WatchFault::Cut,
                5 => WatchFault::Expire,
                _ => WatchFault::Stale,
            };
            WatchRule { kind, nth, fault }
        });
        Plan { watches: watches.collect(), ..Plan::default() }
    }

    /// The fault of a request that is the `request`-th of all and, where it is a write, the `write`-th of those.
    pub(crate) fn fault(&self, request: usize, write: Option<usize>) -> Option<Fault> {
        let due = |rule: &&Rule| {
            let at = match rule.requests {
                Requests::All => Some(request),
                Requests::Writes => write,
            };
            at.is_some_and(|at| (rule.nth..rule.nth + rule.times).contains(&at))
        };
        self.rules.iter().find(due).map(|rule| rule.fault)
    }

    /// The fault of the `nth` event of a kind.
    pub(crate) fn watch_fault(&self, kind: &str, nth: usize) -> Option<WatchFault> {
        self.watches.iter().find(|rule| rule.kind == kind && rule.nth == nth).map(|rule| rule.fault)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Rule { requests, nth, times, fault } in &self.rules {
            writeln!(f, "  {fault:?} at {nth} of {requests:?}, {times} times")?;
        }
        for WatchRule { kind, nth, fault } in &self.watches {
            writeln!(f, "  {fault:?} at event {nth} of {kind}")?;
        }
        if let Some(Move { nth, what, back }) = self.moving {
            writeln!(f, "  {what:?} moved at request {nth}, and back after {back:?}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_plan() {
        let plan = |seed| Plan::watches(seed, &["pods", "deployments"], 9);
        assert_eq!(plan(7), plan(7));
        assert_ne!(plan(7), plan(8));
    }

    #[test]
    fn a_rule_counts_what_it_is_about() {
        let plan = Plan::at(Requests::Writes, 2, Fault::Hang);
        assert_eq!(plan.fault(2, None), None);
        assert_eq!(plan.fault(2, Some(1)), None);
        assert_eq!(plan.fault(9, Some(2)), Some(Fault::Hang));
        assert_eq!(plan.fault(10, Some(3)), None);
        let plan = Plan::at(Requests::All, 2, Fault::Hang);
        assert_eq!(plan.fault(2, None), Some(Fault::Hang));
    }
}
