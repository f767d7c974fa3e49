//! The server that the tests run behind the proxy: `urumi-http`, unchanged.

use std::process::ExitCode;

fn main() -> ExitCode {
    urumi_http::program::run()
}
