//! A simulator: several replicas of urumi on an in-memory cluster, under the faults that a seed determines.
//!
//! A seed determines a [`Scenario`]: people create, change and delete stores, others change objects in them, and processes with wrong
//! clocks, of which one leads at a time, die at some request or pause. For a while requests fail, answers are lost, and events
//! come late, twice or not at all. Everything runs on one thread with a clock that jumps from one event to the next, so that
//! the same seed gives the same trace. The audit checks the invariants at each write. In the end, once every fault has healed,
//! the cluster must be as if nothing had failed.
//!
//! `dev/tests/faults.md` says how to replay a seed.

mod audit;
mod changes;
mod client;
pub mod command;
mod drift;
pub mod engine;
mod faulty;
mod leaders;
mod life;
pub mod look;
pub mod oracle;
mod replica;
mod replicas;
mod request;
mod revisions;
mod run;
pub mod scenario;
mod watches;
mod world;

pub use audit::{Invariant, Violation};
pub use replica::{Backend, Build};
pub use run::{Report, judge, run};
pub use scenario::Scenario;
pub use world::{Trace, World};
