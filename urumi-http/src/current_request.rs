//! The request that a task handles.

use std::future::Future;

use uuid::Uuid;

tokio::task_local! {
    static ID: String;
}

/// Handles the request with this id.
pub(crate) fn within<F: Future>(id: String, handling: F) -> impl Future<Output = F::Output> {
    ID.scope(id, handling)
}

/// The request that is being handled, as a problem's `instance`.
pub(crate) fn instance() -> Option<String> {
    let uri = |id: &String| match Uuid::try_parse(id) {
        Ok(uuid) => format!("urn:uuid:{uuid}"),
        Err(_) => id.clone(),
    };
    ID.try_with(uri).ok()
}
