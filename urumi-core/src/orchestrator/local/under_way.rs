//! The plans that are under way in this process, so that nobody in it begins the same plan again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::broadcast;
use tokio::time::{Instant, sleep_until};

/// How many ends of plans are kept for a monitor that has not taken them in yet.
const KEPT: usize = 256;

/// How a plan ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlanEnd {
    /// It never began: the store is another request's.
    NotBegun,
    /// Steps may be left: one has failed, or the request was cancelled.
    Interrupted,
    /// Every step is done.
    Finished,
}

/// A plan that has ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    /// The namespace of its store.
    pub(crate) namespace: String,
    pub(crate) end: PlanEnd,
}

/// The plans that are under way in this process, by the namespaces of their stores.
#[derive(Debug)]
pub(crate) struct PlansUnderWay {
    stores: Mutex<HashMap<String, OfStore>>,
    ended: broadcast::Sender<Ended>,
}

/// The plans of one store.
#[derive(Debug)]
struct OfStore {
    plans: usize,
    /// When a step that other processes can see was last done.
    progressed: Instant,
}

/// A plan. It is under way until this is dropped.
#[derive(Debug)]
pub(crate) struct PlanUnderWay {
    all: Arc<PlansUnderWay>,
    namespace: String,
    end: PlanEnd,
}

impl PlansUnderWay {
    /// No plans.
    pub(super) fn new() -> Arc<Self> {
        let (ended, _) = broadcast::channel(KEPT);
        Arc::new(PlansUnderWay { stores: Mutex::default(), ended })
    }

    /// A plan that begins if its request gets the name; there may be another plan for the store that has the name now.
    pub(super) fn expect(self: &Arc<Self>, namespace: String) -> PlanUnderWay {
        let mut stores = self.stores();
        let store = stores.entry(namespace.clone()).or_insert_with(|| OfStore { plans: 0, progressed: Instant::now() });
        store.plans += 1;
        PlanUnderWay { all: self.clone(), namespace, end: PlanEnd::NotBegun }
    }

    /// Begins a plan, unless one is under way for the store.
    pub(crate) fn begin(self: &Arc<Self>, namespace: String) -> Option<PlanUnderWay> {
        let mut stores = self.stores();
        if stores.contains_key(&namespace) {
            return None;
        }
        stores.insert(namespace.clone(), OfStore { plans: 1, progressed: Instant::now() });
        Some(PlanUnderWay { all: self.clone(), namespace, end: PlanEnd::Interrupted })
    }

    /// Notes that a step that other processes can see was done for a store.
    pub(super) fn progressed(&self, namespace: &str) {
        if let Some(store) = self.stores().get_mut(namespace) {
            store.progressed = Instant::now();
        }
    }

    /// The plans that end from now on.
    pub(crate) fn ends(&self) -> broadcast::Receiver<Ended> {
        self.ended.subscribe()
    }

    fn stores(&self) -> MutexGuard<'_, HashMap<String, OfStore>> {
        self.stores.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PlanUnderWay {
    /// Begins a plan that was expected.
    pub(super) fn begin(&mut self) {
        self.end = PlanEnd::Interrupted;
        self.progressed();
    }

    /// Ends the plan with every step done.
    pub(crate) fn finish(mut self) {
        self.end = PlanEnd::Finished;
    }

    /// Notes something that other processes can see.
    pub(super) fn progressed(&self) {
        self.all.progressed(&self.namespace);
    }

    /// Resolves when other processes have seen no progress for this long.
    pub(super) async fn without_progress(&self, time: Duration) {
        loop {
            let progressed = self.all.stores().get(&self.namespace).map_or_else(Instant::now, |store| store.progressed);
            if progressed.elapsed() >= time {
                return;
            }
            sleep_until(progressed + time).await;
        }
    }
}

impl Drop for PlanUnderWay {
    fn drop(&mut self) {
        let mut stores = self.all.stores();
        if let Some(store) = stores.get_mut(&self.namespace) {
            store.plans -= 1;
            if store.plans == 0 {
                stores.remove(&self.namespace);
            }
        }
        drop(stores);
        // Fails if no monitor runs here; then nobody needs to know.
        let _ = self.all.ended.send(Ended { namespace: std::mem::take(&mut self.namespace), end: self.end });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(receiver: &mut broadcast::Receiver<Ended>) -> Vec<PlanEnd> {
        std::iter::from_fn(|| receiver.try_recv().ok()).map(|ended| ended.end).collect()
    }

    #[tokio::test]
    async fn a_store_has_one_plan_at_a_time_and_its_end_is_told() {
        let all = PlansUnderWay::new();
        let mut ended = all.ends();
        let first = all.begin("store-a".into()).unwrap();
        assert!(all.begin("store-a".into()).is_none());
        assert!(all.begin("store-b".into()).is_some());
        drop(first);
        all.begin("store-a".into()).unwrap().finish();
        assert_eq!(ends(&mut ended), [PlanEnd::Interrupted, PlanEnd::Interrupted, PlanEnd::Finished]);
    }

    /// Two requests want the same id; the one that does not get it does not end the plan of the other.
    #[tokio::test]
    async fn a_request_that_loses_the_id_neither_ends_nor_interrupts_the_plan_of_the_winner() {
        let all = PlansUnderWay::new();
        let mut ended = all.ends();
        let (mut winner, loser) = (all.expect("store-a".into()), all.expect("store-a".into()));
        winner.begin();
        drop(loser);
        assert_eq!(ends(&mut ended), [PlanEnd::NotBegun]);
        assert!(all.begin("store-a".into()).is_none());
        drop(winner);
        assert_eq!(ends(&mut ended), [PlanEnd::Interrupted]);
        assert!(all.begin("store-a".into()).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_begins_again_with_each_step() {
        let all = PlansUnderWay::new();
        let (plan, began) = (all.begin("store-a".into()).unwrap(), Instant::now());
        let second = Duration::from_secs(1);
        tokio::join!(plan.without_progress(2 * second), async {
            tokio::time::sleep(second).await;
            plan.progressed();
        });
        assert_eq!(began.elapsed(), 3 * second);
    }
}
