//! `urumi completions`.

use clap::ValueEnum as _;
use clap_complete::env::Shells;

use crate::exit::{CommandError, ExitStatus};
use crate::output::Out;

/// The variable by which the script asks for completions.
const VARIABLE: &str = "COMPLETE";

pub(super) fn run(out: &Out, shell: clap_complete::Shell) -> Result<(), CommandError> {
    let name = shell.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let shells = Shells::builtins();
    let Some(completer) = shells.completer(&name) else {
        return Err(CommandError::new(ExitStatus::Other, format!("there is no completion for {name}")));
    };
    let mut script = Vec::new();
    completer.write_registration(VARIABLE, "urumi", "urumi", "urumi", &mut script)?;
    out.data(&String::from_utf8_lossy(&script))
}
