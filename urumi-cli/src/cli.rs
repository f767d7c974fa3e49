//! The arguments, and nothing else.

mod global;

use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgMatches, Args, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use urumi_core::settings::duration;
use urumi_core::store::logs::LogQuery;
use urumi_core::store::status::StoreStatus;

pub(crate) use self::global::{ClusterChoice, Format, Global};
use crate::exit;

/// Create and look after isolated online stores on Kubernetes.
///
/// Every store gets a namespace of its own with a storefront, a commerce API and a database, and addresses of its own.
/// The cluster is the only database: what one computer created, any other sees. Work on it directly, as kubectl does,
/// or through a urumi server (`--server`, `urumi context`).
#[derive(Debug, Parser)]
#[command(
    name = "urumi",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = exit::help(),
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: Global,
}

impl Cli {
    /// The arguments that the process was called with.
    pub(crate) fn read(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut cli = Cli::from_arg_matches(matches)?;
        cli.global.note_flags(matches);
        Ok(cli)
    }
}

/// What to do.
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

Without --wait, the store becomes `ready` only where a monitor runs (`urumi monitor` or urumi-http).
With --wait, this command looks after its store by itself; a server looks after all of its stores anyway.
With --idempotency-key, the same command may be repeated for 24 hours: one store is made.")]
    Create(Create),

    /// List all stores, oldest first
    #[command(
        visible_alias = "ls",
        after_help = "Examples:
  urumi list
  urumi list --status failed,degraded -o wide
  urumi list -o json | jq -r '.[].urls.storefront'"
    )]
    List {
        /// Only stores of this status; several with commas
        #[arg(long, value_name = "STATUS", value_delimiter = ',', value_parser = status_parser())]
        status: Vec<StoreStatus>,
    },

    /// Show a store and the state of each of its components
    #[command(after_help = "Examples:
  urumi get my-shop
  urumi get my-shop -o yaml
  urumi get 'My Shop' -o json | jq -r .urls.api")]
    Get(Which),

    /// Delete a store with everything in it, its data included
    #[command(
        visible_alias = "rm",
        after_help = "Examples:
  urumi delete my-shop
  urumi delete my-shop --yes --wait
  urumi delete my-shop --yes --if-version 4711

On a terminal it asks first; elsewhere --yes is needed."
    )]
    Delete {
        #[command(flatten)]
        which: Which,
        /// Don't ask
        #[arg(short, long)]
        yes: bool,
        /// Only if the store is still of this version: `resourceVersion` in `urumi get STORE -o json`
        #[arg(long, value_name = "VERSION")]
        if_version: Option<String>,
        #[command(flatten)]
        wait: WaitArgs,
    },

    /// Wait until a store is ready, or gone
    #[command(after_help = "Examples:
  urumi wait my-shop
  urumi wait my-shop --for deleted --timeout 2m

`ready` ends with exit code 6 as soon as the store is `failed`. Somebody must look after the store meanwhile
(`urumi monitor`, urumi-http or a `create --wait`): this command only watches.")]
    Wait {
        #[command(flatten)]
        which: Which,
        /// What to wait for
        #[arg(long = "for", value_enum, value_name = "STATE", default_value_t = Awaited::Ready)]
        awaited: Awaited,
        /// How long, e.g. 90s, 10m, 1h30m
        #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true, default_value = "10m")]
        timeout: Duration,
    },

    /// Print every change of one store or of all, until Ctrl-C
    #[command(after_help = "Examples:
  urumi watch
  urumi watch my-shop
  urumi watch -o json | jq -c 'select(.type == \"changed\") | .store.status'")]
    Watch {
        /// The store: its id, the unique beginning of its id, or its exact name; all stores without
        #[arg(value_name = "STORE")]
        store: Option<String>,
    },

    /// Give a failed store a new deadline, and make what is missing
    #[command(after_help = "Examples:
  urumi retry my-shop --wait")]
    Retry {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        wait: WaitArgs,
    },

    /// Print what the containers of a store write
    #[command(after_help = "Examples:
  urumi logs my-shop
  urumi logs my-shop --component api --tail 20 --follow
  urumi logs my-shop -o json | jq -r 'select(.component == \"api\") | .text'

Lines begin with their component and pod unless one component is asked for. Control characters are not passed on to the
terminal; -o json prints lines as they are, one object each. With --follow, Ctrl-C ends it with exit code 0.")]
    Logs {
        #[command(flatten)]
        which: Which,
        /// Go on with what is written from now on, until Ctrl-C
        #[arg(short, long)]
        follow: bool,
        /// Only this component, e.g. `api`; all without
        #[arg(long, value_name = "COMPONENT")]
        component: Option<String>,
        /// How many lines from the end, of each container
        #[arg(long, value_name = "LINES", default_value_t = LogQuery::TAIL, value_parser = clap::value_parser!(u32).range(..=i64::from(LogQuery::MAX_TAIL)))]
        tail: u32,
    },

    /// Show what happened to a store, oldest first
    #[command(after_help = "Examples:
  urumi events my-shop
  urumi events my-shop -o wide
  urumi events my-shop -o json | jq -r '.[] | select(.type == \"Warning\") | .message'

Changes of its status, Kubernetes' Events of its objects, and who asked a server for what. Kubernetes forgets Events
after an hour; changes of status are kept with the store.")]
    Events(Which),

    /// Show how to sign in to a store: the address, and its first administrator's e-mail address and password
    #[command(after_help = "Examples:
  urumi credentials my-shop
  urumi credentials my-shop --reveal
  urumi credentials my-shop --reveal -o json | jq -r .password

The password is the one that was generated for the store; what is changed there later is not seen here. A server notes
who revealed it. -o name prints nothing but the password, or the e-mail address without --reveal.")]
    Credentials {
        #[command(flatten)]
        which: Which,
        /// Show the password too
        #[arg(long)]
        reveal: bool,
    },

    /// Place an order in a store, to see whether that works
    #[command(after_help = "Examples:
  urumi smoke my-shop
  urumi smoke my-shop -o json | jq '.steps[] | select(.error)'
  urumi smoke my-shop -q && echo 'the shop sells'

A Job in the store buys something as a customer would, and tells of each step. If a step fails, all steps are printed and
the exit code is 6; the store is then degraded until an order succeeds. Ctrl-C ends the wait, not the order. With the
option smoke.schedule a store tries itself. -o name prints the order's id.")]
    Smoke(Which),

    /// Print all manifests of a store that is to be, without making it
    #[command(after_help = "Examples:
  urumi render 'My Shop' --id my-shop
  urumi render 'My Shop' --id my-shop --set api.replicas=2 -o json
  urumi render 'My Shop' -o name

No cluster is asked; a server renders by its own settings. Secrets are shown as REDACTED: they are drawn when the
store is created.
The default is YAML; -o json prints one List; -o table and -o name print what there is.")]
    Render(NewStore),

    /// Show what differs between a store and its manifests, which a repair would set right
    #[command(after_help = "Examples:
  urumi diff my-shop
  urumi diff my-shop -o json

The exit code is 0 whether there are differences or not. Generated secrets are never read nor compared.")]
    Diff(Which),

    /// Keep the statuses of all stores true, in the foreground, until Ctrl-C or SIGTERM
    #[command(after_help = "Examples:
  urumi monitor
  urumi monitor --only my-shop --deadline 30m

Every change of a status is a line on stderr. urumi-http has a monitor of its own. Ends with exit code 0 when it is
told to stop, and with another when it cannot go on. It works on a cluster only.")]
    Monitor {
        /// How often everything is looked at again, besides what watches report
        #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true, default_value = "10s")]
        resync: Duration,
        /// How long a store may be provisioning before it is `failed`
        #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true, default_value = "15m")]
        deadline: Duration,
        /// Only this store: its id, the unique beginning of its id, or its exact name
        #[arg(long, value_name = "STORE")]
        only: Option<String>,
    },

    /// List the engines, or the options of one
    #[command(after_help = "Examples:
  urumi engines
  urumi engines medusa
  urumi engines medusa -o json | jq .options     # its options as JSON Schema
  urumi engines medusa --engine-defaults defaults.yaml

The defaults shown are those in force here: of --engine-defaults, or of the server.")]
    Engines {
        /// The engine whose options are to be shown
        #[arg(value_name = "NAME")]
        name: Option<String>,
    },

    /// Show a store's life on a cluster in memory: create it, look at its objects, delete it
    #[command(after_help = "Examples:
  urumi demo

Nothing is changed anywhere: the cluster is in this process and ends with it.")]
    Demo,

    /// Check the cluster or the server, what one may do there, and say what to do
    #[command(after_help = "Examples:
  urumi doctor
  urumi doctor --domain stores.example.com -o json
  urumi doctor --server https://urumi.example.com

On a cluster: permissions, classes and the domain. Of a server: the connection, whether it is ready, its clock and
version, and who you are to it. The exit code is 1 when something is missing without which no store can be made.")]
    Doctor,

    /// Show who you are to the server, and what you may do
    #[command(after_help = "Examples:
  urumi whoami
  urumi whoami -o json | jq -r .role

A cluster decides by itself what the user of the kubeconfig may do: `urumi doctor` asks it.")]
    Whoami,

    /// Keep servers under names, and choose the one that all commands go to
    ///
    /// They are kept in $XDG_CONFIG_HOME/urumi/config.yaml (else ~/.config/urumi/config.yaml). Tokens are not, only the
    /// paths of their files. These contexts are not those of the kubeconfig.
    #[command(after_help = "Examples:
  urumi context set prod --server https://urumi.example.com --token-file ~/.urumi-token
  urumi context use prod
  urumi context none

--server and --cluster, and the variables URUMI_SERVER and URUMI_CLUSTER, outrank what is chosen here.")]
    Context {
        #[command(subcommand)]
        command: ContextCommand,
    },

    /// Print a shell's completions
    #[command(after_help = "Examples:
  source <(urumi completions bash)
  urumi completions fish > ~/.config/fish/completions/urumi.fish")]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },

    /// Print the version, and the server's where one is chosen
    #[command(after_help = "Examples:
  urumi version
  urumi version -o json")]
    Version,
}

/// What to do with the servers that are kept.
#[derive(Debug, Subcommand)]
pub(crate) enum ContextCommand {
    /// Keep a server under a name, with the paths of its files; replaces what was kept under that name
    #[command(after_help = "Examples:
  urumi context set prod --server https://urumi.example.com --token-file ~/.urumi-token
  urumi context set lab --server https://10.0.0.5:8443 --ca-file lab-ca.pem")]
    Set {
        /// The name: letters, digits, '-', '_' and '.'
        #[arg(value_name = "NAME")]
        name: String,
    },

    /// Let all commands that follow go to a server
    #[command(after_help = "Examples:
  urumi context use prod")]
    Use {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
    },

    /// List the servers that are kept
    #[command(
        visible_alias = "ls",
        after_help = "Examples:
  urumi context list
  urumi context list -o json | jq -r '.[] | select(.current).server'"
    )]
    List,

    /// Forget a server; the files that it names are left alone
    #[command(
        visible_alias = "rm",
        after_help = "Examples:
  urumi context delete lab"
    )]
    Delete {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
    },

    /// Let all commands that follow work on the cluster of the kubeconfig again
    #[command(
        visible_alias = "unset",
        after_help = "Examples:
  urumi context none"
    )]
    None,
}

/// A store that exists.
#[derive(Args, Debug)]
pub(crate) struct Which {
    /// The store: its id, the unique beginning of its id, or its exact name
    #[arg(value_name = "STORE")]
    pub(crate) store: String,
}

/// A store that is to be.
#[derive(Args, Debug)]
pub(crate) struct NewStore {
    /// The display name: up to 100 characters; quotes and emoji are fine
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// What kind of store: see `urumi engines`
    #[arg(long, value_name = "ENGINE", default_value = "medusa")]
    pub(crate) engine: String,

    /// The id, which is part of its addresses: up to 50 of a-z, 0-9 and '-'; drawn at random without
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    pub(crate) id: Option<String>,

    /// Whose store it is, e.g. `user:alice` or `team:web`; on a server, yourself without
    #[arg(long, value_name = "OWNER")]
    pub(crate) owner: Option<String>,

    /// Set an option; see `urumi engines NAME` for paths and types
    ///
    /// The value takes the option's type. Lists are values between commas or JSON, maps are set key by key or as
    /// JSON. A part of a path with dots in it goes into quotes: 'ingress.annotations."example.com/x"=y', or is written
    /// with a backslash before each dot. Of two values for one option the later wins, and --set wins over --values.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub(crate) sets: Vec<String>,

    /// Set an option to what a file holds, e.g. storefront.theme.logo=logo.svg
    ///
    /// An image becomes a data URL where the option takes one; everything else is read as text, as with --set. It wins
    /// over --set and --values.
    #[arg(long = "set-file", value_name = "PATH=FILE")]
    pub(crate) set_files: Vec<String>,

    /// Take options from a YAML or JSON file, or from stdin for '-'; maps of several files are merged
    #[arg(long = "values", value_name = "FILE")]
    pub(crate) values: Vec<String>,
}

/// The arguments of `create`.
#[derive(Args, Debug)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) store: NewStore,

    #[command(flatten)]
    pub(crate) wait: WaitArgs,

    /// Repetitions with this key make no second store: 1 to 255 visible ASCII characters, e.g. a UUID
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<String>,

    /// Check everything and print what would be created, but create nothing
    #[arg(long, conflicts_with = "wait")]
    pub(crate) dry_run: bool,
}

/// Whether to wait, and how long.
#[derive(Args, Debug)]
pub(crate) struct WaitArgs {
    /// Wait until it is done
    #[arg(long)]
    pub(crate) wait: bool,

    /// How long to wait, e.g. 90s, 10m, 1h30m
    #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true, default_value = "10m")]
    pub(crate) timeout: Duration,
}

/// What can be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Awaited {
    /// Every component is available
    Ready,
    /// The store and its namespace are gone
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
