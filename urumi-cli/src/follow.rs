//! Waiting for a store, with progress output and Ctrl-C handling.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use urumi_core::store::wait::WaitCondition;
use urumi_core::{ReadinessMonitor, Store, StoreId, StoreOrchestratorExt as _};

use crate::exit::{CommandError, ExitStatus, LOST, Via};
use crate::output::Out;
use crate::progress::Progress;
use crate::target::Target;

/// Added to the command's timeout to get the deadline of the command's own monitor, so that the timeout expires first.
const BEYOND_TIMEOUT: Duration = Duration::from_secs(60);

/// Runs `work` while a monitor updates the store: the server's monitor, or on a cluster one started here.
pub(crate) async fn attended<T>(
    target: &Target,
    id: &StoreId,
    timeout: Duration,
    work: impl Future<Output = Result<T, CommandError>>,
) -> Result<T, CommandError> {
    let Some(orchestrator) = target.as_cluster() else { return work.await };
    let stop = CancellationToken::new();
    let deadline = ReadinessMonitor::DEADLINE.max(timeout + BEYOND_TIMEOUT);
    let monitor = ReadinessMonitor::new(orchestrator.clone()).only(id.clone()).deadline(deadline);
    let mut monitoring = pin!(monitor.run(stop.clone()));
    let result = tokio::select! {
        biased;
        result = work => result,
        ended = &mut monitoring => return Err(match ended {
            Ok(()) => CommandError::new(ExitStatus::Other, "the monitor stopped by itself"),
            Err(error) => CommandError::new(ExitStatus::Other, format!("the monitor stopped: {error}")),
        }),
    };
    stop.cancel();
    // The monitor completes its last writes, which takes a few seconds at most. Another monitor repeats failed ones.
    let _ = monitoring.await;
    result
}

/// Waits for a condition and shows the progress.
pub(crate) async fn wait_until(
    target: &Target,
    out: &Out,
    id: &StoreId,
    doing: &str,
    condition: impl WaitCondition,
    timeout: Duration,
) -> Result<Option<Store>, CommandError> {
    let progress = Progress::new(out, id, doing);
    let waited = target.stores.wait_until(id, progress.observing(condition), timeout).await;
    waited.map_err(|error| target.explain(error))
}

/// Runs `work` until Ctrl-C or SIGTERM. The error then contains `consequence`, which says what happens to the store.
pub(crate) async fn unless_interrupted<T>(
    consequence: &str,
    work: impl Future<Output = Result<T, CommandError>>,
) -> Result<T, CommandError> {
    tokio::select! {
        biased;
        () = told_to_stop() => Err(CommandError::interrupted(consequence)),
        result = work => result,
    }
}

/// Resolves at Ctrl-C or SIGTERM.
pub(crate) async fn told_to_stop() {
    // If the handler cannot be installed, the signal keeps its default action, which also ends the process.
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = interrupt => {}
        () = terminate() => {}
    }
}

#[cfg(unix)]
async fn terminate() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            terminate.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminate() {
    std::future::pending().await
}

/// Prints that a store is ready, with its URLs.
pub(crate) fn announce(out: &Out, store: &Store) {
    let mut line = format!("store {} is ready", store.id);
    if let Some(url) = &store.urls.storefront {
        line.push_str(&format!(": storefront {url}"));
    }
    if let Some(url) = &store.urls.api {
        line.push_str(&format!(", API {url}"));
    }
    out.note(&line);
}

/// Prints how an operation completes that the command does not wait for.
pub(crate) fn mention_monitor(target: &Target, out: &Out, id: &StoreId) {
    let requirement = match target.via() {
        Via::Cluster => "needs a running monitor (`urumi monitor` or urumi-http) to become ready",
        Via::Memory => return out.note(&format!("note: {LOST}; add --wait to see it become ready")),
        Via::Server => "is being set up by the server",
    };
    out.note(&format!("note: the store {requirement}; `urumi wait {id}` waits until it is ready"));
}
