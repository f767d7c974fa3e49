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
use crate::login::{Login, LoginFile, RenewingToken};
use crate::output::Out;

/// This program's name and version, sent as user agent and recorded in created stores.
pub(crate) const PROGRAM: &str = concat!("urumi-cli/", env!("CARGO_PKG_VERSION"));
/// The variable with the token. There is no such option, because other users can read a process' arguments.
const TOKEN: &str = "URUMI_TOKEN";

/// The cluster or server that a command uses.
pub(crate) struct Target {
    /// The stores of the cluster or server.
    pub(crate) stores: Arc<dyn StoreOrchestrator>,
    connection: Connection,
    via: Via,
}

enum Connection {
    Cluster(Orchestrator),
    Server(HttpOrchestrator),
}

impl Target {
    /// A target on a cluster.
    fn cluster(orchestrator: Orchestrator) -> Self {
        let (stores, connection) = (Arc::new(orchestrator.clone()), Connection::Cluster(orchestrator));
        Target { stores, connection, via: Via::Cluster }
    }

    /// A target on a cluster in this process.
    pub(crate) fn memory(orchestrator: Orchestrator) -> Self {
        Target { via: Via::Memory, ..Target::cluster(orchestrator) }
    }

    fn server(server: HttpOrchestrator) -> Self {
        Target { stores: Arc::new(server.clone()), connection: Connection::Server(server), via: Via::Server }
    }

    /// How stores are accessed.
    pub(crate) fn via(&self) -> Via {
        self.via
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
        CommandError::of(error, self.via)
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
    let limited = |builder: OrchestratorBuilder| builder.owner_limits(limits).build();
    match choice {
        Choice::Cluster(ClusterChoice::Kube) => {
            let mut options = ConnectOptions::default();
            options.kubeconfig.clone_from(&global.kubeconfig);
            options.context.clone_from(&global.kube_context);
            let engines = engines(global)?.clone();
            KubeCluster::install_crypto_provider();
            Ok(Target::cluster(limited(builder(KubeCluster::connect(options).await?, global, engines))))
        }
        Choice::Cluster(ClusterChoice::Memory) => {
            out.note(
                "note: this in-memory cluster starts empty, and is lost with all its stores when the command exits",
            );
            let cluster = InMemoryCluster::builder().readiness_delay(global.memory_ready_after).build();
            Ok(Target::memory(limited(builder(cluster, global, engines(global)?.clone()))))
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
            Ok(Target::memory(over(InMemoryCluster::builder().build(), global, engines)))
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
    let ca_certificates = match &choice.ca_file {
        Some(file) => Some(read(file, "the CA certificates")?),
        None => None,
    };
    let mut options = ServerOptions::default().user_agent(PROGRAM);
    options.ca_certificates.clone_from(&ca_certificates);
    let printed = out.clone();
    let server = HttpOrchestrator::connect(&choice.address, &options);
    let server = server.map_err(|error| unusable(&choice.address, &error))?.on_warning(move |text| printed.warn(text));
    match credential(choice, &server)? {
        Some(Credential::Given(token)) => {
            if !server.is_confidential() {
                out.warn(&format!(
                    "the token is sent to {} unencrypted: anyone on the network path can read and use it; use https",
                    server.address()
                ));
            }
            Ok(server.token_source(token))
        }
        Some(Credential::Saved(file, login)) => {
            Ok(server.token_source(RenewingToken::new(file, login, ca_certificates, out.clone())))
        }
        None => Ok(server),
    }
}

/// Where the token for a server comes from.
pub(crate) enum Credential {
    /// From the environment or a file.
    Given(SecretString),
    /// From `urumi login`.
    Saved(LoginFile, Login),
}

/// The token for a server, or `None`.
///
/// # Errors
/// When a token is chosen but cannot be read.
pub(crate) fn credential(choice: &ServerChoice, server: &HttpOrchestrator) -> Result<Option<Credential>, CommandError> {
    if let Some(token) = token(choice.token_file.as_deref())? {
        return Ok(Some(Credential::Given(token)));
    }
    // `urumi login` saves none for such a server, but the file may be another program's.
    if !server.is_confidential() {
        return Ok(None);
    }
    let Some(file) = LoginFile::of(server) else { return Ok(None) };
    Ok(file.load()?.map(|login| Credential::Saved(file, login)))
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
    checked_token(token, &place).map(Some)
}

/// Checks the syntax of a token. `place` is where it comes from.
///
/// # Errors
/// When it cannot be a token. The error contains no part of it.
pub(crate) fn checked_token(token: Option<String>, place: &str) -> Result<SecretString, CommandError> {
    // RFC 6750 allows a subset of visible ASCII.
    let token = token.map(|token| token.trim().to_owned());
    match token.filter(|token| !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic())) {
        Some(token) => Ok(SecretString::new(token)),
        None => Err(CommandError::usage(format!(
            "{place} contains no valid token: a token is one word of visible ASCII characters"
        ))),
    }
}

/// The error of an address that cannot be used, or of CA certificates.
pub(crate) fn unusable(address: &str, error: &ServerError) -> CommandError {
    let failure = CommandError::usage(error.to_string());
    // An address with '@' may contain a password.
    if address.is_empty() || address.contains("://") || address.contains('@') {
        return failure.hint("pass e.g. `--server https://urumi.example.com --ca-file ca.pem`");
    }
    let is_local = ["localhost", "127.", "[::1]"].iter().any(|host| address.starts_with(host));
    let scheme = if is_local { "http" } else { "https" };
    failure.hint(format!("write the address with its scheme, e.g. `--server {scheme}://{address}`"))
}
