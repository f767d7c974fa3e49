//! The `urumi` command: parses arguments, calls `urumi-core`, prints the result.
//!
//! Data goes to stdout, everything else to stderr. Scripts check the exit code: see [`reference()`].

mod choice;
mod cli;
mod commands;
mod contexts;
mod engine_defaults;
mod exit;
mod file;
mod follow;
mod images;
mod logging;
mod options;
mod output;
mod progress;
mod reference;
mod request;
mod schema;
mod target;
mod terminal;
#[cfg(test)]
mod test_store;
mod yaml;

use std::process::ExitCode;

use clap::CommandFactory as _;

pub use self::reference::reference;

/// Runs the command given by the process' arguments.
pub fn run() -> ExitCode {
    let mut command = cli::Cli::command();
    let cli = match cli::Cli::read(&command.get_matches_mut()) {
        Ok(cli) => cli,
        Err(error) => error.format(&mut command).exit(),
    };
    cli.global.color.write_global();
    logging::start(cli.global.verbose, cli.global.quiet);
    let out = output::Out::new(cli.global.output, cli.global.quiet);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return out.error(&exit::CommandError::new(exit::ExitStatus::Other, format!("cannot start: {error}")));
        }
    };
    let result = runtime.block_on(commands::run(cli, &out));
    // A pending DNS lookup blocks a thread; don't wait for it.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => out.error(&error),
    }
}
