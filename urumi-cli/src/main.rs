//! The `urumi` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    urumi_cli::run()
}
