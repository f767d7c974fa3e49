//! The server.

use std::process::ExitCode;

fn main() -> ExitCode {
    urumi_http::program::run()
}
