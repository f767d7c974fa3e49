//! A simulator: several replicas of urumi on a cluster in memory, under every fault that a seed can think of.
//!
//! A seed stands for a [`Scenario`]: stores that people create and delete, others who change what is in them, processes
//! that die at some request or stand still for a while, whose clocks are wrong, and of which one leads at a time; and a time
//! of bad weather in which requests fail, answers are lost, and events come late, twice or not at all. Everything runs on one thread with a clock that jumps from one event to the next, so that the same
//! seed gives the same trace. At each write the invariants are looked at; in the end, when everything has healed,
//! everything must be as if nothing had gone wrong.
//!
//! `docs/RELIABILITY.md` says how a seed is replayed.

mod audit;
mod client;
pub mod command;
mod drift;
pub mod engine;
mod faulty;
mod leaders;
mod life;
pub mod oracle;
mod replica;
mod run;
pub mod scenario;
mod stage;
mod watches;
mod world;

pub use audit::{Invariant, Violation};
pub use replica::{Backend, Build};
pub use run::{Report, judge, run};
pub use scenario::Scenario;
pub use world::{Trace, World};
