//! What every command takes.

use std::path::PathBuf;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Args, ValueEnum};
use jiff::SignedDuration;

/// What every command takes.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Work through the urumi server at this address, e.g. https://urumi.example.com
    ///
    /// Without --server and --cluster, what `urumi context use` has chosen is used, and else the cluster of the
    /// kubeconfig.
    #[arg(long, global = true, value_name = "URL", env = "URUMI_SERVER", hide_env_values = true)]
    pub(crate) server: Option<String>,

    /// A file with the token for the server; the token itself may be in $URUMI_TOKEN, which comes first
    #[arg(long, global = true, value_name = "FILE", env = "URUMI_TOKEN_FILE", hide_env_values = true)]
    pub(crate) token_file: Option<PathBuf>,

    /// A file with certificates (PEM) by which the server is trusted, besides those that the system trusts
    #[arg(long, global = true, value_name = "FILE", env = "URUMI_CA_FILE", hide_env_values = true)]
    pub(crate) ca_file: Option<PathBuf>,

    /// Work on a cluster directly, and on which; `kube` where nothing else is chosen
    #[arg(long, global = true, value_enum, env = "URUMI_CLUSTER", hide_env_values = true)]
    pub(crate) cluster: Option<ClusterChoice>,

    /// The kubeconfig file; else $KUBECONFIG, ~/.kube/config, or the pod's service account
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,

    /// The context within the kubeconfig (those of `urumi context` are servers, and are chosen there)
    #[arg(long, global = true, value_name = "NAME", env = "URUMI_CONTEXT", hide_env_values = true)]
    pub(crate) context: Option<String>,

    /// On a cluster: the domain under which new stores are reachable, unless their options say otherwise
    #[arg(long, global = true, value_parser = domain, default_value = urumi_core::provisioner::LOCAL_DOMAIN, env = "URUMI_DOMAIN", hide_env_values = true)]
    pub(crate) domain: String,

    /// How data is printed; `name` prints ids only, which other commands take
    #[arg(short, long, global = true, value_enum, value_name = "FORMAT", env = "URUMI_OUTPUT", hide_env_values = true)]
    pub(crate) output: Option<Format>,

    /// Log more to stderr; up to three times
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    pub(crate) verbose: u8,

    /// Say nothing on stderr but errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,

    /// When to use colours; NO_COLOR is honoured too
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub(crate) color: Color,

    /// With `--cluster memory`: how long a workload takes to become ready
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration, default_value = "500ms", env = "URUMI_MEMORY_DELAY", hide_env_values = true)]
    pub(crate) memory_delay: Duration,

    /// Which of these stood on the command line itself: that outranks the environment.
    #[arg(skip)]
    flags: Vec<&'static str>,
}

/// The options for which it matters where they were said.
const WEIGHED: [&str; 8] =
    ["server", "token_file", "ca_file", "cluster", "kubeconfig", "context", "domain", "memory_delay"];

impl Global {
    /// Notes which options stood on the command line itself.
    pub(crate) fn note_flags(&mut self, matches: &ArgMatches) {
        self.flags = WEIGHED.to_vec();
        self.flags.retain(|id| matches.value_source(id) == Some(ValueSource::CommandLine));
    }

    /// Whether an option stood on the command line itself.
    pub(crate) fn is_flag(&self, id: &str) -> bool {
        self.flags.contains(&id)
    }
}

/// Which cluster to work on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClusterChoice {
    /// A real Kubernetes cluster, found as kubectl finds it
    Kube,
    /// A throw-away cluster within this process, empty at its start and gone at its end
    Memory,
}

/// How data is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// For people, with more columns
    Wide,
    /// For programs
    Json,
    /// For programs
    Yaml,
    /// Ids only, one a line
    Name,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Color {
    /// Makes it the choice of the whole process.
    pub(crate) fn write_global(self) {
        match self {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}

/// A duration like `90s`, `10m`, `1h30m`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = "write a duration with its unit, e.g. 90s, 10m or 1h30m";
    let parsed: SignedDuration = text.parse().map_err(|_| wrong.to_owned())?;
    let duration = Duration::try_from(parsed).map_err(|_| "a duration must not be negative".to_owned())?;
    match duration {
        Duration::ZERO => Err("a duration must be longer than zero".into()),
        longer if longer > Duration::from_secs(7 * 24 * 3600) => {
            Err("a duration must not be longer than 7 days".into())
        }
        duration => Ok(duration),
    }
}

/// A domain, checked as far as it is not the engine's business.
fn domain(text: &str) -> Result<String, String> {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if text.len() <= 190 && text.split('.').all(label) {
        return Ok(text.to_owned());
    }
    Err("write a domain in lower case without wildcard, scheme or port, e.g. stores.example.com".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, seconds) in
            [("90s", 90.0), ("10m", 600.0), ("1h30m", 5400.0), ("1h 30m", 5400.0), ("500ms", 0.5), ("PT2M", 120.0)]
        {
            assert_eq!(duration(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in ["", "10", "-5m", "5m ago", "0s", "8d", "1y", "ten minutes", "999999999999h", "1.5.5s", "∞"] {
            assert!(duration(text).is_err(), "{text} is accepted");
        }
    }

    #[test]
    fn domains() {
        for text in ["localtest.me", "localhost", "127.0.0.1.nip.io", "stores.example.com"] {
            assert_eq!(domain(text).as_deref(), Ok(text));
        }
        let long = ["a"; 100].join(".");
        for text in
            ["", ".", "a..b", "*.example.com", "https://x.com", "x.com:80", "X.com", "x.com.", "-x.com", "ü.de", &long]
        {
            assert!(domain(text).is_err(), "{text} is accepted");
        }
    }
}
