//! All stores in memory, updated by one watch and read by every request.
//!
//! Each store is serialised to JSON once per change, not once per reader. So are the events for watching clients.

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

use crate::answer;
use crate::auth::Owner;

pub(crate) use self::change::{Change, What, listed_frame};
pub(crate) use self::page::{Cursor, Filter, Page, PageRequest, Sort, array, array_length};

/// How many changes are kept for clients that reconnect, and how many a slow client may lag behind.
const REMEMBERED: usize = 1024;
/// How long to wait for an expected change.
const PATIENCE: Duration = Duration::from_secs(2);

/// A store, its owner, and its JSON.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) store: Store,
    pub(crate) owner: Option<Owner>,
    /// Its JSON with a newline at the end.
    pub(crate) line: Bytes,
    /// The same memory without the newline.
    pub(crate) json: Bytes,
}

impl Entry {
    fn new(store: Store) -> Arc<Self> {
        let line = answer::line(&store);
        let json = line.slice(..line.len() - 1);
        let owner = owner_of(&store);
        Arc::new(Entry { store, owner, line, json })
    }
}

/// The owner of a store; `None` if the record has none, or an invalid one.
pub(crate) fn owner_of(store: &Store) -> Option<Owner> {
    store.owner.as_deref().and_then(|owner| Owner::parse(owner).ok())
}

/// All stores after a change.
pub(crate) struct Listing {
    /// Oldest first.
    pub(crate) entries: Vec<Arc<Entry>>,
    /// The number of the change.
    pub(crate) sequence: u64,
    json: OnceLock<Bytes>,
}

impl Listing {
    /// All stores as a JSON array with a newline at the end; created on demand.
    pub(crate) fn json(&self) -> Bytes {
        let newline = std::iter::once(Bytes::from_static(b"\n"));
        let json = || page::array(self.entries.clone()).chain(newline).collect::<Vec<_>>().concat().into();
        self.json.get_or_init(json).clone()
    }
}

/// All stores, updated by [`View::follow`].
pub(crate) struct View {
    state: RwLock<State>,
    changes: broadcast::Sender<Arc<Change>>,
    /// The number of the last change, for waiting.
    latest: watch::Sender<u64>,
    /// Distinguishes this process's numbers from those of other processes.
    instance: String,
}

/// Whether the watch that feeds the view works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum WatchState {
    #[default]
    Works,
    /// The watch retries; until then, the view may be out of date.
    Fails,
    /// The watch has ended, although its contract forbids this: the view is never updated again.
    Ended,
}

#[derive(Default)]
struct State {
    synced: bool,
    watch: WatchState,
    stores: HashMap<StoreId, Arc<Entry>>,
    /// All stores after the last change; created on demand.
    listing: Option<Arc<Listing>>,
    /// The number of changes.
    sequence: u64,
    recent: VecDeque<Arc<Change>>,
    /// The highest version of any store.
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
    /// Watches all stores until `stop` is cancelled, and sends a heartbeat to watching clients every `heartbeat`.
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
                // Without a watching client, sending fails, which is no error.
                _ = beats.tick() => drop(self.changes.send(Change::heartbeat())),
            }
        }
    }

    fn set_watch(&self, watch: WatchState) {
        self.write().watch = watch;
        gauge!("urumi_http_view_stale").set(if watch == WatchState::Works { 0.0 } else { 1.0 });
    }

    /// Whether all stores have been listed.
    pub(crate) fn is_synced(&self) -> bool {
        self.read().synced
    }

    /// The state of the watch that updates the view.
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

    /// Begins a watch: the changes since `last`, or otherwise all stores, and a receiver of later changes.
    pub(crate) fn watch(&self, last: Option<&str>) -> (Beginning, broadcast::Receiver<Arc<Change>>) {
        // Under the lock, so that no change is missed between the two.
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

    /// Waits until the view has a store at `version` or later, or the timeout expires.
    pub(crate) async fn seen(&self, id: &StoreId, version: &str) {
        self.wait(|state| state.stores.get(id).is_some_and(|e| !is_older(&e.store.resource_version, version))).await;
    }

    /// Waits until the view shows that a store is being deleted or gone, or the timeout expires.
    pub(crate) async fn seen_deleting(&self, id: &StoreId) {
        use urumi_core::store::status::StoreStatus;
        self.wait(|state| state.stores.get(id).is_none_or(|e| e.store.status == StoreStatus::Deleting)).await;
    }

    /// Waits until the view is at least as new as `version`; returns false if the timeout expires before.
    pub(crate) async fn at_least(&self, version: u64) -> bool {
        self.wait(|state| state.version >= version).await
    }

    /// Waits until all stores have been listed, or the timeout expires.
    pub(crate) async fn synced(&self) {
        self.wait(|state| state.synced).await;
    }

    /// Waits until a condition holds; returns false if the timeout expires before.
    async fn wait(&self, until: impl Fn(&State) -> bool) -> bool {
        let mut latest = self.latest.subscribe();
        // The sender lives as long as this view.
        tokio::time::timeout(PATIENCE, latest.wait_for(|_| until(&self.read()))).await.is_ok()
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
        let now = Entry::new(store);
        let before = state.stores.insert(now.store.id.clone(), now.clone());
        self.note(state, What::Changed { now, before });
    }

    fn remove(&self, state: &mut State, id: &StoreId) {
        if let Some(entry) = state.stores.remove(id) {
            self.note(state, What::Gone(entry));
        }
    }

    fn note(&self, state: &mut State, what: What) {
        state.sequence += 1;
        state.listing = None;
        let change = Change::new(state.sequence, self.tag(state.sequence), what);
        if state.recent.len() >= REMEMBERED {
            state.recent.pop_front();
        }
        state.recent.push_back(change.clone());
        // Without a watching client, sending fails, which is no error.
        drop(self.changes.send(change));
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        // No code panics in the middle of a change.
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a watch begins.
pub(crate) enum Beginning {
    /// With all stores.
    All(Arc<Listing>),
    /// With the missed changes.
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
