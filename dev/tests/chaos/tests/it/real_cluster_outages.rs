//! The API server and etcd stop and start again.

use std::time::Duration;

use futures::future::join_all;
use http::Request;
use rand::prelude::*;
use serde_json::{Value, json};
use tokio::time::Instant;
use urumi_core::cluster::{ConnectOptions, KubeCluster};
use urumi_core::{CreateStore, Error, ErrorKind, StoreId, StoreOrchestrator, StoreOrchestratorExt};
use urumi_faultproxy::{FaultProxy, Plan};
use urumi_testing::say;

use crate::cluster::{WELL, kubeconfig, seeds};
use crate::component::Component;
use crate::life::{Harm, Life, STUCK, baseline};
use crate::server::Server;
use crate::statuses::Statuses;

/// How many outages there are where no number is given, and how long those are at most.
const ROUNDS: u64 = 2;
const BRIEF: f64 = 4.0;
/// How long they are at least, and at most where a number is given.
const SHORTEST: f64 = 0.1;
const LONGEST: f64 = 120.0;

/// The Services of a store, each of which leads to the pods of its own name.
const SERVICES: [&str; 3] = ["postgres", "medusa-api", "medusa-storefront"];

/// How long the cluster's own parts may take to be well again.
const CLUSTER: Duration = Duration::from_secs(120);

/// What a busy machine adds to what is a matter of timers.
const SLACK: Duration = Duration::from_secs(3);

/// Waits until the API server says that it is well.
async fn serves(admin: &kube::Client) {
    let serving = async {
        while admin.request_text(Request::get("/readyz").body(Vec::new()).unwrap()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(CLUSTER, serving).await.expect("the API server never served again");
}

/// Asks until it is done: the server may say that it cannot now.
async fn insist(what: &str, limit: Duration, question: impl AsyncFn() -> Result<(), Error>) {
    let began = Instant::now();
    while let Err(error) = question().await {
        assert!(began.elapsed() < limit, "{what}: {error}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// A store outside of the server under test's sight.
struct Watched {
    id: StoreId,
    statuses: Statuses,
}

impl Watched {
    fn new(cluster: &KubeCluster) -> Watched {
        let id = StoreId::random();
        Watched { statuses: Statuses::follow(cluster.clone(), &id), id }
    }

    async fn create(&self, server: &Server, limit: Duration) {
        let request = CreateStore::new("Outage", "medusa").id(self.id.as_str()).idempotency_key(self.id.as_str());
        insist("a creation", limit, async || server.api.create(request.clone()).await.map(drop)).await;
    }

    async fn delete(&self, server: &Server, limit: Duration) {
        insist("a deletion", limit, async || match server.api.delete(&self.id).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            other => other.map(drop),
        })
        .await;
    }

    /// Waits until the status is this one. After an outage that may take the cluster's own parts a while: they try
    /// again ever more seldom.
    async fn until(&self, server: &Server, status: &str) {
        if tokio::time::timeout(CLUSTER, self.statuses.until(status)).await.is_err() {
            let store = server.api.get(&self.id).await;
            let statuses = self.statuses.all();
            panic!("not {status:?} within {CLUSTER:?}: {statuses:?}\n{store:#?}");
        }
    }

    /// Changes a Service of the store and waits until that is repaired, which is in nobody's hands but urumi's.
    async fn repaired(&self, admin: &kube::Client, service: &str) {
        let path = format!("/api/v1/namespaces/{}/services/{service}", self.id.namespace());
        let harm = json!({"spec": {"selector": {"app.kubernetes.io/name": "nothing"}}}).to_string().into_bytes();
        let harm = Request::patch(&path).header("content-type", "application/merge-patch+json").body(harm).unwrap();
        admin.request::<Value>(harm).await.unwrap();
        let repaired = async {
            let selector = async || -> kube::Result<Value> {
                let service: Value = admin.request(Request::get(&path).body(Vec::new()).unwrap()).await?;
                Ok(service["spec"]["selector"]["app.kubernetes.io/name"].clone())
            };
            while !selector().await.is_ok_and(|selector| selector == service) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        assert!(tokio::time::timeout(STUCK, repaired).await.is_ok(), "nothing is repaired within {STUCK:?}");
    }

    /// It never was failed or degraded, and has only gone forward.
    fn check(&self) {
        let seen = self.statuses.all();
        let order = ["provisioning", "ready", "deleting", ""];
        let places: Vec<_> = seen.iter().map(|status| order.iter().position(|known| known == status)).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{}: {seen:?}", self.id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_outage_everything_goes_on() {
    let Some(kubeconfig) = kubeconfig() else { return };
    let (Some(etcd), Some(api)) = (Component::of(&kubeconfig, "etcd"), Component::of(&kubeconfig, "kube-apiserver"))
    else {
        say("skipped: outages need a cluster of dev/clusters/kubernetes\n");
        return;
    };
    let _ill = WELL.write().await;
    let (rounds, longest) = seeds("URUMI_CHAOS_OUTAGES").map_or((0..ROUNDS, BRIEF), |rounds| (rounds, LONGEST));
    // Else it calls all nodes dead after 50 s in which it heard of none, and every store is degraded, rightly.
    if let Some(controllers) = Component::of(&kubeconfig, "kube-controller-manager") {
        controllers.restart_with(&["--node-monitor-grace-period", "1h"]).await;
    }
    KubeCluster::install_crypto_provider();
    let cluster = KubeCluster::connect(ConnectOptions::default().kubeconfig(&kubeconfig)).await.unwrap();
    let admin = urumi_testing::client(&kubeconfig).await;
    let proxy = FaultProxy::start(&kubeconfig, None).await;
    let server = Server::start(&proxy.kubeconfig()).await;
    let (lasting, mut last) = (Watched::new(&cluster), Watched::new(&cluster));
    join_all([&lasting, &last].map(|store| store.create(&server, STUCK))).await;
    join_all([&lasting, &last].map(|store| store.until(&server, "ready"))).await;

    let mut slowest = Duration::ZERO;
    for round in rounds.clone() {
        let began = Instant::now();
        let mut dice = StdRng::seed_from_u64(round);
        let outage = Duration::from_secs_f64(SHORTEST * (longest / SHORTEST).powf(dice.random_range(0.0..=1.0)));
        let lead = Duration::from_millis(dice.random_range(0..1500));
        let component = if round % 2 == 0 { &api } else { &etcd };
        let (killed, compacted) = (dice.random_bool(0.5), dice.random_bool(0.7));
        let next = Watched::new(&cluster);
        let limit = outage + CLUSTER;
        // By turns: urumi does not fight over one that is changed again and again.
        let service = SERVICES[round as usize % SERVICES.len()];
        let stop = async {
            tokio::time::sleep(lead).await;
            if killed {
                component.kill(outage).await
            } else {
                component.pause(outage).await
            }
            if compacted {
                etcd.compact().await;
            }
            serves(&admin).await;
            let healed = Instant::now();
            lasting.repaired(&admin, service).await;
            healed.elapsed()
        };
        // One is created and one is deleted meanwhile.
        let (took, (), ()) = tokio::join!(stop, next.create(&server, limit), last.delete(&server, limit));
        tokio::join!(next.until(&server, "ready"), last.until(&server, ""));
        slowest = slowest.max(took);
        for store in [&lasting, &last, &next] {
            store.check();
        }
        assert_eq!(lasting.statuses.all(), ["provisioning", "ready"], "round {round}");
        last = next;
        let how = if killed { "killed" } else { "paused" };
        eprintln!("round {round}: {how} for {outage:.1?}, repaired {took:.1?} after, {:.0?} in all", began.elapsed());
    }
    say(&format!("outages: {} of up to {longest} s, repairing again within {slowest:.1?}\n", rounds.count()));
    join_all([&lasting, &last].map(|store| store.delete(&server, STUCK))).await;
    join_all([&lasting, &last].map(|store| store.until(&server, ""))).await;
}

/// A peer that has vanished without a word: every watch is opened anew, and what has happened meanwhile is seen.
#[tokio::test(flavor = "multi_thread")]
async fn dead_connections_are_noticed() {
    let Some(kubeconfig) = kubeconfig() else { return };
    let _well = WELL.read().await;
    let baseline = baseline(&kubeconfig).await;
    let mut life = Life::begin(&kubeconfig).await;
    life.create(Plan::default(), Some(&baseline.dump)).await;
    let frozen = Instant::now();
    let before = life.watches_since(0);
    life.proxy.freeze_watches();
    let asked = life.proxy.log().len();
    life.harm(Harm::Taken).await;
    let mut missing = before.clone();
    while !missing.is_empty() {
        let anew = life.watches_since(asked);
        missing.retain(|watch| !anew.contains(watch));
        assert!(frozen.elapsed() < STUCK + SLACK, "{missing:?} were not opened again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let noticed = frozen.elapsed();
    life.reach("ready", Some(&baseline.dump)).await;
    say(&format!("dead connections: {} watches, all open again after {noticed:.1?}\n", before.len()));
    life.delete(Plan::default()).await;
    life.end(Harm::Taken);
}
