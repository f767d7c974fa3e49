//! The parts of a cluster of `dev/clusters/kubernetes`, to be paused, killed and started again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

/// A process of the cluster.
pub(crate) struct Component {
    name: &'static str,
    cluster: PathBuf,
}

impl Component {
    /// A part of the cluster that this kubeconfig is of; none where that is not one of `dev/clusters/kubernetes`.
    pub(crate) fn of(kubeconfig: &str, name: &'static str) -> Option<Component> {
        let component = Component { name, cluster: Path::new(kubeconfig).parent()?.to_owned() };
        component.pids().exists().then_some(component)
    }

    fn pids(&self) -> PathBuf {
        self.cluster.join("pids").join(self.name)
    }

    fn pid(&self) -> String {
        fs::read_to_string(self.pids()).unwrap().split_whitespace().next().unwrap().to_owned()
    }

    /// The folder of its cluster.
    pub(crate) fn cluster(&self) -> &Path {
        &self.cluster
    }

    pub(crate) fn arguments(&self) -> Vec<String> {
        let line = fs::read(format!("/proc/{}/cmdline", self.pid())).unwrap();
        let arguments = line.split(|byte| *byte == 0).filter(|argument| !argument.is_empty());
        arguments.map(|argument| String::from_utf8(argument.to_vec()).unwrap()).collect()
    }

    fn signal(&self, signal: &str) {
        assert!(self.is_sent(signal), "{} is not there", self.name);
    }

    fn is_sent(&self, signal: &str) -> bool {
        Command::new("sh").args(["-c", &format!("kill -{signal} {}", self.pid())]).status().unwrap().success()
    }

    /// Stops it for a while (SIGSTOP): its connections stay, and nobody answers.
    pub(crate) async fn pause(&self, outage: Duration) {
        self.signal("STOP");
        tokio::time::sleep(outage).await;
        self.signal("CONT");
    }

    /// Kills it, and starts it again after a while with what it has on disk.
    pub(crate) async fn kill(&self, outage: Duration) {
        let arguments = self.arguments();
        self.signal("KILL");
        tokio::time::sleep(outage).await;
        self.start(&arguments).await;
    }

    /// Starts it again with further arguments.
    pub(crate) async fn restart_with(&self, more: &[&str]) {
        let mut arguments = self.arguments();
        arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
        self.signal("KILL");
        self.start(&arguments).await;
    }

    /// Starts another one in the same cluster, of a name that `dev/clusters/kubernetes` knows, so that it is brought down with the
    /// cluster if nobody ends it before.
    pub(crate) async fn start_beside(&self, name: &'static str, arguments: &[String]) -> Component {
        let other = Component { name, cluster: self.cluster.clone() };
        other.start(arguments).await;
        other
    }

    /// Kills it for good, unless it has ended.
    pub(crate) fn end(&self) {
        self.is_sent("KILL");
        fs::remove_file(self.pids()).unwrap();
    }

    async fn start(&self, arguments: &[String]) {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.cluster.join("log").join(format!("{}.log", self.name)));
        let log = log.unwrap();
        let mut command = Command::new("setsid");
        command.args(arguments).current_dir(&self.cluster).stdin(Stdio::null());
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        // As `dev/clusters/kubernetes/up` notes it, so that the cluster is brought down with this process too.
        let started = loop {
            let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
            let command_line = fs::read_to_string(format!("/proc/{}/cmdline", child.id())).unwrap();
            if command_line.starts_with(&arguments[0]) {
                break stat.rsplit(") ").next().unwrap().split(' ').nth(19).unwrap().to_owned();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        fs::write(self.pids(), format!("{} {started}\n", child.id())).unwrap();
        // Waited for when it ends, lest it stays as a zombie.
        std::thread::spawn(move || {
            let mut child = child;
            child.wait()
        });
    }

    /// Has etcd forget all that was before now: a watch from an older version has to begin anew.
    pub(crate) async fn compact(&self) {
        let arguments = self.arguments();
        let url = arguments.iter().position(|argument| argument == "--listen-client-urls").unwrap() + 1;
        let ask = async |path: &str, body: Value| -> reqwest::Result<Value> {
            let question = reqwest::Client::new().post(format!("{}/v3/kv/{path}", arguments[url])).json(&body);
            question.send().await?.error_for_status()?.json().await
        };
        let compacted = async {
            loop {
                // It may have to start first.
                if let Ok(found) = ask("range", json!({"key": "AA=="})).await
                    && ask("compaction", json!({"revision": found["header"]["revision"]})).await.is_ok()
                {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), compacted).await.expect("etcd does not answer");
    }
}
