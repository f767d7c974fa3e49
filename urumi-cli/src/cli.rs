//! Definitions of the commands and their arguments.

mod global;

use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgMatches, Args, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use urumi_core::OwnerLimits;
use urumi_core::settings::duration;
use urumi_core::store::logs::LogQuery;
use urumi_core::store::status::StoreStatus;

pub(crate) use self::global::{ClusterChoice, Format, GlobalArgs};
use crate::{commands, exit};

/// Create and manage isolated online stores on Kubernetes.
///
/// Each store has its own namespace with a storefront, a commerce API and a database, and its own URLs. All state is in
/// the cluster, so every computer with access to it sees the same stores. Use the cluster directly, like kubectl, or
/// through a urumi server (`--server`, `urumi context`).
#[derive(Debug, Parser)]
#[command(
    name = "urumi",
    version = commands::version::with_commit(),
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = exit::help(),
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
}

impl Cli {
    /// Parses matched arguments.
    pub(crate) fn read(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut cli = Cli::from_arg_matches(matches)?;
        cli.global.note_flags(matches);
        Ok(cli)
    }
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create a store
    #[command(after_help = "Examples:
  urumi create 'My Shop'
  urumi create 'My Shop' --wait --timeout 5m
  urumi create 'My Shop' --id my-shop --set api.replicas=2
  urumi create 'My Shop' --set storefront.theme.colors.accent=#0a7d4f --set-file storefront.theme.logo=logo.svg
  urumi create 'My Shop' --values shop.yaml --dry-run
  urumi --cluster memory create 'My Shop' --wait     # try it without a cluster
  ID=$(urumi create 'My Shop' -o name)

A store becomes `ready` only while a monitor runs: `urumi monitor`, urumi-http, or this command with --wait. \
With --idempotency-key, you can repeat the same command for 24 hours: it creates only one store.")]
    Create(CreateArgs),

    /// List all stores, oldest first
    #[command(
        visible_alias = "ls",
        after_help = "Examples:
  urumi list
  urumi list --status failed,degraded -o wide
  urumi list -o json | jq -r '.[].urls.storefront'"
    )]
    List {
        /// Show only stores with this status; separate several with commas
        #[arg(long, value_name = "STATUS", value_delimiter = ',', value_parser = status_parser())]
        status: Vec<StoreStatus>,
    },

    /// Show a store and the state of each component
    #[command(after_help = "Examples:
  urumi get my-shop
  urumi get my-shop -o yaml
  urumi get 'My Shop' -o json | jq -r .urls.api")]
    Get(StoreArg),

    /// Delete a store and all its data
    #[command(
        visible_alias = "rm",
        after_help = "Examples:
  urumi delete my-shop
  urumi delete my-shop --yes --wait
  urumi delete my-shop --yes --if-version 4711

On a terminal, the command asks for confirmation. Without a terminal, --yes is required."
    )]
    Delete {
        #[command(flatten)]
        which: StoreArg,
        /// Delete without confirmation
        #[arg(short, long)]
        yes: bool,
        /// Delete only if the store still has this version (`resourceVersion` in `urumi get STORE -o json`)
        #[arg(long, value_name = "VERSION")]
        if_version: Option<String>,
        #[command(flatten)]
        wait: WaitArgs,
    },

    /// Wait until a store is ready or deleted
    #[command(after_help = "Examples:
  urumi wait my-shop
  urumi wait my-shop --for deleted --timeout 2m

The command only watches: a monitor must run meanwhile (`urumi monitor`, urumi-http or `urumi create --wait`). \
With `--for ready`, it exits with code 6 as soon as the store is `failed`.")]
    Wait {
        #[command(flatten)]
        which: StoreArg,
        /// The state to wait for
        #[arg(long = "for", value_enum, value_name = "STATE", default_value_t = Awaited::Ready)]
        awaited: Awaited,
        /// How long to wait, e.g. 90s, 10m, 1h30m
        #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true, default_value = "10m")]
        timeout: Duration,
    },

    /// Print every change of one store or all stores until Ctrl-C
    #[command(after_help = "Examples:
  urumi watch
  urumi watch my-shop
  urumi watch -o json | jq -c 'select(.type == \"changed\") | .store.status'")]
    Watch {
        /// The store: its id, a unique prefix of its id, or its exact name; the default is all stores
        #[arg(value_name = "STORE")]
        store: Option<String>,
    },

    /// Restart the setup of a failed store, with a new deadline
    #[command(after_help = "Examples:
  urumi retry my-shop
  urumi retry my-shop --wait

The command creates missing objects and keeps existing ones.")]
    Retry {
        #[command(flatten)]
        which: StoreArg,
        #[command(flatten)]
        wait: WaitArgs,
    },

    /// Print the logs of a store's containers
    #[command(after_help = "Examples:
  urumi logs my-shop
  urumi logs my-shop --component api --tail 20 --follow
  urumi logs my-shop -o json | jq -r 'select(.component == \"api\") | .text'

Each line starts with its component and pod, unless you choose one component. Control characters are removed or escaped; \
-o json prints each unchanged line in a JSON object. With --follow, Ctrl-C stops the command with exit code 0.")]
    Logs {
        #[command(flatten)]
        which: StoreArg,
        /// Keep printing new lines until Ctrl-C
        #[arg(short, long)]
        follow: bool,
        /// Show only this component, e.g. `api`; the default is all components
        #[arg(long, value_name = "COMPONENT")]
        component: Option<String>,
        /// How many of the last lines to print of each container
        #[arg(long, value_name = "LINES", default_value_t = LogQuery::TAIL, value_parser = clap::value_parser!(u32).range(..=i64::from(LogQuery::MAX_TAIL)))]
        tail: u32,
    },

    /// Show a store's history, oldest first
    #[command(after_help = "Examples:
  urumi events my-shop
  urumi events my-shop -o wide
  urumi events my-shop -o json | jq -r '.[] | select(.type == \"Warning\") | .message'

The history contains status changes, Kubernetes Events of the store's objects, and requests of users to a server. \
Kubernetes keeps Events for about an hour; status changes are kept as long as the store exists.")]
    Events(StoreArg),

    /// Show the admin login of a store: URL, e-mail address and password
    #[command(after_help = "Examples:
  urumi credentials my-shop
  urumi credentials my-shop --reveal
  urumi credentials my-shop --reveal -o json | jq -r .password

The command shows the first administrator's generated password. It does not know a password that was changed in the \
store. A server records who revealed the password. -o name prints only the password, or without --reveal only the e-mail \
address.")]
    Credentials {
        #[command(flatten)]
        which: StoreArg,
        /// Also show the password
        #[arg(long)]
        reveal: bool,
    },

    /// Test a store by placing an order
    #[command(after_help = "Examples:
  urumi smoke my-shop
  urumi smoke my-shop -o json | jq '.steps[] | select(.error)'
  urumi smoke my-shop -q && echo 'the shop sells'

A Job in the store buys a product like a customer, and reports each step. If a step fails, the exit code is 6 and the \
store is `degraded` until an order succeeds. Ctrl-C stops waiting; the order continues. To run this test regularly, set \
the store's option smoke.schedule. -o name prints the order's id.")]
    Smoke(StoreArg),

    /// Print the manifests of a new store without creating it
    #[command(after_help = "Examples:
  urumi render 'My Shop' --id my-shop
  urumi render 'My Shop' --id my-shop --set api.replicas=2 -o json
  urumi render 'My Shop' -o name

The command needs no cluster. With a server, the server renders the manifests with its own settings. Secrets are printed \
as REDACTED, because they are generated when the store is created. The default output is YAML; -o json prints one List; \
-o table and -o name list the objects.")]
    Render(NewStoreArgs),

    /// Show how a store's objects differ from its manifests
    #[command(after_help = "Examples:
  urumi diff my-shop
  urumi diff my-shop -o json

A monitor repairs these differences. The exit code is 0 with and without differences. The command does not read or \
compare generated secrets.")]
    Diff(StoreArg),

    /// Keep statuses up to date and repair stores; runs in the foreground until Ctrl-C or SIGTERM
    #[command(after_help = "Examples:
  urumi monitor
  urumi monitor --only my-shop --deadline 30m

The monitor updates the stores' statuses and repairs their objects. It prints each status change to stderr. It uses a \
cluster directly; urumi-http runs its own monitor. The exit code is 0 after Ctrl-C or SIGTERM, and not 0 after an error.")]
    Monitor {
        /// How often to check all stores again, in addition to the changes reported by watches
        #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true, default_value = "10s")]
        resync: Duration,
        /// How long a store may be `provisioning` before it is `failed`
        #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true, default_value = "15m")]
        deadline: Duration,
        /// Monitor only this store: its id, a unique prefix of its id, or its exact name
        #[arg(long, value_name = "STORE")]
        only: Option<String>,
    },

    /// List the engines, or the options of one engine
    #[command(after_help = "Examples:
  urumi engines
  urumi engines medusa
  urumi engines medusa -o json | jq .options     # its options as JSON Schema
  urumi engines medusa --engine-defaults defaults.yaml

The command shows the effective defaults, including those of --engine-defaults or of the server.")]
    Engines {
        /// The engine whose options to list
        #[arg(value_name = "NAME")]
        name: Option<String>,
    },

    /// Create, show and delete a store on an in-memory cluster
    #[command(after_help = "Examples:
  urumi demo

The cluster exists only in this process; nothing else changes.")]
    Demo,

    /// Diagnose the cluster or server and your permissions, and suggest fixes
    #[command(after_help = "Examples:
  urumi doctor
  urumi doctor --domain stores.example.com -o json
  urumi doctor --server https://urumi.example.com

On a cluster, the command checks permissions, classes and the domain. On a server, it checks the connection, readiness, \
clock, version, and your identity. The exit code is 1 if a problem prevents the creation of stores.")]
    Doctor,

    /// Show your identity and role on the server
    #[command(after_help = "Examples:
  urumi whoami
  urumi whoami -o json | jq -r .role

On a cluster, the command shows the kubeconfig context; `urumi doctor` checks your permissions there.")]
    Whoami,

    /// Manage saved servers, and choose the default server
    ///
    /// Servers are saved in $XDG_CONFIG_HOME/urumi/config.yaml (by default ~/.config/urumi/config.yaml). The file contains
    /// paths of token files, but no tokens. These contexts are unrelated to kubeconfig contexts.
    #[command(after_help = "Examples:
  urumi context set prod --server https://urumi.example.com --token-file ~/.urumi-token
  urumi context use prod
  urumi context none

--server, --cluster, URUMI_SERVER and URUMI_CLUSTER outrank this choice.")]
    Context {
        #[command(subcommand)]
        command: ContextCommand,
    },

    /// Print a completion script for a shell
    #[command(after_help = "Examples:
  source <(urumi completions bash)
  urumi completions fish > ~/.config/fish/completions/urumi.fish")]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },

    /// Print the version of this command and of the chosen server
    #[command(after_help = "Examples:
  urumi version
  urumi version -o json")]
    Version,
}

/// The subcommands of `urumi context`.
#[derive(Debug, Subcommand)]
pub(crate) enum ContextCommand {
    /// Save a server under a name, replacing any server saved under it
    #[command(after_help = "Examples:
  urumi context set prod --server https://urumi.example.com --token-file ~/.urumi-token
  urumi context set lab --server https://10.0.0.5:8443 --ca-file lab-ca.pem

The context stores the address and the absolute paths of --token-file and --ca-file.")]
    Set {
        /// The name: letters, digits, '-', '_' and '.'
        #[arg(value_name = "NAME")]
        name: String,
    },

    /// Make this server the default
    #[command(after_help = "Examples:
  urumi context use prod")]
    Use {
        /// The server's name
        #[arg(value_name = "NAME")]
        name: String,
    },

    /// List the saved servers
    #[command(
        visible_alias = "ls",
        after_help = "Examples:
  urumi context list
  urumi context list -o json | jq -r '.[] | select(.current).server'"
    )]
    List,

    /// Delete a saved server; its token and CA files are kept
    #[command(
        visible_alias = "rm",
        after_help = "Examples:
  urumi context delete lab"
    )]
    Delete {
        /// The server's name
        #[arg(value_name = "NAME")]
        name: String,
    },

    /// Use the kubeconfig's cluster by default
    #[command(
        visible_alias = "unset",
        after_help = "Examples:
  urumi context none"
    )]
    None,
}

/// Names an existing store.
#[derive(Args, Debug)]
pub(crate) struct StoreArg {
    /// The store: its id, a unique prefix of its id, or its exact name
    #[arg(value_name = "STORE")]
    pub(crate) store: String,
}

/// Describes a new store.
#[derive(Args, Debug)]
pub(crate) struct NewStoreArgs {
    /// The display name: up to 100 characters, including quotes and emoji
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// The engine, i.e. the kind of store; see `urumi engines`
    #[arg(long, value_name = "ENGINE", default_value = "medusa")]
    pub(crate) engine: String,

    /// The id, part of the store's URLs: up to 50 of a-z, 0-9 and '-'; the default is random
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    pub(crate) id: Option<String>,

    /// The owner, e.g. `user:alice` or `team:web`; on a server, the default is you
    #[arg(long, value_name = "OWNER")]
    pub(crate) owner: Option<String>,

    /// Set an option; see `urumi engines NAME` for paths and types
    ///
    /// The value is converted to the option's type. Write a list as JSON or separate its values with commas. Set a map
    /// key by key or as JSON. Quote a path part that contains dots: 'ingress.annotations."example.com/x"=y', or put a
    /// backslash before each dot. If an option is set twice, the last value applies; --set overrides --values.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub(crate) sets: Vec<String>,

    /// Set an option to a file's content, e.g. storefront.theme.logo=logo.svg
    ///
    /// If the option is a data URL, the file must be an image. Otherwise the file's text is used like a value of --set.
    /// --set-file overrides --set and --values.
    #[arg(long = "set-file", value_name = "PATH=FILE")]
    pub(crate) set_files: Vec<String>,

    /// Read options from a YAML or JSON file, or from stdin with '-'; several files are merged
    #[arg(long = "values", value_name = "FILE")]
    pub(crate) values: Vec<String>,
}

/// The arguments of `create`.
#[derive(Args, Debug)]
pub(crate) struct CreateArgs {
    #[command(flatten)]
    pub(crate) store: NewStoreArgs,

    #[command(flatten)]
    pub(crate) wait: WaitArgs,

    /// Return the existing store if this key was used before: 1 to 255 visible ASCII characters, e.g. a UUID
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<String>,

    #[command(flatten)]
    pub(crate) limits: LimitArgs,

    /// Check the request and print the objects that would be created, but create nothing
    #[arg(long, conflicts_with = "wait")]
    pub(crate) dry_run: bool,
}

/// The options `--max-stores-per-owner` and `--max-provisioning-per-owner`.
#[derive(Args, Debug)]
pub(crate) struct LimitArgs {
    /// On a cluster: create nothing if the owner has this many stores; a server has limits of its own
    #[arg(long, value_name = "NUMBER", env = "URUMI_MAX_STORES_PER_OWNER", hide_env_values = true)]
    pub(crate) max_stores_per_owner: Option<usize>,

    /// On a cluster: create nothing if this many of the owner's stores are provisioning
    #[arg(long, value_name = "NUMBER", env = "URUMI_MAX_PROVISIONING_PER_OWNER", hide_env_values = true)]
    pub(crate) max_provisioning_per_owner: Option<usize>,
}

impl From<&LimitArgs> for OwnerLimits {
    fn from(limits: &LimitArgs) -> Self {
        OwnerLimits::default().stores(limits.max_stores_per_owner).provisioning(limits.max_provisioning_per_owner)
    }
}

/// The options `--wait` and `--timeout`.
#[derive(Args, Debug)]
pub(crate) struct WaitArgs {
    /// Wait until the operation is complete
    #[arg(long)]
    pub(crate) wait: bool,

    /// How long to wait, e.g. 90s, 10m, 1h30m
    #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true, default_value = "10m")]
    pub(crate) timeout: Duration,
}

/// A state that `urumi wait` can wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Awaited {
    /// Every component is available
    Ready,
    /// The store and its namespace are deleted
    Deleted,
}

fn status_parser() -> impl TypedValueParser<Value = StoreStatus> {
    PossibleValuesParser::new(StoreStatus::ALL.map(StoreStatus::as_str))
        .try_map(|word| StoreStatus::parse(&word).ok_or("not a status"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }
}
