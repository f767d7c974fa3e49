//! Servers in separate processes.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tempfile::NamedTempFile;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::stats::Row;

/// A running server. It is killed when dropped.
pub(crate) struct ServerProcess {
    pub(crate) address: SocketAddr,
    child: Child,
    /// The file of tokens, which the server reads again when it changes.
    _tokens: Option<NamedTempFile>,
}

impl ServerProcess {
    /// Starts urumi-http on an in-memory cluster, with limits that no benchmark reaches.
    pub(crate) async fn urumi(program: &Path, ready_after: &str) -> Result<ServerProcess> {
        let mut command = in_memory(program);
        command.args(["--memory-ready-after", ready_after, "--max-connections", "19000", "--max-in-flight", "19000"]);
        command.args(["--max-streams-per-client", "19000"]);
        command.args(["--rate-limit", "1000000", "--rate-burst", "1000000"]);
        ServerProcess::start(command).await
    }

    /// Starts urumi-http on an in-memory cluster, with the default limits and a token for each name, role and team.
    pub(crate) async fn with_callers(
        program: &Path,
        callers: &[(&str, &str, &str)],
    ) -> Result<(ServerProcess, Vec<String>)> {
        let (mut file, mut tokens) = (NamedTempFile::new()?, Vec::new());
        for (name, role, team) in callers {
            let mut command = Command::new(program);
            command.args(["token", "--subject", name, "--role", role, "--team", team]);
            let output = command.output().await?;
            file.write_all(&output.stdout)?;
            let shown = String::from_utf8(output.stderr)?;
            tokens.push(shown.lines().find_map(|line| line.strip_prefix("  ")).context("the token")?.to_owned());
        }
        let mut command = in_memory(program);
        command.arg("--tokens-file").arg(file.path());
        // Takes the memory of large answers from the kernel, so that memory which is free in the heap does not hide their growth.
        command.env("MALLOC_MMAP_THRESHOLD_", "65536");
        let server = ServerProcess::start(command).await?;
        Ok((ServerProcess { _tokens: Some(file), ..server }, tokens))
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
                return Ok(ServerProcess { address: address.parse()?, child, _tokens: None });
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

fn in_memory(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["--listen", "127.0.0.1:0", "--metrics-listen", "off", "--cluster", "memory", "--log", "warn"]);
    command
}

/// Compares the memory that connections use with that of the same connections to bare hyper, in bytes.
pub(crate) fn memory_row(what: impl Into<String>, urumi: u64, floor: u64, goal: &str) -> Row {
    let shown = |bytes: u64| match bytes as f64 / 1024.0 {
        kib if kib < 1024.0 => format!("{kib:.1} KiB"),
        kib => format!("{:.1} MiB", kib / 1024.0),
    };
    Row {
        what: what.into(),
        urumi: shown(urumi),
        floor: format!("bare hyper, {}", shown(floor)),
        ratio: format!("{:.2}", urumi as f64 / floor.max(1) as f64),
        goal: goal.into(),
    }
}
