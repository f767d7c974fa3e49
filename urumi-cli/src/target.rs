//! What a run works on, ready to be used: a cluster or a server.

use std::path::Path;
use std::sync::Arc;

use urumi_core::cluster::{ClusterBackend, ConnectOptions, InMemoryCluster, KubeCluster};
use urumi_core::engine::EngineRegistry;
use urumi_core::error::Error;
use urumi_core::http_client::{ServerError, ServerOptions};
use urumi_core::secret::SecretString;
use urumi_core::{HttpOrchestrator, Orchestrator, StoreOrchestrator};

use crate::choice::{Choice, ServerChoice, choose};
use crate::cli::{ClusterChoice, Global};
use crate::engine_defaults::engines;
use crate::exit::{Failure, Via};
use crate::file::read;
use crate::output::Out;

/// What this program calls itself, also in the stores that it creates.
const PROGRAM: &str = concat!("urumi-cli/", env!("CARGO_PKG_VERSION"));
/// The variable that holds a token itself. It is no argument, which everybody on the machine could read.
const TOKEN: &str = "URUMI_TOKEN";

/// What a run works on.
pub(crate) struct Target {
    /// The stores there.
    pub(crate) stores: Arc<dyn StoreOrchestrator>,
    place: Place,
}

enum Place {
    Cluster(Orchestrator),
    Server(HttpOrchestrator),
}

impl Target {
    /// A cluster.
    pub(crate) fn cluster(orchestrator: Orchestrator) -> Self {
        Target { stores: Arc::new(orchestrator.clone()), place: Place::Cluster(orchestrator) }
    }

    fn server(server: HttpOrchestrator) -> Self {
        Target { stores: Arc::new(server.clone()), place: Place::Server(server) }
    }

    /// What only a cluster has.
    pub(crate) fn as_cluster(&self) -> Option<&Orchestrator> {
        match &self.place {
            Place::Cluster(orchestrator) => Some(orchestrator),
            Place::Server(_) => None,
        }
    }

    /// What only a server has.
    pub(crate) fn as_server(&self) -> Option<&HttpOrchestrator> {
        match &self.place {
            Place::Server(server) => Some(server),
            Place::Cluster(_) => None,
        }
    }

    /// An error, with what to do about it here.
    pub(crate) fn explain(&self, error: Error) -> Failure {
        let via = if self.as_server().is_some() { Via::Server } else { Via::Cluster };
        Failure::of(error, via)
    }
}

/// What was chosen, connected: a cluster has been found, a server not yet been asked anything.
pub(crate) async fn connect(global: &Global, out: &Out) -> Result<Target, Failure> {
    connect_to(&choose(global)?, global, out).await
}

/// The same, for a choice that has been made.
pub(crate) async fn connect_to(choice: &Choice, global: &Global, out: &Out) -> Result<Target, Failure> {
    match choice {
        Choice::Cluster(ClusterChoice::Kube) => {
            let mut options = ConnectOptions::default();
            options.kubeconfig.clone_from(&global.kubeconfig);
            options.context.clone_from(&global.context);
            let engines = engines(global)?.clone();
            KubeCluster::install_crypto_provider();
            Ok(Target::cluster(over(KubeCluster::connect(options).await?, global, engines)))
        }
        Choice::Cluster(ClusterChoice::Memory) => {
            out.note(
                "note: this in-memory cluster begins empty and vanishes with all its stores when the command ends",
            );
            let cluster = InMemoryCluster::builder().readiness_delay(global.memory_delay).build();
            Ok(Target::cluster(over(cluster, global, engines(global)?.clone())))
        }
        Choice::Server(server) => Ok(Target::server(reach(server, out)?)),
    }
}

/// What checks requests, renders manifests and describes engines: a server by its own settings, else urumi itself,
/// without asking any cluster.
pub(crate) fn judge(choice: &Choice, global: &Global, out: &Out) -> Result<Target, Failure> {
    match choice {
        Choice::Cluster(_) => {
            let engines = engines(global)?.clone();
            Ok(Target::cluster(over(InMemoryCluster::builder().build(), global, engines)))
        }
        Choice::Server(server) => Ok(Target::server(reach(server, out)?)),
    }
}

/// An orchestrator over a cluster.
pub(crate) fn over(cluster: impl ClusterBackend, global: &Global, engines: EngineRegistry) -> Orchestrator {
    Orchestrator::builder(cluster).engines(engines).domain(&global.domain).created_by(PROGRAM).build()
}

/// A way to a server; nothing is sent yet.
fn reach(choice: &ServerChoice, out: &Out) -> Result<HttpOrchestrator, Failure> {
    let token = token(choice.token_file.as_deref())?;
    let has_token = token.is_some();
    let ca_certificates = match &choice.ca_file {
        Some(file) => Some(read(file, "the CA certificates")?),
        None => None,
    };
    let options =
        ServerOptions { token, ca_certificates, user_agent: Some(PROGRAM.to_owned()), ..ServerOptions::default() };
    let server = HttpOrchestrator::connect(&choice.address, &options)?;
    if has_token && !server.is_confidential() {
        out.warn(&format!(
            "the token is sent to {} unencrypted: whoever is on the way can read and use it; use https",
            server.address()
        ));
    }
    Ok(server)
}

/// The token of the environment, or that of a file.
fn token(file: Option<&Path>) -> Result<Option<SecretString>, Failure> {
    let (token, place) = match (std::env::var_os(TOKEN).filter(|token| !token.is_empty()), file) {
        (Some(token), _) => (token.into_string().ok(), format!("the environment variable {TOKEN}")),
        (None, Some(file)) => {
            let bytes = read(file, "the token")?;
            (String::from_utf8(bytes).ok(), file.display().to_string())
        }
        (None, None) => return Ok(None),
    };
    // RFC 6750's tokens are a part of visible ASCII. What is wrong is said without showing any of it.
    let token = token.map(|token| token.trim().to_owned());
    match token.filter(|token| !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic())) {
        Some(token) => Ok(Some(SecretString::new(token))),
        None => Err(Failure::usage(format!("{place} holds no token: it must be one word of visible ASCII characters"))),
    }
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Self {
        Failure::usage(error.to_string())
            .hint("a server is given as --server https://urumi.example.com, its CA as --ca-file FILE in PEM")
    }
}
