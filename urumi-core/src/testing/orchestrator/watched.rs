//! A watch, and the stores as its events describe them.

use futures::StreamExt;

use crate::orchestrator::{StoreEvent, StoreStream};
use crate::store::{Store, StoreId};
use crate::testing::{Stop, Waiting, ensure};

/// A watch under test.
pub(super) struct WatchedStores<'a> {
    waiting: &'a Waiting,
    events: StoreStream,
}

impl<'a> WatchedStores<'a> {
    pub(super) fn new(events: StoreStream, waiting: &'a Waiting) -> Self {
        WatchedStores { waiting, events }
    }

    /// The next event. Retryable errors are skipped: the contract allows them.
    pub(super) async fn next(&mut self) -> Result<StoreEvent, Stop> {
        loop {
            match self.events.next().await {
                Some(Ok(event)) => return Ok(event),
                Some(Err(error)) if error.is_retryable() => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Err(Stop::Failed("the watch ended by itself".into())),
            }
        }
    }

    /// The stores that the watch begins with.
    pub(super) async fn first(&mut self) -> Result<Vec<Store>, Stop> {
        self.waiting.on("the list that a watch begins with");
        match self.next().await? {
            StoreEvent::Listed(stores) => Ok(stores),
            other => Err(Stop::Failed(format!("the watch began with {other:?}"))),
        }
    }

    /// The next event about one store: the store, or `None` where it does not exist.
    pub(super) async fn next_of(&mut self, id: &StoreId) -> Result<Option<Store>, Stop> {
        loop {
            match self.next().await? {
                StoreEvent::Listed(stores) => return Ok(stores.into_iter().find(|store| store.id == *id)),
                StoreEvent::Changed(store) if store.id == *id => return Ok(Some(store)),
                StoreEvent::Gone(gone) if gone == *id => return Ok(None),
                StoreEvent::Changed(_) | StoreEvent::Gone(_) => {}
            }
        }
    }

    /// Every event about a store up to the one that is wanted.
    pub(super) async fn until(
        &mut self,
        id: &StoreId,
        what: &str,
        wanted: impl Fn(Option<&Store>) -> bool,
    ) -> Result<Vec<Option<Store>>, Stop> {
        self.waiting.on(what);
        let mut seen = Vec::new();
        loop {
            let now = self.next_of(id).await?;
            let done = wanted(now.as_ref());
            seen.push(now);
            if done {
                return Ok(seen);
            }
            ensure!(seen.len() < 1000, "{what} was not among a thousand changes");
        }
    }
}
