//! Servers in separate processes.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::NamedTempFile;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use urumi_core::HttpOrchestrator;

use crate::stats::Row;

/// How long a server may take to have listed its stores.
const PATIENCE: Duration = Duration::from_secs(300);

/// Limits of requests that no benchmark reaches.
const UNLIMITED: [&str; 4] = ["--rate-limit", "1000000", "--rate-burst", "1000000"];

/// A running server. It is killed when dropped.
#[derive(Debug)]
pub struct ServerProcess {
    /// The address at which it listens.
    pub address: SocketAddr,
    child: Child,
    /// The file of tokens, which the server reads again when it changes.
    _tokens: Option<NamedTempFile>,
}

impl ServerProcess {
    /// Starts urumi-http on an in-memory cluster, with limits that no benchmark reaches.
    pub async fn in_memory(program: &Path, ready_after: &str) -> Result<ServerProcess> {
        let mut command = urumi(program, "memory");
        command.args(["--memory-ready-after", ready_after, "--max-connections", "19000", "--max-in-flight", "19000"]);
        command.args(["--max-streams-per-client", "19000"]).args(UNLIMITED);
        ServerProcess::start(command).await
    }

    /// Starts the urumi-http beside this program on the cluster of a kubeconfig, without a limit of requests, and waits until it
    /// has listed the stores.
    pub async fn on_cluster(kubeconfig: &Path) -> Result<ServerProcess> {
        let mut command = urumi(&std::env::current_exe()?.with_file_name("urumi-http"), "kube");
        command.arg("--kubeconfig").arg(kubeconfig).args(UNLIMITED);
        let server = ServerProcess::start(command).await?;
        let waiting = async {
            while !server.get("/readyz").await.is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.context("waiting until the server is ready")?;
        Ok(server)
    }

    /// Starts urumi-http on an in-memory cluster, with the default limits and a token for each name, role and team.
    pub async fn with_callers(program: &Path, callers: &[(&str, &str, &str)]) -> Result<(ServerProcess, Vec<String>)> {
        let (mut file, mut tokens) = (NamedTempFile::new()?, Vec::new());
        for (name, role, team) in callers {
            let mut command = Command::new(program);
            command.args(["token", "--subject", name, "--role", role, "--team", team]);
            let output = command.output().await?;
            file.write_all(&output.stdout)?;
            let shown = String::from_utf8(output.stderr)?;
            tokens.push(shown.lines().find_map(|line| line.strip_prefix("  ")).context("the token")?.to_owned());
        }
        let mut command = urumi(program, "memory");
        command.arg("--tokens-file").arg(file.path());
        let server = ServerProcess::start(command).await?;
        Ok((ServerProcess { _tokens: Some(file), ..server }, tokens))
    }

    /// Starts one of this program's minimal servers.
    pub async fn floor(kind: &str, file: &Path) -> Result<ServerProcess> {
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

    /// A client of it.
    pub fn client(&self) -> Result<HttpOrchestrator> {
        Ok(HttpOrchestrator::connect(&format!("http://{}", self.address), &Default::default())?)
    }

    /// The answer to a GET request over a new connection, with its head.
    pub async fn get(&self, path: &str) -> Result<String> {
        let mut connection = TcpStream::connect(self.address).await?;
        let head = format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.address);
        connection.write_all(head.as_bytes()).await?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await?;
        Ok(answer)
    }

    /// The resident memory in bytes.
    pub fn resident(&self) -> Result<u64> {
        let pages: u64 = self.stat("statm")?.split_whitespace().nth(1).context("statm")?.parse()?;
        Ok(pages * 4096)
    }

    /// The most resident memory that it has had, in bytes.
    pub fn peak(&self) -> Result<u64> {
        crate::memory::peak(self.id()?)
    }

    /// The processor time that it has used, in user and kernel mode.
    pub fn processor_time(&self) -> Result<Duration> {
        let stat = self.stat("stat")?;
        // The name of the program, in parentheses, may contain spaces.
        let (_, fields) = stat.rsplit_once(") ").context("stat")?;
        let ticks: Result<Vec<u64>, _> = fields.split_whitespace().skip(11).take(2).map(str::parse).collect();
        Ok(Duration::from_millis(ticks?.iter().sum::<u64>() * 10))
    }

    fn stat(&self, file: &str) -> Result<String> {
        Ok(std::fs::read_to_string(format!("/proc/{}/{file}", self.id()?))?)
    }

    fn id(&self) -> Result<u32> {
        self.child.id().context("the server has ended")
    }
}

fn urumi(program: &Path, cluster: &str) -> Command {
    let mut command = Command::new(program);
    command.args(["--listen", "127.0.0.1:0", "--metrics-listen", "off", "--cluster", cluster, "--log", "warn"]);
    command
}

/// Compares the memory that connections use with that of the same connections to bare hyper, in bytes.
pub fn memory_row(what: impl Into<String>, urumi: u64, floor: u64, goal: &str) -> Row {
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
