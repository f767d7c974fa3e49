//! The arguments, and nothing else.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use jiff::SignedDuration;
use urumi_core::status::StoreStatus;

use crate::exit;

/// Create and look after isolated online stores on Kubernetes.
///
/// Every store gets a namespace of its own with a storefront, a commerce API and a database, and addresses of its own.
/// The cluster is the only database: what one computer created, any other sees.
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

/// What every command takes.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Which cluster to work on
    #[arg(long, global = true, value_enum, default_value_t = ClusterChoice::Kube, env = "URUMI_CLUSTER", hide_env_values = true)]
    pub(crate) cluster: ClusterChoice,

    /// The kubeconfig file; else $KUBECONFIG, ~/.kube/config, or the pod's service account
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,

    /// The context within the kubeconfig
    #[arg(long, global = true, value_name = "NAME", env = "URUMI_CONTEXT", hide_env_values = true)]
    pub(crate) context: Option<String>,

    /// The domain under which new stores are reachable, unless their options say otherwise
    #[arg(long, global = true, value_parser = domain, default_value = urumi_core::provisioner::LOCAL_DOMAIN, env = "URUMI_DOMAIN", hide_env_values = true)]
    pub(crate) domain: String,

    /// How data is printed; `name` prints ids only, which other commands take
    #[arg(short, long, global = true, value_enum, value_name = "FORMAT", env = "URUMI_OUTPUT", hide_env_values = true)]
    pub(crate) output: Option<Format>,

    /// Log more to stderr; up to three times
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    pub(crate) verbose: u8,

    /// Say nothing on stderr but errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,

    /// When to use colours; NO_COLOR is honoured too
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub(crate) color: Color,

    /// With `--cluster memory`: how long a workload takes to become ready
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration, default_value = "500ms", env = "URUMI_MEMORY_DELAY", hide_env_values = true)]
    pub(crate) memory_delay: Duration,
}

/// Which cluster to work on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClusterChoice {
    /// A real Kubernetes cluster, found as kubectl finds it
    Kube,
    /// A throw-away cluster within this process, empty at its start and gone at its end
    Memory,
}

/// How data is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// For people, with more columns
    Wide,
    /// For programs
    Json,
    /// For programs
    Yaml,
    /// Ids only, one a line
    Name,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Color {
    /// Makes it the choice of the whole process.
    pub(crate) fn write_global(self) {
        match self {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        }
        .write_global();
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
  urumi create 'My Shop' --values shop.yaml --dry-run
  urumi --cluster memory create 'My Shop' --wait     # try it without a cluster
  ID=$(urumi create 'My Shop' -o name)

Without --wait, the store becomes `ready` only where a monitor runs (`urumi monitor` or urumi-http).
With --wait, this command looks after its store by itself.")]
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

On a terminal it asks first; elsewhere --yes is needed."
    )]
    Delete {
        #[command(flatten)]
        which: Which,
        /// Don't ask
        #[arg(short, long)]
        yes: bool,
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

    /// Print all manifests of a store, without any cluster
    #[command(after_help = "Examples:
  urumi render 'My Shop' --id my-shop
  urumi render 'My Shop' --id my-shop --set api.replicas=2 -o json
  urumi render 'My Shop' -o name

Secrets are shown as REDACTED: they are drawn when the store is created.
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
told to stop, and with another when it cannot go on.")]
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
  urumi engines medusa -o json | jq .options     # its options as JSON Schema")]
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

    /// Check the cluster, the permissions, the classes and the domain, and say what to do
    #[command(after_help = "Examples:
  urumi doctor
  urumi doctor --domain stores.example.com -o json

The exit code is 1 when something is missing without which no store can be made.")]
    Doctor,

    /// Print a shell's completions
    #[command(after_help = "Examples:
  source <(urumi completions bash)
  urumi completions fish > ~/.config/fish/completions/urumi.fish")]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },

    /// Print the version
    #[command(after_help = "Examples:
  urumi version
  urumi version -o json")]
    Version,
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

    /// Set an option; see `urumi engines NAME` for paths and types
    ///
    /// The value takes the option's type. Lists are values between commas or JSON, maps are set key by key or as
    /// JSON. A part of a path with dots in it goes into quotes: 'ingress.annotations."example.com/x"=y', or is written
    /// with a backslash before each dot. Of two values for one option the later wins, and --set wins over --values.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub(crate) sets: Vec<String>,

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

/// A duration like `90s`, `10m`, `1h30m`.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = "write a duration with its unit, e.g. 90s, 10m or 1h30m";
    let parsed: SignedDuration = text.parse().map_err(|_| wrong.to_owned())?;
    let duration = Duration::try_from(parsed).map_err(|_| "a duration must not be negative".to_owned())?;
    match duration {
        Duration::ZERO => Err("a duration must be longer than zero".into()),
        longer if longer > Duration::from_secs(7 * 24 * 3600) => {
            Err("a duration must not be longer than 7 days".into())
        }
        duration => Ok(duration),
    }
}

/// A domain, checked as far as it is not the engine's business.
fn domain(text: &str) -> Result<String, String> {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if text.len() <= 190 && text.split('.').all(label) {
        return Ok(text.to_owned());
    }
    Err("write a domain in lower case without wildcard, scheme or port, e.g. stores.example.com".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn durations() {
        for (text, seconds) in
            [("90s", 90.0), ("10m", 600.0), ("1h30m", 5400.0), ("1h 30m", 5400.0), ("500ms", 0.5), ("PT2M", 120.0)]
        {
            assert_eq!(duration(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in ["", "10", "-5m", "5m ago", "0s", "8d", "1y", "ten minutes", "999999999999h", "1.5.5s", "∞"] {
            assert!(duration(text).is_err(), "{text} is accepted");
        }
    }

    #[test]
    fn domains() {
        for text in ["localtest.me", "localhost", "127.0.0.1.nip.io", "stores.example.com"] {
            assert_eq!(domain(text).as_deref(), Ok(text));
        }
        let long = ["a"; 100].join(".");
        for text in
            ["", ".", "a..b", "*.example.com", "https://x.com", "x.com:80", "X.com", "x.com.", "-x.com", "ü.de", &long]
        {
            assert!(domain(text).is_err(), "{text} is accepted");
        }
    }
}
