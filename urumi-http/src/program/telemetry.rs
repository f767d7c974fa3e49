//! Logs on stderr, and traces to a collector.

mod exporter;

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use http::HeaderMap;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing::{Metadata, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

use super::config::{self, Endpoint, LogFormat};

/// Crates that log network traffic at verbose levels, including tokens and secrets of stores.
const CAPPED: [&str; 11] = [
    "h2",
    "hyper",
    "hyper_util",
    "kube",
    "kube_client",
    "opentelemetry",
    "reqwest",
    "rustls",
    "tokio_rustls",
    "tower",
    "tower_http",
];

/// The time limit for sending the last traces.
const FLUSH: Duration = Duration::from_secs(3);

/// The options of logs and traces.
#[derive(Clone, Debug)]
pub(super) struct TelemetryOptions {
    /// The format of log lines; without it, stderr decides.
    pub(super) format: Option<LogFormat>,
    /// The filter, as in `RUST_LOG`.
    pub(super) filter: String,
    /// The endpoint for traces.
    pub(super) otlp_endpoint: Option<Endpoint>,
}

impl From<&config::Telemetry> for TelemetryOptions {
    fn from(config: &config::Telemetry) -> Self {
        let config::Telemetry { log_format, log, otlp_endpoint } = config;
        TelemetryOptions { format: *log_format, filter: log.clone(), otlp_endpoint: otlp_endpoint.clone() }
    }
}

/// Logging or tracing cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(super) enum TelemetryError {
    /// The filter is invalid.
    #[error("the log filter is invalid")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// The exporter cannot be created.
    #[error("cannot export traces: {0}")]
    Exporter(String),
    /// A logger is already installed.
    #[error("cannot install the logger")]
    Installed(#[from] TryInitError),
}

/// The logging and tracing of a process, until [`Telemetry::shutdown`].
#[derive(Debug)]
#[must_use = "shutdown sends the last traces"]
pub(super) struct Telemetry {
    traces: Option<SdkTracerProvider>,
}

/// Starts logging and tracing for the whole process. Needs a tokio runtime if there is an endpoint.
///
/// # Errors
/// If the filter or the endpoint is invalid, or a logger is already installed. A collector that does not answer causes no
/// error; its spans are lost.
pub(super) fn start(options: &TelemetryOptions) -> Result<Telemetry, TelemetryError> {
    let format = options.format.unwrap_or(if io::stderr().is_terminal() { LogFormat::Pretty } else { LogFormat::Json });
    let traces = match &options.otlp_endpoint {
        Some(endpoint) => Some(provider(endpoint)?),
        None => None,
    };
    let spans = match &traces {
        Some(provider) => {
            let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("urumi-http"));
            Some(layer.with_filter(filter(&options.filter)?))
        }
        None => None,
    };
    let lines = lines(format, io::stderr).with_filter(filter(&options.filter)?);
    tracing_subscriber::registry().with(lines).with(spans).try_init()?;
    Ok(Telemetry { traces })
}

/// Joins a request's span to the trace in its headers, if there is one (W3C Trace Context).
pub(super) fn join_trace(span: &Span, headers: &HeaderMap) {
    if headers.contains_key("traceparent") {
        // Without an exporter there is no trace to join.
        let _ = span.set_parent(TraceContextPropagator::new().extract(&HeaderExtractor(headers)));
    }
}

impl Telemetry {
    /// Sends the last traces, within the time limit.
    pub(super) async fn shutdown(self) {
        let Some(provider) = self.traces else { return };
        let flushed = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(FLUSH)).await;
        if let Ok(Err(error)) = flushed {
            tracing::warn!(%error, "the last traces are lost");
        }
    }
}

fn provider(endpoint: &Endpoint) -> Result<SdkTracerProvider, TelemetryError> {
    let exporter = exporter::exporter(endpoint).map_err(TelemetryError::Exporter)?;
    let resource = Resource::builder().with_service_name("urumi-http").build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

fn lines<W>(format: LogFormat, writer: W) -> Box<dyn Layer<Registry> + Send + Sync>
where
    W: for<'a> fmt::MakeWriter<'a> + Send + Sync + 'static,
{
    let layer = fmt::layer().with_writer(writer);
    match format {
        LogFormat::Pretty => layer.with_ansi(io::stderr().is_terminal()).boxed(),
        LogFormat::Json => layer.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed(),
    }
}

/// The requested filter, but without events that may contain secrets.
fn filter<S>(asked: &str) -> Result<impl tracing_subscriber::layer::Filter<S> + use<S>, TelemetryError>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    Ok(EnvFilter::try_new(asked)?.and(filter_fn(is_harmless)))
}

fn is_harmless(metadata: &Metadata<'_>) -> bool {
    let name = metadata.target().split("::").next().unwrap_or_default();
    *metadata.level() <= LevelFilter::INFO || !CAPPED.contains(&name)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(line);
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(asked: &str, log: impl FnOnce()) -> String {
        let written = Written::default();
        let writer = written.clone();
        let layer = lines(LogFormat::Json, move || writer.clone()).with_filter(filter(asked).unwrap());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
        String::from_utf8(std::mem::take(&mut *written.0.lock().unwrap())).unwrap()
    }

    #[test]
    fn what_could_hold_secrets_is_not_logged_whatever_is_asked_for() {
        for asked in ["trace", "trace,hyper=trace,kube_client=trace,h2::proto=trace"] {
            let text = written(asked, || {
                tracing::trace!(target: "hyper::proto::h1", "Authorization: secret");
                tracing::debug!(target: "h2::codec", "secret");
                tracing::debug!(target: "kube_client::client", "secret");
                tracing::debug!(target: "reqwest", "secret");
                tracing::info!(target: "kube_client::client", "harmless");
                tracing::trace!(target: "urumi_core", "own");
            });
            assert!(!text.contains("secret"), "{text}");
            assert!(text.contains("harmless") && text.contains("own"), "{text}");
        }
    }

    #[tokio::test]
    async fn traces_reach_the_collector_and_a_dead_one_is_no_trouble() {
        let (sent, mut received) = tokio::sync::mpsc::unbounded_channel();
        let collector = axum::Router::new().route(
            "/v1/traces",
            axum::routing::post(async move |body: axum::body::Bytes| {
                let _ = sent.send(body);
            }),
        );
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let serving = tokio::spawn(axum::serve(listener, collector).into_future());
        let endpoint: Endpoint = format!("http://{addr}/v1/traces").parse().unwrap();
        let trace = |name: &'static str| {
            let provider = provider(&endpoint).unwrap();
            let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
            tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
                tracing::info_span!("span", otel.name = name).in_scope(|| ());
            });
            Telemetry { traces: Some(provider) }
        };
        trace("a-request").shutdown().await;
        let batch = String::from_utf8_lossy(&received.recv().await.unwrap()).into_owned();
        assert!(batch.contains("a-request") && batch.contains("urumi-http"), "{batch}");

        serving.abort();
        assert!(serving.await.is_err());
        trace("lost").shutdown().await;
    }

    #[test]
    fn lines_have_the_spans_fields() {
        let text = written("info", || {
            tracing::info_span!("request", request_id = "abc").in_scope(|| tracing::info!(status = 200, "answered"));
        });
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["message"], "answered");
        assert_eq!(line["status"], 200);
        assert_eq!(line["span"]["request_id"], "abc");
    }
}
