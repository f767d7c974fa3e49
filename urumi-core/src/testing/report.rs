//! The report of a run.

use std::fmt;
use std::time::Duration;

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The contract holds.
    Passed,
    /// The contract does not hold; the reason.
    Failed(String),
    /// The check cannot run here; the reason.
    Skipped(String),
}

/// One check and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name, e.g. `objects::get_of_what_is_missing_is_none`.
    pub name: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took, clean-up included.
    pub took: Duration,
}

/// The outcome of every check of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    checks: Vec<Check>,
}

/// At least one check failed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the contract is not kept:\n{0}")]
pub struct NotConforming(pub Report);

impl Report {
    pub(crate) fn new(checks: Vec<Check>) -> Self {
        Report { checks }
    }

    /// All checks.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// The checks that failed.
    pub fn failed(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| matches!(check.outcome, Outcome::Failed(_)))
    }

    /// The checks that could not run.
    pub fn skipped(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| matches!(check.outcome, Outcome::Skipped(_)))
    }

    /// The report, if no check failed.
    ///
    /// # Errors
    /// When a check failed. Skipped checks do not count as failures, see [`skipped`](Self::skipped).
    pub fn into_result(self) -> Result<Self, NotConforming> {
        if self.failed().next().is_some() { Err(NotConforming(self)) } else { Ok(self) }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.checks {
            let (word, why) = match &check.outcome {
                Outcome::Passed => ("passed ", ""),
                Outcome::Failed(why) => ("FAILED ", why.as_str()),
                Outcome::Skipped(why) => ("skipped", why.as_str()),
            };
            write!(f, "{word} {:6.2}s {}", check.took.as_secs_f64(), check.name)?;
            if !why.is_empty() {
                write!(f, ": {why}")?;
            }
            writeln!(f)?;
        }
        let (failed, skipped) = (self.failed().count(), self.skipped().count());
        write!(f, "{} passed, {failed} failed, {skipped} skipped", self.checks.len() - failed - skipped)
    }
}
