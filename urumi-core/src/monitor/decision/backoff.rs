//! After a failed write, nothing is done for the store for a while.

use std::ops::ControlFlow::{Break, Continue};

use tokio::time::Instant;

use super::rule::{Decision, Verdict};

/// Waits until the pause after a failed write is over.
pub(super) fn wait(now: Instant, decision: Decision) -> Verdict {
    match decision.progress.not_before.filter(|at| *at > now) {
        Some(at) => Break(decision.look_again_at(at)),
        None => Continue(decision),
    }
}
