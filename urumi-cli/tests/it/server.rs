//! The real server, running in the test process on an in-memory cluster.

use std::io::{Read as _, Write as _};
use std::net::TcpListener as StdListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use futures::{StreamExt as _, stream};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use urumi_core::cluster::InMemoryCluster;
use urumi_core::engine::EngineInfo;
use urumi_core::error::{Error, FieldError, Result};
use urumi_core::orchestrator::LogLines;
use urumi_core::store::credentials::Credentials;
use urumi_core::store::logs::{LogLine, LogQuery};
use urumi_core::store::preview::{Difference, Preview};
use urumi_core::store::smoke::SmokeReport;
use urumi_core::store::timeline::TimelineEntry;
use urumi_core::store::{OptionWarning, StoreOptions};
use urumi_core::{Action, Precondition, StoreOrchestrator, StoreStream};
use urumi_core::{CreateStore, Creation, Orchestrator, ReadinessMonitor, Store, StoreId};
use urumi_http::auth::{Authentication, SignInMethods};
use urumi_http::{ServerState, router};

use crate::support::urumi;

/// A server that runs until it is dropped.
pub(crate) struct TestServer {
    pub(crate) address: String,
    pub(crate) cluster: InMemoryCluster,
    runtime: Option<Runtime>,
}

/// The configuration of a server.
pub(crate) struct ServerSetup {
    pub(crate) authentication: Authentication,
    /// What clients without a token are told.
    pub(crate) sign_in: Option<SignInMethods>,
    /// How long a workload takes to become ready.
    pub(crate) delay: Duration,
    /// Enables TLS. The server writes its certificate to this file.
    pub(crate) tls: Option<PathBuf>,
    /// The log lines of every store: component and text.
    pub(crate) logs: Vec<(&'static str, &'static str)>,
    /// What the server says of itself.
    pub(crate) notices: Vec<String>,
}

impl Default for ServerSetup {
    fn default() -> Self {
        let delay = Duration::from_millis(20);
        let (authentication, sign_in) = (Authentication::Open, None);
        ServerSetup { authentication, sign_in, delay, tls: None, logs: Vec::new(), notices: Vec::new() }
    }
}

impl TestServer {
    /// Starts a server without authentication.
    pub(crate) fn start() -> Self {
        TestServer::with(ServerSetup::default())
    }

    pub(crate) fn with(setup: ServerSetup) -> Self {
        let cluster = InMemoryCluster::builder().readiness_delay(setup.delay).build();
        // Like the command, so that manifests are identical.
        let created_by = concat!("urumi-cli/", env!("CARGO_PKG_VERSION"));
        let orchestrator = Orchestrator::builder(cluster.clone()).created_by(created_by).build();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let address = runtime.block_on(async {
            let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
            let monitor = ReadinessMonitor::new(orchestrator.clone()).spawn(&tasks, stop.clone());
            let stores: Arc<dyn StoreOrchestrator> = Arc::new(WithLogs { inner: orchestrator, lines: setup.logs });
            let state = ServerState::builder(stores).authentication(setup.authentication).monitor(monitor);
            let state = match setup.sign_in {
                Some(methods) => state.sign_in(methods),
                None => state,
            };
            let state = state.notices(setup.notices).events(Arc::new(cluster.clone())).spawn(&tasks, &stop);
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            match setup.tls {
                None => {
                    tokio::spawn(async move { axum::serve(listener, router(state)).await });
                    format!("http://{address}")
                }
                Some(file) => {
                    let acceptor = acceptor(&file);
                    tokio::spawn(serve_tls(listener, acceptor, router(state)));
                    format!("https://{address}")
                }
            }
        });
        TestServer { address, cluster, runtime: Some(runtime) }
    }

    /// The command, using this server.
    pub(crate) fn urumi(&self) -> Command {
        let mut command = urumi();
        command.env("URUMI_SERVER", &self.address);
        command
    }
}

impl TestServer {
    /// Stops the server and closes its connections.
    pub(crate) fn stop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stop();
    }
}

pub(crate) async fn serve_tls(listener: TcpListener, acceptor: TlsAcceptor, app: Router) {
    while let Ok((connection, _)) = listener.accept().await {
        let (acceptor, service) = (acceptor.clone(), TowerToHyperService::new(app.clone()));
        tokio::spawn(async move {
            let connection = acceptor.accept(connection).await.ok()?;
            let http = hyper::server::conn::http1::Builder::new();
            http.serve_connection(TokioIo::new(connection), service).await.ok()
        });
    }
}

/// TLS with a self-signed certificate, which is written to a file.
pub(crate) fn acceptor(file: &Path) -> TlsAcceptor {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(file, made.cert.pem()).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// A server that sends the same response to every request.
pub(crate) fn answering(response: &'static str) -> String {
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    // The thread ends with the process.
    std::thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let _ = connection.read(&mut request);
            let _ = connection.write_all(response.as_bytes());
        }
    });
    address
}

/// Adds log lines to all stores. The line `!` stands for a container whose logs cannot be read.
struct WithLogs {
    inner: Orchestrator,
    lines: Vec<(&'static str, &'static str)>,
}

#[async_trait]
impl StoreOrchestrator for WithLogs {
    async fn logs(&self, id: &StoreId, query: &LogQuery) -> Result<LogLines> {
        self.inner.get(id).await?;
        let of = |component: &str| self.lines.iter().filter(|(c, _)| *c == component).count();
        if let Some(component) = &query.component
            && of(component) == 0
        {
            return Err(FieldError::new("component", format!("there is no component {component:?}")).into());
        }
        let wanted = self.lines.iter().filter(|(c, _)| query.component.as_deref().is_none_or(|wanted| wanted == *c));
        let lines: Vec<Result<LogLine>> = wanted
            .map(|(component, text)| match *text {
                "!" => Err(Error::NotFound { id: id.clone() }),
                text => Ok(LogLine::new(*component, format!("{component}-0"), *component, text)),
            })
            .collect();
        let skipped = lines.len().saturating_sub(query.tail as usize);
        let lines = stream::iter(lines).skip(skipped);
        Ok(if query.follow { lines.chain(stream::pending()).boxed() } else { lines.boxed() })
    }

    async fn create(&self, request: CreateStore) -> Result<Creation> {
        self.inner.create(request).await
    }
    async fn preview(&self, request: CreateStore) -> Result<Preview> {
        self.inner.preview(request).await
    }
    fn warnings(&self, request: &CreateStore) -> Vec<OptionWarning> {
        self.inner.warnings(request)
    }
    async fn get(&self, id: &StoreId) -> Result<Store> {
        self.inner.get(id).await
    }
    async fn list(&self) -> Result<Vec<Store>> {
        self.inner.list().await
    }
    fn watch(&self, id: Option<&StoreId>) -> StoreStream {
        self.inner.watch(id)
    }
    async fn delete_if(&self, id: &StoreId, expected: &Precondition) -> Result<Store> {
        self.inner.delete_if(id, expected).await
    }
    async fn act_if(&self, id: &StoreId, action: Action, expected: &Precondition) -> Result<Store> {
        self.inner.act_if(id, action, expected).await
    }
    async fn engines(&self) -> Result<Vec<EngineInfo>> {
        StoreOrchestrator::engines(&self.inner).await
    }
    async fn manifests(&self, id: &StoreId) -> Result<Vec<Value>> {
        self.inner.manifests(id).await
    }
    async fn options(&self, id: &StoreId) -> Result<StoreOptions> {
        self.inner.options(id).await
    }
    async fn differences(&self, id: &StoreId) -> Result<Vec<Difference>> {
        self.inner.differences(id).await
    }
    async fn timeline(&self, id: &StoreId) -> Result<Vec<TimelineEntry>> {
        self.inner.timeline(id).await
    }
    async fn smoke_if(&self, id: &StoreId, expected: &Precondition) -> Result<SmokeReport> {
        self.inner.smoke_if(id, expected).await
    }
    async fn credentials(&self, id: &StoreId, reveal: bool) -> Result<Credentials> {
        self.inner.credentials(id, reveal).await
    }
}
