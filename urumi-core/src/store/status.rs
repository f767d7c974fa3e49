//! A store's status: its values, the table of transitions, and conditions in Kubernetes' format.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::seconds;

/// The phase of a store's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum StoreStatus {
    /// Its objects are being created, or not all of its workloads have been available yet.
    Provisioning,
    /// All workloads of the engine's components are available.
    Ready,
    /// It was ready, but a workload is not available now.
    Degraded,
    /// It did not become ready within its deadline, or cannot become ready by itself.
    Failed,
    /// It is being deleted.
    Deleting,
}

impl StoreStatus {
    /// All statuses.
    pub const ALL: [StoreStatus; 5] = [Self::Provisioning, Self::Ready, Self::Degraded, Self::Failed, Self::Deleting];

    /// The value in the annotation and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            StoreStatus::Provisioning => "provisioning",
            StoreStatus::Ready => "ready",
            StoreStatus::Degraded => "degraded",
            StoreStatus::Failed => "failed",
            StoreStatus::Deleting => "deleting",
        }
    }

    /// Parses the value.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }

    /// Whether the status may change from `self` to `next` (no change is always allowed).
    pub fn may_become(self, next: StoreStatus) -> bool {
        self == next || TRANSITIONS.iter().any(|t| t.from == self && t.to == next)
    }
}

impl fmt::Display for StoreStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An allowed change of the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transition {
    /// The status before.
    pub from: StoreStatus,
    /// The status after.
    pub to: StoreStatus,
    /// Its cause.
    pub when: &'static str,
}

const fn t(from: StoreStatus, to: StoreStatus, when: &'static str) -> Transition {
    Transition { from, to, when }
}

/// All allowed changes of the status. `docs/ARCHITECTURE.md` shows them as a diagram.
pub const TRANSITIONS: &[Transition] = &[
    t(StoreStatus::Provisioning, StoreStatus::Ready, "every workload is available"),
    t(StoreStatus::Provisioning, StoreStatus::Failed, "the deadline passed, or the cause does not pass by itself"),
    t(StoreStatus::Ready, StoreStatus::Degraded, "a workload is no longer available, or a smoke order failed"),
    t(StoreStatus::Degraded, StoreStatus::Ready, "every workload is available again, and smoke orders succeed"),
    t(StoreStatus::Failed, StoreStatus::Provisioning, "a retry was requested"),
    t(StoreStatus::Failed, StoreStatus::Ready, "every workload became available later"),
    t(StoreStatus::Provisioning, StoreStatus::Deleting, "deletion was requested"),
    t(StoreStatus::Ready, StoreStatus::Deleting, "deletion was requested"),
    t(StoreStatus::Degraded, StoreStatus::Deleting, "deletion was requested"),
    t(StoreStatus::Failed, StoreStatus::Deleting, "deletion was requested"),
];

/// The transitions as a Mermaid state diagram.
pub fn mermaid() -> String {
    let mut out = String::from("stateDiagram-v2\n    [*] --> provisioning: created\n");
    for Transition { from, to, when } in TRANSITIONS {
        out.push_str(&format!("    {from} --> {to}: {when}\n"));
    }
    out.push_str("    deleting --> [*]: the namespace is gone\n");
    out
}

/// A condition's truth value, as in Kubernetes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[allow(missing_docs, reason = "the three values are Kubernetes' own")]
pub enum ConditionStatus {
    True,
    False,
    Unknown,
}

/// An aspect of a store's state, in the format of a Kubernetes condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Condition {
    /// The aspect, in PascalCase: `Ready` summarises all others (`DatabaseReady`, …).
    #[serde(rename = "type")]
    pub type_: String,
    /// Whether it holds.
    pub status: ConditionStatus,
    /// The reason as a PascalCase word for programs, e.g. `ImagePullBackOff`.
    pub reason: String,
    /// The reason as a sentence for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// When `status` last changed.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    #[serde(deserialize_with = "seconds::deserialize")]
    pub last_transition_time: Timestamp,
}

impl Condition {
    /// The type of the condition that summarises all others.
    pub const READY: &'static str = "Ready";
    /// The type of the condition with the result of the newest smoke order.
    pub const SMOKE_TEST: &'static str = "SmokeTest";
    /// The type of the condition whether the store's present revision is rolled out. A store that was never changed has none.
    pub const UP_TO_DATE: &'static str = "UpToDate";
    /// The type of the condition whether the store's present revision is being rolled out.
    pub const PROGRESSING: &'static str = "Progressing";
    /// The type of the condition of a store that is being deleted: whether everything outside of its namespace is gone.
    pub const TORN_DOWN: &'static str = "TornDown";

    /// A new condition, in force since `now`, in whole seconds.
    pub fn new(
        type_: impl Into<String>,
        status: ConditionStatus,
        reason: impl Into<String>,
        message: impl Into<String>,
        now: Timestamp,
    ) -> Self {
        Condition {
            type_: type_.into(),
            status,
            reason: reason.into(),
            message: message.into(),
            last_transition_time: seconds::whole(now),
        }
    }
}

/// Returns `new`; conditions with the same status as in `old` keep their time.
pub fn carry_times(old: &[Condition], mut new: Vec<Condition>) -> Vec<Condition> {
    for condition in &mut new {
        if let Some(before) = old.iter().find(|c| c.type_ == condition.type_ && c.status == condition.status) {
            condition.last_transition_time = before.last_transition_time;
        }
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deleting_is_final_and_reachable_from_everywhere() {
        for status in StoreStatus::ALL {
            assert!(status.may_become(StoreStatus::Deleting));
            assert_eq!(StoreStatus::Deleting.may_become(status), status == StoreStatus::Deleting);
            assert_eq!(StoreStatus::parse(status.as_str()), Some(status));
        }
        assert!(!StoreStatus::Provisioning.may_become(StoreStatus::Degraded));
        assert!(!StoreStatus::Ready.may_become(StoreStatus::Provisioning));
    }

    #[test]
    fn a_condition_keeps_its_time_until_its_status_changes() {
        let at = |s: i64| Timestamp::from_second(s).unwrap();
        let old = [Condition::new("Ready", ConditionStatus::False, "A", "a", at(1))];
        let same = vec![Condition::new("Ready", ConditionStatus::False, "B", "b", at(9))];
        assert_eq!(carry_times(&old, same)[0].last_transition_time, at(1));
        let changed = vec![Condition::new("Ready", ConditionStatus::True, "B", "b", at(9))];
        assert_eq!(carry_times(&old, changed)[0].last_transition_time, at(9));
    }

    #[test]
    fn the_architecture_document_shows_this_table() {
        let document = include_str!("../../../docs/ARCHITECTURE.md");
        assert!(document.contains(&mermaid()), "docs/ARCHITECTURE.md lacks this diagram:\n{}", mermaid());
    }
}
