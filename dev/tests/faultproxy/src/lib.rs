//! A proxy between urumi and a real API server, on which things go wrong by plan, and the tests of urumi behind it.
//!
//! [`FaultProxy`] speaks TLS on both sides and HTTP/1.1 only, so that each request has a connection to itself. It writes a
//! kubeconfig for its clients, with a certificate of its own; the real cluster's client certificate it presents itself, a
//! token it leaves its clients to show. It counts requests and writes, keeps a log of them, and obeys a [`Plan`]:
//! - at the n-th write or request it kills the process behind it ([`Moment`]: before, after, when the answer has been
//!   delivered), refuses, resets the connection, keeps silent, or cuts the answer off ([`Fault`]);
//! - at the n-th event of a kind it loses, delays or repeats events, ends the watch, lets it expire, or lists the past once
//!   more ([`WatchFault`]). No second API server is needed for that: the first answer to a list is kept, and given again
//!   with the `resourceVersion` it had. Watched from there on, the API server replays all that has happened since;
//! - at the n-th request it moves everything, or what reads, to a second API server ([`Move`]), which lags behind when the
//!   [`Link`] to its etcd is frozen.
//!
//! [`Scope`] shows a client one store alone, so that many servers run side by side on one cluster, each with a store of
//! its own.
//!
//! # Tests
//!
//! They need a real API server (`dev/clusters/kubernetes/with -- cargo test -p urumi-faultproxy --test it`); `make test` runs a sample,
//! `make chaos` (`dev/tests/chaos/run`) all. These variables say how much:
//!
//! | Variable | What | Unless set |
//! |---|---|---|
//! | `URUMI_CHAOS_SEEDS` | how often all crash points and all faults are gone through, each time in other company | a sample of the first seed |
//! | `URUMI_CHAOS_WATCH_PLANS` | how many plans of watch faults | 10 |
//! | `URUMI_CHAOS_STALE_PLANS` | how many plans of moves to an API server that lags for up to 20 s | 4, of up to 6 s |
//! | `URUMI_CHAOS_OUTAGES` | how many outages, of 0.1 to 120 s | 2, of at most 4 s |
//! | `URUMI_CHAOS_PARALLEL` | how many stores live side by side | 8 |
//!
//! Seeds count from 0, and a seed's plans are always the same; with an API server that lags, those of as many seeds as live
//! side by side. Of plans and outages some can be chosen, as `87..100`. A test that fails prints the plan, the log of all
//! requests and the server's own log.

mod link;
mod log;
mod plan;
mod proxy;
mod scope;
mod tls;
mod upstream;
mod watch;

pub use self::link::Link;
pub use self::log::Entry;
pub use self::plan::{Fault, Moment, Move, Moved, Plan, Requests, Rule, WatchFault, WatchRule};
pub use self::proxy::{Counts, FaultProxy};
pub use self::scope::Scope;
