//! Servers in separate processes.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// A running server. It is killed when dropped.
pub(crate) struct ServerProcess {
    pub(crate) address: SocketAddr,
    child: Child,
}

impl ServerProcess {
    /// Starts urumi-http on an in-memory cluster, with limits that no benchmark reaches.
    pub(crate) async fn urumi(program: &Path, ready_after: &str) -> Result<ServerProcess> {
        let mut command = Command::new(program);
        command.args(["--listen", "127.0.0.1:0", "--metrics-listen", "off", "--cluster", "memory", "--log", "warn"]);
        command.args(["--memory-ready-after", ready_after, "--max-connections", "19000", "--max-in-flight", "19000"]);
        command.args(["--max-streams-per-client", "19000"]);
        command.args(["--rate-limit", "1000000", "--rate-burst", "1000000"]);
        ServerProcess::start(command).await
    }

    /// Starts one of this program's minimal servers.
    pub(crate) async fn floor(kind: &str, file: &Path) -> Result<ServerProcess> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(kind).arg(file);
        ServerProcess::start(command).await
    }

    async fn start(mut command: Command) -> Result<ServerProcess> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("its output")?).lines();
        while let Some(line) = lines.next_line().await? {
            if let Some((_, address)) = line.split_once("http://") {
                let address = address.split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or_default();
                return Ok(ServerProcess { address: address.parse()?, child });
            }
        }
        bail!("the server ended before it listened")
    }

    /// The resident memory in bytes.
    pub(crate) fn resident(&self) -> Result<u64> {
        let id = self.child.id().context("the server has ended")?;
        let statm = std::fs::read_to_string(format!("/proc/{id}/statm"))?;
        let pages: u64 = statm.split_whitespace().nth(1).context("statm")?.parse()?;
        Ok(pages * 4096)
    }
}
