//! Conformance suites for the contracts of [`ClusterBackend`](crate::cluster::ClusterBackend) and
//! [`StoreOrchestrator`](crate::orchestrator::StoreOrchestrator), and the reports of their runs.

pub mod cluster;
pub mod orchestrator;
mod report;

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream;
use tokio::time::{Instant, timeout};

pub use self::report::{Check, NotConforming, Outcome, Report};
use crate::error::{Error, FieldError};
use crate::kubernetes::ClusterError;
use crate::kubernetes::MalformedObject;

/// Why a check ended early.
#[derive(Debug)]
pub(crate) enum Stop {
    Failed(String),
    Skipped(String),
}

impl From<ClusterError> for Stop {
    fn from(error: ClusterError) -> Self {
        Stop::Failed(format!("unexpected error ({:?}): {error}", error.kind()))
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Stop::Failed(format!("unexpected error ({:?}): {error}", error.kind()))
    }
}

impl From<MalformedObject> for Stop {
    fn from(error: MalformedObject) -> Self {
        Stop::Failed(error.to_string())
    }
}

impl From<FieldError> for Stop {
    fn from(error: FieldError) -> Self {
        Stop::Failed(format!("unexpected error: {error}"))
    }
}

/// Fails the check unless a condition holds.
macro_rules! ensure {
    ($holds:expr, $($message:tt)+) => {
        if !$holds {
            return Err($crate::testing::Stop::Failed(format!($($message)+)));
        }
    };
}
pub(crate) use ensure;

/// The list of checks with their names.
macro_rules! checks {
    ($($module:ident::$check:ident),+ $(,)?) => {
        &[$((concat!(stringify!($module), "::", stringify!($check)), |context| Box::pin($module::$check(context)))),+]
    };
}
pub(crate) use checks;

pub(crate) type CheckFn<C> = for<'a> fn(&'a C) -> BoxFuture<'a, Result<(), Stop>>;

/// What one check works with, and the list of what it creates.
pub(crate) trait CheckContext: Send + Sync {
    /// What checks create, as a plural noun for messages.
    const CREATES: &'static str;

    fn waiting(&self) -> &Waiting;

    /// Deletes what the check has created, without waiting until it is gone.
    fn clean_up(&self) -> impl Future<Output = Result<(), String>> + Send;
}

/// What a check waits for, for the message when it runs out of time.
pub(crate) struct Waiting(Mutex<String>);

impl Default for Waiting {
    fn default() -> Self {
        Waiting(Mutex::new("an answer".into()))
    }
}

impl Waiting {
    pub(crate) fn on(&self, what: &str) {
        what.clone_into(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn what(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Runs every check with a context of its own. Neither a failing check nor a failing clean-up stops the run.
pub(crate) async fn run<C: CheckContext>(
    checks: &[(&'static str, CheckFn<C>)],
    deadline: Duration,
    concurrency: usize,
    context: impl Fn() -> C,
) -> Report {
    let checks = stream::iter(checks).map(|(name, check)| one(name, *check, deadline, context()));
    // `buffered` keeps the order of the list.
    Report::new(checks.buffered(concurrency.max(1)).collect().await)
}

async fn one<C: CheckContext>(name: &'static str, check: CheckFn<C>, deadline: Duration, context: C) -> Check {
    let began = Instant::now();
    let outcome = match timeout(deadline, check(&context)).await {
        Ok(Ok(())) => Outcome::Passed,
        Ok(Err(Stop::Failed(message))) => Outcome::Failed(message),
        Ok(Err(Stop::Skipped(reason))) => Outcome::Skipped(reason),
        Err(_) => Outcome::Failed(format!("not done within {deadline:?}; it waited for {}", context.waiting().what())),
    };
    let left = timeout(deadline, context.clean_up()).await.unwrap_or_else(|_| Err("the clean-up took too long".into()));
    let outcome = match (outcome, left) {
        (Outcome::Passed, Err(left)) => {
            Outcome::Failed(format!("passed, but {} that it created remain: {left}", C::CREATES))
        }
        (outcome, _) => outcome,
    };
    Check { name, outcome, took: began.elapsed() }
}
