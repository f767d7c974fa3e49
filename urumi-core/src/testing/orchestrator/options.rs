//! The options of the suite.

use std::time::Duration;

use crate::store::Options as EngineOptions;

/// How the suite is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long each check may take; a minute by default.
    pub deadline: Duration,
    /// How many checks run at a time; four by default.
    pub concurrency: usize,
    /// The engine of the suite's stores; `medusa` by default.
    pub engine: String,
    /// Options of the engine with which stores become ready; its defaults by default.
    pub engine_options: EngineOptions,
    /// Whose the suite's stores are; `team:conformance` by default. It must be one that may be named.
    pub owner: String,
    /// Another owner that may be named; `team:conformance-2` by default.
    pub other_owner: String,
    /// Options of the engine with which a store becomes `failed` before the deadline. Without, checks of failed stores
    /// are skipped.
    pub failing: Option<EngineOptions>,
    /// Whether containers can be asked for their logs. Without, checks of logs are skipped.
    pub logs: bool,
    /// Whether smoke orders are reported. Without, the check of one that succeeds is skipped.
    pub smoke: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            deadline: Duration::from_secs(60),
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
