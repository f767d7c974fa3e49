//! A proxy between urumi and a real API server that injects faults by plan.
//!
//! [`FaultProxy`] speaks TLS on both sides, and HTTP/1.1 only, so that each request has a connection to itself. It writes a
//! kubeconfig for its clients with a certificate of its own. It presents the real cluster's client certificate itself, and
//! passes tokens on. It counts requests and writes, logs them, and follows a [`Plan`]:
//! - at the n-th write or request it kills the process behind it ([`Moment`]: before the request, after it, or once the answer
//!   is delivered), refuses the request, resets the connection, does not answer, or cuts the answer off ([`Fault`]);
//! - at the n-th event of a kind it drops, delays or repeats events, ends the watch, lets it expire, or answers a list with an
//!   old state ([`WatchFault`]). That needs no second API server: the proxy keeps the first answer to a list and gives it again
//!   with its `resourceVersion`. A watch from there replays everything that has happened since;
//! - at the n-th request it moves all requests, or reads only, to a second API server ([`Move`]), which lags behind while the
//!   [`Link`] to its etcd is frozen.
//!
//! [`Scope`] shows a client one store only, so that many servers run side by side on one cluster, each with its own store.
//! The tests that use the proxy are in `dev/tests/chaos`.

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
