//! Decides which cluster or server a command uses: flags outrank the environment, which outranks the default context.

use std::path::PathBuf;

use crate::cli::{ClusterChoice, GlobalArgs};
use crate::contexts::{Context, Contexts};
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

impl ServerChoice {
    /// A saved server. Flags and variables override its files.
    fn saved(saved: &Context, global: &GlobalArgs) -> Self {
        ServerChoice {
            address: saved.server.clone(),
            token_file: global.token_file.as_ref().or(saved.token_file.as_ref()).cloned(),
            ca_file: global.ca_file.as_ref().or(saved.ca_file.as_ref()).cloned(),
        }
    }
}

/// What an option chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Context,
    Server,
    Cluster,
}

/// An option that chooses a target.
struct Chooser {
    id: &'static str,
    flag: &'static str,
    variable: &'static str,
    kind: Kind,
    is_given: fn(&GlobalArgs) -> bool,
}

const CHOOSERS: [Chooser; 5] = [
    Chooser {
        id: "context",
        flag: "--context",
        variable: "URUMI_CONTEXT",
        kind: Kind::Context,
        is_given: |global| global.context.is_some(),
    },
    Chooser {
        id: "server",
        flag: "--server",
        variable: "URUMI_SERVER",
        kind: Kind::Server,
        is_given: |global| global.server.is_some(),
    },
    Chooser {
        id: "cluster",
        flag: "--cluster",
        variable: "URUMI_CLUSTER",
        kind: Kind::Cluster,
        is_given: |global| global.cluster.is_some(),
    },
    Chooser {
        id: "kubeconfig",
        flag: "--kubeconfig",
        variable: "",
        kind: Kind::Cluster,
        // $KUBECONFIG chooses a cluster only if nothing else does.
        is_given: |_| false,
    },
    Chooser {
        id: "kube_context",
        flag: "--kube-context",
        variable: "URUMI_KUBE_CONTEXT",
        kind: Kind::Cluster,
        is_given: |global| global.kube_context.is_some(),
    },
];

/// The kind of target that these options agree on, and the first of them.
fn agreed(
    given: &[&Chooser],
    name: fn(&Chooser) -> &'static str,
    conflict: fn(&str, &str) -> String,
    hint: &str,
) -> Result<Option<(Kind, &'static str)>, CommandError> {
    let Some(first) = given.first() else { return Ok(None) };
    match given.iter().find(|other| other.kind != first.kind) {
        Some(other) => Err(CommandError::usage(conflict(name(first), name(other))).hint(hint)),
        None => Ok(Some((first.kind, name(first)))),
    }
}

/// The kind of target chosen by flags or the environment, and the flag or variable. Flags outrank the environment.
///
/// # Errors
/// When flags choose more than one target, or the environment does.
pub(crate) fn chosen_by(global: &GlobalArgs) -> Result<Option<(Kind, &'static str)>, CommandError> {
    let flags: Vec<&Chooser> = CHOOSERS.iter().filter(|one| global.is_flag(one.id)).collect();
    let by_flag = agreed(
        &flags,
        |one| one.flag,
        |one, other| format!("{one} and {other} cannot be used together"),
        "--server and --context choose a server; --cluster, --kubeconfig and --kube-context use a cluster directly",
    )?;
    if by_flag.is_some() {
        return Ok(by_flag);
    }
    let variables: Vec<&Chooser> = CHOOSERS.iter().filter(|one| (one.is_given)(global)).collect();
    agreed(
        &variables,
        |one| one.variable,
        |one, other| format!("{one} and {other} are both set, but they choose different targets"),
        "unset one of them, or pass --context, --server or --cluster, which outrank both",
    )
}

/// The variables that outrank the default context.
pub(crate) fn outranking_variables() -> Vec<&'static str> {
    let is_set = |variable: &&str| std::env::var_os(variable).is_some_and(|value| !value.is_empty());
    CHOOSERS.iter().map(|one| one.variable).filter(|variable| !variable.is_empty()).filter(is_set).collect()
}

/// The choice made by flags or the environment, if any.
///
/// # Errors
/// Like [`chosen_by`]; when there is no such context.
pub(crate) fn explicit(global: &GlobalArgs) -> Result<Option<Choice>, CommandError> {
    let kind = chosen_by(global)?.map(|(kind, _)| kind);
    Ok(match (kind, &global.context, &global.server) {
        (Some(Kind::Context), Some(name), _) => {
            Some(Choice::Server(ServerChoice::saved(Contexts::load()?.require(name)?, global)))
        }
        (Some(Kind::Server), _, Some(address)) => Some(Choice::Server(ServerChoice {
            address: address.clone(),
            token_file: global.token_file.clone(),
            ca_file: global.ca_file.clone(),
        })),
        (Some(Kind::Cluster), _, _) => Some(Choice::Cluster(global.cluster.unwrap_or(ClusterChoice::Kube))),
        _ => None,
    })
}

/// The choice made by flags, the environment or `urumi context use`, in this order; by default, the kubeconfig's cluster.
///
/// # Errors
/// When flags contradict each other or the choice, or the saved contexts cannot be read.
pub(crate) fn choose(global: &GlobalArgs) -> Result<Choice, CommandError> {
    let choice = match explicit(global)? {
        Some(choice) => choice,
        None => match Contexts::load()?.current()? {
            Some(saved) => Choice::Server(ServerChoice::saved(saved, global)),
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
                .hint("add --server URL, or --context NAME for a saved server"));
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
                .hint("`urumi engines NAME` shows the server's defaults; set them with urumi-http --engine-defaults")
                .hint("to check the file without a cluster, add `--cluster memory`"));
            }
            let limits = [
                ("max_stores_per_owner", "--max-stores-per-owner"),
                ("max_provisioning_per_owner", "--max-provisioning-per-owner"),
            ];
            if let Some((_, flag)) = limits.into_iter().find(|(id, _)| global.is_flag(id)) {
                return Err(CommandError::usage(format!(
                    "{flag} works only with a cluster: a server has its own limits"
                ))
                .hint(format!("set the server's limits with urumi-http {flag}")));
            }
            if global.is_flag("memory_ready_after") {
                return Err(CommandError::usage(
                    "--memory-ready-after works only with `--cluster memory`, but this command uses a server",
                )
                .hint("add `--cluster memory`, or omit --memory-ready-after"));
            }
        }
    }
    Ok(choice)
}
