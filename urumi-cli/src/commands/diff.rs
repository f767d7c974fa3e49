//! `urumi diff`.

use serde::Serialize;
use urumi_core::StoreOrchestratorExt as _;
use urumi_core::plan::{Drift, Step};

use crate::cli::{Format, Global, Which};
use crate::exit::Failure;
use crate::output::{Out, safe};
use crate::target;

/// What a repair would do to one object. The object itself is not shown.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Difference<'a> {
    action: &'static str,
    object: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    fields: &'a [Drift],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Differences<'a> {
    id: &'a str,
    differences: Vec<Difference<'a>>,
}

pub(super) async fn run(global: &Global, out: &Out, which: &Which) -> Result<(), Failure> {
    let orchestrator = target::connect(global, out).await?;
    let id = orchestrator.find(&which.store).await?.id;
    let plan = orchestrator.diff(&id).await?;
    let differences: Vec<Difference<'_>> = plan
        .steps()
        .map(|step| {
            let (action, fields) = match step {
                Step::Create(_) | Step::CreateOnce(_) => ("create", &[][..]),
                Step::Repair(_, fields) => ("repair", fields.as_slice()),
            };
            Difference { action, object: step.target().to_string(), fields }
        })
        .collect();
    if out.structured(&Differences { id: id.as_str(), differences })? {
        return Ok(());
    }
    if plan.is_empty() {
        out.note(&format!("store {id} has no differences"));
        return Ok(());
    }
    let text: String = match out.format() {
        Some(Format::Name) => plan.steps().map(|step| format!("{}\n", step.target())).collect(),
        _ => plan.steps().flat_map(|s| s.to_string().lines().map(|l| safe(l) + "\n").collect::<Vec<_>>()).collect(),
    };
    out.data(&text)
}
