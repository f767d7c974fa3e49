//! Servers as processes of their own.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// A running server; killed when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    child: Child,
}

impl Server {
    /// urumi-http on a cluster in memory, without limits that a benchmark would reach.
    pub(crate) async fn urumi(program: &Path, ready_after: &str) -> Result<Server> {
        let mut command = Command::new(program);
        command.args(["--listen", "127.0.0.1:0", "--metrics-listen", "off", "--cluster", "memory", "--log", "warn"]);
        command.args(["--memory-ready-after", ready_after, "--max-connections", "19000", "--max-in-flight", "19000"]);
        command.args(["--rate-limit", "1000000", "--rate-burst", "1000000"]);
        Server::start(command).await
    }

    /// One of the bare servers in this program.
    pub(crate) async fn floor(kind: &str, file: &Path) -> Result<Server> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(kind).arg(file);
        Server::start(command).await
    }

    async fn start(mut command: Command) -> Result<Server> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("its output")?).lines();
        while let Some(line) = lines.next_line().await? {
            if let Some((_, address)) = line.split_once("http://") {
                let address = address.split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or_default();
                return Ok(Server { address: address.parse()?, child });
            }
        }
        bail!("the server ended before it listened")
    }

    /// How much memory it has, in bytes.
    pub(crate) fn resident(&self) -> Result<u64> {
        let id = self.child.id().context("the server has ended")?;
        let statm = std::fs::read_to_string(format!("/proc/{id}/statm"))?;
        let pages: u64 = statm.split_whitespace().nth(1).context("statm")?.parse()?;
        Ok(pages * 4096)
    }
}
