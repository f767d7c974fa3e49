//! A scenario from its beginning to the time when everything has been quiet for a while, and the verdict on it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex as Turn;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use urumi_core::cluster::{ClusterBackend, Fault, FaultTarget};
use urumi_core::kubernetes::Object;
use urumi_core::record;
use urumi_core::store::status::StoreStatus;
use urumi_core::{StoreId, StoreOrchestrator, StoreOrchestratorExt};

use crate::audit::{Audit, Invariant, Violation};
use crate::changes::Looks;
use crate::client::{self, Answer};
use crate::drift;
use crate::life::Life;
use crate::look::Look;
use crate::oracle::{self, Dump, difference};
use crate::replica::Build;
use crate::replicas::{self, Replicas};
use crate::request::namespace;
use crate::revisions;
use crate::scenario::{Action, Scenario};
use crate::world::{Trace, World};

/// How often it is looked whether a process has died and whether everything is settled.
const TICK: Duration = Duration::from_millis(250);
/// How long after healing everything must be settled, beside what the cluster itself takes.
pub(crate) const SETTLED_WITHIN: Duration = Duration::from_secs(30);
/// How long after healing events of before may still be under way.
const ABATED_AFTER: Duration = Duration::from_secs(10);
/// How long nothing may be written once everything is settled.
const QUIET: Duration = Duration::from_secs(25);

/// What came of a scenario.
#[derive(Clone, Debug)]
pub struct Report {
    /// The invariants that did not hold.
    pub violations: Vec<Violation>,
    /// Everything that happened.
    pub trace: Trace,
    /// What was there in the end.
    pub dump: Dump,
    /// How many writes there were.
    pub writes: u64,
    /// How many writes of monitors were carried out after another has begun to lead.
    pub late: u64,
    /// How long after healing everything was settled.
    pub settled_after: Duration,
}

impl Report {
    /// Of what could not be run.
    fn nothing(message: String) -> Report {
        Report {
            violations: vec![Violation { invariant: Invariant::Settled, message }],
            trace: Trace::new(),
            dump: Dump::new(),
            writes: 0,
            late: 0,
            settled_after: Duration::ZERO,
        }
    }
}

/// Runs a scenario and compares its end with that of the run without faults.
pub fn judge(scenario: &Scenario, build: &Build) -> Report {
    let mut report = run(scenario, build);
    if report.violations.is_empty() {
        let expected = run(&scenario.without_faults(), build);
        report.violations = expected.violations;
        if report.violations.is_empty()
            && let Some(difference) = difference(&expected.dump, &report.dump)
        {
            report.violations.push(Violation { invariant: Invariant::Oracle, message: difference });
        }
    }
    report
}

/// Runs a scenario.
pub fn run(scenario: &Scenario, build: &Build) -> Report {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    match runtime {
        Ok(runtime) => runtime.block_on(Simulation::run(scenario.clone(), build.clone())),
        Err(error) => Report::nothing(format!("no runtime: {error}")),
    }
}

/// What happens by itself after something else has.
enum Next {
    Action(Action),
    Restart(usize),
    Thaw(Life),
    Mend(usize),
}

struct Simulation {
    scenario: Arc<Scenario>,
    world: Arc<World>,
    replicas: Arc<Replicas>,
    agenda: BTreeMap<(Duration, usize), Next>,
    people: JoinSet<()>,
    /// When everything healed.
    healed: Option<Instant>,
    /// Whether the last thing that was wanted of each store was that it be there.
    wishes: Arc<Mutex<Vec<bool>>>,
    /// What each store was wanted to look like.
    looks: Vec<Looks>,
    /// Who changes a store waits for whoever was first.
    turns: Vec<Arc<Turn<()>>>,
}

impl Simulation {
    async fn run(scenario: Scenario, build: Build) -> Report {
        let cluster = replicas::cluster(&scenario).await;
        let theirs = replicas::foreign(&cluster);
        let world = World::new(&scenario, cluster, Audit::of(&scenario));
        let replicas = match Replicas::new(world.clone(), build, &scenario) {
            Ok(replicas) => replicas,
            Err(error) => return Report::nothing(format!("no election: {error}")),
        };
        let agenda = scenario.actions.iter().cloned().enumerate();
        let mut simulation = Simulation {
            agenda: agenda.map(|(number, (at, action))| ((at, number), Next::Action(action))).collect(),
            wishes: Arc::new(Mutex::new(vec![false; scenario.stores.len()])),
            looks: vec![Looks::default(); scenario.stores.len()],
            turns: scenario.stores.iter().map(|_| Arc::default()).collect(),
            scenario: Arc::new(scenario),
            world,
            replicas,
            people: JoinSet::new(),
            healed: None,
        };
        simulation.play().await;
        let mut settled_after = Duration::ZERO;
        if simulation.is_sound() {
            let healed = simulation.heal().await;
            settled_after = simulation.settle(healed).await;
        }
        simulation.conclude(&theirs, settled_after)
    }

    /// Whether nothing was violated so far.
    fn is_sound(&self) -> bool {
        self.world.audit(|audit| audit.violations().is_empty())
    }

    /// Everything until the time of healing, or until something was violated.
    async fn play(&mut self) {
        let began = Instant::now();
        while self.world.elapsed() < self.scenario.heals_at && self.is_sound() {
            while let Some(entry) = self.agenda.first_entry().filter(|entry| entry.key().0 <= self.world.elapsed()) {
                let next = entry.remove();
                self.happen(next);
            }
            for (replica, back_after) in self.world.take_died() {
                self.later(back_after, Next::Restart(replica));
            }
            self.look();
            let tick = Instant::now() + TICK;
            let next = self.agenda.keys().next().map_or(tick, |(at, _)| tick.min(began + *at));
            sleep_until(next).await;
        }
    }

    /// Has it looked at who leads.
    fn look(&self) {
        let long_since = |healed: Instant| healed.elapsed() > ABATED_AFTER;
        let all_is_well = self.scenario.weather.is_none() || self.healed.is_some_and(long_since);
        self.world.audit(|audit| audit.look(all_is_well));
    }

    fn later(&mut self, after: Duration, next: Next) {
        let number = self.agenda.len() + 1_000 + self.world.writes() as usize;
        self.agenda.insert((self.world.elapsed() + after, number), next);
    }

    fn happen(&mut self, next: Next) {
        match next {
            Next::Restart(replica) => self.replicas.restart(replica),
            Next::Thaw(life) => life.freeze(false),
            Next::Mend(store) => {
                if let Some(target) = self.web_of(store) {
                    self.world.cluster.clear_fault(&target);
                }
            }
            Next::Action(Action::Create(store)) => self.wish(store, true),
            Next::Action(Action::Delete(store)) => self.wish(store, false),
            Next::Action(action @ (Action::Change(store, _) | Action::RollBack(store))) => {
                let look = self.looks.get_mut(store).and_then(|looks| looks.wish(store, &action));
                if let Some(look) = look {
                    self.wish_look(store, look, matches!(action, Action::RollBack(_)));
                }
            }
            Next::Action(Action::Drift(store, drift)) => {
                if let Some(wanted) = self.scenario.stores.get(store) {
                    drift::happen(&self.world, &wanted.id, drift);
                }
            }
            Next::Action(Action::Crash(replica, back_after)) => {
                if let Some(life) = self.replicas.find(Some(replica)) {
                    self.world.note(|| format!("{replica} dies"));
                    life.dead.cancel();
                }
                self.later(back_after, Next::Restart(replica));
            }
            Next::Action(Action::Pause(who, time)) => {
                if let Some(life) = self.replicas.find(who) {
                    self.world.note(|| format!("{} stands still", life.replica));
                    life.freeze(true);
                    self.later(time, Next::Thaw(life));
                }
            }
            Next::Action(Action::Stop(who, back_after)) => {
                if let Some(life) = self.replicas.find(who) {
                    self.world.note(|| format!("{} is told to stop", life.replica));
                    life.stop.cancel();
                    self.later(back_after, Next::Restart(life.replica));
                }
            }
            Next::Action(Action::DropWatches) => self.world.cluster.drop_watches(),
            Next::Action(Action::ExpireWatches) => self.world.cluster.expire_watches(),
            Next::Action(Action::Break(store, mended_after)) => {
                if let (Some(target), Some(wanted)) = (self.web_of(store), self.scenario.stores.get(store)) {
                    self.world.audit(|audit| audit.broken(&wanted.id));
                    self.world.cluster.inject_fault(target, Fault::CrashLoop { exit_code: 1, restarts: 3 });
                    self.later(mended_after, Next::Mend(store));
                }
            }
        }
    }

    fn web_of(&self, store: usize) -> Option<FaultTarget> {
        let wanted = self.scenario.stores.get(store)?;
        Some(FaultTarget::named("web").in_namespace(wanted.id.namespace()))
    }

    /// Somebody wants a store, or wants it gone, and asks until there is an answer or something else is wanted.
    fn wish(&mut self, number: usize, there: bool) {
        let Some(wanted) = self.scenario.stores.get(number).cloned() else { return };
        if let Some(wish) = self.wishes.lock().unwrap_or_else(PoisonError::into_inner).get_mut(number) {
            *wish = there;
        }
        self.world.note(|| format!("somebody wants {} {}", wanted.id, if there { "created" } else { "deleted" }));
        if !there {
            self.world.audit(|audit| audit.deletion_asked(&wanted.id));
        }
        let (world, replicas, wishes) = (self.world.clone(), self.replicas.clone(), self.wishes.clone());
        self.people.spawn(async move {
            let still = || wishes.lock().unwrap_or_else(PoisonError::into_inner).get(number) == Some(&there);
            let mut tries = number;
            while still() {
                tries += 1;
                if let Some(replica) = replicas.alive(tries) {
                    let (urumi, life) = (&replica.orchestrator, &replica.life);
                    let answer = if there {
                        client::create(urumi, life, &wanted.request, &wanted.id).await
                    } else {
                        client::delete(urumi, life, &wanted.id).await
                    };
                    match answer {
                        Answer::Done => return,
                        Answer::Again | Answer::Missing => {}
                        Answer::Refused(error) => {
                            let message = format!("{} was refused: {error}", wanted.id);
                            return world.audit(|audit| audit.violate(Invariant::Settled, message));
                        }
                    }
                }
                client::pause().await;
            }
        });
    }

    /// Somebody wants a store to look like this, and asks until there is an answer or the store is not wanted any more.
    fn wish_look(&mut self, number: usize, look: Look, back: bool) {
        let (Some(wanted), Some(turn)) = (self.scenario.stores.get(number).cloned(), self.turns.get(number).cloned())
        else {
            return;
        };
        let how = if back { "again" } else { "now" };
        self.world.note(|| format!("somebody wants {} {how} as {look:?}", wanted.id));
        if look.broken {
            self.world.audit(|audit| audit.broken(&wanted.id));
        }
        let (world, replicas, wishes) = (self.world.clone(), self.replicas.clone(), self.wishes.clone());
        self.people.spawn(async move {
            let _turn = turn.lock().await;
            let still = || wishes.lock().unwrap_or_else(PoisonError::into_inner).get(number) == Some(&true);
            let mut tries = number;
            while still() {
                tries += 1;
                if let Some(replica) = replicas.alive(tries) {
                    match client::change(&replica.orchestrator, &replica.life, &wanted.id, look, back).await {
                        (Answer::Done, Some(store)) => {
                            world.note(|| {
                                format!("somebody has {} as {look:?}, revision {}", wanted.id, store.revision)
                            });
                            return world.audit(|audit| audit.accepted(&store, look));
                        }
                        (Answer::Refused(error), _) => {
                            let message = format!("{} was refused {look:?}: {error}", wanted.id);
                            return world.audit(|audit| audit.violate(Invariant::Settled, message));
                        }
                        // Whoever wanted it created has had an answer, and it was deleted after that.
                        (Answer::Missing, _) if world.is_healed() => return,
                        _ => {}
                    }
                }
                client::pause().await;
            }
        });
    }

    /// People look whether their stores are as they were changed last, and want those otherwise that are not as they should be in
    /// the end.
    async fn look_at_changes(&mut self) {
        while self.people.try_join_next().is_some() {}
        for (number, wanted) in self.scenario.clone().stores.iter().enumerate() {
            let Some(look) = Looks::last(number, &self.scenario).filter(|_| wanted.stays) else { continue };
            let Some(record) = self.record(&wanted.id).await else { continue };
            self.world.audit(|audit| audit.look_for_change(&wanted.id, &record));
            if !revisions::looks_like(&record, look) && self.people.is_empty() {
                self.wish_look(number, look, false);
            }
        }
    }

    /// Ends all that goes wrong; says when that was. Then people look once more whether they have what they want.
    async fn heal(&mut self) -> Instant {
        self.world.heal();
        self.world.audit(|audit| audit.leaders.thaw());
        self.world.cluster.clear_faults();
        self.world.note(|| "everything heals".into());
        let healed = Instant::now();
        self.healed = Some(healed);
        (0..self.scenario.replicas).for_each(|replica| self.replicas.restart(replica));
        let people = async { while self.people.join_next().await.is_some() {} };
        if timeout(SETTLED_WITHIN + self.scenario.termination_delay, people).await.is_err() {
            self.world.audit(|audit| audit.violate(Invariant::Settled, "somebody still has no answer"));
        }
        // What was sent before arrives before they look.
        sleep(TICK).await;
        let last: Vec<bool> = self.scenario.stores.iter().map(|wanted| wanted.stays).collect();
        last.into_iter().enumerate().for_each(|(number, stays)| self.wish(number, stays));
        healed
    }

    /// Waits until everything is settled; says how long after healing that was.
    async fn settle(&mut self, healed: Instant) -> Duration {
        let (scenario, lease) = (&self.scenario, self.scenario.election.lease);
        let itself = scenario.termination_delay * 2 + scenario.collection_delay + scenario.readiness_delay * 3 + lease;
        // The pods of the last change, and the Job that proves it.
        let itself = itself + scenario.readiness_delay * 3;
        let mut retried = false;
        loop {
            self.look();
            self.look_at_changes().await;
            let mut unsettled = self.unsettled().await;
            if self.replicas.find(None).is_none() {
                unsettled.push("nobody leads".into());
            }
            if unsettled.is_empty() || !self.is_sound() {
                break;
            }
            if healed.elapsed() > SETTLED_WITHIN + itself {
                let message = unsettled.join("; ");
                self.world.audit(|audit| audit.violate(Invariant::Settled, message));
                break;
            }
            if !retried {
                retried = self.retry_failed().await;
            }
            sleep(TICK).await;
        }
        let settled_after = healed.elapsed();
        if !self.is_sound() {
            return settled_after;
        }
        // Conditions may be said in other words once more.
        sleep(QUIET).await;
        let writes = self.world.writes();
        sleep(QUIET).await;
        if self.world.writes() != writes {
            self.world.audit(|audit| audit.violate(Invariant::Settled, "it is written though nothing happens"));
        }
        settled_after
    }

    async fn record(&self, id: &StoreId) -> Option<Object> {
        self.world.cluster.get(&namespace(&id.namespace())).await.ok().flatten()
    }

    /// What is not as somebody wants it.
    async fn unsettled(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (number, wanted) in self.scenario.stores.iter().enumerate() {
            let record = self.record(&wanted.id).await;
            let status = record.as_ref().and_then(|record| record.annotation(record::STATUS));
            match (wanted.stays, &record) {
                (true, Some(record)) if status == Some(StoreStatus::Ready.as_str()) => {
                    let look = Looks::last(number, &self.scenario);
                    if look.is_some_and(|look| !revisions::looks_like(record, look)) {
                        found.push(format!("{} is not as {look:?}", wanted.id));
                    }
                    if !revisions::is_in_force(record) {
                        found.push(format!("the revision of {} is not in force", wanted.id));
                    }
                }
                (false, None) => {}
                (true, None) => found.push(format!("{} is not there", wanted.id)),
                (true, Some(_)) => found.push(format!("{} is {}", wanted.id, status.unwrap_or("without a status"))),
                (false, Some(_)) => found.push(format!("{} is still there", wanted.id)),
            }
        }
        found
    }

    /// Somebody sees that a store has failed, with a reason, and has it tried again.
    async fn retry_failed(&self) -> bool {
        let mut retried = false;
        for wanted in self.scenario.stores.iter().filter(|wanted| wanted.stays) {
            let Some(record) = self.record(&wanted.id).await else { continue };
            if record.annotation(record::STATUS) != Some(StoreStatus::Failed.as_str()) {
                continue;
            }
            let Some(replica) = self.replicas.alive(0) else { continue };
            match replica.orchestrator.get(&wanted.id).await {
                Ok(store) if store.reason.is_none() => {
                    let message = format!("{} failed without a reason", wanted.id);
                    self.world.audit(|audit| audit.violate(Invariant::Settled, message));
                }
                _ => {}
            }
            self.world.note(|| format!("somebody wants {} tried again", wanted.id));
            retried |= replica.orchestrator.retry(&wanted.id).await.is_ok();
        }
        retried
    }

    fn conclude(self, theirs: &[Object], settled_after: Duration) -> Report {
        let cluster = &self.world.cluster;
        if replicas::foreign(cluster) != theirs {
            let message = "what others have in the cluster has changed";
            self.world.audit(|audit| audit.violate(Invariant::OwnGround, message));
        }
        let stays = |id: &str| self.scenario.stores.iter().any(|wanted| wanted.stays && wanted.id.as_str() == id);
        for object in cluster.dump() {
            if object.label(record::ID).is_some_and(|id| !stays(id)) {
                let message = format!("{} is left of a store that is gone", object.reference());
                self.world.audit(|audit| audit.violate(Invariant::NoOrphans, message));
            }
        }
        Report {
            violations: self.world.audit(|audit| audit.violations().to_vec()),
            late: self.world.audit(|audit| audit.late()),
            trace: self.world.trace(),
            dump: oracle::dump(cluster),
            writes: self.world.writes(),
            settled_after,
        }
    }
}
