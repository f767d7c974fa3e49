//! Rate limits for each client, so that one client cannot use up the capacity for all.

mod client;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::Clock;
use governor::middleware::{StateInformationMiddleware, StateSnapshot};
use governor::state::keyed::DashMapStateStore;
use governor::{NotUntil, Quota, RateLimiter as Governor};
use http::{HeaderName, HeaderValue};
use ipnet::IpNet;
use metrics::counter;
use sha2::{Digest as _, Sha256};

pub use client::client_address;

use crate::auth::ClientKey;
use crate::problem::{Code, Problem};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The interval at which clients with a full allowance are removed.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// The number of shared allowances for addresses, used while there are too many clients.
const SHARES: u16 = 1024;

/// The limits, and how to tell clients apart.
#[derive(Clone, Debug)]
pub struct RateLimitOptions {
    /// The sustained number of requests per second.
    pub rate: NonZeroU32,
    /// The maximum number of requests at once, after a pause.
    pub burst: NonZeroU32,
    /// Proxies whose `Forwarded` and `X-Forwarded-For` are trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// The maximum number of tracked clients. Beyond it, unauthenticated clients share allowances.
    pub max_clients: usize,
}

impl Default for RateLimitOptions {
    fn default() -> Self {
        RateLimitOptions {
            rate: NonZeroU32::MIN.saturating_add(49),
            burst: NonZeroU32::MIN.saturating_add(199),
            trusted_proxies: Vec::new(),
            max_clients: 100_000,
        }
    }
}

/// The key of an allowance; of constant size, whatever the name of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    /// An authenticated client: a hash of its name.
    Recognised([u8; 16]),
    /// An IPv4 address, or a /64 of IPv6, the smallest block that one customer gets.
    Address(IpAddr),
    /// One of the shared allowances.
    Shared(u16),
    /// A request without a connection, as in tests.
    Nobody,
}

/// tokio's clock, which tests can pause.
#[derive(Clone, Copy, Debug, Default)]
struct TokioClock;

impl Clock for TokioClock {
    type Instant = std::time::Instant;

    fn now(&self) -> std::time::Instant {
        tokio::time::Instant::now().into_std()
    }
}

type Limiter = Governor<Key, DashMapStateStore<Key>, TokioClock, StateInformationMiddleware>;

/// The allowances of all clients. Clones are cheap and share them.
#[derive(Clone)]
pub struct RateLimiter(Arc<Inner>);

struct Inner {
    limiter: Limiter,
    options: RateLimitOptions,
    begun: tokio::time::Instant,
    swept_at: AtomicU64,
    is_full: AtomicBool,
}

impl std::fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RateLimiter").field("options", &self.0.options).finish_non_exhaustive()
    }
}

impl RateLimiter {
    /// Full allowances for all.
    pub fn new(options: RateLimitOptions) -> Self {
        let quota = Quota::per_second(options.rate).allow_burst(options.burst);
        let limiter = Governor::dashmap_with_clock(quota, TokioClock).with_middleware();
        let begun = tokio::time::Instant::now();
        RateLimiter(Arc::new(Inner {
            limiter,
            options,
            begun,
            swept_at: AtomicU64::new(0),
            is_full: AtomicBool::new(false),
        }))
    }

    /// The number of tracked clients.
    pub fn clients(&self) -> usize {
        self.0.limiter.len()
    }

    fn check(&self, key: Key) -> Result<StateSnapshot, NotUntil<std::time::Instant>> {
        self.sweep();
        let inner = &self.0;
        let key = match key {
            Key::Address(address) if inner.is_full.load(Ordering::Relaxed) => Key::Shared(share(address)),
            key => key,
        };
        inner.limiter.check_key(&key)
    }

    /// Removes clients with a full allowance, at most once per interval and by one caller at a time.
    fn sweep(&self) {
        let inner = &self.0;
        // Between two sweeps, the check below bounds the number of clients.
        let now = u64::try_from(inner.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let last = inner.swept_at.load(Ordering::Relaxed);
        let every = u64::try_from(SWEEP_EVERY.as_millis()).unwrap_or(u64::MAX);
        if now.saturating_sub(last) >= every
            && inner.swept_at.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            inner.limiter.retain_recent();
            inner.limiter.shrink_to_fit();
            inner.is_full.store(false, Ordering::Relaxed);
        }
        if !inner.is_full.load(Ordering::Relaxed) && inner.limiter.len() >= inner.options.max_clients {
            inner.is_full.store(true, Ordering::Relaxed);
            tracing::warn!(
                clients = inner.options.max_clients,
                "too many clients to track each; new ones share allowances"
            );
        }
    }

    fn key(&self, request: &Request) -> Key {
        if let Some(ClientKey(name)) = request.extensions().get() {
            let hash = Sha256::digest(name.as_bytes());
            return Key::Recognised(hash.first_chunk().copied().unwrap_or_default());
        }
        match client_address(request, &self.0.options.trusted_proxies) {
            Some(address) => Key::Address(grouped(address)),
            None => Key::Nobody,
        }
    }

    fn policy(&self) -> String {
        let RateLimitOptions { rate, burst, .. } = &self.0.options;
        format!("\"default\";q={burst};w={}", burst.get().div_ceil(rate.get()))
    }

    fn state(&self, remaining: u32) -> String {
        let RateLimitOptions { rate, burst, .. } = &self.0.options;
        let until_full = burst.get().saturating_sub(remaining).div_ceil(rate.get());
        format!("\"default\";r={remaining};t={until_full}")
    }
}

/// A middleware that counts a request against the allowance of its client: `from_fn_with_state(limiter, limit)`.
///
/// The client is the [`ClientKey`] that authentication inserts into the request's extensions, or else the address. Mount it
/// inside authentication to distinguish clients behind one address, and also outside, to bound attempts to guess tokens.
pub async fn limit(State(limiter): State<RateLimiter>, request: Request, next: Next) -> Response {
    let checked = limiter.check(limiter.key(&request));
    let (mut response, remaining) = match checked {
        Ok(snapshot) => (next.run(request).await, snapshot.remaining_burst_capacity()),
        Err(until) => {
            let wait = until.wait_time_from(TokioClock.now());
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            counter!("urumi_http_requests_rate_limited_total").increment(1);
            let detail = format!("too many requests; try again in {seconds} s");
            (Problem::new(Code::RateLimited, detail).retry_after(seconds.max(1)).into_response(), 0)
        }
    };
    // If two limiters wrap a route, the inner one has set the more exact values.
    for (name, value) in [(RATE_LIMIT_POLICY, limiter.policy()), (RATE_LIMIT, limiter.state(remaining))] {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().entry(name).or_insert(value);
        }
    }
    response
}

/// The address that identifies a customer.
fn grouped(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & (u128::MAX << 64)).into()),
        address => address,
    }
}

/// The shared allowance of an address.
fn share(address: IpAddr) -> u16 {
    let bits = match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address) >> 64,
    };
    // The remainder is below SHARES.
    u16::try_from(bits % u128::from(SHARES)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_is_grouped_by_64_and_mapped_addresses_are_what_they_stand_for() {
        for (address, group) in
            [("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::")]
        {
            assert_eq!(grouped(address.parse().unwrap()), group.parse::<IpAddr>().unwrap());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn clients_are_forgotten_and_never_too_many() {
        let limiter = RateLimiter::new(RateLimitOptions { max_clients: 100, ..Default::default() });
        for address in 0..10_000_u32 {
            assert!(limiter.check(Key::Address(IpAddr::V4(address.into()))).is_ok());
        }
        assert!(limiter.clients() <= 100 + usize::from(SHARES), "{}", limiter.clients());
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!(limiter.check(Key::Nobody).is_ok());
        assert_eq!(limiter.clients(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_allowance_is_the_burst_and_comes_back_with_the_rate() {
        let (rate, burst) = (NonZeroU32::new(5).unwrap(), NonZeroU32::new(10).unwrap());
        let limiter = RateLimiter::new(RateLimitOptions { rate, burst, ..Default::default() });
        let passed = || (0..100).filter(|_| limiter.check(Key::Nobody).is_ok()).count();
        assert_eq!(passed(), 10);
        tokio::time::advance(Duration::from_millis(400)).await;
        assert_eq!(passed(), 2);
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert_eq!(passed(), 10);
        assert_eq!(limiter.policy(), "\"default\";q=10;w=2");
        assert_eq!(limiter.state(3), "\"default\";r=3;t=2");
    }
}
