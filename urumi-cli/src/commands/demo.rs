//! `urumi demo`.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use urumi_core::cluster::InMemoryCluster;
use urumi_core::engine::EngineRegistry;
use urumi_core::error::{Error, Operation};
use urumi_core::kubernetes::Query;
use urumi_core::kubernetes::{Kind, Object};
use urumi_core::store::StoreSpec;
use urumi_core::store::wait::{Deleted, Ready};
use urumi_core::{CreateStore, Orchestrator, StoreOrchestrator as _, StoreOrchestratorExt as _};

use crate::choice::{Choice, explicit};
use crate::cli::GlobalArgs;
use crate::exit::CommandError;
use crate::output::Out;
use crate::target::Target;
use crate::{follow, target};

/// Readiness delays of the workloads in milliseconds, so that the user can see the progress.
const DELAYS: [(&str, u64); 3] = [("postgres", 900), ("medusa-storefront", 1500), ("medusa-api", 2400)];
/// How long the deletion of a namespace takes.
const TERMINATION: Duration = Duration::from_millis(800);
const TIMEOUT: Duration = Duration::from_secs(60);

pub(super) async fn run(global: &GlobalArgs, out: &Out) -> Result<(), CommandError> {
    // Ignore a default server: it was not chosen for this command.
    if let Some(Choice::Server(_)) = explicit(global)? {
        return Err(CommandError::usage("the demo uses an in-memory cluster, and cannot use a server").hint(
            "omit --server and --context and unset their variables, or run `urumi create NAME --wait` on the server",
        ));
    }
    if global.is_flag("engine_defaults") {
        return Err(CommandError::usage("the demo does not support --engine-defaults")
            .hint("run `urumi --cluster memory create NAME --wait --engine-defaults FILE` instead"));
    }
    let cluster = InMemoryCluster::builder().termination_delay(TERMINATION);
    let cluster = DELAYS
        .iter()
        .fold(cluster, |cluster, (name, ms)| cluster.readiness_delay_of(*name, Duration::from_millis(*ms)));
    let orchestrator = target::over(cluster.build(), global, EngineRegistry::builtin());
    let target = Target::memory(orchestrator.clone());
    let request = CreateStore::new("Demo Shop", "medusa");
    let spec = orchestrator.prepare(&request)?;
    let id = spec.id.clone();
    out.note("$ urumi create \"Demo Shop\" --wait    (on an in-memory cluster; nothing on this machine changes)");
    follow::attended(&target, &id, TIMEOUT, async {
        orchestrator.create(request.id(id.as_str())).await?;
        let ready = Ready.or_failed();
        let store = follow::wait_until(&target, out, &id, "creating", ready, TIMEOUT).await?;
        if let Some(store) = store {
            follow::announce(out, &store);
        }
        out.note("");
        out.note("the store's objects:");
        out.data(&tree(&orchestrator, &spec).await?)?;
        out.note("");
        out.note(&format!("$ urumi delete {id} --yes --wait"));
        orchestrator.delete(&id).await?;
        follow::wait_until(&target, out, &id, "deleting", Deleted, TIMEOUT).await?;
        let left = orchestrator.list().await?.len();
        out.note(&format!("store {id} and all its objects are deleted; {left} stores are left"));
        Ok(())
    })
    .await
}

/// Formats the store's objects in the cluster as a tree. A workload's pods and volume claims are listed below it.
async fn tree(orchestrator: &Orchestrator, spec: &StoreSpec) -> Result<String, CommandError> {
    let cluster = orchestrator.cluster();
    let failed = |source| Error::Cluster { operation: Operation::Get, id: Some(spec.id.clone()), source };
    let mut made: Vec<Object> = Vec::new();
    for kind in [Kind::of::<Pod>(), Kind::of::<PersistentVolumeClaim>()] {
        made.extend(cluster.list(&Query::all(kind).in_namespace(spec.namespace())).await.map_err(failed)?);
    }
    let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let rendered = orchestrator.render(spec)?;
    for object in rendered.iter().skip(1) {
        let Some(object) = cluster.get(&object.reference()).await.map_err(failed)? else { continue };
        let group = groups.entry(component(&object)).or_default();
        group.push(line(&object));
        let name = "app.kubernetes.io/name";
        let is_workload = object.kind().group == "apps";
        let owned = made.iter().filter(|o| is_workload && o.label(name) == object.label(name));
        group.extend(owned.map(|o| format!("   {}", line(o))));
    }
    let mut text = format!("Namespace {}\n", spec.namespace());
    let last_group = groups.len().saturating_sub(1);
    for (index, (component, lines)) in groups.into_iter().enumerate() {
        let (branch, trunk) = if index == last_group { ("└─", "  ") } else { ("├─", "│ ") };
        text.push_str(&format!("{branch} {component}\n"));
        for line in lines {
            text.push_str(&format!("{trunk}   {line}\n"));
        }
    }
    Ok(text)
}

fn component(object: &Object) -> &'static str {
    match object.label("app.kubernetes.io/component") {
        Some("database") => "database",
        Some("api") => "API",
        Some("storefront") => "storefront",
        _ => "common",
    }
}

/// Formats an object with its most important properties.
fn line(object: &Object) -> String {
    let at = |pointer: &str| object.at(pointer).map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned));
    let of = |pointer: &str| at(pointer).unwrap_or_default();
    let detail = match object.kind().kind.as_ref() {
        "Deployment" | "StatefulSet" => {
            format!("{} of {} ready", at("/status/readyReplicas").unwrap_or("0".into()), of("/spec/replicas"))
        }
        "Service" => format!("port {} → {}", of("/spec/ports/0/port"), of("/spec/ports/0/targetPort")),
        "Ingress" => format!("http://{}", of("/spec/rules/0/host")),
        "PersistentVolumeClaim" => {
            format!("{}, {}", of("/spec/resources/requests/storage"), of("/status/phase"))
        }
        "Pod" => of("/status/phase"),
        _ => String::new(),
    };
    format!("{:<22} {:<36} {detail}", object.kind().to_string(), object.name()).trim_end().to_owned()
}
