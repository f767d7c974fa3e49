//! Decides which cluster or server a command uses: flags outrank the environment, which outranks the saved context.

use std::path::PathBuf;

use crate::cli::{ClusterChoice, GlobalArgs};
use crate::contexts::Contexts;
use crate::engine_defaults;
use crate::exit::CommandError;

/// The cluster or server that a command uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    Cluster(ClusterChoice),
    Server(ServerChoice),
}

/// A server's address, and the files needed to connect to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerChoice {
    pub(crate) address: String,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) ca_file: Option<PathBuf>,
}

/// Ids of the flags that choose a cluster.
const CLUSTER: [&str; 3] = ["cluster", "kubeconfig", "context"];

/// The choice made by flags or the environment, if any. Flags outrank the environment.
///
/// # Errors
/// When flags choose both a cluster and a server, or the environment does.
pub(crate) fn explicit(global: &GlobalArgs) -> Result<Option<Choice>, CommandError> {
    // Treat an empty variable as unset.
    let server = global.server.as_ref().filter(|address| global.is_flag("server") || !address.is_empty());
    let server = server.map(|address| {
        Choice::Server(ServerChoice {
            address: address.clone(),
            token_file: global.token_file.clone(),
            ca_file: global.ca_file.clone(),
        })
    });
    let cluster = Choice::Cluster(global.cluster.unwrap_or(ClusterChoice::Kube));
    let by_flag = CLUSTER.into_iter().find(|id| global.is_flag(id));
    match (global.is_flag("server"), by_flag) {
        (true, Some(flag)) => {
            return Err(CommandError::usage(format!("--server and --{flag} cannot be used together"))
                .hint("--server uses a server; --cluster, --kubeconfig and --context use a cluster directly"));
        }
        (true, None) => return Ok(server),
        (false, Some(_)) => return Ok(Some(cluster)),
        (false, None) => {}
    }
    let variable = match (&global.cluster, &global.context) {
        (Some(_), _) => Some("URUMI_CLUSTER"),
        (None, Some(_)) => Some("URUMI_CONTEXT"),
        (None, None) => None,
    };
    match (server, variable) {
        (Some(_), Some(variable)) => Err(CommandError::usage(format!(
            "URUMI_SERVER and {variable} are both set: one chooses a server, the other a cluster"
        ))
        .hint("unset one of them, or pass --server or --cluster, which outrank both")),
        (Some(server), None) => Ok(Some(server)),
        (None, Some(_)) => Ok(Some(cluster)),
        (None, None) => Ok(None),
    }
}

/// The choice made by flags, the environment or `urumi context use`, in this order; by default, the kubeconfig's cluster.
///
/// # Errors
/// When flags contradict each other or the choice, or the saved contexts cannot be read.
pub(crate) fn choose(global: &GlobalArgs) -> Result<Choice, CommandError> {
    let choice = match explicit(global)? {
        Some(choice) => choice,
        None => match Contexts::load()?.current()? {
            Some(saved) => Choice::Server(ServerChoice {
                address: saved.server.clone(),
                token_file: global.token_file.as_ref().or(saved.token_file.as_ref()).cloned(),
                ca_file: global.ca_file.as_ref().or(saved.ca_file.as_ref()).cloned(),
            }),
            None => Choice::Cluster(ClusterChoice::Kube),
        },
    };
    match &choice {
        Choice::Cluster(_) => {
            let flag = [("token_file", "--token-file"), ("ca_file", "--ca-file")];
            if let Some((_, flag)) = flag.into_iter().find(|(id, _)| global.is_flag(id)) {
                return Err(CommandError::usage(format!(
                    "{flag} works only with a server, but this command uses a cluster"
                ))
                .hint("add --server URL, or choose a saved server with `urumi context use NAME`"));
            }
            // Report errors in the file before any request to the cluster.
            engine_defaults::engines(global)?;
        }
        Choice::Server(_) => {
            if global.is_flag("domain") {
                return Err(CommandError::usage("--domain works only with a cluster: a server has its own domain")
                    .hint("to set one store's domain, use its engine's option: see `urumi engines medusa`"));
            }
            if global.is_flag("engine_defaults") {
                return Err(CommandError::usage(
                    "--engine-defaults works only with a cluster: a server has its own defaults",
                )
                .hint("`urumi engines NAME` shows the server's defaults; set them with urumi-http --engine-defaults"));
            }
            if global.is_flag("memory_delay") {
                return Err(CommandError::usage(
                    "--memory-delay works only with `--cluster memory`, but this command uses a server",
                )
                .hint("add `--cluster memory`, or omit --memory-delay"));
            }
        }
    }
    Ok(choice)
}
