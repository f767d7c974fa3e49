//! Arguments that name, select and describe stores.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Args, ValueEnum};
use clap_complete::ArgValueCandidates;
use urumi_core::error::FieldError;
use urumi_core::settings::duration;
use urumi_core::store::selector::LabelSelector;
use urumi_core::store::status::StoreStatus;
use urumi_core::{OwnerLimits, Store};

use crate::complete;
use crate::exit::{CommandError, Via};

/// A store to show.
#[derive(Args, Debug)]
pub(crate) struct StoreArg {
    /// The store: its id, a unique prefix of its id, or its exact name
    #[arg(value_name = "STORE", add = ArgValueCandidates::new(complete::stores))]
    pub(crate) store: String,
}

/// A store to act on.
#[derive(Args, Debug)]
pub(crate) struct ExactArg {
    /// The store: its whole id, or its exact, unique name if that cannot be an id
    #[arg(value_name = "STORE", add = ArgValueCandidates::new(complete::stores))]
    pub(crate) store: String,
}

/// The arguments of `restart`.
#[derive(Args, Debug)]
pub(crate) struct RestartArgs {
    #[command(flatten)]
    pub(crate) which: ExactArg,

    /// Restart only this component, e.g. `api`; the default is all components that keep no data
    #[arg(short, long, value_name = "COMPONENT", add = ArgValueCandidates::new(complete::restartable))]
    pub(crate) component: Option<String>,
}

/// The arguments of `update`.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("change").required(true).multiple(true).args(["name", "sets", "unsets", "set_files", "values", "refresh"]))]
pub(crate) struct UpdateArgs {
    #[command(flatten)]
    pub(crate) which: ExactArg,

    /// Change the display name
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Set an option; see `urumi engines medusa` for paths and types, and `urumi create --help` for the notation
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub(crate) sets: Vec<String>,

    /// Take an option back, so that its default applies again; repeatable
    #[arg(long = "unset", value_name = "PATH")]
    pub(crate) unsets: Vec<String>,

    /// Set an option to a file's content, e.g. storefront.theme.logo=logo.svg
    #[arg(long = "set-file", value_name = "PATH=FILE")]
    pub(crate) set_files: Vec<String>,

    /// Read changed options from a YAML or JSON file, or from stdin with '-'; several files are merged
    #[arg(long = "values", value_name = "FILE")]
    pub(crate) values: Vec<String>,

    /// Take today's defaults for all options that were never set; without it, defaults that have changed move no store
    #[arg(long)]
    pub(crate) refresh: bool,

    /// Say why, for the history
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,

    /// Print what would change, but change nothing
    #[arg(long, conflicts_with = "wait")]
    pub(crate) dry_run: bool,

    /// Change the store only if it still has this version (`resourceVersion` in `urumi get STORE -o json`)
    #[arg(long, value_name = "VERSION", value_parser = version)]
    pub(crate) if_version: Option<String>,

    #[command(flatten)]
    pub(crate) wait: WaitArgs,
}

/// The arguments of `rollback`.
#[derive(Args, Debug)]
pub(crate) struct RollbackArgs {
    #[command(flatten)]
    pub(crate) which: ExactArg,

    /// The revision to return to; the default is the one before the present one
    #[arg(long, value_name = "REVISION", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) to: Option<u64>,

    /// Print what would change, but change nothing
    #[arg(long, conflicts_with = "wait")]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) wait: WaitArgs,
}

/// Selects stores by their properties.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct FilterArgs {
    /// Only stores with this status; separate several with commas
    #[arg(long, value_name = "STATUS", value_delimiter = ',', value_parser = status_parser())]
    pub(crate) status: Vec<StoreStatus>,

    /// Only stores of this engine
    #[arg(long, value_name = "ENGINE", add = ArgValueCandidates::new(complete::engines))]
    pub(crate) engine: Option<String>,

    /// Only stores of this owner, e.g. `user:alice`
    #[arg(long, value_name = "OWNER")]
    pub(crate) owner: Option<String>,

    /// Only stores with these labels: `key=value`, `key!=value`, `key`, `!key`, `key in (a,b)`, `key notin (a,b)`
    ///
    /// Separate several requirements with commas, e.g. `team=web,env!=prod`. All of them must hold.
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    pub(crate) selector: Option<LabelSelector>,
}

impl FilterArgs {
    /// The ids of the options.
    pub(crate) const IDS: [&'static str; 4] = ["status", "engine", "owner", "selector"];

    /// Checks the owner as a creation does.
    ///
    /// # Errors
    /// When no store can have this owner.
    pub(crate) fn check(&self, via: Via) -> Result<(), CommandError> {
        let wrong = |message: &str| Err(vec![FieldError::new("--owner", message)].into());
        match self.owner.as_deref() {
            Some("") => wrong("must not be empty"),
            Some(owner) if via == Via::Server => match owner.split_once(':') {
                Some(("user" | "team", name)) if !name.is_empty() => Ok(()),
                _ => wrong("must be user:<subject> or team:<name>"),
            },
            _ => Ok(()),
        }
    }

    /// Whether nothing is filtered.
    pub(crate) fn is_empty(&self) -> bool {
        self.status.is_empty() && self.engine.is_none() && self.owner.is_none() && self.selector.is_none()
    }

    /// Whether the store has all wanted properties.
    pub(crate) fn matches(&self, store: &Store) -> bool {
        (self.status.is_empty() || self.status.contains(&store.status))
            && self.engine.as_ref().is_none_or(|engine| store.engine == *engine)
            && self.owner.as_ref().is_none_or(|owner| store.owner.as_ref() == Some(owner))
            && self.selector.as_ref().is_none_or(|selector| selector.matches(&store.labels))
    }
}

/// The stores of a list or a watch.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ListedArgs {
    #[command(flatten)]
    pub(crate) filter: FilterArgs,

    /// Only stores with this text in their name or id, ignoring case
    #[arg(long, value_name = "TEXT")]
    pub(crate) name: Option<String>,

    /// Print no header above the columns
    #[arg(long)]
    pub(crate) no_headers: bool,
}

impl ListedArgs {
    /// Whether the store has all wanted properties.
    pub(crate) fn matches(&self, store: &Store) -> bool {
        let named = |text: &String| {
            let text = text.to_lowercase();
            store.name.to_lowercase().contains(&text) || store.id.as_str().contains(&text)
        };
        self.filter.matches(store) && self.name.as_ref().is_none_or(named)
    }
}

/// The arguments of `list`.
#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) listed: ListedArgs,

    /// The order; a leading '-' reverses it
    #[arg(long, value_name = "FIELD", value_enum, default_value_t = Order::CreatedAt, allow_hyphen_values = true)]
    pub(crate) sort: Order,

    /// Print at most this many stores
    #[arg(long, value_name = "NUMBER", value_parser = count)]
    pub(crate) limit: Option<usize>,

    /// Keep printing every change until Ctrl-C, as `urumi watch` does
    #[arg(short, long, conflicts_with_all = ["sort", "limit"])]
    pub(crate) watch: bool,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Order {
    /// Oldest first
    #[value(name = "createdAt")]
    CreatedAt,
    /// Newest first
    #[value(name = "-createdAt")]
    NewestFirst,
    /// By name
    #[value(name = "name")]
    Name,
    /// By name, reversed
    #[value(name = "-name")]
    NameReversed,
    /// By status
    #[value(name = "status")]
    Status,
    /// By status, reversed
    #[value(name = "-status")]
    StatusReversed,
}

impl Order {
    /// Sorts stores, which are listed oldest first.
    pub(crate) fn sort(self, stores: &mut [Store]) {
        match self {
            Order::CreatedAt | Order::NewestFirst => {}
            Order::Name | Order::NameReversed => stores.sort_by_cached_key(|store| store.name.to_lowercase()),
            Order::Status | Order::StatusReversed => stores.sort_by_key(|store| store.status.as_str()),
        }
        if matches!(self, Order::NewestFirst | Order::NameReversed | Order::StatusReversed) {
            stores.reverse();
        }
    }
}

/// The arguments of `delete`.
#[derive(Args, Debug)]
pub(crate) struct DeleteArgs {
    /// The stores: the whole id of each, or its exact, unique name if that cannot be an id
    #[arg(
        value_name = "STORE",
        required_unless_present_any = FilterArgs::IDS,
        conflicts_with_all = FilterArgs::IDS,
        add = ArgValueCandidates::new(complete::stores)
    )]
    pub(crate) stores: Vec<String>,

    #[command(flatten)]
    pub(crate) filter: FilterArgs,

    /// Delete without confirmation
    #[arg(short, long)]
    pub(crate) yes: bool,

    /// Succeed if a named store does not exist
    #[arg(long)]
    pub(crate) ignore_not_found: bool,

    /// Delete only if the store still has this version (`resourceVersion` in `urumi get STORE -o json`)
    #[arg(long, value_name = "VERSION", conflicts_with_all = FilterArgs::IDS, value_parser = version)]
    pub(crate) if_version: Option<String>,

    #[command(flatten)]
    pub(crate) wait: WaitArgs,
}

/// Describes a new store.
#[derive(Args, Debug)]
pub(crate) struct NewStoreArgs {
    /// The display name: up to 100 characters, including quotes and emoji
    #[arg(value_name = "NAME", required_unless_present = "file")]
    pub(crate) name: Option<String>,

    /// Describe the store by this YAML or JSON file, or by stdin with '-'; other arguments override it
    ///
    /// The file contains `name` and `engine`, and optionally `id`, `owner`, `labels` and `options`. The output of `urumi get
    /// STORE -o yaml` is such a file; its other fields are ignored.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<String>,

    /// The engine, i.e. the kind of store; see `urumi engines` [default: medusa]
    #[arg(long, value_name = "ENGINE", add = ArgValueCandidates::new(complete::engines))]
    pub(crate) engine: Option<String>,

    /// The id, part of the store's URLs: up to 50 of a-z, 0-9 and '-'; the default is random
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    pub(crate) id: Option<String>,

    /// The owner, e.g. `user:alice` or `team:web`; on a server, the default is you
    #[arg(long, value_name = "OWNER")]
    pub(crate) owner: Option<String>,

    /// Add a label, which --selector finds; repeatable
    #[arg(long = "label", value_name = "KEY=VALUE")]
    pub(crate) labels: Vec<String>,

    /// Set an option; see `urumi engines medusa` for paths and types
    ///
    /// The value is converted to the option's type. Write a list as JSON or separate its values with commas. Set a map key by
    /// key or as JSON. Quote a path part that contains dots: 'ingress.annotations."example.com/x"=y', or put a backslash
    /// before each dot. `null` removes an installation's default. If an option is set twice, the last value applies; --set
    /// overrides --values.
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

/// The option `--timeout`.
#[derive(Args, Debug)]
pub(crate) struct TimeoutArg {
    /// How long to wait, e.g. 90s, 10m, 1h30m
    #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true, default_value = "10m")]
    pub(crate) timeout: Duration,
}

/// The options `--wait` and `--timeout`.
#[derive(Args, Debug)]
pub(crate) struct WaitArgs {
    /// Wait until the operation is complete
    #[arg(long)]
    pub(crate) wait: bool,

    #[command(flatten)]
    pub(crate) limit: TimeoutArg,
}

/// The arguments of `wait`.
#[derive(Args, Debug)]
pub(crate) struct AwaitArgs {
    /// The stores: the whole id of each, or its exact, unique name if that cannot be an id
    #[arg(value_name = "STORE", required = true, add = ArgValueCandidates::new(complete::stores))]
    pub(crate) stores: Vec<String>,

    /// The state to wait for
    #[arg(long = "for", value_enum, value_name = "STATE", default_value_t = Awaited::Ready)]
    pub(crate) awaited: Awaited,

    #[command(flatten)]
    pub(crate) limit: TimeoutArg,
}

/// A state that `urumi wait` can wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Awaited {
    /// Every component is available
    Ready,
    /// The store and its namespace are deleted
    Deleted,
}

/// The arguments of `open`.
#[derive(Args, Debug)]
pub(crate) struct OpenArgs {
    #[command(flatten)]
    pub(crate) which: StoreArg,

    /// Open the admin dashboard instead of the storefront
    #[arg(long)]
    pub(crate) admin: bool,

    /// Only print the URL
    #[arg(long)]
    pub(crate) print: bool,
}

/// The arguments of `man`.
#[derive(Args, Debug)]
pub(crate) struct ManArgs {
    /// The directory for the pages, one per command; it is created if it does not exist
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

fn count(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| *count > 0).ok_or_else(|| "must be a whole number from 1".to_owned())
}

/// Parses a store's version. Kubernetes' versions are numbers.
fn version(text: &str) -> Result<String, String> {
    match !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        true => Ok(text.to_owned()),
        false => Err("must be the number in `resourceVersion` of `urumi get STORE -o json`".to_owned()),
    }
}

fn status_parser() -> impl TypedValueParser<Value = StoreStatus> {
    PossibleValuesParser::new(StoreStatus::ALL.map(StoreStatus::as_str))
        .try_map(|word| StoreStatus::parse(&word).ok_or("not a status"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::test_store::test_store;

    #[test]
    fn a_filter_demands_everything_that_is_given() {
        let fields = json!({"name": "Tea & More", "owner": "team:web", "labels": {"env": "test"}});
        let store = test_store("tea", fields);
        let all = FilterArgs {
            status: vec![StoreStatus::Failed, StoreStatus::Ready],
            engine: Some("medusa".into()),
            owner: Some("team:web".into()),
            selector: Some("env!=prod".parse().unwrap()),
        };
        assert!(all.matches(&store) && FilterArgs::default().matches(&store));
        for wrong in [
            FilterArgs { status: vec![StoreStatus::Failed], ..all.clone() },
            FilterArgs { engine: Some("other".into()), ..all.clone() },
            FilterArgs { owner: Some("team".into()), ..all.clone() },
            FilterArgs { selector: Some("env=prod".parse().unwrap()), ..all.clone() },
        ] {
            assert!(!wrong.matches(&store), "{wrong:?}");
            assert!(!wrong.is_empty());
        }
        let named = |text: &str| ListedArgs { name: Some(text.into()), ..ListedArgs::default() }.matches(&store);
        assert!(named("tea &") && named("TEA") && !named("coffee"));
    }

    #[test]
    fn owners_are_checked_as_at_a_creation() {
        let accepts =
            |owner: &str, via| FilterArgs { owner: Some(owner.into()), ..FilterArgs::default() }.check(via).is_ok();
        for (owner, on_cluster, on_server) in [
            ("user:ann", true, true),
            ("team:web", true, true),
            ("ann", true, false),
            ("user:", true, false),
            ("", false, false),
        ] {
            assert_eq!(
                (accepts(owner, Via::Cluster), accepts(owner, Via::Server)),
                (on_cluster, on_server),
                "{owner:?}"
            );
        }
    }

    #[test]
    fn lists_are_sorted_and_reversed() {
        let stores = ["b", "a", "c"].map(|id| test_store(id, json!({"name": id.to_uppercase()})));
        let sorted = |order: Order| {
            let mut stores = stores.to_vec();
            order.sort(&mut stores);
            stores.iter().map(|store| store.id.to_string()).collect::<String>()
        };
        assert_eq!(sorted(Order::CreatedAt), "bac");
        assert_eq!(sorted(Order::NewestFirst), "cab");
        assert_eq!(sorted(Order::Name), "abc");
        assert_eq!(sorted(Order::NameReversed), "cba");
        assert_eq!(sorted(Order::Status), "bac");
    }
}
