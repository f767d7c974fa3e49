//! The API server to test on, and how much is tested there.

use std::fmt::Display;
use std::ops::Range;
use std::str::FromStr;

use tokio::sync::RwLock;

/// Held for reading by tests that need an API server which is well, for writing by those that see to it that it is not.
pub(crate) static WELL: RwLock<()> = RwLock::const_new(());

/// The kubeconfig of the real API server. Without one, the calling test is skipped: it says so, or fails in CI.
pub(crate) fn kubeconfig() -> Option<String> {
    // Another test may have done so.
    let _ = rustls::crypto::ring::default_provider().install_default();
    urumi_testing::kubeconfig()
}

/// How much is asked for by a variable.
pub(crate) fn amount<T: FromStr<Err: Display>>(variable: &str) -> Option<T> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|error| panic!("{variable}={text}: {error}")))
}

/// Which seeds are asked for by a variable: so many from 0 on, or from one up to another, as `87..100`.
pub(crate) fn seeds(variable: &str) -> Option<Range<u64>> {
    let text = std::env::var(variable).ok()?;
    let number = |text: &str| text.parse().unwrap_or_else(|error| panic!("{variable}={text}: {error}"));
    let (first, end) = text.split_once("..").unwrap_or(("0", &text));
    Some(number(first)..number(end))
}

/// How many stores live side by side.
pub(crate) fn parallel() -> usize {
    amount("URUMI_CHAOS_PARALLEL").unwrap_or(8)
}

/// Some of many, spread evenly.
pub(crate) fn sample<T: Clone>(all: &[T], some: usize) -> Vec<T> {
    let some = some.min(all.len());
    (0..some).map(|n| all[n * all.len() / some].clone()).collect()
}
