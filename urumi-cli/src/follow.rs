//! Staying with a store until it is where it should be.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use urumi_core::store::wait::WaitCondition;
use urumi_core::{ReadinessMonitor, Store, StoreId, StoreOrchestratorExt as _};

use crate::exit::{Code, Failure};
use crate::output::Out;
use crate::progress::Progress;
use crate::target::Target;

/// How much longer than its command waits a store may be provisioning before the command's own monitor fails it.
const BEYOND_TIMEOUT: Duration = Duration::from_secs(60);

/// Does `work` while somebody keeps the status of one store true: a server's own monitor, else one of our own.
pub(crate) async fn attended<T>(
    target: &Target,
    id: &StoreId,
    timeout: Duration,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let Some(orchestrator) = target.as_cluster() else { return work.await };
    let stop = CancellationToken::new();
    let deadline = ReadinessMonitor::DEADLINE.max(timeout + BEYOND_TIMEOUT);
    let monitor = ReadinessMonitor::new(orchestrator.clone()).only(id.clone()).deadline(deadline);
    let mut monitoring = pin!(monitor.run(stop.clone()));
    let result = tokio::select! {
        biased;
        result = work => result,
        ended = &mut monitoring => return Err(match ended {
            Ok(()) => Failure::new(Code::Other, "the monitor stopped by itself"),
            Err(error) => Failure::new(Code::Other, format!("the monitor stopped: {error}")),
        }),
    };
    stop.cancel();
    // It lets its last writes end, which takes a few seconds at most; what it could not do, another monitor does.
    let _ = monitoring.await;
    result
}

/// Waits until a condition decides, and shows the store meanwhile.
pub(crate) async fn wait_until(
    target: &Target,
    out: &Out,
    id: &StoreId,
    doing: &str,
    condition: impl WaitCondition,
    timeout: Duration,
) -> Result<Option<Store>, Failure> {
    let progress = Progress::new(out, id, doing);
    let waited = target.stores.wait_until(id, progress.observing(condition), timeout).await;
    waited.map_err(|error| target.explain(error))
}

/// Does `work` unless Ctrl-C or SIGTERM comes first; then says `what` becomes of it.
pub(crate) async fn unless_interrupted<T>(
    what: &str,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        biased;
        () = told_to_stop() => Err(Failure::interrupted(what)),
        result = work => result,
    }
}

/// Resolves at Ctrl-C or SIGTERM.
pub(crate) async fn told_to_stop() {
    // A handler that cannot be installed leaves the signal its default, which ends the process too.
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

/// The last line for a store that is open.
pub(crate) fn announce(out: &Out, store: &Store) {
    let mut line = format!("store {} is ready", store.id);
    if let Some(url) = &store.urls.storefront {
        line.push_str(&format!(": storefront {url}"));
    }
    if let Some(url) = &store.urls.api {
        line.push_str(&format!(", api {url}"));
    }
    out.note(&line);
}

/// Says, after something was begun and not waited for, who has to finish it.
pub(crate) fn mention_monitor(target: &Target, out: &Out, id: &StoreId) {
    let by = match target.as_cluster() {
        Some(_) => "where a monitor runs (`urumi monitor` or urumi-http)",
        None => "by itself",
    };
    out.note(&format!("note: it becomes ready {by}; `urumi wait {id}` waits for it"));
}
