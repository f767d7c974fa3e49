//! `urumi monitor`.

use std::collections::HashMap;
use std::time::Duration;

use futures::StreamExt as _;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use urumi_core::store::status::StoreStatus;
use urumi_core::{MonitorHandle, Orchestrator, ReadinessMonitor, Store, StoreEvent, StoreId};
use urumi_core::{StoreOrchestrator as _, StoreOrchestratorExt as _};

use crate::choice::{Choice, choose};
use crate::cli::GlobalArgs;
use crate::exit::{CommandError, ExitStatus};
use crate::output::{Out, counted};
use crate::{follow, target};

/// How often to check the monitor's health.
const CHECK: Duration = Duration::from_secs(1);

pub(super) async fn run(
    global: &GlobalArgs,
    out: &Out,
    resync: Duration,
    deadline: Duration,
    only: Option<&str>,
) -> Result<(), CommandError> {
    let choice = choose(global)?;
    if matches!(choice, Choice::Server(_)) {
        return Err(CommandError::usage("`urumi monitor` uses a cluster directly; a server runs its own monitor")
            .hint(
                "`urumi watch` prints all changes; `urumi monitor --cluster kube` monitors the kubeconfig's cluster",
            ));
    }
    let target = target::connect_to(&choice, global, out).await?;
    let Some(orchestrator) = target.as_cluster() else { return Ok(()) };
    // Send a request first to report an unusable cluster immediately.
    let only = match only {
        Some(which) => Some(orchestrator.find(which).await?.id),
        None => {
            orchestrator.list().await?;
            None
        }
    };
    let mut monitor = ReadinessMonitor::new(orchestrator.clone()).resync(resync).deadline(deadline);
    if let Some(id) = &only {
        monitor = monitor.only(id.clone());
    }
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let handle = monitor.spawn(&tasks, stop.clone());
    tasks.close();
    let result = tokio::select! {
        biased;
        () = follow::told_to_stop() => Ok(()),
        failure = failed(out, &handle) => Err(failure),
        () = log_changes(out, orchestrator, only.as_ref()) => {
            Err(CommandError::new(ExitStatus::Other, "the watch of the stores ended"))
        }
    };
    stop.cancel();
    tasks.wait().await;
    if result.is_ok() {
        log(out, "the monitor has stopped");
    }
    result
}

/// Logs failing and recovered watches. Returns when the monitor has stopped by itself.
async fn failed(out: &Out, handle: &MonitorHandle) -> CommandError {
    let mut ticks = tokio::time::interval(CHECK);
    let mut failing_before = Vec::new();
    let mut synced_before = false;
    loop {
        ticks.tick().await;
        let health = handle.health();
        if !health.running {
            let why = health.last_error.unwrap_or_else(|| "the reason is unknown".into());
            return CommandError::new(ExitStatus::Other, format!("the monitor stopped: {why}"));
        }
        if health.synced && !synced_before {
            log(out, &format!("monitoring {}", counted(health.stores, "store", "stores")));
        }
        synced_before |= health.synced;
        if health.failing_watches != failing_before {
            match health.failing_watches.as_slice() {
                [] => log(out, "all watches have recovered"),
                failing => log(out, &format!("failing watches: {}", failing.join("; "))),
            }
            failing_before = health.failing_watches;
        }
    }
}

/// Logs all status changes.
async fn log_changes(out: &Out, orchestrator: &Orchestrator, only: Option<&StoreId>) {
    let mut last: HashMap<StoreId, (String, StoreStatus)> = HashMap::new();
    let mut events = orchestrator.watch(only);
    while let Some(event) = events.next().await {
        // Ignore errors: the monitor watches the same stores and reports them.
        let Ok(event) = event else { continue };
        match event {
            StoreEvent::Listed(stores) => {
                let listed: Vec<&StoreId> = stores.iter().map(|s| &s.id).collect();
                let gone: Vec<StoreId> = last.keys().filter(|id| !listed.contains(id)).cloned().collect();
                gone.iter().for_each(|id| log_gone(out, &mut last, id));
                stores.iter().for_each(|store| log_change(out, &mut last, store));
            }
            StoreEvent::Changed(store) => log_change(out, &mut last, &store),
            StoreEvent::Gone(id) => log_gone(out, &mut last, &id),
            _ => {}
        }
    }
}

fn log_change(out: &Out, last: &mut HashMap<StoreId, (String, StoreStatus)>, store: &Store) {
    let before = last.insert(store.id.clone(), (store.name.clone(), store.status)).map(|(_, status)| status);
    if before == Some(store.status) {
        return;
    }
    let from = before.map(|status| format!("{status} -> ")).unwrap_or_default();
    let reason = store.reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    log(out, &format!("store {} {:?}: {from}{}{reason}", store.id, store.name, store.status));
}

fn log_gone(out: &Out, last: &mut HashMap<StoreId, (String, StoreStatus)>, id: &StoreId) {
    if let Some((name, status)) = last.remove(id) {
        log(out, &format!("store {id} {name:?}: {status} -> gone"));
    }
}

fn log(out: &Out, what: &str) {
    out.note(&format!("{:.0} {what}", Timestamp::now()));
}
