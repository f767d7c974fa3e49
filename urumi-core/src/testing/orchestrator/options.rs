//! The options of the suite.

use std::time::Duration;

use crate::store::Options as EngineOptions;

/// Options of a run of the suite.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long each check may take; two minutes by default.
    pub deadline: Duration,
    /// How many checks run at a time; four by default.
    pub concurrency: usize,
    /// The engine of the suite's stores; `medusa` by default.
    pub engine: String,
    /// The engine's options with which stores become ready; its defaults by default.
    pub engine_options: EngineOptions,
    /// The owner of the suite's stores; `team:conformance` by default. The caller must be allowed to name it.
    pub owner: String,
    /// Another owner that the caller may name; `team:conformance-2` by default.
    pub other_owner: String,
    /// The engine's options with which a store becomes `failed` before the deadline. If `None`, checks of failed stores
    /// are skipped.
    pub failing: Option<EngineOptions>,
    /// Whether logs of containers can be read. If not, checks of logs are skipped.
    pub logs: bool,
    /// Whether smoke orders report. If not, the check of one that succeeds is skipped.
    pub smoke: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            deadline: Duration::from_secs(120),
            concurrency: 4,
            engine: "medusa".to_owned(),
            engine_options: EngineOptions::new(),
            owner: "team:conformance".to_owned(),
            other_owner: "team:conformance-2".to_owned(),
            failing: None,
            logs: true,
            smoke: true,
        }
    }
}
