//! Arguments of the commands that show what happens in a store.

use std::time::Duration;

use clap::{Args, ValueEnum};
use clap_complete::ArgValueCandidates;
use jiff::{SignedDuration, Timestamp};
use urumi_core::settings::duration;
use urumi_core::store::logs::LogQuery;
use urumi_core::store::timeline::{Severity, TimelineEntry};

use super::StoreArg;
use crate::complete;

/// The options `--follow` and `--since`.
#[derive(Args, Debug)]
pub(crate) struct PeriodArgs {
    /// Keep printing what is new until the store is deleted, or Ctrl-C
    #[arg(short, long)]
    pub(crate) follow: bool,

    /// Print only what is at most this old, e.g. 90s, 10m, 2h
    #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true)]
    pub(crate) since: Option<Duration>,
}

/// The arguments of `logs`.
#[derive(Args, Debug)]
pub(crate) struct LogsArgs {
    #[command(flatten)]
    pub(crate) which: StoreArg,

    #[command(flatten)]
    pub(crate) period: PeriodArgs,

    /// Show only this component, e.g. `api`; the default is all components
    #[arg(short, long, value_name = "COMPONENT", add = ArgValueCandidates::new(complete::components))]
    pub(crate) component: Option<String>,

    /// How many of the last lines to print of each container
    #[arg(long, value_name = "LINES", default_value_t = LogQuery::TAIL, allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(..=i64::from(LogQuery::MAX_TAIL)))]
    pub(crate) tail: u32,

    /// Print the time of each line
    #[arg(long)]
    pub(crate) timestamps: bool,

    /// Print the lines of each container before its last restart
    #[arg(short, long, conflicts_with = "follow")]
    pub(crate) previous: bool,

    /// Print lines without their component and pod
    #[arg(long)]
    pub(crate) no_prefix: bool,
}

impl LogsArgs {
    /// The wanted lines.
    pub(crate) fn query(&self) -> LogQuery {
        let mut query = LogQuery::default().tail(self.tail).follow(self.period.follow);
        query.component.clone_from(&self.component);
        query.since = self.period.since;
        query.previous = self.previous;
        query
    }
}

/// The arguments of `events`.
#[derive(Args, Debug)]
pub(crate) struct EventsArgs {
    #[command(flatten)]
    pub(crate) which: StoreArg,

    #[command(flatten)]
    pub(crate) period: PeriodArgs,

    /// Print only events of this type
    #[arg(long = "type", value_name = "TYPE", value_enum, ignore_case = true)]
    pub(crate) type_: Option<EventType>,
}

impl EventsArgs {
    /// Whether to print the event.
    pub(crate) fn wants(&self, event: &TimelineEntry, now: Timestamp) -> bool {
        let since = self.period.since.and_then(|since| SignedDuration::try_from(since).ok());
        let severity = self.type_.map(|type_| match type_ {
            EventType::Normal => Severity::Normal,
            EventType::Warning => Severity::Warning,
        });
        severity.is_none_or(|severity| severity == event.severity)
            && since.is_none_or(|since| now.duration_since(event.time) <= since)
    }
}

/// The type of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EventType {
    /// Something expected happened
    Normal,
    /// Somebody should look at it
    Warning,
}

/// The arguments of `credentials`.
#[derive(Args, Debug)]
pub(crate) struct CredentialsArgs {
    #[command(flatten)]
    pub(crate) which: StoreArg,

    /// Also show the password
    #[arg(long)]
    pub(crate) reveal: bool,
}

/// The arguments of `diff`.
#[derive(Args, Debug)]
pub(crate) struct DiffArgs {
    #[command(flatten)]
    pub(crate) which: StoreArg,

    /// Compare the present revision with this one instead: what a return to it would change
    #[arg(long, value_name = "REVISION", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) revision: Option<u64>,

    /// Exit with code 9 if there are differences
    #[arg(long)]
    pub(crate) exit_code: bool,
}

#[cfg(test)]
mod tests {
    use urumi_core::store::timeline::TimelineSource;

    use super::*;

    #[test]
    fn events_are_chosen_by_type_and_age() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let then = now - SignedDuration::from_secs(60);
        let event = TimelineEntry::new(then, TimelineSource::Urumi, Severity::Warning, "Failed");
        for (type_, since, wanted) in [
            (None, None, true),
            (Some(EventType::Warning), Some(60), true),
            (Some(EventType::Normal), None, false),
            (None, Some(59), false),
        ] {
            let which = StoreArg { store: "shop".into() };
            let period = PeriodArgs { follow: false, since: since.map(Duration::from_secs) };
            let args = EventsArgs { which, period, type_ };
            assert_eq!(args.wants(&event, now), wanted, "{args:?}");
        }
    }
}
