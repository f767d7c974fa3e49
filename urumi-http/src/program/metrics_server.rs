//! Metrics for Prometheus, on an address of their own, without authentication.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use http::header::CONTENT_TYPE;
use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

/// The buckets for latencies, from reads from memory to waits for the cluster.
const SECONDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

/// The buckets for the time until a store is ready, up to the default deadline.
const READY_SECONDS: [f64; 11] = [1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0];

/// The interval at which recorded values are moved into buckets, so that they do not pile up without scrapes.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Installs the metrics recorder of the process.
///
/// # Errors
/// If another recorder is installed.
pub(super) fn install_recorder() -> Result<PrometheusHandle, BuildError> {
    let handle = builder()?.install_recorder()?;
    describe();
    Ok(handle)
}

fn builder() -> Result<PrometheusBuilder, BuildError> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Full("urumi_store_ready_seconds".to_owned()), &READY_SECONDS)?
        .set_buckets_for_metric(Matcher::Full("urumi_store_change_seconds".to_owned()), &READY_SECONDS)
}

fn describe() {
    describe_counter!("urumi_http_requests_total", "Answered requests");
    describe_histogram!("urumi_http_request_duration_seconds", Unit::Seconds, "Time until the answer began");
    describe_gauge!("urumi_http_requests_in_flight", "Requests whose answer has not begun");
    describe_counter!("urumi_http_requests_shed_total", "Requests refused because the server was overloaded");
    describe_counter!("urumi_http_requests_rate_limited_total", "Requests refused by rate limits");
    describe_counter!("urumi_http_panics_total", "Requests whose handler panicked");
    describe_counter!(
        "urumi_http_audit_events_dropped_total",
        "Audit Events dropped because too many were being written"
    );
    describe_gauge!(
        "urumi_http_view_stale",
        "Whether the watch of the stores fails, so that the served stores may be out of date"
    );
    describe_gauge!("urumi_http_connections", "Open connections");
    describe_gauge!("urumi_http_open", "Open watches, logs and smoke orders, by kind");
    describe_counter!("urumi_http_accept_errors_total", "Failures to accept a connection");
}

/// `/metrics`, and the routes of `health`.
pub(super) fn router(handle: PrometheusHandle, health: Router) -> Router {
    let metrics = get(async move || ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], handle.render()));
    Router::new().route("/metrics", metrics).merge(health)
}

/// Bounds the memory of recorded values, until `stop` is cancelled.
pub(super) async fn upkeep(handle: PrometheusHandle, stop: CancellationToken) {
    let run = async {
        let mut ticks = tokio::time::interval(UPKEEP_EVERY);
        loop {
            ticks.tick().await;
            handle.run_upkeep();
        }
    };
    stop.run_until_cancelled(run).await;
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::Request;
    use http_body_util::BodyExt as _;
    use metrics::set_default_local_recorder;
    use tower::ServiceExt as _;

    use super::*;
    use crate::layers::{LayerOptions, wrap};

    #[tokio::test]
    async fn requests_are_counted_by_route_and_never_by_path() {
        let recorder = builder().unwrap().build_recorder();
        let app = wrap(Router::new().route("/stores/{id}", get(async || "store")), &LayerOptions::default());
        // Records the metrics of this thread, the only one of the test.
        let kept = set_default_local_recorder(&recorder);
        describe();
        for path in ["/stores/a", "/stores/b", "/nowhere"] {
            app.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
        }
        drop(kept);
        let health = Router::new().route("/healthz", get(async || "fine"));
        let server = router(recorder.handle(), health);
        let text = async |path: &str| {
            let answer = server.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
            String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
        };
        let metrics = text("/metrics").await;
        for line in [
            r#"urumi_http_requests_total{method="GET",route="/stores/{id}",code="200"} 2"#,
            r#"urumi_http_requests_total{method="GET",route="unmatched",code="404"} 1"#,
            r#"urumi_http_request_duration_seconds_bucket{method="GET",route="/stores/{id}",le="30"} 2"#,
            "urumi_http_requests_in_flight 0",
        ] {
            assert!(metrics.contains(line), "{line} is missing in\n{metrics}");
        }
        assert!(!metrics.contains("/stores/a"));
        assert_eq!(text("/healthz").await, "fine");
    }
}
