//! The life of one store behind the proxy: created, disturbed and repaired, changed and taken back, deleted.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::{FutureExt, StreamExt, stream};
use http::Request;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio::time::Instant;
use urumi_core::cluster::{ConnectOptions, KubeCluster};
use urumi_core::orchestrator::Action;
use urumi_core::store::update::UpdateStore;
use urumi_core::store::wait::UpToDate;
use urumi_core::{
    CreateStore, Error, ErrorKind, HttpOrchestrator, Precondition, StoreId, StoreOrchestrator, StoreOrchestratorExt,
};
use urumi_faultproxy::{Counts, FaultProxy, Plan, Scope};
use urumi_testing::say;

use crate::cluster::parallel;
use crate::oracle::{Dump, difference, dump};
use crate::server::Server;
use crate::statuses::Statuses;

/// How long a store may be stuck once the last fault has healed.
pub(crate) const STUCK: Duration = Duration::from_secs(30);

/// How long the pods of a change may take once the last fault has healed.
const ROLLOUT: Duration = Duration::from_secs(120);

/// How long a request may be repeated.
const PATIENCE: Duration = Duration::from_secs(300);
/// How often it is looked again.
const PACE: Duration = Duration::from_millis(100);

/// What a life without faults is like.
pub(crate) struct Baseline {
    pub(crate) dump: Dump,
    /// After a change, and after the way back from it.
    pub(crate) changed: Dump,
    pub(crate) returned: Dump,
    /// How many requests creation, repair, deletion, change and way back take.
    pub(crate) counts: [Counts; 5],
}

static BASELINE: OnceCell<Baseline> = OnceCell::const_new();

/// The life without faults; lived once.
pub(crate) async fn baseline(kubeconfig: &str) -> &'static Baseline {
    let live = async || {
        let mut life = Life::begin(kubeconfig).await;
        let mut counts = [Counts::default(); 5];
        life.create(Plan::default(), None).await;
        life.quiet().await;
        let dump = dump(&life.admin, life.id.as_str()).await.unwrap();
        counts[0] = life.proxy.counts();
        life.repair(Harm::Taken, Plan::default(), &dump).await;
        life.quiet().await;
        counts[1] = life.proxy.counts();
        life.change(Plan::default(), None).await;
        life.quiet().await;
        let changed = self::dump(&life.admin, life.id.as_str()).await.unwrap();
        counts[3] = life.proxy.counts();
        life.go_back(Plan::default(), None).await;
        life.quiet().await;
        let returned = self::dump(&life.admin, life.id.as_str()).await.unwrap();
        counts[4] = life.proxy.counts();
        life.delete(Plan::default()).await;
        counts[2] = life.proxy.counts();
        Baseline { dump, changed, returned, counts }
    };
    BASELINE.get_or_init(live).await
}

/// What is done to objects of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Harm {
    /// Some are deleted, and the store is degraded until they are there again.
    Taken,
    /// Fields of theirs are changed, without which the store is as ready as before.
    Changed,
}

/// A store, its server, and the proxy between that and the API server.
pub(crate) struct Life {
    pub(crate) id: StoreId,
    pub(crate) admin: kube::Client,
    pub(crate) statuses: Statuses,
    pub(crate) proxy: FaultProxy,
    server: Server,
    /// Every status that the server told.
    told: Vec<String>,
    /// The first password that was seen.
    password: Option<String>,
    /// The longest that it took to be well again after the last fault of a plan.
    slowest: Duration,
}

impl Life {
    pub(crate) async fn begin(kubeconfig: &str) -> Life {
        Life::begin_under(kubeconfig, Plan::default()).await
    }

    /// Begins one whose server is under a plan from its start.
    pub(crate) async fn begin_under(kubeconfig: &str, plan: Plan) -> Life {
        let id = StoreId::random();
        let proxy = FaultProxy::start(kubeconfig, Some(Scope::store(id.as_str()))).await;
        proxy.obey(plan);
        let server = Server::start(&proxy.kubeconfig()).await;
        proxy.on_kill(server.killer());
        KubeCluster::install_crypto_provider();
        let cluster = KubeCluster::connect(ConnectOptions::default().kubeconfig(kubeconfig)).await.unwrap();
        let statuses = Statuses::follow(cluster, &id);
        let admin = urumi_testing::client(kubeconfig).await;
        Life { id, admin, statuses, proxy, server, told: Vec::new(), password: None, slowest: Duration::ZERO }
    }

    /// Creates the store, under a plan of its own or the last one, to be as expected, where that is known.
    pub(crate) async fn create(&mut self, plan: impl Into<Option<Plan>>, expected: Option<&Dump>) {
        self.obey(plan).await;
        let request = CreateStore::new("Test Shop", "medusa").id(self.id.as_str()).idempotency_key(self.id.as_str());
        self.ask(async |api| api.create(request.clone()).await.map(drop)).await;
        self.reach("ready", expected).await;
    }

    /// Harms four objects of the store, to be repaired under a plan.
    pub(crate) async fn repair(&mut self, harm: Harm, plan: impl Into<Option<Plan>>, expected: &Dump) {
        self.obey(plan).await;
        self.harm(harm).await;
        self.reach("ready", Some(expected)).await;
    }

    /// Harms four objects of the store.
    pub(crate) async fn harm(&self, harm: Harm) {
        let labels = json!({"metadata": {"labels": {"app.kubernetes.io/part-of": "something-else"}}});
        let selector = json!({"spec": {"selector": {"app.kubernetes.io/name": "nothing"}}});
        let (network, namespace) = ("apis/networking.k8s.io/v1", self.id.namespace());
        let ingress = match harm {
            Harm::Taken => ("DELETE", None),
            Harm::Changed => ("PATCH", Some(&labels)),
        };
        for ((method, patch), api, object) in [
            (ingress, network, "ingresses/medusa-storefront"),
            (ingress, network, "ingresses/medusa-api"),
            (("PATCH", Some(&labels)), "apis/apps/v1", "deployments/medusa-api"),
            (("PATCH", Some(&selector)), "api/v1", "services/postgres"),
        ] {
            let body = patch.map(|patch| patch.to_string().into_bytes()).unwrap_or_default();
            let request = Request::builder().method(method).uri(format!("/{api}/namespaces/{namespace}/{object}"));
            let request = request.header("content-type", "application/merge-patch+json").body(body).unwrap();
            self.admin.request::<Value>(request).await.unwrap();
        }
    }

    /// Changes the store under a plan: the storefront reads its name anew, the API's pods are replaced, and Redis comes.
    pub(crate) async fn change(&mut self, plan: impl Into<Option<Plan>>, expected: Option<&Dump>) {
        self.obey(plan).await;
        let options = json!({"api": {"replicas": 2, "env": {"GREETING": "hello"}}, "redis": {"enabled": true}});
        let change = UpdateStore::new().name("Other Shop").options(options.as_object().cloned().unwrap());
        let id = self.id.clone();
        self.ask(async |api| api.update(&id, change.clone()).await.map(drop)).await;
        self.roll_out(2, expected).await;
    }

    /// Returns to the first revision under a plan: what the change has added goes.
    pub(crate) async fn go_back(&mut self, plan: impl Into<Option<Plan>>, expected: Option<&Dump>) {
        self.obey(plan).await;
        let back = Action::Rollback { to: Some(1), by: None };
        let id = self.id.clone();
        self.ask(async |api| api.act_if(&id, back.clone(), &Precondition::NONE).await.map(drop)).await;
        self.roll_out(3, expected).await;
    }

    /// Waits until a revision is rolled out, and the store is as expected, where that is known.
    async fn roll_out(&mut self, revision: u64, expected: Option<&Dump>) {
        let Some(expected) = expected else {
            let store = self.server.api.wait_until(&self.id, UpToDate, PATIENCE).await.unwrap().unwrap();
            assert_eq!((store.revision, store.observed_revision), (revision, revision), "{}", self.id);
            return;
        };
        self.reach_within(ROLLOUT, "ready", Some(expected)).await;
    }

    /// Deletes the store under a plan, and sees that nothing is left.
    pub(crate) async fn delete(&mut self, plan: impl Into<Option<Plan>>) {
        self.obey(plan).await;
        let id = self.id.clone();
        self.ask(async |api| match api.delete(&id).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            other => other.map(drop),
        })
        .await;
        self.reach("", Some(&Dump::new())).await;
    }

    async fn obey(&mut self, plan: impl Into<Option<Plan>>) {
        if let Some(plan) = plan.into() {
            // The last plan may have killed it just now.
            self.proxy.obey(Plan::default());
            self.revive().await;
            self.proxy.obey(plan);
        }
    }

    /// Asks the server until it has done it; one that is killed is asked again when it is back.
    async fn ask(&mut self, question: impl AsyncFn(&HttpOrchestrator) -> Result<(), Error>) {
        let until = Instant::now() + PATIENCE;
        loop {
            let outcome = tokio::select! {
                outcome = question(&self.server.api) => Some(outcome),
                () = self.proxy.killed() => None,
            };
            match outcome {
                Some(Ok(())) => return,
                Some(Err(error)) => assert!(Instant::now() < until, "{}: {error}", self.id),
                None => {}
            }
            self.revive().await;
            tokio::time::sleep(PACE).await;
        }
    }

    /// Starts the server again if the plan has killed it.
    async fn revive(&mut self) {
        if !self.proxy.has_killed() {
            return;
        }
        self.check_password().await;
        self.proxy.obey(Plan::default());
        self.server = Server::start(&self.proxy.kubeconfig()).await;
        self.proxy.on_kill(self.server.killer());
    }

    /// Kills the server and starts it again, under the same plan.
    pub(crate) async fn restart(&mut self) {
        self.server.killer()();
        self.server = Server::start(&self.proxy.kubeconfig()).await;
        self.proxy.on_kill(self.server.killer());
    }

    /// Waits until the store has a status and is as expected, and the plan has nothing left to do for it.
    pub(crate) async fn reach(&mut self, status: &str, expected: Option<&Dump>) {
        self.reach_within(STUCK, status, expected).await;
    }

    /// The same, no longer than this once the last fault has healed.
    async fn reach_within(&mut self, limit: Duration, status: &str, expected: Option<&Dump>) {
        let began = Instant::now();
        let mut well = None;
        loop {
            self.revive().await;
            let healed = self.proxy.last_fault().unwrap_or(began).max(began);
            let statuses = self.statuses.all();
            let mut trouble = Some(format!("its statuses were {statuses:?}"));
            if statuses.last().is_some_and(|last| last == status) {
                trouble = match expected {
                    Some(expected) => match dump(&self.admin, self.id.as_str()).await {
                        Ok(found) => difference(expected, &found),
                        Err(error) => Some(error.to_string()),
                    },
                    None => None,
                };
            }
            let Some(trouble) = trouble else {
                self.slowest = self.slowest.max(well.unwrap_or_else(|| healed.elapsed()));
                break;
            };
            // What is on its way out is in the cluster's hands.
            let leaving = status.is_empty() && statuses.last().is_some_and(|last| last == "deleting");
            if leaving {
                well.get_or_insert_with(|| healed.elapsed());
            }
            let limit = if leaving { PATIENCE } else { limit };
            assert!(healed.elapsed() < limit, "{} is not {status:?} as it should be:\n{trouble}", self.id);
            tokio::join!(tokio::time::sleep(PACE), self.look());
        }
        self.check_password().await;
    }

    /// Notes what status the server tells, if it tells one.
    async fn look(&mut self) {
        let status = match tokio::time::timeout(PACE, self.server.view.get(&self.id)).await {
            Ok(Ok(store)) => store.status.to_string(),
            Ok(Err(error)) if error.kind() == ErrorKind::NotFound => String::new(),
            _ => return,
        };
        if self.told.last().is_none_or(|last| *last != status) {
            self.told.push(status);
        }
    }

    /// Waits until nothing has been written for a while.
    async fn quiet(&self) {
        let mut counts = None;
        while counts.replace(self.proxy.counts().writes) != Some(self.proxy.counts().writes) {
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
    }

    /// The server.
    pub(crate) fn api(&self) -> &HttpOrchestrator {
        &self.server.api
    }

    /// What comes is another store.
    pub(crate) fn forget_password(&mut self) {
        self.password = None;
    }

    /// The password is the one that was seen first.
    async fn check_password(&mut self) {
        let path = format!("/api/v1/namespaces/{}/secrets/postgres-credentials", self.id.namespace());
        let secret = self.admin.request::<Value>(Request::get(path).body(Vec::new()).unwrap()).await;
        let Some(found) = secret.ok().and_then(|s| s["data"]["POSTGRES_PASSWORD"].as_str().map(str::to_owned)) else {
            return;
        };
        let first = self.password.get_or_insert_with(|| found.clone());
        assert!(*first == found, "{} has a second password", self.id);
    }

    /// What is watched by the requests from this place in the log on.
    pub(crate) fn watches_since(&self, place: usize) -> BTreeSet<String> {
        let log = self.proxy.log();
        let watches = log.iter().skip(place).filter(|entry| entry.is_watch());
        watches.map(|entry| entry.path.split('?').next().unwrap().to_owned()).collect()
    }

    /// Ends it, after a whole life. Its status may have told that objects were taken from it, as long as they were.
    pub(crate) fn end(self, harm: Harm) -> Ended {
        self.end_after(1, harm)
    }

    /// Ends it, after so many stores of its id.
    pub(crate) fn end_after(self, stores: usize, harm: Harm) -> Ended {
        let mut statuses = self.statuses.all();
        statuses.retain(|status| harm != Harm::Taken || status != "degraded");
        statuses.dedup();
        let expected = ["provisioning", "ready", "deleting", ""].repeat(stores);
        assert_eq!(statuses, expected, "{}: {:?}", self.id, self.statuses.all());
        // It may have been asked too late for one of them, and before the first.
        let mut to_come = [""].iter().chain(&expected);
        let mut told = self.told.clone();
        told.retain(|status| harm != Harm::Taken || status != "degraded");
        told.dedup();
        let forward = told.iter().all(|status| to_come.any(|expected| expected == status));
        assert!(forward, "{}: it told {:?}", self.id, self.told);
        let faults = self.proxy.log().iter().map(|entry| entry.faults.len()).sum();
        Ended { slowest: self.slowest, faults }
    }
}

/// What became of a life that ended well.
pub(crate) struct Ended {
    /// The longest that it took to be well again after the last fault of a plan.
    slowest: Duration,
    faults: usize,
}

/// Lives side by side. Those that fail have told why; that they did is said when all others have ended.
pub(crate) async fn side_by_side<F: Future<Output = Ended>>(what: &str, lives: impl IntoIterator<Item = F>) {
    let began = Instant::now();
    let lives = lives.into_iter().map(|life| AssertUnwindSafe(life).catch_unwind());
    let ends: Vec<_> = stream::iter(lives).buffer_unordered(parallel()).collect().await;
    tell(what, began, ends.len(), &ends.into_iter().flatten().collect::<Vec<_>>());
}

/// Says how all lives went, of which these ended well.
pub(crate) fn tell(what: &str, began: Instant, all: usize, well: &[Ended]) {
    let faults: usize = well.iter().map(|end| end.faults).sum();
    let slowest = well.iter().map(|end| end.slowest).max().unwrap_or_default();
    let failed = all - well.len();
    let took = began.elapsed();
    say(&format!(
        "{what}: {faults} in {all} lives of which {failed} failed; well again within {slowest:.1?}; took {took:.0?}\n"
    ));
    assert_eq!(failed, 0, "lives failed");
}
