//! Simulated smoke orders: a container with the argument `smoke` ends with a plausible report.

use serde_json::{Value, json};

use super::fault::Fault;
use super::json::set;
use super::state::State;
use crate::kubernetes::Object;

/// Whether a Job's smoke order fails because of a fault.
pub(super) fn fails(state: &State, job: &Object) -> bool {
    job.list_at("/spec/template/spec/containers").iter().any(is_smoke)
        && state.fault_of(job).is_some_and(|(_, fault)| fault == Fault::SmokeFails)
}

/// The final state of a container that places a smoke order; `None` for other containers.
pub(super) fn end(container: &Value, fails: bool, now: &str) -> Option<Value> {
    if !is_smoke(container) {
        return None;
    }
    let step = |name: &str, milliseconds: u64| json!({"name": name, "milliseconds": milliseconds});
    let mut steps = vec![step("open the shop", 12), step("add to cart", 80)];
    let mut report = json!({});
    if fails {
        if let Some(last) = steps.last_mut() {
            set(last, &["error"], "answers 503".into());
        }
    } else {
        steps.push(step("place the order", 340));
        report = json!({"order": "order_MEMORY"});
    }
    set(&mut report, &["steps"], steps.into());
    let (code, reason) = if fails { (1, "Error") } else { (0, "Completed") };
    let message = report.to_string();
    Some(json!({"exitCode": code, "reason": reason, "message": message, "startedAt": now, "finishedAt": now}))
}

fn is_smoke(container: &Value) -> bool {
    container.pointer("/args/0").and_then(Value::as_str) == Some("smoke")
}
