//! Completion of arguments from live data: stores, components, contexts, engines and options.
//!
//! A completion must not make the user wait, and has no place for messages: without an answer in time, there are no candidates.

use std::ffi::OsString;
use std::time::Duration;

use clap::{CommandFactory as _, FromArgMatches as _};
use clap_complete::CompletionCandidate;
use futures::future::BoxFuture;
use serde_json::Value;
use urumi_core::StoreOrchestratorExt as _;
use urumi_core::store::status::Condition;

use crate::choice::{Choice, choose};
use crate::cli::{Cli, GlobalArgs, without_empty_variables};
use crate::contexts::Contexts;
use crate::exit::CommandError;
use crate::format::FORMATS;
use crate::options::show_path;
use crate::output::{Out, safe};
use crate::schema::Node;
use crate::target;

/// How long a completion may take.
const LIMIT: Duration = Duration::from_millis(1500);

/// The formats of `--output`.
pub(crate) fn formats() -> Vec<CompletionCandidate> {
    FORMATS.iter().map(|(format, meaning)| candidate(format, meaning)).collect()
}

/// The saved servers.
pub(crate) fn contexts() -> Vec<CompletionCandidate> {
    let contexts = Contexts::load().unwrap_or_default();
    contexts.contexts.iter().map(|(name, saved)| candidate(name, &saved.server)).collect()
}

/// The ids of all stores.
pub(crate) fn stores() -> Vec<CompletionCandidate> {
    ask(|line| {
        Box::pin(async move {
            let target = target::connect_to(&line.choice, &line.global, &line.out).await?;
            let stores = target.stores.list().await?;
            Ok(stores.iter().map(|store| candidate(store.id.as_str(), &store.name)).collect())
        })
    })
}

/// The components of the store on the command line that write logs.
pub(crate) fn components() -> Vec<CompletionCandidate> {
    components_with(|manifest| manifest.pointer("/spec/template").is_some(), true)
}

/// The components of the store on the command line that can be restarted.
pub(crate) fn restartable() -> Vec<CompletionCandidate> {
    components_with(|manifest| manifest["apiVersion"] == "apps/v1", false)
}

fn components_with(wanted: fn(&Value) -> bool, orders: bool) -> Vec<CompletionCandidate> {
    ask(move |line| {
        Box::pin(async move {
            let Some(store) = line.argument("store") else { return Ok(Vec::new()) };
            let target = target::connect_to(&line.choice, &line.global, &line.out).await?;
            let store = target.stores.find(&store).await?;
            let manifests = target.stores.manifests(&store.id).await?;
            let label = "/metadata/labels/app.kubernetes.io~1component";
            let mut names: Vec<&str> = manifests
                .iter()
                .filter(|manifest| wanted(manifest))
                .filter_map(|manifest| manifest.pointer(label)?.as_str())
                .collect();
            // The Jobs of smoke orders are no manifests.
            if orders && store.conditions.iter().any(|condition| condition.type_ == Condition::SMOKE_TEST) {
                names.push("smoke");
            }
            names.sort_unstable();
            names.dedup();
            Ok(names.into_iter().map(|name| candidate(name, "")).collect())
        })
    })
}

/// The engines.
pub(crate) fn engines() -> Vec<CompletionCandidate> {
    ask(|line| {
        Box::pin(async move {
            let engines = target::validator(&line.choice, &line.global, &line.out)?.stores.engines().await?;
            Ok(engines.iter().map(|engine| candidate(&engine.name, &engine.description)).collect())
        })
    })
}

/// The options of the engine on the command line.
pub(crate) fn options() -> Vec<CompletionCandidate> {
    ask(|line| {
        Box::pin(async move {
            let name = line.argument("name");
            let engines = target::validator(&line.choice, &line.global, &line.out)?.stores.engines().await?;
            let engine = engines.iter().find(|engine| Some(&engine.name) == name.as_ref());
            let leaves = engine.map(|engine| Node::root(&engine.options).leaves()).unwrap_or_default();
            Ok(leaves.iter().map(|leaf| candidate(&show_path(&leaf.path), &leaf.description)).collect())
        })
    })
}

fn candidate(value: &str, help: &str) -> CompletionCandidate {
    let help = Some(safe(help)).filter(|help| !help.is_empty());
    CompletionCandidate::new(value).help(help.map(Into::into))
}

/// The command line that is being completed.
struct Line {
    global: GlobalArgs,
    choice: Choice,
    out: Out,
    matches: clap::ArgMatches,
}

impl Line {
    /// Parses as much as possible.
    fn parse(words: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let command = without_empty_variables(Cli::command()).ignore_errors(true);
        let matches = command.try_get_matches_from(words).ok()?;
        let mut global = GlobalArgs::from_arg_matches(&matches).ok()?;
        global.note_flags(&matches);
        let choice = choose(&global).ok()?;
        Some(Line { global, choice, out: Out::new(None, true), matches })
    }

    /// An argument of the subcommand.
    fn argument(&self, id: &str) -> Option<String> {
        let (_, matches) = self.matches.subcommand()?;
        matches.try_get_one::<String>(id).ok()?.cloned()
    }
}

/// The candidates, if they can be found in time.
fn ask(
    question: impl FnOnce(Line) -> BoxFuture<'static, Result<Vec<CompletionCandidate>, CommandError>>,
) -> Vec<CompletionCandidate> {
    // The shell's script passes the words behind `--`.
    let words = std::env::args_os().skip_while(|word| word != "--").skip(1);
    let Some(line) = Line::parse(words) else { return Vec::new() };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return Vec::new() };
    let answer = runtime.block_on(async { tokio::time::timeout(LIMIT, question(line)).await });
    // A pending DNS lookup blocks a thread; don't wait for it.
    runtime.shutdown_background();
    answer.ok().and_then(Result::ok).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_line_is_understood() {
        let line = |words: &[&str]| Line::parse(words.iter().map(OsString::from)).unwrap();
        let logs = line(&["urumi", "logs", "shop", "--cluster", "memory", "--component", ""]);
        assert_eq!(logs.argument("store").as_deref(), Some("shop"));
        assert_eq!(logs.choice, Choice::Cluster(crate::cli::ClusterChoice::Memory));
        let get = line(&["urumi", "--server", "http://x", "get", ""]);
        assert!(matches!(&get.choice, Choice::Server(server) if server.address == "http://x"), "{:?}", get.choice);
        assert_eq!(
            line(&["urumi", "--cluster", "memory", "engines", "medusa"]).argument("name").as_deref(),
            Some("medusa")
        );
        line(&["urumi", "--cluster", "memory", "create"]);
    }
}
