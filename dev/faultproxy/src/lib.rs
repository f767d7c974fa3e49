//! A proxy between urumi and a real API server, on which things go wrong by plan.

mod log;
mod plan;
mod proxy;
mod scope;
mod tls;
mod watch;

pub use self::log::Entry;
pub use self::plan::{Fault, Moment, Plan, Requests, Rule, WatchFault, WatchRule};
pub use self::proxy::{Counts, FaultProxy};
pub use self::scope::Scope;
