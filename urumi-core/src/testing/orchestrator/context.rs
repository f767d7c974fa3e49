//! What a check works with: the orchestrator, the options, and stores of its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::options::Options;
use super::watched::WatchedStores;
use crate::error::{Error, ErrorKind, Result};
use crate::orchestrator::{StoreOrchestrator, StoreOrchestratorExt};
use crate::store::wait::Ready;
use crate::store::{Authority, CreateStore, Creation, Store, StoreId};
use crate::testing::{self, Waiting};
pub(super) use crate::testing::{Stop, ensure};

/// The context of one check.
pub(super) struct Context {
    pub(super) urumi: Arc<dyn StoreOrchestrator>,
    pub(super) options: Options,
    /// Part of the ids, names and keys of this check; no other check has it.
    pub(super) tag: String,
    named: AtomicUsize,
    ids: Mutex<Vec<StoreId>>,
    pub(super) waiting: Waiting,
}

impl Context {
    pub(super) fn new(urumi: Arc<dyn StoreOrchestrator>, options: Options) -> Self {
        Context {
            urumi,
            options,
            tag: StoreId::random().to_string(),
            named: AtomicUsize::new(0),
            ids: Mutex::new(Vec::new()),
            waiting: Waiting::default(),
        }
    }

    /// An id that no store has; a store of this id is deleted after the check.
    pub(super) fn new_id(&self) -> Result<StoreId, Stop> {
        let number = self.named.fetch_add(1, Ordering::Relaxed);
        let id = StoreId::parse(&format!("conformance-{}-{number}", self.tag))?;
        self.clean_up_later(&id);
        Ok(id)
    }

    /// A request for a store that becomes ready, without an id.
    pub(super) fn request(&self) -> CreateStore {
        CreateStore::new(format!("Conformance {}", self.tag), &self.options.engine)
            .options(self.options.engine_options.clone())
            .owner(&self.options.owner)
            // Checks choose options that fail. A server uses the authority of its caller instead.
            .on_authority_of(Authority::Installation)
    }

    /// Creates a store that is deleted after the check.
    pub(super) async fn try_create(&self, request: CreateStore) -> Result<Store> {
        self.creation(request).await.map(Creation::into_store)
    }

    /// Creates a store that is cleaned up, or repeats a creation.
    pub(super) async fn creation(&self, request: CreateStore) -> Result<Creation> {
        let created = self.urumi.create(request).await;
        match &created {
            Ok(creation) => self.clean_up_later(&creation.store().id),
            Err(Error::Unfinished { store, .. }) => self.clean_up_later(&store.id),
            Err(_) => {}
        }
        created
    }

    /// Creates a store with an id of this check.
    pub(super) async fn create(&self) -> Result<Store, Stop> {
        Ok(self.try_create(self.request().id(self.new_id()?.as_str())).await?)
    }

    /// Creates a store and waits until it is ready.
    pub(super) async fn ready(&self) -> Result<Store, Stop> {
        let store = self.create().await?;
        self.waiting.on("a store to become ready");
        let ready = self.urumi.wait_until(&store.id, Ready.or_failed(), self.options.deadline).await?;
        ready.ok_or_else(|| Stop::Failed(format!("store {} became ready and was not seen", store.id)))
    }

    fn clean_up_later(&self, id: &StoreId) {
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        if !ids.contains(id) {
            ids.push(id.clone());
        }
    }

    /// Opens a watch; it has not listed yet.
    pub(super) fn watch(&self, id: Option<&StoreId>) -> WatchedStores<'_> {
        WatchedStores::new(self.urumi.watch(id), &self.waiting)
    }
}

impl testing::CheckContext for Context {
    const CREATES: &'static str = "stores";

    fn waiting(&self) -> &Waiting {
        &self.waiting
    }

    async fn clean_up(&self) -> Result<(), String> {
        let ids = std::mem::take(&mut *self.ids.lock().unwrap_or_else(PoisonError::into_inner));
        let mut left = Vec::new();
        for id in ids {
            match self.urumi.delete(&id).await {
                Ok(_) | Err(Error::NotFound { .. }) => {}
                Err(error) => left.push(error.to_string()),
            }
        }
        if left.is_empty() { Ok(()) } else { Err(left.join("; ")) }
    }
}

/// Fails the check unless the request failed with this kind of error.
pub(super) fn expect_error<T>(result: Result<T>, kind: ErrorKind, what: &str) -> Result<Error, Stop> {
    match result {
        Err(error) if error.kind() == kind => Ok(error),
        Err(error) => Err(Stop::Failed(format!("{what}: expected {kind:?}, got {:?}: {error}", error.kind()))),
        Ok(_) => Err(Stop::Failed(format!("{what}: expected {kind:?}, but it succeeded"))),
    }
}

/// The fields that a request was refused for.
pub(super) fn expect_invalid<T>(result: Result<T>, what: &str) -> Result<Vec<String>, Stop> {
    match expect_error(result, ErrorKind::Invalid, what)? {
        Error::Invalid(errors) => Ok(errors.into_iter().map(|error| error.field).collect()),
        other => Err(Stop::Failed(format!("{what}: the error names no fields: {other}"))),
    }
}
