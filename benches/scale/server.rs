//! urumi-http in a process of its own, on the cluster under measurement.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use urumi_core::HttpOrchestrator;

use crate::stats::median;

/// A running server. It is killed when dropped.
pub(crate) struct Server {
    address: SocketAddr,
    child: Child,
}

impl Server {
    /// Starts the urumi-http beside this program, without limits on its callers.
    pub(crate) async fn start(kubeconfig: &Path) -> Result<Server> {
        let mut command = Command::new(std::env::current_exe()?.with_file_name("urumi-http"));
        command.args(["--cluster", "kube", "--listen", "127.0.0.1:0", "--metrics-listen", "off", "--log", "warn"]);
        command.args(["--rate-limit", "1000000", "--rate-burst", "1000000"]).arg("--kubeconfig").arg(kubeconfig);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("its output")?).lines();
        while let Some(line) = lines.next_line().await? {
            if let Some((_, address)) = line.split_once("http://") {
                let address = address.split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or_default();
                let server = Server { address: address.parse()?, child };
                server.ready().await?;
                return Ok(server);
            }
        }
        bail!("the server ended before it listened")
    }

    pub(crate) fn client(&self) -> Result<HttpOrchestrator> {
        Ok(HttpOrchestrator::connect(&format!("http://{}", self.address), &Default::default())?)
    }

    /// Waits until it has listed the stores.
    pub(crate) async fn ready(&self) -> Result<()> {
        let waiting = async {
            while !self.get("/readyz").await.is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(300), waiting).await.context("waiting until the server is ready")
    }

    /// The median time of a list of 50 stores.
    pub(crate) async fn list_time(&self) -> Result<Duration> {
        let mut times = Vec::new();
        for _ in 0..50 {
            let began = Instant::now();
            let answer = self.get("/stores?limit=50").await?;
            times.push(began.elapsed());
            ensure!(answer.starts_with("HTTP/1.1 200"), "{answer:.200}");
        }
        Ok(median(&times))
    }

    async fn get(&self, path: &str) -> Result<String> {
        let mut connection = TcpStream::connect(self.address).await?;
        let head = format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.address);
        connection.write_all(head.as_bytes()).await?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await?;
        Ok(answer)
    }

    /// The resident memory in bytes.
    pub(crate) fn resident(&self) -> Result<u64> {
        let pages: u64 = self.stat("statm")?.split_whitespace().nth(1).context("statm")?.parse()?;
        Ok(pages * 4096)
    }

    /// The processor time that it has used, in user and kernel mode.
    pub(crate) fn processor_time(&self) -> Result<Duration> {
        let stat = self.stat("stat")?;
        // The name of the program, in parentheses, may contain spaces.
        let (_, fields) = stat.rsplit_once(") ").context("stat")?;
        let ticks: Result<Vec<u64>, _> = fields.split_whitespace().skip(11).take(2).map(str::parse).collect();
        Ok(Duration::from_millis(ticks?.iter().sum::<u64>() * 10))
    }

    fn stat(&self, file: &str) -> Result<String> {
        let id = self.child.id().context("the server has ended")?;
        Ok(std::fs::read_to_string(format!("/proc/{id}/{file}"))?)
    }
}
