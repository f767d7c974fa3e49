//! `urumi context`.

use std::path::{Path, PathBuf};

use serde::Serialize;
use urumi_core::HttpOrchestrator;
use urumi_core::http_client::ServerOptions;

use crate::cli::{ContextCommand, Format, GlobalArgs};
use crate::contexts::{Context, Contexts, check_name};
use crate::exit::CommandError;
use crate::output::{Cell, Out, table};

pub(super) fn run(global: &GlobalArgs, out: &Out, command: &ContextCommand) -> Result<(), CommandError> {
    match command {
        ContextCommand::Set { name } => set(global, out, name),
        ContextCommand::Use { name } => choose(out, name),
        ContextCommand::List => list(out),
        ContextCommand::Delete { name } => delete(out, name),
        ContextCommand::None => none(out),
    }
}

fn set(global: &GlobalArgs, out: &Out, name: &str) -> Result<(), CommandError> {
    check_name(name)?;
    // Save only what the command line contains, not what the environment happens to contain.
    let Some(address) = global.server.as_deref().filter(|_| global.is_flag("server")) else {
        return Err(CommandError::usage("the server's address is missing")
            .hint(format!("example: `urumi context set {name} --server https://urumi.example.com`")));
    };
    // Only checks the address, sends nothing.
    let server = HttpOrchestrator::connect(address, &ServerOptions::default())?;
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
    contexts.contexts.insert(name.to_owned(), saved);
    let file = contexts.save()?;
    out.note(&format!("context {name} was saved in {}", file.display()));
    if contexts.current.as_deref() != Some(name) {
        out.note(&format!("`urumi context use {name}` makes it the default"));
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
    out.note(&format!("commands now use the server {server}"));
    Ok(())
}

fn none(out: &Out) -> Result<(), CommandError> {
    let mut contexts = Contexts::load()?;
    if contexts.current.take().is_some() {
        contexts.save()?;
    }
    out.note("commands now use the kubeconfig's cluster");
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
        out.note("it was the default: commands now use the kubeconfig's cluster");
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
