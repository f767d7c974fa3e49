//! Definitions of the commands and their arguments.

mod explain;
mod global;
mod login;
mod stores;

use std::time::Duration;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use clap_complete::ArgValueCandidates;
use urumi_core::settings::duration;

pub(crate) use self::explain::{CredentialsArgs, DiffArgs, EventsArgs, LogsArgs};
pub(crate) use self::global::{ClusterChoice, GlobalArgs};
pub(crate) use self::login::{LoginArgs, LogoutArgs};
pub(crate) use self::stores::{
    AwaitArgs, Awaited, CreateArgs, DeleteArgs, ExactArg, ListArgs, ListedArgs, ManArgs, NewStoreArgs, OpenArgs,
    RestartArgs, RollbackArgs, StoreArg, UpdateArgs, WaitArgs,
};
use crate::{commands, complete, exit};

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
    after_help = exit::help(),
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
}

/// The command line as it is parsed and described: every global option is described once, by `urumi --help` and `urumi
/// options`. Empty variables count as unset.
pub(crate) fn command() -> clap::Command {
    describe_once(without_empty_variables(Cli::command()))
}

/// Hides the global options in the help of subcommands, which says where they are described.
pub(crate) fn describe_once(mut command: clap::Command) -> clap::Command {
    // Subcommands get the global options when the command is built.
    command.build();
    command.mut_subcommands(without_global_options)
}

fn without_global_options(command: clap::Command) -> clap::Command {
    if command.get_name() == "help" {
        return command;
    }
    let examples = command.get_after_help().map(|text| format!("{text}\n\n")).unwrap_or_default();
    command
        .mut_args(|arg| if arg.is_global_set() { arg.hide(true) } else { arg })
        .after_help(format!("{examples}Global options: see `urumi options`."))
        .mut_subcommands(without_global_options)
}

/// Ignores variables that are set to an empty text.
pub(crate) fn without_empty_variables(command: clap::Command) -> clap::Command {
    let is_empty = |variable: &std::ffi::OsStr| std::env::var_os(variable).is_some_and(|value| value.is_empty());
    command
        .mut_args(|arg| match arg.get_env().is_some_and(is_empty) {
            true => arg.env(None::<&'static str>),
            false => arg,
        })
        .mut_subcommands(without_empty_variables)
}

/// The global options alone, for `urumi options`.
pub(crate) fn global_options() -> clap::Command {
    <GlobalArgs as clap::Args>::augment_args(clap::Command::new("urumi"))
        .disable_help_flag(true)
        .help_template("These options are accepted by every command:\n\n{all-args}")
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
    #[command(
        alias = "new",
        after_help = "Examples:
  urumi create 'My Shop'
  urumi create 'My Shop' --wait --timeout 5m
  urumi create 'My Shop' --id my-shop --label team=web --set api.replicas=2
  urumi create 'My Shop' --set storefront.theme.colors.accent=#0a7d4f
  urumi create 'My Shop' --set-file storefront.theme.logo=logo.svg
  urumi create 'My Shop' --values options.yaml --dry-run
  urumi create -f store.yaml                      # `urumi get STORE -o yaml`
  urumi --cluster memory create 'My Shop' --wait  # try it without a cluster
  ID=$(urumi create 'My Shop' -o name)

A store becomes `ready` only while a monitor runs: `urumi monitor`, urumi-http, or this command with --wait. \
With --idempotency-key, you can repeat the same command for 24 hours: it creates only one store."
    )]
    Create(CreateArgs),

    /// List stores, oldest first
    #[command(
        visible_alias = "ls",
        alias = "stores",
        after_help = "Examples:
  urumi list
  urumi list --status failed,degraded -o wide
  urumi list -l team=web,env!=prod --sort -createdAt --limit 10
  urumi list --watch
  urumi list -o json | jq -r '.[].urls.storefront'
  urumi list -o custom-columns=ID:.id,OWNER:.owner"
    )]
    List(ListArgs),

    /// Show a store and the state of each component
    #[command(
        aliases = ["show", "info", "status"],
        after_help = "Examples:
  urumi get my-shop
  urumi get my-shop -o wide                   # with its options
  urumi get my-shop -o yaml > store.yaml      # for `urumi create -f`
  urumi get 'My Shop' -o jsonpath={.urls.api}

-o json and -o yaml also print the options that the store was created with (`options`), and those in force \
(`effectiveOptions`). Secrets are printed as REDACTED."
    )]
    Get(StoreArg),

    /// Show everything about a store: its state, its options and its history
    #[command(after_help = "Examples:
  urumi describe my-shop")]
    Describe(StoreArg),

    /// Open a store's storefront or admin dashboard in the browser
    #[command(after_help = "Examples:
  urumi open my-shop
  urumi open my-shop --admin
  curl $(urumi open my-shop --print)

Without a display, the command prints the URL.")]
    Open(OpenArgs),

    /// Delete stores and all their data
    #[command(
        visible_alias = "rm",
        aliases = ["destroy", "remove"],
        after_help = "Examples:
  urumi delete my-shop
  urumi delete my-shop other-shop --yes --wait
  urumi delete -l env=test --status failed
  urumi delete my-shop --yes --if-version 4711

A store is named by its whole id, or by its exact, unique name if that cannot be an id. On a terminal, a prefix of an id or \
any name is accepted, too: the command shows the store that it found, and asks for confirmation. Without a terminal, --yes is \
required. If some of several stores \
cannot be deleted, the others are deleted, and the exit code is that of the error, or 1 if the errors differ."
    )]
    Delete(DeleteArgs),

    /// Wait until stores are ready or deleted
    #[command(after_help = "Examples:
  urumi wait my-shop
  urumi wait my-shop other-shop --timeout 15m
  urumi wait my-shop --for deleted --timeout 2m

The command only watches: a monitor must run meanwhile (`urumi monitor`, urumi-http or `urumi create --wait`). \
With `--for ready`, it exits with code 6 as soon as a store is `failed`. With `--for deleted`, a store that does not exist is \
deleted, also if its id never existed: check ids for typing errors.")]
    Wait(AwaitArgs),

    /// Print every change of one store or all stores until Ctrl-C
    #[command(after_help = "Examples:
  urumi watch
  urumi watch my-shop
  urumi watch --status failed,degraded -l env=prod
  urumi watch -o json | jq -c 'select(.type == \"changed\") | .store.status'

With a filter, a store that no longer matches is printed once more.")]
    Watch {
        /// The store: its id, a unique prefix of its id, or its exact name; the default is all stores
        #[arg(value_name = "STORE", add = ArgValueCandidates::new(complete::stores))]
        store: Option<String>,
        #[command(flatten)]
        listed: ListedArgs,
    },

    /// Restart the setup of a failed store, with a new deadline
    #[command(after_help = "Examples:
  urumi retry my-shop
  urumi retry my-shop --wait

The command creates missing objects and keeps existing ones.")]
    Retry {
        #[command(flatten)]
        which: ExactArg,
        #[command(flatten)]
        wait: WaitArgs,
    },

    /// Restart a store's programs
    #[command(after_help = "Examples:
  urumi restart my-shop
  urumi restart my-shop -c database

Kubernetes starts new pods and then stops the old ones, so the shop stays open. Components that keep data, such as databases, \
are restarted only with --component; they stop before they start again.")]
    Restart(RestartArgs),

    /// Change a store's name or options
    #[command(
        visible_alias = "set",
        after_help = "Examples:
  urumi update my-shop --set api.replicas=2 --wait
  urumi update my-shop --set storefront.replicas=3 --reason 'autumn sale'
  urumi update my-shop --unset api.env.GREETING
  urumi update my-shop --name 'My New Shop' --dry-run

Each change is a revision of the store: `urumi history` shows them, and `urumi rollback` returns to one. The shop stays open: new \
pods start before the old ones stop. If a revision cannot be rolled out, e.g. because its image does not exist, the store returns \
to its last good revision by itself; with --wait, the command then exits with code 6. --dry-run prints which options and objects \
would change, and what would be restarted."
    )]
    Update(UpdateArgs),

    /// Return to an earlier revision of a store
    #[command(after_help = "Examples:
  urumi rollback my-shop
  urumi rollback my-shop --to 3 --wait
  urumi rollback my-shop --to 3 --dry-run

The name and the options of the earlier revision become the next revision. Data is not changed: orders and products stay as they \
are.")]
    Rollback(RollbackArgs),

    /// Show the revisions of a store: who changed what, when and why
    #[command(after_help = "Examples:
  urumi history my-shop
  urumi history my-shop -o json | jq -r '.[].changes[].option'

The last ten revisions are kept.")]
    History(StoreArg),

    /// Print the logs of a store's containers
    #[command(after_help = "Examples:
  urumi logs my-shop
  urumi logs my-shop -c api --tail 20 --follow
  urumi logs my-shop --since 10m --timestamps
  urumi logs my-shop -c api --previous    # before the last restart
  urumi logs my-shop -c smoke             # the last test orders
  urumi logs my-shop -o json | jq -r 'select(.component == \"api\") | .text'

Each line starts with its component and pod, unless you pass --no-prefix. Control characters are removed or escaped; -o json \
prints each unchanged line in a JSON object. With --follow, the command also prints the lines of containers that start later, \
and ends when the store is deleted or at Ctrl-C, with exit code 0.")]
    Logs(LogsArgs),

    /// Show a store's history, oldest first
    #[command(after_help = "Examples:
  urumi events my-shop
  urumi events my-shop --type warning --since 1h
  urumi events my-shop --follow
  urumi events my-shop -o json | jq -r '.[].message'

The history contains status changes, Kubernetes Events of the store's objects, and requests of users to a server. \
Kubernetes keeps Events for about an hour; status changes are kept as long as the store exists. With --follow, the command \
ends when the store is deleted or at Ctrl-C, with exit code 0.")]
    Events(EventsArgs),

    /// Show the admin login of a store: URL, e-mail address and password
    #[command(after_help = "Examples:
  urumi credentials my-shop
  urumi credentials my-shop --reveal
  urumi credentials my-shop --reveal -o jsonpath={.password}

The command shows the first administrator's generated password. It does not know a password that was changed in the \
store. A server records who revealed the password. To reveal it, name the store by its whole id, or by its name if that cannot be an id. \
-o name prints only the e-mail address.")]
    Credentials(CredentialsArgs),

    /// Test a store by placing an order
    #[command(after_help = "Examples:
  urumi smoke my-shop
  urumi smoke my-shop -o json | jq '.steps[] | select(.error)'
  urumi smoke my-shop -q && echo 'the shop sells'

A Job in the store buys a product like a customer, and reports each step. If a step fails, the exit code is 6 and the \
store is `degraded` until an order succeeds. Ctrl-C stops waiting; the order continues. To run this test regularly, set \
the store's option smoke.schedule. -o name prints the order's id.")]
    Smoke(ExactArg),

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
  urumi diff my-shop --exit-code || echo 'somebody changed the store'
  urumi diff my-shop --revision 3    # what `urumi rollback --to 3` would change

A monitor repairs these differences. With --revision, the command compares the manifests of two revisions instead, and none with the cluster. With --exit-code, the exit code is 9 if there are differences; otherwise it is 0 with \
and without them. The command does not read or compare generated secrets.")]
    Diff(DiffArgs),

    /// Keep statuses up to date and repair stores; runs in the foreground until Ctrl-C or SIGTERM
    #[command(after_help = "Examples:
  urumi monitor
  urumi monitor --only my-shop --deadline 30m

The monitor updates the stores' statuses and repairs their objects. It prints each status change to stderr. It uses a \
cluster directly; urumi-http runs its own monitor. The exit code is 0 after Ctrl-C or SIGTERM, and not 0 after an error.")]
    Monitor {
        /// How often to check all stores again, in addition to the changes reported by watches
        #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true, default_value = "30m")]
        resync: Duration,
        /// How long a store may be `provisioning` before it is `failed`
        #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true, default_value = "15m")]
        deadline: Duration,
        /// Monitor only this store: its id, a unique prefix of its id, or its exact name
        #[arg(long, value_name = "STORE", add = ArgValueCandidates::new(complete::stores))]
        only: Option<String>,
    },

    /// List the engines, or the options of one engine
    #[command(after_help = "Examples:
  urumi engines
  urumi engines medusa
  urumi engines medusa api.replicas            # one option
  urumi engines medusa database                # a group of options
  urumi engines medusa -o wide                 # one line per option
  urumi engines medusa -o json | jq .options   # its options as JSON Schema
  urumi engines medusa --engine-defaults defaults.yaml

The command shows the effective defaults, including those of --engine-defaults or of the server.")]
    Engines {
        /// The engine whose options to list
        #[arg(value_name = "NAME", add = ArgValueCandidates::new(complete::engines))]
        name: Option<String>,
        /// Only this option, or the options of this group, e.g. `api.replicas` or `api`
        #[arg(value_name = "OPTION", add = ArgValueCandidates::new(complete::options))]
        option: Option<String>,
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

On a cluster, the command checks permissions, classes and the domain. It cannot check whether the network enforces \
NetworkPolicies. On a server, it checks the connection, readiness, clock, version, and your identity. The exit code is 1 \
if a problem prevents the creation of stores.")]
    Doctor,

    /// Sign in to a server, save the token and make the server the default
    ///
    /// Opens a browser at the issuer of the server (OpenID Connect), or prints a code to enter in a browser on any device.
    /// The token is saved for this server's address only, in $XDG_STATE_HOME/urumi (by default ~/.local/state/urumi), and
    /// renewed before it expires.
    #[command(after_help = "Examples:
  urumi login https://urumi.example.com
  urumi login urumi.example.com --device
  urumi login https://urumi.example.com --with-token < token.txt
  urumi login     # again, to the default server

$URUMI_TOKEN, --token-file and a context's token file outrank the saved token. docs/AUTHORIZATION.md says how to register \
the command line at an issuer.")]
    Login(LoginArgs),

    /// Sign out of a server: delete the saved token, and revoke it at the issuer
    #[command(after_help = "Examples:
  urumi logout
  urumi logout https://urumi.example.com")]
    Logout(LogoutArgs),

    /// Show your identity and role on the server
    #[command(after_help = "Examples:
  urumi whoami
  urumi whoami -o json | jq -r .role

On a cluster, the command shows the kubeconfig context; `urumi doctor` checks your permissions there.")]
    Whoami,

    /// Manage saved servers, and choose the default server
    ///
    /// Servers are saved in $XDG_CONFIG_HOME/urumi/config.yaml (by default ~/.config/urumi/config.yaml). The file contains
    /// paths of token files, but no tokens. A context is a saved server; --kube-context chooses a context of the kubeconfig.
    #[command(after_help = "Examples:
  urumi context set prod --server https://urumi.example.com --token-file token
  urumi context use prod
  urumi context current
  urumi --context prod list                       # for one command
  urumi context none

The first context that is saved becomes the default. --context, --server, --cluster and their variables outrank the default.")]
    Context {
        #[command(subcommand)]
        command: ContextCommand,
    },

    /// Print a completion script for a shell
    ///
    /// The script calls `urumi` for each completion: it also completes the ids of stores, components, contexts, engines and
    /// options.
    #[command(after_help = "Examples:
  source <(urumi completions bash)                # in ~/.bashrc
  source <(urumi completions zsh)                 # in ~/.zshrc
  urumi completions fish > ~/.config/fish/completions/urumi.fish")]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },

    /// Write the manual pages
    #[command(after_help = "Examples:
  urumi man --out ~/.local/share/man/man1")]
    Man(ManArgs),

    /// List the options that every command accepts
    #[command(after_help = "Examples:
  urumi options")]
    Options,

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
  urumi context set prod --server https://urumi.example.com --token-file token
  urumi context set lab --server https://10.0.0.5 --ca-file lab-ca.pem --use

The context stores the address and the absolute paths of --token-file and --ca-file. The first context becomes the default.")]
    Set {
        /// The name: letters, digits, '-', '_' and '.'
        #[arg(value_name = "NAME")]
        name: String,
        /// Also make this server the default
        #[arg(long = "use")]
        use_it: bool,
    },

    /// Make this server the default
    #[command(after_help = "Examples:
  urumi context use prod")]
    Use {
        /// The server's name
        #[arg(value_name = "NAME", add = ArgValueCandidates::new(complete::contexts))]
        name: String,
    },

    /// Print the context that commands use
    #[command(
        alias = "show",
        after_help = "Examples:
  urumi context current
  urumi context current -o json | jq -r .server

If commands use no context, the exit code is 1, and the error says what they use instead."
    )]
    Current,

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
        #[arg(value_name = "NAME", add = ArgValueCandidates::new(complete::contexts))]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
        command().debug_assert();
    }

    /// Help is readable on a narrow terminal: the lines of examples are not broken.
    #[test]
    fn examples_fit_a_terminal() {
        fn check(command: &clap::Command) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            for line in help.lines().filter(|line| line.starts_with("  urumi ")) {
                assert!(line.chars().count() <= 80, "{}: {line}", command.get_name());
            }
            command.get_subcommands().for_each(check);
        }
        check(&command());
    }

    #[test]
    fn global_options_are_described_once() {
        let mut command = command();
        assert!(command.render_long_help().to_string().contains("--kubeconfig"));
        assert!(global_options().render_long_help().to_string().contains("--kubeconfig"));
        let list = command.find_subcommand_mut("list").unwrap().render_long_help().to_string();
        assert!(!list.contains("--kubeconfig"), "{list}");
        assert!(list.contains("Global options: see `urumi options`."), "{list}");
    }
}
