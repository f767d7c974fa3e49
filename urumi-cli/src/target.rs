//! Connects to the chosen cluster or server.

use std::path::Path;
use std::sync::Arc;

use urumi_core::cluster::{ClusterBackend, ConnectOptions, InMemoryCluster, KubeCluster};
use urumi_core::engine::EngineRegistry;
use urumi_core::error::Error;
use urumi_core::http_client::{ServerError, ServerOptions};
use urumi_core::secret::SecretString;
use urumi_core::{HttpOrchestrator, Orchestrator, OrchestratorBuilder, OwnerLimits, StoreOrchestrator};

use crate::choice::{Choice, ServerChoice, choose};
use crate::cli::{ClusterChoice, GlobalArgs};
use crate::engine_defaults::engines;
use crate::exit::{CommandError, Via};
use crate::file::read;
use crate::output::Out;

/// This program's name and version, sent as user agent and recorded in created stores.
const PROGRAM: &str = concat!("urumi-cli/", env!("CARGO_PKG_VERSION"));
/// The variable with the token. There is no such option, because other users can read a process' arguments.
const TOKEN: &str = "URUMI_TOKEN";

/// The cluster or server that a command uses.
pub(crate) struct Target {
    /// The stores of the cluster or server.
    pub(crate) stores: Arc<dyn StoreOrchestrator>,
    connection: Connection,
}

enum Connection {
    Cluster(Orchestrator),
    Server(HttpOrchestrator),
}

impl Target {
    /// A target on a cluster.
    pub(crate) fn cluster(orchestrator: Orchestrator) -> Self {
        Target { stores: Arc::new(orchestrator.clone()), connection: Connection::Cluster(orchestrator) }
    }

    fn server(server: HttpOrchestrator) -> Self {
        Target { stores: Arc::new(server.clone()), connection: Connection::Server(server) }
    }

    /// The orchestrator, if the target is a cluster.
    pub(crate) fn as_cluster(&self) -> Option<&Orchestrator> {
        match &self.connection {
            Connection::Cluster(orchestrator) => Some(orchestrator),
            Connection::Server(_) => None,
        }
    }

    /// The client, if the target is a server.
    pub(crate) fn as_server(&self) -> Option<&HttpOrchestrator> {
        match &self.connection {
            Connection::Server(server) => Some(server),
            Connection::Cluster(_) => None,
        }
    }

    /// An error with the hints for this kind of target.
    pub(crate) fn explain(&self, error: Error) -> CommandError {
        let via = if self.as_server().is_some() { Via::Server } else { Via::Cluster };
        CommandError::of(error, via)
    }
}

/// Connects to the chosen target. Sends no request to a server yet.
pub(crate) async fn connect(global: &GlobalArgs, out: &Out) -> Result<Target, CommandError> {
    connect_to(&choose(global)?, global, out).await
}

/// Like [`connect`], for a choice made earlier.
pub(crate) async fn connect_to(choice: &Choice, global: &GlobalArgs, out: &Out) -> Result<Target, CommandError> {
    connect_limited(choice, global, out, OwnerLimits::default()).await
}

/// Like [`connect_to`], with owners' limits for creations on a cluster.
pub(crate) async fn connect_limited(
    choice: &Choice,
    global: &GlobalArgs,
    out: &Out,
    limits: OwnerLimits,
) -> Result<Target, CommandError> {
    let limited = |builder: OrchestratorBuilder| Target::cluster(builder.owner_limits(limits).build());
    match choice {
        Choice::Cluster(ClusterChoice::Kube) => {
            let mut options = ConnectOptions::default();
            options.kubeconfig.clone_from(&global.kubeconfig);
            options.context.clone_from(&global.context);
            let engines = engines(global)?.clone();
            KubeCluster::install_crypto_provider();
            Ok(limited(builder(KubeCluster::connect(options).await?, global, engines)))
        }
        Choice::Cluster(ClusterChoice::Memory) => {
            out.note(
                "note: this in-memory cluster starts empty, and is lost with all its stores when the command exits",
            );
            let cluster = InMemoryCluster::builder().readiness_delay(global.memory_delay).build();
            Ok(limited(builder(cluster, global, engines(global)?.clone())))
        }
        Choice::Server(server) => Ok(Target::server(reach(server, out)?)),
    }
}

/// The target that validates requests, renders manifests and describes engines: the server, which uses its own settings,
/// or an orchestrator that needs no cluster.
pub(crate) fn validator(choice: &Choice, global: &GlobalArgs, out: &Out) -> Result<Target, CommandError> {
    match choice {
        Choice::Cluster(_) => {
            let engines = engines(global)?.clone();
            Ok(Target::cluster(over(InMemoryCluster::builder().build(), global, engines)))
        }
        Choice::Server(server) => Ok(Target::server(reach(server, out)?)),
    }
}

/// Builds an orchestrator for a cluster.
pub(crate) fn over(cluster: impl ClusterBackend, global: &GlobalArgs, engines: EngineRegistry) -> Orchestrator {
    builder(cluster, global, engines).build()
}

fn builder(cluster: impl ClusterBackend, global: &GlobalArgs, engines: EngineRegistry) -> OrchestratorBuilder {
    Orchestrator::builder(cluster).engines(engines).domain(&global.domain).created_by(PROGRAM)
}

/// Builds a client for a server. Sends nothing yet.
fn reach(choice: &ServerChoice, out: &Out) -> Result<HttpOrchestrator, CommandError> {
    let token = token(choice.token_file.as_deref())?;
    let has_token = token.is_some();
    let ca_certificates = match &choice.ca_file {
        Some(file) => Some(read(file, "the CA certificates")?),
        None => None,
    };
    let mut options = ServerOptions::default().user_agent(PROGRAM);
    options.token = token;
    options.ca_certificates = ca_certificates;
    let printed = *out;
    let server = HttpOrchestrator::connect(&choice.address, &options)?.on_warning(move |text| printed.warn(text));
    if has_token && !server.is_confidential() {
        out.warn(&format!(
            "the token is sent to {} unencrypted: anyone on the network path can read and use it; use https",
            server.address()
        ));
    }
    Ok(server)
}

/// Reads the token from the environment, or from a file.
fn token(file: Option<&Path>) -> Result<Option<SecretString>, CommandError> {
    let (token, place) = match (std::env::var_os(TOKEN).filter(|token| !token.is_empty()), file) {
        (Some(token), _) => (token.into_string().ok(), format!("the environment variable {TOKEN}")),
        (None, Some(file)) => {
            let bytes = read(file, "the token")?;
            (String::from_utf8(bytes).ok(), file.display().to_string())
        }
        (None, None) => return Ok(None),
    };
    // RFC 6750 allows a subset of visible ASCII. The error must not contain any part of the token.
    let token = token.map(|token| token.trim().to_owned());
    match token.filter(|token| !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic())) {
        Some(token) => Ok(Some(SecretString::new(token))),
        None => Err(CommandError::usage(format!(
            "{place} contains no valid token: a token is one word of visible ASCII characters"
        ))),
    }
}

impl From<ServerError> for CommandError {
    fn from(error: ServerError) -> Self {
        CommandError::usage(error.to_string()).hint("pass e.g. `--server https://urumi.example.com --ca-file ca.pem`")
    }
}
