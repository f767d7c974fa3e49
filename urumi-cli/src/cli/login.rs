//! The arguments of `urumi login` and `urumi logout`.

use clap::Args;

/// The arguments of `urumi login`.
#[derive(Args, Debug)]
pub(crate) struct LoginArgs {
    /// The server's address, e.g. https://urumi.example.com; the default is the chosen server. --context names the context
    #[arg(value_name = "SERVER")]
    pub(crate) address: Option<String>,

    /// Print a code to enter in a browser on any device; the default over SSH and without a display
    #[arg(long, conflicts_with_all = ["no_browser", "port", "with_token"])]
    pub(crate) device: bool,

    /// Print the URL for a browser on this computer, but do not open one
    #[arg(long)]
    pub(crate) no_browser: bool,

    /// The port on 127.0.0.1 to which the browser returns; a free one by default
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: Option<u16>,

    /// Read a token from stdin
    #[arg(long, conflicts_with_all = ["no_browser", "port"])]
    pub(crate) with_token: bool,
}

/// The arguments of `urumi logout`.
#[derive(Args, Debug)]
pub(crate) struct LogoutArgs {
    /// The server's address; the default is the chosen server
    #[arg(value_name = "SERVER")]
    pub(crate) address: Option<String>,
}
