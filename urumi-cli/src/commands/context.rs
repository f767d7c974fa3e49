//! `urumi context`.

use std::path::{Path, PathBuf};

use serde::Serialize;
use urumi_core::HttpOrchestrator;
use urumi_core::http_client::ServerOptions;

use crate::choice::{Choice, Kind, chosen_by, explicit, outranking_variables};
use crate::cli::{ClusterChoice, ContextCommand, GlobalArgs};
use crate::contexts::{Context, Contexts, check_name};
use crate::exit::{CommandError, ExitStatus};
use crate::format::Format;
use crate::output::{Cell, Out, table};
use crate::target::unusable;

const KUBECONFIG: &str = "the kubeconfig's cluster";

pub(super) fn run(global: &GlobalArgs, out: &Out, command: &ContextCommand) -> Result<(), CommandError> {
    match command {
        ContextCommand::Set { name, use_it } => set(global, out, name, *use_it),
        ContextCommand::Use { name } => choose(out, name),
        ContextCommand::Current => current(global, out),
        ContextCommand::List => list(out),
        ContextCommand::Delete { name } => delete(out, name),
        ContextCommand::None => none(out),
    }
}

fn set(global: &GlobalArgs, out: &Out, name: &str, use_it: bool) -> Result<(), CommandError> {
    check_name(name)?;
    // Save only what the command line contains, not what the environment happens to contain.
    let Some(address) = global.server.as_deref().filter(|_| global.is_flag("server")) else {
        return Err(CommandError::usage("the server's address is missing")
            .hint(format!("example: `urumi context set {name} --server https://urumi.example.com`")));
    };
    // Only checks the address, sends nothing.
    let server =
        HttpOrchestrator::connect(address, &ServerOptions::default()).map_err(|error| unusable(address, &error))?;
    let given = |flag: &str, file: &Option<PathBuf>| match file {
        Some(file) if global.is_flag(flag) => existing(out, file).map(Some),
        _ => Ok(None),
    };
    let saved = Context {
        server: server.address().trim_end_matches('/').to_owned(),
        token_file: given("token_file", &global.token_file)?,
        ca_file: given("ca_file", &global.ca_file)?,
    };
    let mut contexts = Contexts::load()?;
    let is_first = contexts.contexts.is_empty();
    let server = saved.server.clone();
    contexts.contexts.insert(name.to_owned(), saved);
    let was_default = contexts.current.as_deref() == Some(name);
    if use_it || is_first {
        contexts.current = Some(name.to_owned());
    }
    let file = contexts.save()?;
    out.note(&format!("context {name} was saved in {}", file.display()));
    match contexts.current.as_deref() == Some(name) {
        true if was_default => {}
        true => note_default(out, &format!("the server {server}")),
        false => out.note(&format!("`urumi context use {name}` makes it the default")),
    }
    Ok(())
}

/// The file's absolute path, which is valid in every working directory.
fn existing(out: &Out, file: &Path) -> Result<PathBuf, CommandError> {
    let absolute = std::path::absolute(file)
        .map_err(|error| CommandError::usage(format!("invalid path {}: {error}", file.display())))?;
    if let Err(error) = std::fs::metadata(&absolute) {
        out.warn(&format!("cannot read {}: {error}", absolute.display()));
    }
    Ok(absolute)
}

fn choose(out: &Out, name: &str) -> Result<(), CommandError> {
    let mut contexts = Contexts::load()?;
    let server = contexts.require(name)?.server.clone();
    contexts.current = Some(name.to_owned());
    contexts.save()?;
    note_default(out, &format!("the server {server}"));
    Ok(())
}

/// Prints what commands use from now on, unless a variable chooses something else.
fn note_default(out: &Out, target: &str) {
    let variables = outranking_variables();
    if variables.is_empty() {
        out.note(&format!("commands now use {target}"));
        return;
    }
    out.note(&format!("the default is now {target}"));
    warn_outranked(out, &variables);
}

/// Warns that commands do not use the default because of variables.
pub(super) fn warn_outranked(out: &Out, variables: &[&str]) {
    if let Some(first) = variables.first() {
        let all = variables.join(" ");
        out.warn(&format!("commands do not use it: {first} is set and outranks it; to use it, run `unset {all}`"));
    }
}

fn none(out: &Out) -> Result<(), CommandError> {
    let mut contexts = Contexts::load()?;
    if contexts.current.take().is_some() {
        contexts.save()?;
    }
    note_default(out, KUBECONFIG);
    Ok(())
}

fn delete(out: &Out, name: &str) -> Result<(), CommandError> {
    let mut contexts = Contexts::load()?;
    contexts.require(name)?;
    contexts.contexts.remove(name);
    let was_default = contexts.current.as_deref() == Some(name);
    if was_default {
        contexts.current = None;
    }
    contexts.save()?;
    out.note(&format!("context {name} was deleted"));
    if was_default {
        out.note("it was the default");
        note_default(out, KUBECONFIG);
    }
    Ok(())
}

/// A context as JSON or YAML.
#[derive(Serialize)]
struct ListedContext<'a> {
    name: &'a str,
    current: bool,
    #[serde(flatten)]
    saved: &'a Context,
}

/// Prints the context chosen by --context, its variable or `urumi context use`.
fn current(global: &GlobalArgs, out: &Out) -> Result<(), CommandError> {
    let contexts = Contexts::load()?;
    let (name, why) = match (chosen_by(global)?, &global.context, &contexts.current) {
        (Some((Kind::Context, by)), Some(name), _) => (name, format!("chosen by {by}")),
        (Some((_, by)), ..) => return Err(no_context(explicit(global)?, by, &contexts)),
        (None, _, Some(name)) => (name, "the default".to_owned()),
        (None, _, None) => {
            let message = format!("there is no default context; commands use {KUBECONFIG}");
            return Err(CommandError::new(ExitStatus::Other, message).hint("choose one with `urumi context use NAME`"));
        }
    };
    let saved = contexts.require(name)?;
    if out.structured(&ListedContext { name, current: contexts.current.as_ref() == Some(name), saved })? {
        return Ok(());
    }
    out.data(&format!("{name}\n"))?;
    if out.format() != Some(Format::Name) {
        out.note(&format!("server {}, {why}", saved.server));
    }
    Ok(())
}

/// The error that commands use a target that is not a context, because of a flag or variable.
fn no_context(choice: Option<Choice>, by: &str, contexts: &Contexts) -> CommandError {
    let target = match choice {
        Some(Choice::Server(server)) => format!("the server {}", server.address),
        Some(Choice::Cluster(ClusterChoice::Memory)) => "an in-memory cluster".to_owned(),
        Some(Choice::Cluster(ClusterChoice::Kube)) | None => KUBECONFIG.to_owned(),
    };
    let failure =
        CommandError::new(ExitStatus::Other, format!("commands use no context, but {target}, chosen by {by}"));
    match &contexts.current {
        Some(name) if !by.starts_with('-') => {
            let all = outranking_variables().join(" ");
            failure.hint(format!("to use the default context {name}, run `unset {all}`"))
        }
        _ => failure,
    }
}

fn list(out: &Out) -> Result<(), CommandError> {
    let contexts = Contexts::load()?;
    let listed: Vec<ListedContext<'_>> = contexts
        .contexts
        .iter()
        .map(|(name, saved)| ListedContext { name, current: contexts.current.as_ref() == Some(name), saved })
        .collect();
    if out.structured(&listed)? {
        return Ok(());
    }
    if listed.is_empty() {
        out.note("no contexts are saved; `urumi context set NAME --server URL` saves one");
        return Ok(());
    }
    if out.format() == Some(Format::Name) {
        return out.data(&listed.iter().map(|one| format!("{}\n", one.name)).collect::<String>());
    }
    let path = |path: &Option<PathBuf>| match path {
        Some(path) => Cell::new(path.to_string_lossy()),
        None => Cell::new("-"),
    };
    let row = |one: &ListedContext<'_>| {
        let mark = if one.current { "*" } else { "" };
        let Context { server, token_file, ca_file } = one.saved;
        vec![mark.into(), one.name.into(), server.into(), path(token_file), path(ca_file)]
    };
    out.data(&table(&["CURRENT", "NAME", "SERVER", "TOKEN FILE", "CA FILE"], listed.iter().map(row).collect()))
}
