//! ResourceQuotas of pods.
//!
//! The limits of `pods`, `requests.{cpu,memory}`, `limits.{cpu,memory}` and their short forms are enforced. Other limits
//! and scopes are ignored, and the status of a quota is not maintained.

use serde_json::Value;

use super::kinds::{LIMIT_RANGE, POD, RESOURCE_QUOTA};
use super::state::State;
use crate::kubernetes::Object;
use crate::kubernetes::Query;

/// Why a quota refuses one more pod of a workload, in the API server's words.
pub(super) fn refusal(state: &State, workload: &Object, pod: &str) -> Option<String> {
    let namespace = workload.namespace().unwrap_or_default();
    let quotas = state.select(&Query::all(RESOURCE_QUOTA).in_namespace(namespace));
    if quotas.is_empty() {
        return None;
    }
    let mut pods = state.select(&Query::all(POD).in_namespace(namespace));
    pods.retain(|pod| pod.str_at("/status/phase") != Some("Succeeded"));
    let spec = workload.at("/spec/template/spec")?;
    let has_defaults = !state.select(&Query::all(LIMIT_RANGE).in_namespace(namespace)).is_empty();
    quotas.iter().find_map(|quota| {
        let (mut requested, mut used, mut limited) = (Vec::new(), Vec::new(), Vec::new());
        for (resource, hard) in quota.at("/spec/hard").and_then(Value::as_object).into_iter().flatten() {
            let Some(hard) = quantity(hard) else { continue };
            let Some(wanted) = Measure::of(resource) else { continue };
            if let Some(container) = wanted.unstated(spec).filter(|_| !has_defaults) {
                let name = quota.name();
                let why = format!("failed quota: {name}: must specify {resource} for: {container}");
                return Some(format!("pods \"{pod}\" is forbidden: {why}"));
            }
            let needs = wanted.amount(spec);
            let taken: f64 = pods.iter().filter_map(|pod| Some(wanted.amount(pod.at("/spec")?))).sum();
            if taken + needs > hard {
                requested.push(format!("{resource}={}", wanted.show(needs)));
                used.push(format!("{resource}={}", wanted.show(taken)));
                limited.push(format!("{resource}={}", wanted.show(hard)));
            }
        }
        (!requested.is_empty()).then(|| {
            let (requested, used, limited) = (requested.join(","), used.join(","), limited.join(","));
            format!(
                "pods \"{pod}\" is forbidden: exceeded quota: {}, requested: {requested}, used: {used}, limited: {limited}",
                quota.name()
            )
        })
    })
}

/// A resource of pods that a quota limits.
enum Measure {
    Count,
    /// `requests` or `limits`, of `cpu` or `memory`.
    Sum(&'static str, &'static str),
}

impl Measure {
    fn of(resource: &str) -> Option<Self> {
        Some(match resource {
            "pods" | "count/pods" => Measure::Count,
            "cpu" | "requests.cpu" => Measure::Sum("requests", "cpu"),
            "memory" | "requests.memory" => Measure::Sum("requests", "memory"),
            "limits.cpu" => Measure::Sum("limits", "cpu"),
            "limits.memory" => Measure::Sum("limits", "memory"),
            _ => return None,
        })
    }

    /// The amount of a container. A missing request defaults to the limit.
    fn in_container(&self, container: &Value) -> Option<f64> {
        let Measure::Sum(list, resource) = self else { return Some(0.0) };
        let of = |list: &str| container.get("resources")?.get(list)?.get(resource).and_then(quantity);
        of(list).or_else(|| if *list == "requests" { of("limits") } else { None })
    }

    /// The amount of a pod: the sum of its containers, or its largest init container.
    fn amount(&self, spec: &Value) -> f64 {
        if let Measure::Count = self {
            return 1.0;
        }
        let amounts =
            |list: &str| containers(spec, list).map(|c| self.in_container(c).unwrap_or(0.0)).collect::<Vec<_>>();
        let together: f64 = amounts("containers").iter().sum();
        amounts("initContainers").into_iter().fold(together, f64::max)
    }

    /// The name of the first container without this resource.
    fn unstated<'a>(&self, spec: &'a Value) -> Option<&'a str> {
        let all = containers(spec, "containers").chain(containers(spec, "initContainers"));
        all.filter(|container| self.in_container(container).is_none()).find_map(|c| c.get("name")?.as_str())
    }

    fn show(&self, amount: f64) -> String {
        const MEBI: f64 = 1_048_576.0;
        match self {
            Measure::Sum(_, "memory") if amount > 0.0 && amount % MEBI == 0.0 => format!("{}Mi", amount / MEBI),
            Measure::Sum(_, "cpu") if amount.fract() != 0.0 => format!("{}m", (amount * 1000.0).round()),
            _ => amount.to_string(),
        }
    }
}

fn containers<'a>(spec: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    spec.get(list).and_then(Value::as_array).into_iter().flatten()
}

/// The number of a quantity such as `500m` or `1Gi`.
fn quantity(value: &Value) -> Option<f64> {
    let text = match value {
        Value::String(text) => text.as_str(),
        number => return number.as_f64(),
    };
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match text.strip_prefix(digits)? {
        "" => 1.0,
        "m" => 0.001,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "Ki" => 1024.0,
        "Mi" => 1024.0 * 1024.0,
        "Gi" => 1024.0 * 1024.0 * 1024.0,
        "Ti" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    Some(digits.parse::<f64>().ok()? * factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn quantities_are_numbers() {
        for (text, number) in [("0", 0.0), ("500m", 0.5), ("2", 2.0), ("1.5Gi", 1_610_612_736.0), ("1k", 1000.0)] {
            assert_eq!(quantity(&json!(text)), Some(number), "{text}");
        }
        assert_eq!(quantity(&json!("much")), None);
        assert_eq!(quantity(&json!(3)), Some(3.0));
    }

    #[test]
    fn a_pod_has_what_its_containers_have_or_its_greediest_init_container() {
        let limits = |cpu: &str| json!({"name": "c", "resources": {"limits": {"cpu": cpu}}});
        let spec = json!({"containers": [limits("200m"), limits("300m")], "initContainers": [limits("400m")]});
        assert_eq!(Measure::Sum("limits", "cpu").amount(&spec), 0.5);
        assert_eq!(Measure::Sum("requests", "cpu").amount(&spec), 0.5);
        assert_eq!(Measure::Sum("limits", "cpu").show(0.5), "500m");
        assert_eq!(Measure::Sum("limits", "cpu").unstated(&spec), None);
        assert_eq!(Measure::Sum("limits", "memory").unstated(&spec), Some("c"));
    }
}
