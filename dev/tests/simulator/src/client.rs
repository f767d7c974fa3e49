//! People who want a store, or want it otherwise or gone, and ask again until they have an answer.

use std::time::Duration;

use tokio::time::sleep;
use urumi_core::store::status::StoreStatus;
use urumi_core::store::update::UpdateStore;
use urumi_core::{
    Action, CreateStore, Error, ErrorKind, Orchestrator, Precondition, Store, StoreId, StoreOrchestrator,
    StoreOrchestratorExt,
};

use crate::life::Life;
use crate::look::Look;

/// What came of one try.
pub(crate) enum Answer {
    /// It is done, or on record and will be.
    Done,
    /// It is to be asked again.
    Again,
    /// There is no such store, at least not yet.
    Missing,
    /// It was refused for good.
    Refused(Error),
}

/// How long somebody waits before they ask again.
pub(crate) const PAUSE: Duration = Duration::from_millis(700);

/// Asks for a store once.
pub(crate) async fn create(urumi: &Orchestrator, life: &Life, request: &CreateStore, id: &StoreId) -> Answer {
    let answer = life.does(async {
        match urumi.create(request.clone()).await {
            Ok(_) | Err(Error::Unfinished { .. }) => Answer::Done,
            Err(Error::AlreadyExists { .. } | Error::KeyStoreDeleting { .. }) => match urumi.get(id).await {
                // What an earlier try has made, whose answer was lost.
                Ok(store) if store.status != StoreStatus::Deleting => Answer::Done,
                _ => Answer::Again,
            },
            Err(error) if error.is_retryable() => Answer::Again,
            Err(error) => Answer::Refused(error),
        }
    });
    answer.await.unwrap_or(Answer::Again)
}

/// Asks for a store's deletion once.
pub(crate) async fn delete(urumi: &Orchestrator, life: &Life, id: &StoreId) -> Answer {
    let answer = life.does(async {
        match urumi.delete(id).await {
            Ok(_) => Answer::Done,
            Err(error) if error.kind() == ErrorKind::NotFound => Answer::Done,
            Err(error) if error.is_retryable() => Answer::Again,
            // Others kept changing the record.
            Err(error) if error.kind() == ErrorKind::Conflict => Answer::Again,
            Err(error) => Answer::Refused(error),
        }
    });
    answer.await.unwrap_or(Answer::Again)
}

/// Asks once for a store to look like this. The answer comes with the store, if it is done.
pub(crate) async fn change(
    urumi: &Orchestrator,
    life: &Life,
    id: &StoreId,
    look: Look,
    back: bool,
) -> (Answer, Option<Store>) {
    let asking = async { if back { roll_back(urumi, id, look).await } else { update(urumi, id, look).await } };
    match life.does(asking).await {
        Some(Ok(store)) => (Answer::Done, store),
        Some(Err(error)) if error.is_retryable() => (Answer::Again, None),
        Some(Err(error)) if error.kind() == ErrorKind::NotFound => (Answer::Missing, None),
        // Others kept changing the record, or the store is going.
        Some(Err(error)) if error.kind() == ErrorKind::Conflict => (Answer::Again, None),
        Some(Err(error)) => (Answer::Refused(error), None),
        None => (Answer::Again, None),
    }
}

async fn update(urumi: &Orchestrator, id: &StoreId, look: Look) -> urumi_core::Result<Option<Store>> {
    let update = UpdateStore::new().options(look.change()).by("somebody");
    urumi.update(id, update).await.map(Some)
}

/// Returns to the last revision that looked like this, as the history shows it. A store that was made anew has none.
async fn roll_back(urumi: &Orchestrator, id: &StoreId, look: Look) -> urumi_core::Result<Option<Store>> {
    let store = urumi.get(id).await?;
    let history = urumi.history(id).await?;
    let wanted = look.request();
    let such = |revision: &&urumi_core::store::revision::Revision| revision.requested == wanted;
    match history.iter().rev().find(such) {
        // urumi has done it by itself, or an earlier try whose answer was lost.
        Some(present) if present.current => Ok((present.number == store.revision).then_some(store)),
        Some(earlier) => {
            let action = Action::Rollback { to: Some(earlier.number), by: Some("somebody".into()) };
            urumi.act_if(id, action, &Precondition::version(store.resource_version)).await.map(Some)
        }
        None => update(urumi, id, look).await,
    }
}

/// Waits a moment before asking again.
pub(crate) async fn pause() {
    sleep(PAUSE).await;
}
