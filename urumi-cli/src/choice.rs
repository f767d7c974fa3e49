//! Whether a run works on a cluster or through a server, and which: what was said nearest to the command counts.

use std::path::PathBuf;

use crate::cli::{ClusterChoice, Global};
use crate::contexts::Contexts;
use crate::engine_defaults;
use crate::exit::Failure;

/// What a run works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    Cluster(ClusterChoice),
    Server(ServerChoice),
}

/// A server, and the files that it is reached with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerChoice {
    pub(crate) address: String,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) ca_file: Option<PathBuf>,
}

/// The options that choose a cluster.
const CLUSTER: [&str; 3] = ["cluster", "kubeconfig", "context"];

/// The choice, as far as flags or the environment make one. Flags come first.
///
/// # Errors
/// When both a cluster and a server are chosen, by the same means.
pub(crate) fn explicit(global: &Global) -> Result<Option<Choice>, Failure> {
    // A variable that is there but empty says nothing.
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
            return Err(Failure::usage(format!("--server and --{flag} cannot be used together"))
                .hint("--server works through a server; --cluster, --kubeconfig and --context work on a cluster"));
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
        (Some(_), Some(variable)) => Err(Failure::usage(format!(
            "URUMI_SERVER and {variable} are both set, one for a server, one for a cluster"
        ))
        .hint("unset one of them, or say --server or --cluster, which outrank both")),
        (Some(server), None) => Ok(Some(server)),
        (None, Some(_)) => Ok(Some(cluster)),
        (None, None) => Ok(None),
    }
}

/// The choice: by flags, by the environment, by `urumi context use`, or else the cluster of the kubeconfig.
///
/// # Errors
/// When what was said contradicts itself or the choice, or the saved contexts cannot be read.
pub(crate) fn choose(global: &Global) -> Result<Choice, Failure> {
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
                return Err(Failure::usage(format!("{flag} is for a server, and this command works on a cluster"))
                    .hint("add --server URL, or choose a saved server with `urumi context use NAME`"));
            }
            // What is wrong with them is said before any cluster is asked.
            engine_defaults::engines(global)?;
        }
        Choice::Server(_) => {
            if global.is_flag("domain") {
                return Err(Failure::usage("--domain is for a cluster: a server has a domain of its own")
                    .hint("a store's own domain is an option of its engine: see `urumi engines medusa`"));
            }
            if global.is_flag("engine_defaults") {
                return Err(Failure::usage(
                    "--engine-defaults is for a cluster: a server has defaults of its own for its engines",
                )
                .hint("`urumi engines NAME` shows the server's; urumi-http takes a file of them by the same name"));
            }
            if global.is_flag("memory_delay") {
                return Err(Failure::usage(
                    "--memory-delay is for `--cluster memory`, and this works through a server",
                )
                .hint("add `--cluster memory`, or leave --memory-delay out"));
            }
        }
    }
    Ok(choice)
}
