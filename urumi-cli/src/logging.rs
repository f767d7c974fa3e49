//! Logging to stderr.

use std::io;

use tracing_subscriber::EnvFilter;

use crate::terminal;

/// Starts logging to stderr: warnings by default, more with each `-v`.
///
/// `-v` affects only urumi's own targets: the logs of an HTTP client may contain the cluster's responses, including
/// secrets. The certificate verifier is silent because the returned error says why a certificate was rejected.
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

/// Writes each line above the progress bars.
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
