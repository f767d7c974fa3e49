//! The logs of a store.
use super::Orchestrator;
use crate::error::Result;
use crate::logs::{LogLines, LogQuery};
use crate::store::StoreId;
impl Orchestrator {
    pub(super) async fn store_logs(&self, _id: &StoreId, _query: &LogQuery) -> Result<LogLines> {
        Ok(Box::pin(futures::stream::empty()))
    }
}
