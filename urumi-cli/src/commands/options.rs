//! `urumi options`.

use crate::cli::global_options;
use crate::exit::CommandError;
use crate::output::Out;

pub(super) fn run(out: &Out) -> Result<(), CommandError> {
    out.data(&format!("{}\n", global_options().render_long_help().ansi()))
}
