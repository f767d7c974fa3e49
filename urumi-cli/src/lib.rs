//! The `urumi` command: parses arguments, calls `urumi-core`, prints the result.
//!
//! Data goes to stdout, everything else to stderr. Scripts check the exit code: see [`reference()`].

mod browser;
mod choice;
mod cli;
mod commands;
mod complete;
mod contexts;
mod engine_defaults;
mod exit;
mod extract;
mod file;
mod follow;
mod format;
mod images;
mod logging;
mod login;
mod lookup;
mod options;
mod output;
mod private_file;
mod progress;
mod reference;
mod request;
mod schema;
mod target;
mod terminal;
#[cfg(test)]
mod test_store;
mod tips;
mod yaml;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::CommandFactory as _;
use clap_complete::CompleteEnv;

pub use self::reference::reference;

/// Runs the command given by the process' arguments.
pub fn run() -> ExitCode {
    // Answers a shell that asks for completions, and exits.
    CompleteEnv::with_factory(|| cli::without_empty_variables(cli::Cli::command())).complete();
    let words: Vec<OsString> = std::env::args_os().collect();
    let mut command = cli::command();
    let matches = command.try_get_matches_from_mut(&words);
    let cli = match matches.and_then(|matches| cli::Cli::read(&matches).map_err(|error| error.format(&mut command))) {
        Ok(cli) => cli,
        Err(error) => {
            if let Some(command) = tips::incomplete(&error, &mut command, &words) {
                return match command.print_help() {
                    Ok(()) => ExitCode::SUCCESS,
                    Err(error) => output::Out::new(None, false).error(&error.into()),
                };
            }
            let error = tips::improved(error, &words);
            if error.use_stderr() && tips::wants_json(&words) {
                let json = format::Output::parse("json").ok();
                return output::Out::new(json, false).error(&tips::failure(&error));
            }
            error.exit();
        }
    };
    cli.global.color.write_global();
    logging::start(cli.global.verbose, cli.global.quiet);
    let out = output::Out::new(cli.global.output.clone(), cli.global.quiet);
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
