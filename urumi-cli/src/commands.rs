//! The commands, one per file.

mod completions;
mod context;
mod create;
mod credentials;
mod delete;
mod demo;
mod describe;
mod diff;
mod doctor;
mod engines;
mod events;
mod get;
mod history;
mod list;
mod login;
mod logout;
mod logs;
mod man;
mod monitor;
mod open;
mod options;
mod render;
mod restart;
mod retry;
mod rollback;
mod rollout;
mod smoke;
mod update;
pub(crate) mod version;
mod wait;
mod watch;
mod whoami;

use crate::cli::{Cli, Command};
use crate::exit::CommandError;
use crate::output::Out;

/// Runs a command.
pub(crate) async fn run(cli: Cli, out: &Out) -> Result<(), CommandError> {
    let global = &cli.global;
    match cli.command {
        Command::Create(args) => create::run(global, out, args).await,
        Command::List(args) => list::run(global, out, &args).await,
        Command::Get(which) => get::run(global, out, &which).await,
        Command::Describe(which) => describe::run(global, out, &which).await,
        Command::Open(args) => open::run(global, out, &args).await,
        Command::Delete(args) => delete::run(global, out, &args).await,
        Command::Wait(args) => wait::run(global, out, &args).await,
        Command::Watch { store, listed } => watch::run(global, out, store.as_deref(), &listed).await,
        Command::Retry { which, wait } => retry::run(global, out, &which, &wait).await,
        Command::Restart(args) => restart::run(global, out, &args).await,
        Command::Update(args) => update::run(global, out, &args).await,
        Command::Rollback(args) => rollback::run(global, out, &args).await,
        Command::History(which) => history::run(global, out, &which).await,
        Command::Logs(args) => logs::run(global, out, &args).await,
        Command::Smoke(which) => smoke::run(global, out, &which).await,
        Command::Credentials(args) => credentials::run(global, out, &args).await,
        Command::Events(args) => events::run(global, out, &args).await,
        Command::Render(store) => render::run(global, out, &store).await,
        Command::Diff(args) => diff::run(global, out, &args).await,
        Command::Monitor { resync, deadline, only } => {
            monitor::run(global, out, resync, deadline, only.as_deref()).await
        }
        Command::Engines { name, option } => engines::run(global, out, name.as_deref(), option.as_deref()).await,
        Command::Demo => demo::run(global, out).await,
        Command::Doctor => doctor::run(global, out).await,
        Command::Login(args) => login::run(global, out, &args).await,
        Command::Logout(args) => logout::run(global, out, &args).await,
        Command::Whoami => whoami::run(global, out).await,
        Command::Context { command } => context::run(global, out, &command),
        Command::Completions { shell } => completions::run(out, shell),
        Command::Man(args) => man::run(out, &args),
        Command::Options => options::run(out),
        Command::Version => version::run(global, out).await,
    }
}
