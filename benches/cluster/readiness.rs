//! The time from the last pod's readiness to the written status, compared with a minimal controller: one watch, one
//! patch.
//!
//! Both controllers react when Kubernetes reports the Deployment as available. The comparison covers the time after that.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::api::{Api, ListParams, Patch, PatchParams};
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::{Value, json};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use urumi_core::store::wait::Ready;
use urumi_core::{ReadinessMonitor, StoreId, StoreOrchestrator, StoreOrchestratorExt};

use urumi_benches::cluster::{BenchCluster, request};
use urumi_benches::floor::plain_client;
use urumi_benches::stats::{Row, median, ratio};

const ANNOTATION: &str = "store.urumi.ai/status";
const TIMEOUT: Duration = Duration::from_secs(60);

/// Measures both controllers alternately, each in its own namespace, and compares urumi with a poll.
pub(crate) async fn measure(cluster: &BenchCluster, rounds: usize) -> Result<Vec<Row>> {
    let client = plain_client(&cluster.config)?;
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let ours = cluster.urumi.create(request()).await?.into_store().id;
    ReadinessMonitor::new(cluster.urumi.clone()).only(ours.clone()).spawn(&tasks, stop.clone());
    cluster.urumi.wait_until(&ours, Ready, TIMEOUT).await?;
    // The minimal controller gets a store without a monitor.
    let theirs = cluster.urumi.create(request()).await?.into_store().id;
    let minimal =
        tasks.spawn(stop.clone().run_until_cancelled_owned(minimal_controller(client.clone(), theirs.clone())));
    settled(&client, &theirs).await?;

    let (mut urumi, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        floor.push(recover(&client, &theirs).await.context("the minimal controller")?);
        urumi.push(recover(&client, &ours).await.context("urumi's monitor")?);
    }
    stop.cancel();
    minimal.abort();
    tasks.close();
    tasks.wait().await;
    cluster.remove(&[ours, theirs]).await?;

    // A poll every 10 s sees a change 5 s late on average.
    let poll = Duration::from_secs(5);
    let sooner = ratio(poll, median(&urumi));
    Ok(vec![
        Row::compared("pod ready → status written (median)", median(&urumi), median(&floor), "≤ 1.2"),
        Row {
            what: "the same, sooner than a 10 s poll".into(),
            urumi: format!("{:.1?}", median(&urumi)),
            floor: "5 s (mean)".into(),
            ratio: format!("{sooner:.0} × sooner"),
            goal: "≥ 100 ×".into(),
        },
    ])
}

/// Makes the API's pod unready and waits for the status. Then makes it ready, and measures the time until the status says
/// so.
async fn recover(client: &kube::Client, id: &StoreId) -> Result<Duration> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), &id.namespace());
    let list = pods.list(&ListParams::default().labels("app.kubernetes.io/name=medusa-api")).await?;
    let pod = list.items.into_iter().next().context("the API has a pod")?;
    let name = pod.metadata.name.context("a pod has a name")?;
    let mut annotations = annotation_of(client, id);
    set_ready(&pods, &name, false).await?;
    wait_for(&mut annotations, "degraded").await?;
    // The clock starts when the pod is ready.
    set_ready(&pods, &name, true).await?;
    let started = Instant::now();
    wait_for(&mut annotations, "ready").await?;
    Ok(started.elapsed())
}

type Annotations = futures::stream::BoxStream<'static, Result<String>>;

fn annotation_of(client: &kube::Client, id: &StoreId) -> Annotations {
    let config = watcher::Config::default().fields(&format!("metadata.name={}", id.namespace()));
    watcher(Api::<Namespace>::all(client.clone()), config)
        .applied_objects()
        .map_err(anyhow::Error::from)
        .map_ok(|ns| ns.metadata.annotations.and_then(|mut a| a.remove(ANNOTATION)).unwrap_or_default())
        .boxed()
}

async fn wait_for(annotations: &mut Annotations, wanted: &str) -> Result<()> {
    let waiting = async {
        while let Some(status) = annotations.next().await {
            if status? == wanted {
                return Ok(());
            }
        }
        anyhow::bail!("the watch ended")
    };
    tokio::time::timeout(TIMEOUT, waiting).await.with_context(|| format!("waiting for {wanted:?}"))?
}

async fn set_ready(pods: &Api<Pod>, name: &str, ready: bool) -> Result<()> {
    let pod = serde_json::to_value(pods.get(name).await?)?;
    let mut status: Value = pod.get("status").cloned().context("a pod has a status")?;
    for condition in status.get_mut("conditions").and_then(Value::as_array_mut).into_iter().flatten() {
        if matches!(condition.get("type").and_then(Value::as_str), Some("Ready" | "ContainersReady"))
            && let Some(map) = condition.as_object_mut()
        {
            map.insert("status".into(), json!(if ready { "True" } else { "False" }));
        }
    }
    for container in status.get_mut("containerStatuses").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(map) = container.as_object_mut() {
            map.insert("ready".into(), json!(ready));
        }
    }
    pods.patch_status(name, &PatchParams::default(), &Patch::Merge(json!({"status": status}))).await?;
    Ok(())
}

/// Waits until the API of a store without a monitor has its pod.
async fn settled(client: &kube::Client, id: &StoreId) -> Result<()> {
    let mut changes =
        watcher(Api::<Deployment>::namespaced(client.clone(), &id.namespace()), watcher::Config::default())
            .applied_objects()
            .boxed();
    let waiting = async {
        while let Some(deployment) = changes.try_next().await? {
            if deployment.metadata.name.as_deref() == Some("medusa-api") && available(&deployment) {
                return Ok(());
            }
        }
        anyhow::bail!("the watch ended")
    };
    tokio::time::timeout(TIMEOUT, waiting).await?
}

fn available(deployment: &Deployment) -> bool {
    deployment.status.as_ref().and_then(|s| s.available_replicas).unwrap_or(0) >= 1
}

/// A minimal controller: one watch, one patch.
async fn minimal_controller(client: kube::Client, id: StoreId) -> Result<()> {
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), &id.namespace());
    let namespaces: Api<Namespace> = Api::all(client);
    let one = watcher::Config::default().fields("metadata.name=medusa-api");
    let mut changes = watcher(deployments, one).applied_objects().boxed();
    let mut written = false;
    while let Some(deployment) = changes.try_next().await? {
        let ready = available(&deployment);
        if ready != written {
            written = ready;
            let status = if ready { "ready" } else { "degraded" };
            let patch = json!({"metadata": {"annotations": {ANNOTATION: status}}});
            namespaces.patch(&id.namespace(), &PatchParams::default(), &Patch::Merge(patch)).await?;
        }
    }
    Ok(())
}
