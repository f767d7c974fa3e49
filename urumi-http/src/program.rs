//! The program `urumi-http`: configuration, telemetry, listener, metrics and the dashboard around the library's router.
//!
//! Only [`run`] is for other crates. The modules are public for the integration tests and may change at any time.

mod authentication;
mod cluster;
pub mod config;
pub mod dashboard;
mod election;
pub mod listener;
mod metrics_server;
mod replica;
mod telemetry;
pub mod token;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::process::ExitCode;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use urumi_core::engine::EngineRegistry;
use urumi_core::{Orchestrator, OwnerLimits, ReadinessMonitor};

use self::config::{ClusterChoice, Command, Config, Exposure, Limits, Loaded, MetricsListen, check_exposure};
use self::dashboard::{OidcSignIn, Settings, SignIn};
use self::listener::{ListenerOptions, TlsOptions, serve_router};
use self::telemetry::TelemetryOptions;
use self::token::run_token_command;
use crate::causes::in_one_line;
use crate::layers::{LayerOptions, wrap};
use crate::rate_limit::{RateLimitOptions, RateLimiter};
use crate::{BrowserGuard, OpenLimits, ServerState, document, health_router, mount};

/// The creator in the records of new stores.
const CREATED_BY: &str = concat!("urumi-http/", env!("CARGO_PKG_VERSION"));

/// The version of this program, with the commit from which it was built if its build knew that.
fn version() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| match option_env!("URUMI_COMMIT") {
        Some(commit) if !commit.is_empty() => format!("{} ({commit})", env!("CARGO_PKG_VERSION")),
        _ => env!("CARGO_PKG_VERSION").to_owned(),
    });
    &TEXT
}

/// The allowance of an address, as a multiple of the allowance of a client.
const CLIENTS_PER_ADDRESS: NonZeroU32 = NonZeroU32::new(4).unwrap();

/// The share of the concurrent requests that one client may have, and the reserve of administrators.
const SHARE_OF_CLIENT: usize = 8;
const SHARE_OF_ADMINS: usize = 16;
/// The share of the connections that streams may have: the others are for requests.
const SHARE_OF_STREAMS: usize = 2;

/// The time limit for background tasks to end after the last request.
const WIND_DOWN: Duration = Duration::from_secs(8);

/// Runs the program with the process's arguments and environment.
pub fn run() -> ExitCode {
    let Loaded { config, engines, printed } = match Config::load(std::env::args_os()) {
        Ok(loaded) => loaded,
        Err(error) => return error.exit(),
    };
    let outcome = match &config.command {
        Some(Command::Token(args)) => {
            // Only the entry goes to stdout, so that it can be appended to the file.
            let made = run_token_command(args, &mut anstream::stdout().lock(), &mut anstream::stderr().lock());
            made.map_err(|e| Box::new(e) as Failure)
        }
        Some(Command::Dashboard(args)) => replica::run(args),
        None if config.print_config => say(&printed),
        None => serve(&config, engines),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let text = in_one_line(&*failure);
            // If stderr is closed, the exit code remains.
            let _ = std::io::Write::write_all(&mut anstream::stderr(), format!("error: {text}\n").as_bytes());
            ExitCode::FAILURE
        }
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn say(text: &str) -> Result<(), Failure> {
    std::io::Write::write_all(&mut anstream::stdout(), text.as_bytes()).map_err(Into::into)
}

fn serve(config: &Config, engines: EngineRegistry) -> Result<(), Failure> {
    run_logged(&(&config.telemetry).into(), until_stopped(config, engines))
}

/// Runs some work in a new runtime, with its log and traces.
fn run_logged(log: &TelemetryOptions, work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let telemetry = telemetry::start(log)?;
        let outcome = work.await;
        telemetry.shutdown().await;
        outcome
    })
}

async fn until_stopped(config: &Config, engines: EngineRegistry) -> Result<(), Failure> {
    let exposure = check_exposure(config)?;
    // Before the first metric is recorded.
    let metrics = metrics_server::install_recorder()?;
    urumi_core::telemetry::describe();
    let (tasks, background, draining) = (TaskTracker::new(), CancellationToken::new(), CancellationToken::new());
    // Ends all background tasks, however this function returns.
    let _background = background.clone().drop_guard();

    let cluster = cluster::connect(&config.target).await.map_err(|error| {
        format!("{}; `urumi-http --cluster memory` tries it without a cluster", in_one_line(&error))
    })?;
    let notices = cluster::notices(&config.target, &config.stores.domain);
    let authentication = authentication::sources(&config.callers, &cluster, &tasks, &background)?;
    let limits = OwnerLimits::default()
        .stores(config.stores.max_stores_per_owner)
        .provisioning(config.stores.max_provisioning_per_owner)
        .creations_per_hour(config.stores.max_creations_per_hour)
        .cpu(config.stores.max_cpu_per_owner.clone())
        .memory(config.stores.max_memory_per_owner.clone())
        .storage(config.stores.max_storage_per_owner.clone());
    let urumi = Orchestrator::builder(cluster.clone())
        .engines(engines)
        .domain(&config.stores.domain)
        .created_by(CREATED_BY)
        .owner_limits(limits)
        .build();
    let election = election::join(&config.replicas, &cluster, &tasks, &background)?;
    let mut monitor =
        ReadinessMonitor::new(urumi.clone()).resync(config.stores.resync).deadline(config.stores.deadline);
    if let Some(election) = &election {
        monitor = monitor.led_by(election.leadership());
    }
    let monitor = monitor.spawn(&tasks, background.clone());
    let state = ServerState::builder(Arc::new(urumi))
        .election(election)
        .authentication(authentication)
        .sign_in(authentication::sign_in(&config.callers))
        .browser_guard(browser_guard(config))
        .events(cluster)
        .monitor(monitor)
        .draining(draining.clone())
        .open_limits(open_limits(&config.limits))
        .cluster_kind(match config.target.cluster {
            ClusterChoice::Memory => "memory",
            ClusterChoice::Kube => "kubernetes",
        })
        .notices(notices.clone())
        .spawn(&tasks, &background);

    let listener = bind(config.addresses.listen).await?;
    let address = listener.local_addr()?;
    let metrics_listener = bind_metrics(config.addresses.metrics_listen).await?;
    tasks.spawn(metrics_server::upkeep(metrics.clone(), background.clone()));
    announce(config, address, exposure, &notices)?;

    let pages = dashboard::router(Settings::new(sign_in(config, exposure)));
    let app = wrap(mount(state.clone(), Some(rate_limits(config)), pages), &layer_options(config));
    let serving = serve_router(listener, app, listener_options(config), draining.clone());
    let watched = metrics_server::router(metrics, health_router(state.clone()));
    let watching = serve_metrics(metrics_listener, watched, background.clone());
    let outcome = tokio::select! {
        served = serving => served.map_err(Failure::from),
        watched = watching => watched.map_err(Failure::from),
        // Never resolves: it cancels the token of the others.
        never = shut_down_on_signal(&draining) => match never {},
    };
    background.cancel();
    tasks.close();
    if tokio::time::timeout(WIND_DOWN, tasks.wait()).await.is_err() {
        tracing::warn!("some background tasks did not end in time");
    }
    tracing::info!("stopped");
    outcome
}

/// How users sign in to the dashboard.
fn sign_in(config: &Config, exposure: Exposure) -> SignIn {
    let oidc =
        config.callers.oidc_issuer.as_ref().zip(config.callers.oidc_client_id.as_ref()).map(|(issuer, client)| {
            OidcSignIn { issuer: issuer.clone(), client_id: client.clone(), scope: config.callers.oidc_scope.clone() }
        });
    SignIn { token: exposure == Exposure::Authenticated, oidc }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| format!("cannot listen on {address}: {error}").into())
}

async fn bind_metrics(listen: MetricsListen) -> Result<Option<TcpListener>, Failure> {
    match listen {
        MetricsListen::Off => Ok(None),
        MetricsListen::At(address) => {
            let hint = "choose another address for metrics with --metrics-listen, or `--metrics-listen off`";
            bind(address).await.map(Some).map_err(|error| format!("{error}; {hint}").into())
        }
    }
}

/// Serves metrics and health; never ends without a listener.
async fn serve_metrics(listener: Option<TcpListener>, app: Router, shutdown: CancellationToken) -> std::io::Result<()> {
    match listener {
        Some(listener) => serve_router(listener, app, ListenerOptions::default(), shutdown).await,
        None => std::future::pending().await,
    }
}

/// The limits of a client, and of all clients of one address, which bounds attempts to guess tokens.
fn rate_limits(config: &Config) -> [RateLimiter; 2] {
    let options = RateLimitOptions {
        rate: config.limits.rate_limit,
        burst: config.limits.rate_burst,
        trusted_proxies: config.addresses.trusted_proxy.clone(),
        ..RateLimitOptions::default()
    };
    let together = RateLimitOptions {
        rate: options.rate.saturating_mul(CLIENTS_PER_ADDRESS),
        burst: options.burst.saturating_mul(CLIENTS_PER_ADDRESS),
        ..options.clone()
    };
    [RateLimiter::new(options), RateLimiter::new(together)]
}

fn open_limits(limits: &Limits) -> OpenLimits {
    let streams = limits.max_streams.unwrap_or((limits.max_connections / SHARE_OF_STREAMS).max(1));
    OpenLimits::default()
        .streams(streams, limits.max_streams_per_client)
        .smoke_orders(limits.max_smoke_orders, limits.max_smoke_orders_per_client)
        .requests_per_caller((limits.max_in_flight / SHARE_OF_CLIENT).max(1))
}

fn browser_guard(config: &Config) -> BrowserGuard {
    BrowserGuard::default().hosts(config.addresses.accept_host.clone()).origins(config.addresses.cors_origin.clone())
}

fn layer_options(config: &Config) -> LayerOptions {
    LayerOptions {
        max_body: config.limits.max_body,
        request_timeout: config.limits.request_timeout,
        max_in_flight: config.limits.max_in_flight,
        reserved_in_flight: (config.limits.max_in_flight / SHARE_OF_ADMINS).max(1),
        hsts: config.addresses.hsts || config.addresses.tls_cert.is_some(),
        cors_origins: config.addresses.cors_origin.clone(),
        join_trace: Some(telemetry::join_trace),
        known_paths: document()
            .paths
            .paths
            .into_keys()
            .chain(["/docs", "/openapi.json", "/openapi.yaml"].map(str::to_owned))
            .collect(),
        ..LayerOptions::default()
    }
}

fn listener_options(config: &Config) -> ListenerOptions {
    ListenerOptions {
        tls: config
            .addresses
            .tls_cert
            .as_ref()
            .zip(config.addresses.tls_key.as_ref())
            .map(|(cert, key)| TlsOptions::new(cert, key)),
        max_connections: config.limits.max_connections,
        shutdown_grace: config.limits.shutdown_grace,
        ..ListenerOptions::default()
    }
}

/// Prints one line on stdout for people and scripts; the rest goes to the log.
fn announce(config: &Config, address: SocketAddr, exposure: Exposure, notices: &[String]) -> Result<(), Failure> {
    let scheme = if config.addresses.tls_cert.is_some() { "https" } else { "http" };
    tracing::info!(%address, cluster = ?config.target.cluster, domain = config.stores.domain, "listening");
    for notice in notices {
        tracing::warn!("{notice}");
    }
    if exposure == Exposure::Local {
        tracing::warn!("there is no authentication: every user of this computer has all permissions");
    }
    say(&format!("urumi-http is listening on {scheme}://{address} (dashboard at /ui/, API documentation at /docs)\n"))
}

/// Starts the shutdown at the first SIGTERM or Ctrl-C; the second one ends the process at once.
async fn shut_down_on_signal(draining: &CancellationToken) -> std::convert::Infallible {
    signalled().await;
    tracing::info!("shutting down: finishing open requests");
    draining.cancel();
    signalled().await;
    tracing::warn!("exiting at once");
    std::process::exit(130)
}

async fn signalled() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_error_about_the_address_for_metrics_names_the_option() {
        let other = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = other.local_addr().unwrap();
        let error = bind_metrics(MetricsListen::At(address)).await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot listen on {address}: ")), "{error}");
        assert!(error.ends_with("or `--metrics-listen off`"), "{error}");
        assert!(bind_metrics(MetricsListen::Off).await.unwrap().is_none());
    }
}
