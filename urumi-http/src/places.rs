//! Limits of what one caller, and all callers together, may have open at once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use metrics::{counter, gauge};

use crate::auth::{ClientKey, Principal, Role};
use crate::layers::{Reserved, overloaded};
use crate::problem::{Code, Problem};

/// How much may be open at once. Administrators count for themselves only, so that others cannot keep them out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenLimits {
    /// The most watches and logs in all; each has a connection to its client.
    pub streams: usize,
    /// The most watches and logs of one caller.
    pub streams_per_caller: usize,
    /// The most smoke orders in all.
    pub smoke_orders: usize,
    /// The most smoke orders of one caller.
    pub smoke_orders_per_caller: usize,
    /// The most other requests of one caller whose answer has not begun. Administrators have no limit.
    pub requests_per_caller: usize,
}

impl Default for OpenLimits {
    fn default() -> Self {
        OpenLimits {
            streams: 6_000,
            streams_per_caller: 50,
            smoke_orders: 256,
            smoke_orders_per_caller: 8,
            requests_per_caller: 128,
        }
    }
}

impl OpenLimits {
    /// Limits watches and logs: in all, and of one caller.
    #[must_use]
    pub fn streams(mut self, all: usize, per_caller: usize) -> Self {
        (self.streams, self.streams_per_caller) = (all, per_caller);
        self
    }

    /// Limits smoke orders: in all, and of one caller.
    #[must_use]
    pub fn smoke_orders(mut self, all: usize, per_caller: usize) -> Self {
        (self.smoke_orders, self.smoke_orders_per_caller) = (all, per_caller);
        self
    }

    /// Limits other requests of one caller.
    #[must_use]
    pub fn requests_per_caller(mut self, limit: usize) -> Self {
        self.requests_per_caller = limit;
        self
    }
}

/// The kinds of what is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Watch,
    Logs,
    Smoke,
    Request,
}

impl Kind {
    /// The value of the metric's label.
    fn label(self) -> Option<&'static str> {
        match self {
            Kind::Watch => Some("watch"),
            Kind::Logs => Some("logs"),
            Kind::Smoke => Some("smoke"),
            // Requests have metrics of their own.
            Kind::Request => None,
        }
    }
}

/// A number of places that callers share. Clones share them.
#[derive(Clone)]
pub(crate) struct Places(Arc<Inner>);

struct Inner {
    what: &'static str,
    all: usize,
    each: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    /// By callers who are no administrators.
    in_all: usize,
    by_caller: HashMap<ClientKey, usize>,
}

impl Places {
    fn new(what: &'static str, all: usize, each: usize) -> Self {
        Places(Arc::new(Inner { what, all, each, taken: Mutex::default() }))
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Nothing panics while holding the lock.
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place for a caller, until it is dropped.
    ///
    /// # Errors
    /// `rate-limited` if the caller has too many, `overloaded` if all callers together have.
    pub(crate) fn take(&self, principal: &Principal, kind: Kind) -> Result<Place, Problem> {
        let Inner { what, all, each, .. } = *self.0;
        let (caller, counts) = (ClientKey::of(principal), principal.role != Role::Admin);
        let mut taken = self.taken();
        if taken.by_caller.get(&caller).copied().unwrap_or(0) >= each {
            counter!("urumi_http_requests_rate_limited_total").increment(1);
            let detail = format!("you have {each} {what} at once, which is the limit; try again when one has ended");
            return Err(Problem::new(Code::RateLimited, detail).retry_after(5));
        }
        if counts && taken.in_all >= all {
            return Err(overloaded(&format!("the server has {all} {what} at once, which is the limit")));
        }
        taken.in_all += usize::from(counts);
        *taken.by_caller.entry(caller.clone()).or_default() += 1;
        if let Some(kind) = kind.label() {
            gauge!("urumi_http_open", "kind" => kind).increment(1);
        }
        Ok(Place { places: self.clone(), caller, counts, kind })
    }
}

/// A place that a caller has; given up when it is dropped.
pub(crate) struct Place {
    places: Places,
    caller: ClientKey,
    counts: bool,
    kind: Kind,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.in_all -= usize::from(self.counts);
        if let Entry::Occupied(mut theirs) = taken.by_caller.entry(self.caller.clone()) {
            *theirs.get_mut() -= 1;
            if *theirs.get() == 0 {
                theirs.remove();
            }
        }
        if let Some(kind) = self.kind.label() {
            gauge!("urumi_http_open", "kind" => kind).decrement(1);
        }
    }
}

/// Everything that is limited.
pub(crate) struct Open {
    pub(crate) streams: Places,
    pub(crate) smoke_orders: Places,
    pub(crate) requests: Places,
}

impl Open {
    pub(crate) fn new(limits: OpenLimits) -> Self {
        Open {
            streams: Places::new("watches and logs", limits.streams, limits.streams_per_caller),
            smoke_orders: Places::new("smoke orders", limits.smoke_orders, limits.smoke_orders_per_caller),
            requests: Places::new("requests", usize::MAX, limits.requests_per_caller),
        }
    }
}

/// A middleware inside authentication: counts a request until its answer begins, and leaves reserved places to administrators.
pub(crate) async fn admit(State(requests): State<Places>, request: Request, next: Next) -> Response {
    let Some(principal) = request.extensions().get::<Principal>().filter(|caller| caller.role != Role::Admin) else {
        return next.run(request).await;
    };
    if request.extensions().get::<Reserved>().is_some() {
        return overloaded("the server is processing too many requests").into_response();
    }
    match requests.take(principal, Kind::Request) {
        Ok(_place) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(taken: Result<Place, Problem>) -> Option<Code> {
        taken.err().map(|problem| problem.code)
    }

    #[test]
    fn nobody_takes_more_than_their_share_and_administrators_get_in() {
        let places = Places::new("watches", 3, 2);
        let caller = |name: &str| Principal::new(name, Role::Viewer);
        let take = |principal: &Principal| places.take(principal, Kind::Watch);
        let ann: Vec<Place> = (0..2).map(|_| take(&caller("ann")).ok().unwrap()).collect();
        assert_eq!(refusal(take(&caller("ann"))), Some(Code::RateLimited));
        let bob = take(&caller("bob"));
        assert_eq!(refusal(take(&caller("bob"))), Some(Code::Overloaded));
        let root = Principal::new("root", Role::Admin);
        let roots: Vec<Place> = (0..2).map(|_| take(&root).ok().unwrap()).collect();
        assert_eq!(refusal(take(&root)), Some(Code::RateLimited));
        drop((roots, ann));
        assert_eq!(refusal(take(&caller("carl"))), None);
        drop(bob);
        let left = places.taken();
        assert_eq!((left.in_all, left.by_caller.len()), (0, 0));
    }
}
