//! Three replicas over one real API server, of which the leader is killed, paused or stopped again and again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Namespace;
use serde_json::json;
use urumi_core::cluster::{ClusterBackend, ConnectOptions, KubeCluster};
use urumi_core::kubernetes::{Kind, Object};
use urumi_core::kubernetes::{Query, WatchEvent};
use urumi_core::orchestrator::local::Orchestrator;
use urumi_core::store::wait::{Deleted, Ready};
use urumi_core::{CreateStore, StoreOrchestrator as _, StoreOrchestratorExt as _};
use urumi_testing::audit;

use crate::process::{ALONE, Server, kubeconfig};

/// Removing a namespace is the work of Kubernetes' controllers, which try again after longer and longer times.
const PATIENCE: Duration = Duration::from_secs(300);
const REPLICAS: usize = 3;
/// What is done to the leader, in turn.
const BLOWS: [Blow; 3] = [Blow::Kill, Blow::Pause, Blow::Stop];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Blow {
    /// SIGKILL, and it is started again.
    Kill,
    /// SIGSTOP, until another has led for a while: it goes on believing that it leads.
    Pause,
    /// SIGTERM, and it is started again.
    Stop,
}

/// `URUMI_CHAOS_ROUNDS` says how often; two of each without.
fn rounds() -> usize {
    std::env::var("URUMI_CHAOS_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(2 * BLOWS.len())
}

/// A replica, whom the API server knows by a name of its own.
struct Replica {
    name: String,
    kubeconfig: PathBuf,
    server: Server,
}

impl Replica {
    async fn start(name: &str, kubeconfig: &Path, namespace: &str) -> Replica {
        let times = ["lease-duration=3s", "renew-deadline=2s", "retry-period=500ms"];
        let times: Vec<String> = times.iter().map(|time| format!("--leader-elect-{time}")).collect();
        let kubeconfig = kubeconfig.to_owned();
        let mut args = vec!["--cluster", "kube", "--kubeconfig", kubeconfig.to_str().unwrap(), "--log", "warn"];
        args.extend(["--leader-elect-namespace", namespace]);
        args.extend(times.iter().map(String::as_str));
        let server = Server::start_on_host(name, &args).await;
        Replica { name: name.to_owned(), kubeconfig, server }
    }

    async fn again(self, namespace: &str) -> Replica {
        Replica::start(&self.name, &self.kubeconfig, namespace).await
    }

    fn signal(&self, signal: &str) {
        let pid = self.server.child.id().expect("it runs").to_string();
        assert!(std::process::Command::new("kill").args([&format!("-{signal}"), &pid]).status().unwrap().success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_befalls_the_leader_another_goes_on_and_nobody_else_writes() {
    let Some(kubeconfig) = kubeconfig() else { return };
    let _alone = ALONE.lock().await;
    KubeCluster::install_crypto_provider();
    let options = ConnectOptions::default().kubeconfig(&kubeconfig).request_timeout(urumi_testing::REQUEST_TIMEOUT);
    let view = |of: &str| KubeCluster::connect(options.clone().user_agent(of));
    let (own, cluster) = (view("urumi").await.unwrap(), view("administrator").await.unwrap());
    let run = format!("leaders-{}", std::process::id());
    // Where the Lease is, if that is not for the test to choose.
    let given = std::env::var("URUMI_TEST_LEASES").ok();
    let namespace = given.clone().unwrap_or_else(|| run.clone());
    if given.is_none() {
        let room = json!({"metadata": {"name": namespace}});
        cluster.create(&Object::from_value(Kind::of::<Namespace>(), room).unwrap()).await.unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let mut replicas = Vec::new();
    for n in 0..REPLICAS {
        let name = format!("{run}-{n}");
        let file = impersonating(&kubeconfig, &name, folder.path());
        replicas.push(Replica::start(&name, &file, &namespace).await);
    }
    let urumi = Orchestrator::builder(Arc::new(own)).build();
    let mut leases = cluster.watch(&Query::all(Kind::of::<Lease>()).in_namespace(&namespace));
    let mut failovers: BTreeMap<Blow, Vec<Duration>> = BTreeMap::new();
    let mut deleted = Vec::new();
    let mut leader = next_leader(&mut leases, "").await;
    for round in 0..rounds() {
        let blow = BLOWS[round % BLOWS.len()];
        let at = replicas.iter().position(|replica| leader.starts_with(&format!("{}_", replica.name)));
        let at = at.unwrap_or_else(|| panic!("{leader} is none of the replicas"));
        let request = CreateStore::new(format!("Round {round}"), "medusa").id(format!("{run}-{round}"));
        let store = urumi.create(request).await.unwrap().into_store();
        let began = Instant::now();
        let struck = &mut replicas[at];
        match blow {
            Blow::Kill => struck.server.child.kill().await.unwrap(),
            Blow::Pause => struck.signal("STOP"),
            Blow::Stop => {
                struck.signal("TERM");
                struck.server.child.wait().await.unwrap();
            }
        }
        let began = if blow == Blow::Stop { Instant::now() } else { began };
        leader = next_leader(&mut leases, &leader).await;
        failovers.entry(blow).or_default().push(began.elapsed());
        urumi.wait_until(&store.id, Ready.or_failed(), PATIENCE).await.unwrap();
        if blow == Blow::Pause {
            replicas[at].signal("CONT");
        } else {
            let ended = replicas.remove(at);
            replicas.push(ended.again(&namespace).await);
        }
        urumi.delete(&store.id).await.unwrap();
        deleted.push(store.id);
    }
    futures::future::join_all(deleted.iter().map(async |id| urumi.wait_until(id, Deleted, PATIENCE).await.unwrap()))
        .await;
    for (blow, times) in &failovers {
        println!("{blow:?}: another led after at most {:?} (of {})", times.iter().max().unwrap(), times.len());
    }
    drop(replicas);
    if let Some(writes) = writes_by_leaders(&run) {
        println!("{writes} writes by leaders, none by anybody else");
    }
    if given.is_some() {
        return;
    }
    let room = urumi_core::kubernetes::ObjectRef::cluster(Kind::of::<Namespace>(), &namespace);
    let room = cluster.get(&room).await.unwrap().unwrap();
    let expected = urumi_core::kubernetes::Preconditions::of(&room);
    cluster.delete(&room.reference(), &expected).await.unwrap();
}

/// Who holds the Lease next, and is not `before`.
async fn next_leader(leases: &mut urumi_core::cluster::WatchStream, before: &str) -> String {
    let watching = async {
        loop {
            let seen = match leases.next().await.unwrap() {
                Ok(WatchEvent::Snapshot(all)) => all.into_iter().collect(),
                Ok(WatchEvent::Applied(one)) => vec![one],
                Ok(_) | Err(_) => continue,
            };
            let holder = seen.iter().find_map(|lease| lease.str_at("/spec/holderIdentity"));
            if let Some(holder) = holder.filter(|holder| !holder.is_empty() && *holder != before) {
                return holder.to_owned();
            }
        }
    };
    tokio::time::timeout(PATIENCE, watching).await.expect("nobody leads")
}

/// A kubeconfig with which one acts as an administrator of another name.
fn impersonating(kubeconfig: &str, name: &str, folder: &Path) -> PathBuf {
    let path = folder.join(format!("{name}.kubeconfig"));
    std::fs::write(&path, urumi_testing::impersonating(kubeconfig, name)).unwrap();
    path
}

/// How many writes the API server's audit log has; each must be by whoever had written the Lease last. None where there is no
/// log.
fn writes_by_leaders(replicas: &str) -> Option<usize> {
    let log = std::env::var_os("URUMI_TEST_AUDIT_LOG")?;
    let mut requests = audit::requests(log.as_ref(), 0).unwrap();
    requests.retain(|made| made.caller.starts_with(replicas) && made.code < 300);
    requests.sort_by_key(|made| made.at);
    let mut leader = String::new();
    let mut by_leaders = 0;
    for made in requests {
        match (made.verb.as_str(), made.resource.as_str()) {
            ("create" | "update", "leases") => leader = made.caller,
            ("create" | "patch", _) => {
                assert_eq!(made.caller, leader, "at {}, somebody wrote who did not lead", made.at);
                by_leaders += 1;
            }
            _ => {}
        }
    }
    assert!(by_leaders >= rounds(), "only {by_leaders} writes were seen");
    Some(by_leaders)
}
