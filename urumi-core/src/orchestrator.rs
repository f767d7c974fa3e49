//! The public trait: what a user of stores does.

pub mod local;

use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;

use serde_json::Value;

use crate::engine::EngineInfo;
use crate::error::{Error, Operation, Result};
use crate::store::credentials::Credentials;
use crate::store::logs::{LogLine, LogQuery};
use crate::store::preview::{Difference, Preview};
use crate::store::revision::Revision;
use crate::store::smoke::SmokeReport;
use crate::store::status::StoreStatus;
use crate::store::timeline::TimelineEntry;
use crate::store::update::{UpdatePreview, UpdateStore};
use crate::store::wait::{Verdict, WaitCondition};
use crate::store::{CreateStore, Creation, OptionWarning, Store, StoreId, StoreOptions};

/// A change that a watch of stores reports.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "a changed store is by far the most frequent event")]
#[non_exhaustive]
pub enum StoreEvent {
    /// A consistent list of all stores. The first event of every watch, and the first after any gap: consumers that
    /// keep a copy must replace it completely.
    Listed(Vec<Store>),
    /// A store was created or has changed.
    Changed(Store),
    /// A store is gone, and its namespace with it.
    Gone(StoreId),
}

/// A stream of [`StoreEvent`]s. It never ends by itself; dropping it ends the watch.
pub type StoreStream = BoxStream<'static, Result<StoreEvent>>;

/// Log lines as they come: those of one container in order. Ends by itself where nothing is followed, or when everything
/// that is followed has ended; dropping it ends the requests beneath.
pub type LogLines = BoxStream<'static, Result<LogLine>>;

/// Which store an act is meant for, and in which state. An id alone says neither: it may belong to a later store.
///
/// ```
/// # async fn example(urumi: &dyn urumi_core::StoreOrchestrator, id: &urumi_core::StoreId) -> urumi_core::Result<()> {
/// use urumi_core::Precondition;
///
/// let store = urumi.get(id).await?;
/// // Look at the store, ask somebody whether it may go, and then delete this store and no other of its id.
/// urumi.delete_if(id, &Precondition::of(&store)).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Precondition {
    uid: Option<String>,
    version: Option<String>,
}

impl Precondition {
    /// No precondition: any store of the id, in any state.
    pub const NONE: Precondition = Precondition { uid: None, version: None };

    /// This store in any state, but no later store of the same id. A store that was read through a server has no
    /// [`uid`](Store::uid): then its version is expected, which is stricter.
    pub fn of(store: &Store) -> Self {
        Precondition::NONE.pinned_to(store)
    }

    /// Any store of the id whose [`resource_version`](Store::resource_version) is this.
    pub fn version(version: impl Into<String>) -> Self {
        Precondition { uid: None, version: Some(version.into()) }
    }

    /// The store whose [`uid`](Store::uid) is this, in any state.
    pub fn uid(uid: impl Into<String>) -> Self {
        Precondition { uid: Some(uid.into()), version: None }
    }

    /// Also expects the store to be this one, as [`of`](Self::of) does.
    #[must_use]
    pub fn pinned_to(mut self, store: &Store) -> Self {
        match &store.uid {
            Some(uid) => self.uid = Some(uid.clone()),
            None if self.version.is_none() => self.version = Some(store.resource_version.clone()),
            None => {}
        }
        self
    }

    /// The expected uid.
    pub fn expected_uid(&self) -> Option<&str> {
        self.uid.as_deref()
    }

    /// The expected version.
    pub fn expected_version(&self) -> Option<&str> {
        self.version.as_deref()
    }
}

/// An act on a store, for [`StoreOrchestrator::act_if`].
///
/// Other crates' implementations refuse the acts that they do not know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Gives a failed store a new deadline and creates what is missing. A store that is provisioning is resumed; in any
    /// other status it is refused as `WrongState`.
    Retry,
    /// Replaces the pods of one component, or of all components that keep no data. The request is written to the record; a
    /// monitor carries it out, and Kubernetes replaces the pods as the workload's update strategy says. A store that is
    /// neither ready nor degraded is refused as `WrongState`, a component that has no such pods as `Invalid`.
    Restart {
        /// The component, e.g. `api`.
        component: Option<String>,
    },
    /// Returns to the name and the options of an earlier revision, which become the next revision. A store that has no such
    /// revision is refused as `Invalid`.
    Rollback {
        /// The revision; the one before the present one if left out.
        to: Option<u64>,
        /// Who asks for it, for the history.
        by: Option<String>,
    },
}

impl Action {
    /// The operation that errors name.
    pub fn operation(&self) -> Operation {
        match self {
            Action::Retry => Operation::Retry,
            Action::Restart { .. } => Operation::Restart,
            Action::Rollback { .. } => Operation::Rollback,
        }
    }
}

/// Creates, shows, explains and removes stores.
///
/// Implemented by [`Orchestrator`](crate::Orchestrator), which talks to a cluster, and by `HttpOrchestrator` (feature
/// `http-client`), which talks to a urumi server. Object-safe: frontends hold an `Arc<dyn StoreOrchestrator>`.
/// [`StoreOrchestratorExt`] has conveniences over it, `delete` and `retry` among them.
///
/// # Contract
/// - **Crashes.** Every method may be cancelled or killed at any point and repeated; nothing is made twice and
///   nothing is lost. A repeated `create` is the same one only with an
///   [idempotency key](crate::store::idempotency) or an id of its own.
/// - **What is a store.** A namespace `store-<id>` that carries urumi's label *and* an id annotation equal to the id
///   in its name. Anything else is never listed, changed or deleted.
#[async_trait]
pub trait StoreOrchestrator: Send + Sync + 'static {
    /// Creates a store and returns it as `provisioning` when the cluster has accepted all of its objects (not when they
    /// are ready). The answer says whether this request created the store, or an earlier one with the same
    /// [idempotency key](crate::store::idempotency).
    ///
    /// # Errors
    /// `Invalid` with every wrong field, and nothing is created; `AlreadyExists` if the wanted id is taken; `KeyReused`
    /// if the idempotency key belongs to a different request, `KeyStoreDeleting` if its store is being deleted;
    /// `LimitReached`, `ProvisioningLimit`, `CreationLimit` or `DemandLimit` if the owner may not have or create one more;
    /// `Unfinished` if the store is on record but some of its objects could not be created: a monitor continues with it
    /// (see [`Error::into_begun`]).
    async fn create(&self, request: CreateStore) -> Result<Creation>;

    /// What `create` would make of a request. Nothing is created.
    ///
    /// # Errors
    /// `Invalid` with every wrong field, `AlreadyExists` when the wanted id is taken.
    async fn preview(&self, request: CreateStore) -> Result<Preview>;

    /// What the caller should know about a request that `create` accepts, e.g. that it puts a secret where it is shown.
    /// Sends no requests: the client of a server returns nothing, because the server's answers have the warnings.
    fn warnings(&self, _request: &CreateStore) -> Vec<OptionWarning> {
        Vec::new()
    }

    /// One store.
    ///
    /// # Errors
    /// `NotFound` when no store has this id.
    async fn get(&self, id: &StoreId) -> Result<Store>;

    /// All stores, oldest first. A store whose record cannot be read is listed too, as `failed` with that reason.
    ///
    /// # Errors
    /// When the request to the cluster fails.
    async fn list(&self) -> Result<Vec<Store>>;

    /// Watches one store or all: first [`StoreEvent::Listed`], then every change in order. Errors are reported and
    /// the stream goes on.
    fn watch(&self, id: Option<&StoreId>) -> StoreStream;

    /// Begins the removal of a store with everything in it, and returns it as `deleting`. A store that is being
    /// removed already is success, whatever its version.
    ///
    /// # Errors
    /// `NotFound` when there is no store of this id and of the expected uid, `PreconditionFailed` when its version is not
    /// the expected one; a retryable `Conflict` when other writers kept changing it.
    async fn delete_if(&self, id: &StoreId, expected: &Precondition) -> Result<Store>;

    /// Acts on a store and returns it as it is then.
    ///
    /// # Errors
    /// `NotFound` when there is no store of this id and of the expected uid, `PreconditionFailed` when its version is not
    /// the expected one, `WrongState` when the store's status does not allow the act (see [`Action`]); a retryable
    /// `Conflict` when other writers kept changing it.
    async fn act_if(&self, id: &StoreId, action: Action, expected: &Precondition) -> Result<Store>;

    /// Changes a store's name or options, and returns it as its next revision. One that changes nothing is success, and makes no
    /// revision. The change is on record when this returns; a monitor carries it out, and returns to the last revision that was
    /// rolled out if this one cannot be.
    ///
    /// An implementation that does not know changes refuses them.
    ///
    /// # Errors
    /// `Invalid` with every wrong field, and with every option that cannot be changed; `NotFound` when there is no store of this
    /// id and of the expected uid, `PreconditionFailed` when its version is not the expected one, `WrongState` when it is being
    /// deleted; `DemandLimit` if the owner's stores may not request as much; a retryable `Conflict` when other writers kept
    /// changing it.
    async fn update_if(&self, id: &StoreId, _update: UpdateStore, _expected: &Precondition) -> Result<Store> {
        let message = "this implementation changes no stores".to_owned();
        Err(Error::WrongState { operation: Operation::Update, id: id.clone(), message })
    }

    /// What [`update_if`](Self::update_if) would do. Nothing is changed.
    ///
    /// # Errors
    /// Those of [`update_if`](Self::update_if).
    async fn preview_update(
        &self,
        id: &StoreId,
        _update: UpdateStore,
        _expected: &Precondition,
    ) -> Result<UpdatePreview> {
        let message = "this implementation changes no stores".to_owned();
        Err(Error::WrongState { operation: Operation::Update, id: id.clone(), message })
    }

    /// What [`Action::Rollback`] to a revision, or to the one before the present one, would do. Nothing is changed.
    ///
    /// # Errors
    /// Those of [`act_if`](Self::act_if).
    async fn preview_rollback(
        &self,
        id: &StoreId,
        _to: Option<u64>,
        _expected: &Precondition,
    ) -> Result<UpdatePreview> {
        let message = "this implementation keeps no history".to_owned();
        Err(Error::WrongState { operation: Operation::Rollback, id: id.clone(), message })
    }

    /// The last revisions of a store, oldest first, with the present one.
    ///
    /// # Errors
    /// `NotFound` when no store has this id; when the request to the cluster fails.
    async fn history(&self, id: &StoreId) -> Result<Vec<Revision>> {
        let message = "this implementation keeps no history".to_owned();
        Err(Error::WrongState { operation: Operation::History, id: id.clone(), message })
    }

    /// The engines that stores can be made with, by name.
    ///
    /// # Errors
    /// When the request to the server fails.
    async fn engines(&self) -> Result<Vec<EngineInfo>>;

    /// Every manifest of a store, the namespace first, as rendered from its record; generated secrets are shown as
    /// `REDACTED`.
    ///
    /// # Errors
    /// `NotFound` when no store has this id; when its record cannot be read.
    async fn manifests(&self, id: &StoreId) -> Result<Vec<Value>>;

    /// The options of a store, those of its request and those in force. Secret values that the request handed over are
    /// shown as `REDACTED`.
    ///
    /// # Errors
    /// `NotFound` when no store has this id; when its record cannot be read.
    async fn options(&self, id: &StoreId) -> Result<StoreOptions>;

    /// What a repair of a store would do now.
    ///
    /// # Errors
    /// `NotFound` when no store has this id; when its record or the cluster cannot be read.
    async fn differences(&self, id: &StoreId) -> Result<Vec<Difference>>;

    /// What happened to a store, oldest first, as far as it is remembered: Kubernetes forgets Events after an hour.
    ///
    /// # Errors
    /// `NotFound` when no store has this id; when the request to the cluster fails.
    async fn timeline(&self, id: &StoreId) -> Result<Vec<TimelineEntry>>;

    /// What the containers of a store write.
    ///
    /// # Errors
    /// `NotFound` when there is no store of this id, `Invalid` when it has no such component; when the request to
    /// the cluster fails. A container that cannot be read while others can is an error within the stream.
    async fn logs(&self, id: &StoreId, query: &LogQuery) -> Result<LogLines>;

    /// How somebody signs in to a store for the first time. The password is read only to be revealed, and kept nowhere.
    ///
    /// # Errors
    /// `NotFound` when there is no store of this id, `WrongState` when nobody signs in to it, or its password has not
    /// been made yet; when the request to the cluster fails.
    async fn credentials(&self, id: &StoreId, reveal: bool) -> Result<Credentials>;

    /// Tries a store: an order is placed in it as a customer would, and what became of each step is told. A step that
    /// failed is no error; [`SmokeReport::failure`] tells of it. It takes as long as the order does, seconds as a rule.
    /// A run goes on to its end, or its own deadline, if this is cancelled.
    ///
    /// # Errors
    /// `NotFound` when there is no store of this id, `WrongState` when it is neither ready nor degraded, or when stores
    /// of its engine cannot be tried; a retryable `SmokeRunning` while another order in it has not ended; `NoReport` when
    /// the run ended without telling anything. One that told nothing since the store was deleted meanwhile is `WrongState`,
    /// or `NotFound` once the store is gone. A precondition is refused as in [`act_if`](Self::act_if).
    async fn smoke_if(&self, id: &StoreId, expected: &Precondition) -> Result<SmokeReport>;
}

/// Conveniences over every [`StoreOrchestrator`].
#[async_trait]
pub trait StoreOrchestratorExt: StoreOrchestrator {
    /// Begins the removal of a store without a precondition: see [`StoreOrchestrator::delete_if`].
    ///
    /// # Errors
    /// `NotFound` when no store has this id.
    async fn delete(&self, id: &StoreId) -> Result<Store> {
        self.delete_if(id, &Precondition::NONE).await
    }

    /// Retries a store without a precondition: see [`Action::Retry`].
    ///
    /// # Errors
    /// `NotFound` when no store has this id, `WrongState` when it is neither failed nor provisioning.
    async fn retry(&self, id: &StoreId) -> Result<Store> {
        self.act_if(id, Action::Retry, &Precondition::NONE).await
    }

    /// Restarts the components of a store that keep no data, without a precondition: see [`Action::Restart`].
    ///
    /// # Errors
    /// `NotFound` when no store has this id, `WrongState` when it is neither ready nor degraded.
    async fn restart(&self, id: &StoreId) -> Result<Store> {
        self.act_if(id, Action::Restart { component: None }, &Precondition::NONE).await
    }

    /// Changes a store without a precondition: see [`StoreOrchestrator::update_if`].
    ///
    /// # Errors
    /// Those of [`StoreOrchestrator::update_if`].
    async fn update(&self, id: &StoreId, update: UpdateStore) -> Result<Store> {
        self.update_if(id, update, &Precondition::NONE).await
    }

    /// Returns to the revision before the present one, without a precondition: see [`Action::Rollback`].
    ///
    /// # Errors
    /// Those of [`StoreOrchestrator::act_if`].
    async fn roll_back(&self, id: &StoreId) -> Result<Store> {
        self.act_if(id, Action::Rollback { to: None, by: None }, &Precondition::NONE).await
    }

    /// Places a smoke order without a precondition: see [`StoreOrchestrator::smoke_if`].
    ///
    /// # Errors
    /// Those of [`StoreOrchestrator::smoke_if`].
    async fn smoke(&self, id: &StoreId) -> Result<SmokeReport> {
        self.smoke_if(id, &Precondition::NONE).await
    }

    /// Confirms that the id of a store still belongs to that store, and not to a later one. Where this succeeds,
    /// everything read by that id since `store` was read is about this store: a frontend that has authorised somebody
    /// for `store` shows it only then.
    ///
    /// # Errors
    /// `NotFound` when the store is gone, whatever has its id now.
    async fn confirm(&self, store: &Store) -> Result<()> {
        let now = self.get(&store.id).await?;
        match (&store.uid, &now.uid) {
            (Some(before), Some(now)) if before == now => Ok(()),
            // A server does not show uids.
            (None, None) if store.created_at == now.created_at => Ok(()),
            _ => Err(Error::NotFound { id: store.id.clone() }),
        }
    }

    /// Waits until a condition decides, e.g. `Ready.or_failed()`, and returns the store as it then is (as last seen,
    /// if it is gone).
    ///
    /// # Errors
    /// `TimedOut` after `timeout`. If the condition's verdict is that it failed: `NotFound` if the store did not exist
    /// when the wait began, `Deleted` if it is being deleted or is gone since, else `StoreFailed`. `WatchEnded` if the
    /// watch ended, which no implementation should let happen.
    async fn wait_until(
        &self,
        id: &StoreId,
        condition: impl WaitCondition,
        timeout: Duration,
    ) -> Result<Option<Store>> {
        let mut last: Option<Store> = None;
        let mut seen_error: Option<Error> = None;
        let watching = async {
            let mut events = self.watch(Some(id));
            while let Some(event) = events.next().await {
                let now = match event {
                    Ok(StoreEvent::Listed(stores)) => stores.into_iter().find(|s| s.id == *id),
                    Ok(StoreEvent::Changed(store)) if store.id == *id => Some(store),
                    Ok(StoreEvent::Gone(gone)) if gone == *id => None,
                    Ok(_) => continue,
                    Err(error) if error.is_retryable() => {
                        seen_error = Some(error);
                        continue;
                    }
                    Err(error) => return Err(error),
                };
                seen_error = None;
                let verdict = condition.check(now.as_ref());
                if verdict == Verdict::Failed {
                    return Err(match now {
                        Some(store) if store.status != StoreStatus::Deleting => {
                            Error::StoreFailed { store: Box::new(store) }
                        }
                        None if last.is_none() => Error::NotFound { id: id.clone() },
                        _ => Error::Deleted { id: id.clone(), wanted: condition.to_string() },
                    });
                }
                last = now.or(last.take());
                if verdict == Verdict::Met {
                    return Ok(());
                }
            }
            Err(Error::WatchEnded { id: id.clone(), wanted: condition.to_string() })
        };
        match tokio::time::timeout(timeout, watching).await {
            Ok(result) => result.map(|()| last),
            Err(_) => match seen_error {
                Some(error) => Err(error),
                None => Err(Error::TimedOut {
                    id: id.clone(),
                    wanted: condition.to_string(),
                    seconds: timeout.as_secs(),
                    state: match &last {
                        Some(store) => match &store.reason {
                            Some(reason) => format!("it is {} ({reason})", store.status),
                            None => format!("it is {}", store.status),
                        },
                        None => "nothing was seen of it".into(),
                    },
                }),
            },
        }
    }

    /// Finds a store by its id, by its exact name if no other store has it, or else by the beginning of its id if no other
    /// id begins like this. For reading: what deletes or reveals something uses [`find_exact`](Self::find_exact).
    ///
    /// # Errors
    /// `NoMatch` when none fits, `Ambiguous` when more than one does.
    async fn find(&self, id_or_name: &str) -> Result<Store> {
        let is_beginning = |s: &Store| !id_or_name.is_empty() && s.id.as_str().starts_with(id_or_name);
        match self.find_exact(id_or_name).await {
            Err(Error::NoMatch { .. }) => {}
            found => return found,
        }
        let (named, others): (Vec<Store>, Vec<Store>) =
            self.list().await?.into_iter().partition(|s| s.name == id_or_name);
        match only(id_or_name, named) {
            Err(Error::NoMatch { .. }) => only(id_or_name, others.into_iter().filter(is_beginning).collect()),
            found => found,
        }
    }

    /// Finds a store by its whole id, or by its exact name if no other store has it and it cannot be an id. A name that can be
    /// an id may be the id of a store that is gone: a repeated command would act on another store, which has this name. A
    /// frontend may offer such a store, which [`find`](Self::find) finds, to a user who then confirms it.
    ///
    /// # Errors
    /// `NoMatch` when there is none, `Ambiguous` with their ids when several stores have the name.
    async fn find_exact(&self, id_or_name: &str) -> Result<Store> {
        let Ok(id) = StoreId::parse(id_or_name) else {
            return only(id_or_name, self.list().await?.into_iter().filter(|s| s.name == id_or_name).collect());
        };
        match self.get(&id).await {
            Err(Error::NotFound { .. }) => Err(Error::NoMatch { given: id_or_name.to_owned() }),
            found => found,
        }
    }
}

/// The only store of these, which fit what was given.
fn only(given: &str, mut fitting: Vec<Store>) -> Result<Store> {
    match (fitting.pop(), fitting.as_slice()) {
        (Some(store), []) => Ok(store),
        (Some(last), others) => {
            let ids: Vec<&str> = others.iter().chain([&last]).map(|s| s.id.as_str()).collect();
            Err(Error::Ambiguous { given: given.to_owned(), ids: ids.join(", ") })
        }
        (None, _) => Err(Error::NoMatch { given: given.to_owned() }),
    }
}

impl<T: StoreOrchestrator + ?Sized> StoreOrchestratorExt for T {}

#[async_trait]
impl<T: StoreOrchestrator + ?Sized> StoreOrchestrator for std::sync::Arc<T> {
    async fn create(&self, request: CreateStore) -> Result<Creation> {
        (**self).create(request).await
    }
    async fn preview(&self, request: CreateStore) -> Result<Preview> {
        (**self).preview(request).await
    }
    fn warnings(&self, request: &CreateStore) -> Vec<OptionWarning> {
        (**self).warnings(request)
    }
    async fn get(&self, id: &StoreId) -> Result<Store> {
        (**self).get(id).await
    }
    async fn list(&self) -> Result<Vec<Store>> {
        (**self).list().await
    }
    fn watch(&self, id: Option<&StoreId>) -> StoreStream {
        (**self).watch(id)
    }
    async fn delete_if(&self, id: &StoreId, expected: &Precondition) -> Result<Store> {
        (**self).delete_if(id, expected).await
    }
    async fn act_if(&self, id: &StoreId, action: Action, expected: &Precondition) -> Result<Store> {
        (**self).act_if(id, action, expected).await
    }
    async fn update_if(&self, id: &StoreId, update: UpdateStore, expected: &Precondition) -> Result<Store> {
        (**self).update_if(id, update, expected).await
    }
    async fn preview_update(
        &self,
        id: &StoreId,
        update: UpdateStore,
        expected: &Precondition,
    ) -> Result<UpdatePreview> {
        (**self).preview_update(id, update, expected).await
    }

    async fn preview_rollback(&self, id: &StoreId, to: Option<u64>, expected: &Precondition) -> Result<UpdatePreview> {
        (**self).preview_rollback(id, to, expected).await
    }
    async fn history(&self, id: &StoreId) -> Result<Vec<Revision>> {
        (**self).history(id).await
    }
    async fn engines(&self) -> Result<Vec<EngineInfo>> {
        (**self).engines().await
    }
    async fn manifests(&self, id: &StoreId) -> Result<Vec<Value>> {
        (**self).manifests(id).await
    }
    async fn options(&self, id: &StoreId) -> Result<StoreOptions> {
        (**self).options(id).await
    }
    async fn differences(&self, id: &StoreId) -> Result<Vec<Difference>> {
        (**self).differences(id).await
    }
    async fn timeline(&self, id: &StoreId) -> Result<Vec<TimelineEntry>> {
        (**self).timeline(id).await
    }
    async fn logs(&self, id: &StoreId, query: &LogQuery) -> Result<LogLines> {
        (**self).logs(id, query).await
    }
    async fn credentials(&self, id: &StoreId, reveal: bool) -> Result<Credentials> {
        (**self).credentials(id, reveal).await
    }
    async fn smoke_if(&self, id: &StoreId, expected: &Precondition) -> Result<SmokeReport> {
        (**self).smoke_if(id, expected).await
    }
}
