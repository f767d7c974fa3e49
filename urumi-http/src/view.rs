//! All stores as they are now, in memory: fed by one watch, read by every request.
//!
//! Each store is turned into JSON once per change and not once per reader; so is each change for those who watch.

mod change;
mod page;

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use metrics::gauge;
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;
use urumi_core::kubernetes::is_older;
use urumi_core::{Store, StoreEvent, StoreId, StoreOrchestrator};
use uuid::Uuid;

use crate::auth::Owner;

pub(crate) use self::change::{Change, What, listed_frame};
pub(crate) use self::page::{Filter, Page, PageRequest, Sort};

/// How many changes are kept for watchers that come back, and how many a slow watcher may be behind.
const REMEMBERED: usize = 1024;
/// How long a read waits for a change that is known to come.
const PATIENCE: Duration = Duration::from_secs(2);

/// A store, whose it is, and its JSON.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) store: Store,
    pub(crate) owner: Option<Owner>,
    pub(crate) json: Bytes,
}

impl Entry {
    fn new(store: Store) -> Arc<Self> {
        // A store is text, numbers and lists: there is nothing that JSON cannot hold.
        let json = serde_json::to_vec(&store).unwrap_or_default().into();
        let owner = owner_of(&store);
        Arc::new(Entry { store, owner, json })
    }
}

/// Whose a store is: nobody's where the record says nothing, or nothing that can be understood.
pub(crate) fn owner_of(store: &Store) -> Option<Owner> {
    store.owner.as_deref().and_then(|owner| Owner::parse(owner).ok())
}

/// All stores as of one change.
pub(crate) struct Listing {
    /// Oldest first.
    pub(crate) entries: Vec<Arc<Entry>>,
    /// The number of the change.
    pub(crate) sequence: u64,
    json: OnceLock<Bytes>,
}

impl Listing {
    /// All of them as one JSON array; made when it is asked for.
    pub(crate) fn json(&self) -> Bytes {
        self.json.get_or_init(|| page::array(self.entries.iter())).clone()
    }
}

/// All stores, kept true by [`View::follow`].
pub(crate) struct View {
    state: RwLock<State>,
    changes: broadcast::Sender<Arc<Change>>,
    /// The number of the last change, for those who wait for one.
    latest: watch::Sender<u64>,
    /// Tells this process's numbers from those of another or of an earlier one.
    instance: String,
}

/// Whether the watch that feeds the view works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum WatchState {
    #[default]
    Works,
    /// It will be tried again; until then the view may be out of date.
    Fails,
    /// It ended, which by contract it never does: the view is never updated again.
    Ended,
}

#[derive(Default)]
struct State {
    synced: bool,
    watch: WatchState,
    stores: HashMap<StoreId, Arc<Entry>>,
    /// All stores as of the last change; made when it is asked for.
    listing: Option<Arc<Listing>>,
    /// How many changes there were.
    sequence: u64,
    recent: VecDeque<Arc<Change>>,
    /// The highest version that was seen of any store.
    version: u64,
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("stores", &self.read().stores.len()).finish_non_exhaustive()
    }
}

impl Default for View {
    fn default() -> Self {
        View {
            state: RwLock::default(),
            changes: broadcast::Sender::new(REMEMBERED),
            latest: watch::Sender::new(0),
            instance: Uuid::new_v4().simple().to_string(),
        }
    }
}

impl View {
    /// Follows all stores until `stop` is cancelled, and lets those who watch know every `heartbeat` that they are still
    /// connected.
    pub(crate) async fn follow(
        &self,
        orchestrator: Arc<dyn StoreOrchestrator>,
        heartbeat: Duration,
        stop: CancellationToken,
    ) {
        let mut events = orchestrator.watch(None);
        let mut beats = tokio::time::interval(heartbeat);
        beats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                event = events.next() => match event {
                    Some(Ok(event)) => self.apply(event),
                    Some(Err(error)) => {
                        tracing::warn!(%error, "the watch of all stores failed and will be tried again");
                        self.set_watch(WatchState::Fails);
                    }
                    None => {
                        tracing::error!("the watch of all stores ended");
                        self.set_watch(WatchState::Ended);
                        return;
                    }
                },
                // Nobody may be watching, which is no error.
                _ = beats.tick() => drop(self.changes.send(Change::heartbeat())),
            }
        }
    }

    fn set_watch(&self, watch: WatchState) {
        self.write().watch = watch;
        gauge!("urumi_http_view_stale").set(if watch == WatchState::Works { 0.0 } else { 1.0 });
    }

    /// Whether all stores have been listed once.
    pub(crate) fn is_synced(&self) -> bool {
        self.read().synced
    }

    /// Whether the watch works that keeps the view up to date.
    pub(crate) fn watch_state(&self) -> WatchState {
        self.read().watch
    }

    /// One store.
    pub(crate) fn get(&self, id: &StoreId) -> Option<Arc<Entry>> {
        self.read().stores.get(id).cloned()
    }

    /// All stores.
    pub(crate) fn all(&self) -> Arc<Listing> {
        let made = self.read().listing.clone();
        made.unwrap_or_else(|| self.write().listing())
    }

    /// A tag that changes with every change of any store.
    pub(crate) fn tag(&self, sequence: u64) -> String {
        format!("{}-{sequence}", self.instance)
    }

    /// Everything that is needed to watch: the changes since the one that `last` names, or else the present; and then
    /// what comes.
    pub(crate) fn watch(&self, last: Option<&str>) -> (Beginning, broadcast::Receiver<Arc<Change>>) {
        // Under the lock, so that no change falls between the two.
        let mut state = self.write();
        let receiver = self.changes.subscribe();
        let since = last.and_then(|tag| tag.rsplit_once('-')).filter(|(instance, _)| *instance == self.instance);
        let since = since.and_then(|(_, sequence)| sequence.parse::<u64>().ok());
        let oldest = state.recent.front().map_or(state.sequence + 1, |change| change.sequence);
        let beginning = match since {
            Some(since) if since <= state.sequence && since + 1 >= oldest => {
                Beginning::Missed(state.recent.iter().filter(|c| c.sequence > since).cloned().collect())
            }
            _ => Beginning::All(state.listing()),
        };
        (beginning, receiver)
    }

    /// Waits until a store was seen at `version` or later, is gone, or it takes too long.
    pub(crate) async fn seen(&self, id: &StoreId, version: &str) {
        self.wait(|state| state.stores.get(id).is_some_and(|e| !is_older(&e.store.resource_version, version))).await;
    }

    /// Waits until a store is seen to be on its way out, or it takes too long.
    pub(crate) async fn seen_deleting(&self, id: &StoreId) {
        use urumi_core::store::status::StoreStatus;
        self.wait(|state| state.stores.get(id).is_none_or(|e| e.store.status == StoreStatus::Deleting)).await;
    }

    /// Waits until anything was seen that is as new as `version`, or it takes too long.
    pub(crate) async fn at_least(&self, version: u64) {
        self.wait(|state| state.version >= version).await;
    }

    /// Waits until everything has been seen once, or it takes too long.
    pub(crate) async fn synced(&self) {
        self.wait(|state| state.synced).await;
    }

    async fn wait(&self, until: impl Fn(&State) -> bool) {
        let mut latest = self.latest.subscribe();
        // The sender lives as long as this view. When it takes too long, what is there has to do.
        let _ = tokio::time::timeout(PATIENCE, latest.wait_for(|_| until(&self.read()))).await;
    }

    fn apply(&self, event: StoreEvent) {
        self.set_watch(WatchState::Works);
        let mut state = self.write();
        match event {
            StoreEvent::Listed(stores) => {
                let there: HashSet<&StoreId> = stores.iter().map(|store| &store.id).collect();
                let gone: Vec<StoreId> = state.stores.keys().filter(|id| !there.contains(id)).cloned().collect();
                for id in gone {
                    self.remove(&mut state, &id);
                }
                for store in stores {
                    self.insert(&mut state, store);
                }
                state.synced = true;
            }
            StoreEvent::Changed(store) => self.insert(&mut state, store),
            StoreEvent::Gone(id) => self.remove(&mut state, &id),
            // Other events change no store.
            _ => {}
        }
        let sequence = state.sequence;
        drop(state);
        self.latest.send_replace(sequence);
    }

    fn insert(&self, state: &mut State, store: Store) {
        if let Some(known) = state.stores.get(&store.id)
            && (known.store == store || is_older(&store.resource_version, &known.store.resource_version))
        {
            return;
        }
        state.version = state.version.max(store.resource_version.parse().unwrap_or(0));
        let entry = Entry::new(store);
        state.stores.insert(entry.store.id.clone(), entry.clone());
        self.note(state, What::Changed(entry));
    }

    fn remove(&self, state: &mut State, id: &StoreId) {
        if let Some(entry) = state.stores.remove(id) {
            self.note(state, What::Gone(entry));
        }
    }

    fn note(&self, state: &mut State, what: What) {
        state.sequence += 1;
        state.listing = None;
        let change = Change::new(state.sequence, &self.tag(state.sequence), what);
        if state.recent.len() >= REMEMBERED {
            state.recent.pop_front();
        }
        state.recent.push_back(change.clone());
        // Nobody may be watching, which is no error.
        drop(self.changes.send(change));
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        // Nothing in here panics halfway through a change.
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a watch begins.
pub(crate) enum Beginning {
    /// With everything there is.
    All(Arc<Listing>),
    /// With what was missed.
    Missed(Vec<Arc<Change>>),
}

impl State {
    fn listing(&mut self) -> Arc<Listing> {
        if let Some(listing) = &self.listing {
            return listing.clone();
        }
        let mut entries: Vec<Arc<Entry>> = self.stores.values().cloned().collect();
        entries.sort_by(|a, b| (a.store.created_at, &a.store.id).cmp(&(b.store.created_at, &b.store.id)));
        let listing = Arc::new(Listing { entries, sequence: self.sequence, json: OnceLock::new() });
        self.listing = Some(listing.clone());
        listing
    }
}
