//! People who want a store, or want it gone, and ask again until they have an answer.

use std::time::Duration;

use tokio::time::sleep;
use urumi_core::store::status::StoreStatus;
use urumi_core::{CreateStore, Error, ErrorKind, Orchestrator, StoreId, StoreOrchestrator, StoreOrchestratorExt};

use crate::life::Life;

/// What came of one try.
pub(crate) enum Answer {
    /// It is done, or on record and will be.
    Done,
    /// It is to be asked again.
    Again,
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

/// Waits a moment before asking again.
pub(crate) async fn pause() {
    sleep(PAUSE).await;
}
