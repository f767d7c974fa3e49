//! Checks that workloads become available, with the statuses that the diagnosis reads.

use serde_json::Value;

use super::context::{Context, Stop, ensure};
use super::kinds::{CLAIM, DEPLOYMENT, POD, STATEFUL_SET};
use super::manifests::{container, deployment, stateful_set};
use crate::kubernetes::Object;
use crate::kubernetes::{LabelRequirement, Query};

fn available(object: &Object, replicas: i64) -> bool {
    let number = |field: &str| object.int_at(field).unwrap_or(0);
    number("/status/observedGeneration") >= number("/metadata/generation")
        && number("/status/replicas") == replicas
        && number("/status/updatedReplicas") == replicas
        && number("/status/readyReplicas") == replicas
        && number("/status/availableReplicas") == replicas
}

fn condition<'a>(object: &'a Object, kind: &str) -> Option<&'a str> {
    let is_it = |c: &&Value| c.get("type").and_then(Value::as_str) == Some(kind);
    object.list_at("/status/conditions").iter().find(is_it)?.get("status")?.as_str()
}

pub(super) fn needs_workloads(context: &Context) -> Result<(), Stop> {
    if context.options.workloads { Ok(()) } else { Err(Stop::Skipped("no pods become ready on this cluster".into())) }
}

/// Checks the fields of pods that the diagnosis reads.
async fn check_pods(context: &Context, ns: &str, app: &str, wanted: usize) -> Result<Vec<Object>, Stop> {
    let query = Query::all(POD).in_namespace(ns).labelled(LabelRequirement::Equals("app".into(), app.into()));
    // Pods of an older template may still be terminating.
    let fits = |seen: &[&Object]| {
        seen.iter().filter(|pod| !pod.is_terminating()).count() == wanted
            && seen.iter().all(|pod| pod.is_terminating() || condition(pod, "Ready") == Some("True"))
    };
    let mut pods = context.watch(&query).until(&format!("{wanted} ready pods"), fits).await?;
    pods.retain(|pod| !pod.is_terminating());
    for pod in &pods {
        ensure!(pod.str_at("/status/phase") == Some("Running"), "a pod's phase is {:?}", pod.at("/status/phase"));
        ensure!(condition(pod, "PodScheduled") == Some("True"), "a pod's PodScheduled is not True");
        let statuses = pod.list_at("/status/containerStatuses");
        let ready = |status: &Value| status.get("ready").and_then(Value::as_bool) == Some(true);
        ensure!(!statuses.is_empty() && statuses.iter().all(ready), "a ready pod's container is not ready");
    }
    Ok(pods)
}

pub(super) async fn a_deployment_becomes_available(context: &Context) -> Result<(), Stop> {
    needs_workloads(context)?;
    let ns = context.namespace().await?;
    context.cluster.create(&deployment(&ns, "web", 1, &[container(context, "main")])?).await?;
    let mut watch = context.watch(&Query::all(DEPLOYMENT).in_namespace(&ns).named("web"));
    let there = |seen: &[&Object]| seen.iter().any(|o| available(o, 1) && condition(o, "Available") == Some("True"));
    watch.until("an available Deployment", there).await?;
    let pods = check_pods(context, &ns, "web", 1).await?;
    ensure!(pods.iter().all(|pod| pod.name().starts_with("web-")), "its pod has a name of its own");
    Ok(())
}

pub(super) async fn a_deployment_follows_its_spec(context: &Context) -> Result<(), Stop> {
    needs_workloads(context)?;
    let ns = context.namespace().await?;
    let mut main = container(context, "main");
    let mut watch = context.watch(&Query::all(DEPLOYMENT).in_namespace(&ns));
    context.cluster.create(&deployment(&ns, "web", 1, &[main.clone()])?).await?;
    watch.until("an available Deployment", |seen| seen.iter().any(|o| available(o, 1))).await?;
    let first = check_pods(context, &ns, "web", 1).await?;
    context.cluster.apply(&deployment(&ns, "web", 2, &[main.clone()])?).await?;
    watch.until("two replicas", |seen| seen.iter().any(|o| available(o, 2))).await?;
    if let Some(map) = main.as_object_mut() {
        map.insert("env".into(), serde_json::json!([{"name": "A", "value": "1"}]));
    }
    context.cluster.apply(&deployment(&ns, "web", 1, &[main])?).await?;
    let generation = |o: &Object| o.int_at("/metadata/generation");
    watch
        .until("one replica of another template", |seen| {
            seen.iter().any(|o| available(o, 1) && generation(o).is_some_and(|g| g >= 3))
        })
        .await?;
    let last = check_pods(context, &ns, "web", 1).await?;
    ensure!(first.iter().all(|a| last.iter().all(|b| a.uid() != b.uid())), "the pod was not replaced");
    Ok(())
}

pub(super) async fn a_stateful_set_binds_its_claim(context: &Context) -> Result<(), Stop> {
    needs_workloads(context)?;
    if !context.options.claims {
        return Err(Stop::Skipped("no claims are bound on this cluster".into()));
    }
    let ns = context.namespace().await?;
    context.cluster.create(&stateful_set(context, &ns, "db")?).await?;
    let mut watch = context.watch(&Query::all(STATEFUL_SET).in_namespace(&ns));
    watch.until("an available StatefulSet", |seen| seen.iter().any(|o| available(o, 1))).await?;
    let pods = check_pods(context, &ns, "db", 1).await?;
    ensure!(pods.iter().all(|pod| pod.name() == "db-0"), "its pod has another name");
    let claims = context.cluster.list(&Query::all(CLAIM).in_namespace(&ns)).await?;
    let names: Vec<&str> = claims.iter().map(Object::name).collect();
    ensure!(names == ["data-db-0"], "its claims are {names:?}");
    for claim in &claims {
        ensure!(claim.str_at("/status/phase") == Some("Bound"), "its claim is {:?}", claim.at("/status/phase"));
        ensure!(claim.label("app") == Some("db"), "its claim has not the labels of the selector");
        ensure!(claim.label("made-by") == Some("template"), "its claim has not the labels of its template");
    }
    Ok(())
}
