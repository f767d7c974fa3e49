//! `simulate`: runs seeds and says which of them violate an invariant.

use std::process::ExitCode;

fn main() -> anyhow::Result<ExitCode> {
    urumi_simulator::command::run()
}
