//! `urumi man`.

use clap::CommandFactory as _;

use crate::cli::{Cli, ManArgs, describe_once};
use crate::exit::{CommandError, ExitStatus};
use crate::output::Out;

pub(super) fn run(out: &Out, args: &ManArgs) -> Result<(), CommandError> {
    let directory = args.out.display();
    let command = describe_once(Cli::command().disable_help_subcommand(true));
    std::fs::create_dir_all(&args.out)
        .and_then(|()| clap_mangen::generate_to(command, &args.out))
        .map_err(|error| CommandError::new(ExitStatus::Other, format!("cannot write to {directory}: {error}")))?;
    out.note(&format!("the manual pages are in {directory}"));
    Ok(())
}
