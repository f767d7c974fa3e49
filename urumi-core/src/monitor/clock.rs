//! The time of a decision.

use jiff::Timestamp;
use tokio::time::Instant;

/// The time of a decision, on two clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// The monotonic clock, by which all limits are measured.
    pub(super) now: Instant,
    /// The wall clock, for the times that are written to records. It may be wrong, and may be set at any time.
    pub(super) wall: Timestamp,
}
