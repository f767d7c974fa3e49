//! The commands, one per file.

mod completions;
mod context;
mod create;
mod credentials;
mod delete;
mod demo;
mod diff;
mod doctor;
mod engines;
mod events;
mod get;
mod list;
mod logs;
mod monitor;
mod render;
mod retry;
mod smoke;
pub(crate) mod version;
mod wait;
mod watch;
mod whoami;

use urumi_core::Precondition;
use urumi_core::store::logs::LogQuery;

use crate::cli::{Cli, Command};
use crate::exit::CommandError;
use crate::output::Out;

/// Runs a command.
pub(crate) async fn run(cli: Cli, out: &Out) -> Result<(), CommandError> {
    let global = &cli.global;
    match cli.command {
        Command::Create(args) => create::run(global, out, args).await,
        Command::List { status } => list::run(global, out, &status).await,
        Command::Get(which) => get::run(global, out, &which).await,
        Command::Delete { which, yes, if_version, wait } => {
            let expected = if_version.map_or(Precondition::NONE, Precondition::version);
            delete::run(global, out, &which, yes, &expected, &wait).await
        }
        Command::Wait { which, awaited, timeout } => wait::run(global, out, &which, awaited, timeout).await,
        Command::Watch { store } => watch::run(global, out, store.as_deref()).await,
        Command::Retry { which, wait } => retry::run(global, out, &which, &wait).await,
        Command::Logs { which, follow, component, tail } => {
            let mut query = LogQuery::default().tail(tail).follow(follow);
            query.component = component;
            logs::run(global, out, &which.store, &query).await
        }
        Command::Smoke(which) => smoke::run(global, out, &which).await,
        Command::Credentials { which, reveal } => credentials::run(global, out, &which, reveal).await,
        Command::Events(which) => events::run(global, out, &which).await,
        Command::Render(store) => render::run(global, out, &store).await,
        Command::Diff(which) => diff::run(global, out, &which).await,
        Command::Monitor { resync, deadline, only } => {
            monitor::run(global, out, resync, deadline, only.as_deref()).await
        }
        Command::Engines { name } => engines::run(global, out, name.as_deref()).await,
        Command::Demo => demo::run(global, out).await,
        Command::Doctor => doctor::run(global, out).await,
        Command::Whoami => whoami::run(global, out).await,
        Command::Context { command } => context::run(global, out, &command),
        Command::Completions { shell } => completions::run(out, shell),
        Command::Version => version::run(global, out).await,
    }
}
