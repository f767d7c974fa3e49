//! The results of a store's smoke orders, read from their Jobs and pods.

use jiff::Timestamp;
use serde_json::Value;

use super::diagnosis::{Surroundings, diagnose};
use crate::kubernetes::Object;
use crate::store::smoke::{LABEL, SmokeReport};

/// The label that Kubernetes puts on the pods of a Job.
pub(crate) const JOB_NAME: &str = "batch.kubernetes.io/job-name";

/// The result of a smoke order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SmokeResult {
    pub(crate) began: Timestamp,
    pub(crate) finished: Timestamp,
    /// Why it failed; `None` if it succeeded.
    pub(crate) failure: Option<String>,
}

/// The result of the order that ended last, of those whose Jobs still exist.
pub(crate) fn newest(jobs: &[&Object], around: &Surroundings<'_>) -> Option<SmokeResult> {
    let runs = jobs.iter().filter(|job| job.label(LABEL) == Some("true") && !is_at_work(job, &around.pods));
    let ended = runs.filter_map(|job| Some((end(job)?, *job)));
    let (End { at, failure }, job) = ended.max_by_key(|(end, _)| end.at)?;
    let failure = match (report_of(job, &around.pods), failure) {
        (Some(Ok(report)), _) => report.failure().map(|(step, error)| format!("{step}: {error}")),
        (Some(Err(message)), _) => Some(message),
        (None, Some(_)) => Some(why_silent(job, around)),
        (None, None) => None,
    };
    Some(SmokeResult { began: began(job).unwrap_or(at), finished: at, failure })
}

fn began(job: &Object) -> Option<Timestamp> {
    job.str_at("/status/startTime").or(job.str_at("/metadata/creationTimestamp"))?.parse().ok()
}

/// Whether a pod of the Job has not ended. The watch of Jobs may show the end earlier than the watch of pods.
fn is_at_work(job: &Object, pods: &[&Object]) -> bool {
    let ended = |pod: &Object| matches!(pod.str_at("/status/phase"), Some("Succeeded" | "Failed"));
    pods.iter().any(|pod| pod.label(JOB_NAME) == Some(job.name()) && !ended(pod) && !pod.is_terminating())
}

/// When a Job ended, and why if it failed.
pub(crate) struct End {
    pub(crate) at: Timestamp,
    pub(crate) failure: Option<String>,
}

/// How a Job ended; `None` while it has not.
pub(crate) fn end(job: &Object) -> Option<End> {
    job.list_at("/status/conditions").iter().find_map(|condition| {
        let text = |field: &str| condition.get(field).and_then(Value::as_str);
        let failed = match (text("type")?, text("status")?) {
            ("Complete", "True") => false,
            ("Failed", "True") => true,
            _ => return None,
        };
        let failure = failed.then(|| text("message").or(text("reason")).unwrap_or("the Job failed").to_owned());
        Some(End { at: text("lastTransitionTime")?.parse().ok()?, failure })
    })
}

/// The report of the Job's pod; `None` without one.
pub(crate) fn report_of(job: &Object, pods: &[&Object]) -> Option<Result<SmokeReport, String>> {
    pods.iter().filter(|pod| pod.label(JOB_NAME) == Some(job.name())).find_map(|pod| report(pod))
}

/// The report in the termination message of a pod's container; `None` if the message is no JSON object.
pub(crate) fn report(pod: &Object) -> Option<Result<SmokeReport, String>> {
    let message = pod.str_at("/status/containerStatuses/0/state/terminated/message")?;
    message.trim_start().starts_with('{').then(|| SmokeReport::parse(message))
}

/// Why an order has no report: the cause of its pod's failure, or else of its Job's.
pub(crate) fn why_silent(job: &Object, around: &Surroundings<'_>) -> String {
    let cause = diagnose(job, around);
    match end(job).and_then(|end| end.failure) {
        _ if cause.specific => cause.message,
        Some(failure) => format!("it reported nothing: {failure}"),
        None => "it reported nothing".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::batch::v1::Job;
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::json;

    use super::*;
    use crate::kubernetes::Kind;

    fn job(name: &str, end: Option<(&str, &str)>) -> Object {
        let conditions: Vec<Value> = end
            .map(|(type_, at)| json!({"type": type_, "status": "True", "reason": "Why", "lastTransitionTime": at}))
            .into_iter()
            .collect();
        let value = json!({
            "metadata": {"name": name, "labels": {LABEL: "true"}},
            "spec": {"selector": {"matchLabels": {JOB_NAME: name}}},
            "status": {"conditions": conditions},
        });
        Object::from_value(Kind::of::<Job>(), value).unwrap()
    }

    fn pod(job: &str, phase: &str, message: &str) -> Object {
        let ended = json!({"exitCode": 1, "reason": "Error", "message": message});
        let value = json!({
            "metadata": {"name": format!("{job}-x"), "labels": {JOB_NAME: job}},
            "status": {"phase": phase, "containerStatuses": [{"name": "smoke", "state": {"terminated": ended}}]},
        });
        Object::from_value(Kind::of::<Pod>(), value).unwrap()
    }

    fn failure(jobs: &[Object], pods: &[Object]) -> Option<Option<String>> {
        let around = Surroundings { pods: pods.iter().collect(), ..Surroundings::default() };
        newest(&jobs.iter().collect::<Vec<_>>(), &around).map(|result| result.failure)
    }

    const FAILED: &str = r#"{"steps":[{"name":"pay","milliseconds":1,"error":"answers 503"}]}"#;

    #[test]
    fn of_runs_that_ended_the_newest_counts() {
        let one = job("one", Some(("Failed", "2026-01-01T00:00:01Z")));
        let two = job("two", Some(("Complete", "2026-01-01T00:00:02Z")));
        let three = job("three", None);
        let pods = [pod("one", "Failed", FAILED)];
        assert_eq!(failure(&[], &[]), None);
        assert_eq!(failure(std::slice::from_ref(&three), &pods), None);
        assert_eq!(failure(&[one.clone(), three.clone()], &pods), Some(Some("pay: answers 503".into())));
        assert_eq!(failure(&[two, one, three], &pods), Some(None));
    }

    #[test]
    fn a_run_without_a_report_is_explained() {
        let one = [job("one", Some(("Failed", "2026-01-01T00:00:01Z")))];
        assert_eq!(failure(&one, &[]), Some(Some("it reported nothing: Why".into())));
        assert_eq!(failure(&one, &[pod("one", "Running", FAILED)]), None, "its pod has not been seen to end");
        let unread = failure(&one, &[pod("one", "Failed", "{}")]).unwrap().unwrap();
        assert!(unread.contains("cannot be read"), "{unread}");
        let words = failure(&one, &[pod("one", "Failed", "unknown word smoke")]).unwrap().unwrap();
        assert!(words.ends_with("exits with code 1 (Error): unknown word smoke"), "{words}");
    }
}
