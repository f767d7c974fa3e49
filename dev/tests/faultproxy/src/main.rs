//! The server that the tests put behind the proxy: urumi-http, unchanged.

use std::process::ExitCode;

fn main() -> ExitCode {
    urumi_http::program::run()
}
