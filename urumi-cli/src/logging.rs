//! Log lines on stderr.

use std::io;

use tracing_subscriber::EnvFilter;

use crate::terminal;

/// Begins to log to stderr: warnings by default, more with each `-v`.
///
/// Only urumi's own targets get louder: an HTTP client's logs may hold what the cluster sent, secrets included. What a
/// certificate is refused for, the error says.
pub(crate) fn start(verbose: u8, quiet: bool) {
    let own = match (quiet, verbose) {
        (true, _) => "error",
        (_, 0) => "warn",
        (_, 1) => "info",
        (_, 2) => "debug",
        _ => "trace",
    };
    let others = if quiet { "error" } else { "warn" };
    let filter = EnvFilter::new(format!(
        "{others},kube_client=error,rustls_platform_verifier=off,urumi_core={own},urumi_cli={own}"
    ));
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(|| AboveProgress).init();
}

/// Writes each line above the progress bars, where there are some.
struct AboveProgress;

impl io::Write for AboveProgress {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        terminal::suspended(|| anstream::stderr().write_all(line))?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
