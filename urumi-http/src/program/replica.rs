//! `urumi-http dashboard`: serves the dashboard alone, in front of an API elsewhere.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::config::DashboardArgs;
use super::dashboard::{Api, ApiOptions, health, replica};
use super::listener::{ListenerOptions, TlsOptions, serve_router};
use super::telemetry::TelemetryOptions;
use super::{
    Failure, bind, bind_metrics, metrics_server, run_logged, say, serve_metrics, shut_down_on_signal, telemetry,
};
use crate::BrowserGuard;
use crate::layers::{LayerOptions, wrap};

/// Beyond the API's own limits, whose errors are more specific.
const MAX_BODY: usize = 64 * 1024 * 1024;
const REQUEST_TIMEOUT: Duration = Duration::from_secs(90);

pub(super) fn run(args: &DashboardArgs) -> Result<(), Failure> {
    let log = TelemetryOptions { format: args.log_format, filter: args.log.clone(), otlp_endpoint: None };
    run_logged(&log, until_stopped(args))
}

async fn until_stopped(args: &DashboardArgs) -> Result<(), Failure> {
    let (tasks, background, draining) = (TaskTracker::new(), CancellationToken::new(), CancellationToken::new());
    let mut options = ApiOptions::new(args.api_url.clone());
    options.ca.clone_from(&args.api_ca);
    options.exposed = !args.listen.ip().to_canonical().is_loopback();
    options.draining = draining.clone();
    options.browser_guard = BrowserGuard::default().hosts(args.accept_host.clone());
    let api = Arc::new(Api::new(options)?);
    let metrics = metrics_server::install_recorder()?;
    let _background = background.clone().drop_guard();
    tasks.spawn(metrics_server::upkeep(metrics.clone(), background.clone()));

    let listener = bind(args.listen).await?;
    let address = listener.local_addr()?;
    let metrics_listener = bind_metrics(args.metrics_listen).await?;
    let scheme = if args.tls_cert.is_some() { "https" } else { "http" };
    say(&format!("the dashboard is at {scheme}://{address}/ui/\n"))?;
    tracing::info!(%address, api = %args.api_url, "listening");

    let app = wrap(replica(api.clone()), &layer_options(args));
    let serving = serve_router(listener, app, listener_options(args), draining.clone());
    let watching = serve_metrics(metrics_listener, metrics_server::router(metrics, health(api)), background.clone());
    tokio::select! {
        served = serving => served.map_err(Failure::from),
        watched = watching => watched.map_err(Failure::from),
        never = shut_down_on_signal(&draining) => match never {},
    }
}

fn layer_options(args: &DashboardArgs) -> LayerOptions {
    LayerOptions {
        hsts: args.hsts || args.tls_cert.is_some(),
        max_body: MAX_BODY,
        request_timeout: REQUEST_TIMEOUT,
        join_trace: Some(telemetry::join_trace),
        ..LayerOptions::default()
    }
}

fn listener_options(args: &DashboardArgs) -> ListenerOptions {
    ListenerOptions {
        tls: args.tls_cert.as_ref().zip(args.tls_key.as_ref()).map(|(cert, key)| TlsOptions::new(cert, key)),
        shutdown_grace: args.shutdown_grace,
        ..ListenerOptions::default()
    }
}
