//! A cache of verdicts on tokens.
//!
//! The key is the token's SHA-256, so that a memory dump of the cache contains no token. Accepted and refused tokens have
//! separate compartments of bounded size, so that a flood of invalid tokens cannot evict the tokens of active users.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::time::Instant;
use urumi_core::secret::SecretString;

use super::error::AuthError;
use super::principal::Principal;

/// The result of [`Authenticator::authenticate`](super::Authenticator::authenticate).
pub(super) type Verdict = Result<Option<Principal>, AuthError>;

/// The SHA-256 of a token.
pub(super) type Fingerprint = [u8; 32];

/// Hashes a token, without a salt: tokens have too much entropy for a brute-force attack.
pub(super) fn fingerprint(token: &SecretString) -> Fingerprint {
    Sha256::digest(token.reveal()).into()
}

/// The capacity for accepted tokens.
const GOOD: usize = 10_000;
/// The capacity for refused tokens.
const BAD: usize = 1_000;

pub(super) struct Cache {
    good: Mutex<Compartment>,
    bad: Mutex<Compartment>,
}

impl Cache {
    pub(super) fn new() -> Self {
        Cache { good: Mutex::new(Compartment::new(GOOD)), bad: Mutex::new(Compartment::new(BAD)) }
    }

    /// The verdict on a token, unless it has expired.
    pub(super) fn get(&self, token: &Fingerprint) -> Option<Verdict> {
        lock(&self.good).get(token).or_else(|| lock(&self.bad).get(token))
    }

    /// Stores a verdict for the time `keep`. [`AuthError::Unavailable`] is not stored.
    pub(super) fn put(&self, token: Fingerprint, verdict: &Verdict, keep: Duration) {
        let compartment = match verdict {
            Ok(Some(_)) => &self.good,
            Err(AuthError::Unavailable(_)) => return,
            _ => &self.bad,
        };
        if !keep.is_zero() {
            lock(compartment).put(token, verdict.clone(), keep);
        }
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (good, bad) = (lock(&self.good).entries.len(), lock(&self.bad).entries.len());
        write!(f, "Cache({good} accepted, {bad} refused)")
    }
}

fn lock(compartment: &Mutex<Compartment>) -> MutexGuard<'_, Compartment> {
    // A panic does not leave the map in an invalid state.
    compartment.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Compartment {
    entries: HashMap<Fingerprint, (Verdict, Instant)>,
    room: usize,
}

impl Compartment {
    fn new(room: usize) -> Self {
        Compartment { entries: HashMap::new(), room }
    }

    fn get(&self, token: &Fingerprint) -> Option<Verdict> {
        let (verdict, until) = self.entries.get(token)?;
        (Instant::now() < *until).then(|| verdict.clone())
    }

    fn put(&mut self, token: Fingerprint, verdict: Verdict, keep: Duration) {
        let now = Instant::now();
        if self.entries.len() >= self.room && !self.entries.contains_key(&token) {
            self.entries.retain(|_, (_, until)| now < *until);
            if self.entries.len() >= self.room {
                // None has expired: evict the half that expires first, so that evictions stay rare.
                let mut ends: Vec<Instant> = self.entries.values().map(|(_, until)| *until).collect();
                ends.sort_unstable();
                let middle = ends.get(ends.len() / 2).copied().unwrap_or(now);
                self.entries.retain(|_, (_, until)| middle < *until);
            }
        }
        self.entries.insert(token, (verdict, now + keep));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Role;

    fn token(n: usize) -> Fingerprint {
        fingerprint(&SecretString::new(format!("token {n}")))
    }

    fn ann() -> Verdict {
        Ok(Some(Principal::new("ann", Role::Viewer)))
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_remembered_is_forgotten_in_time() {
        let cache = Cache::new();
        cache.put(token(1), &ann(), Duration::from_secs(60));
        cache.put(token(2), &Ok(None), Duration::from_secs(5));
        cache.put(token(3), &Err(AuthError::Unavailable("silence".into())), Duration::from_secs(60));
        assert_eq!((cache.get(&token(1)), cache.get(&token(2))), (Some(ann()), Some(Ok(None))));
        assert_eq!((cache.get(&token(3)), cache.get(&token(4))), (None, None));
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!((cache.get(&token(1)), cache.get(&token(2))), (Some(ann()), None));
        tokio::time::advance(Duration::from_secs(55)).await;
        assert_eq!(cache.get(&token(1)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_bad_tokens_stays_in_its_bounds_and_leaves_the_good_ones() {
        let cache = Cache::new();
        cache.put(token(0), &ann(), Duration::from_secs(60));
        for n in 1..3 * BAD {
            cache.put(token(n), &Ok(None), Duration::from_secs(5));
            assert!(lock(&cache.bad).entries.len() <= BAD);
        }
        assert_eq!(cache.get(&token(0)), Some(ann()));
        assert_eq!(cache.get(&token(3 * BAD - 1)), Some(Ok(None)), "the newest is there");
    }
}
