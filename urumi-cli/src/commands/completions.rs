//! `urumi completions`.

use clap::CommandFactory as _;

use crate::cli::Cli;
use crate::exit::CommandError;
use crate::output::Out;

pub(super) fn run(out: &Out, shell: clap_complete::Shell) -> Result<(), CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "urumi", &mut script);
    out.data(&String::from_utf8_lossy(&script))
}
