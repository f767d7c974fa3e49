//! The engines that an orchestrator knows, by name.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::medusa::MedusaEngine;
use super::{Engine, EngineInfo};
use crate::error::{Error, FieldError};

/// The engines that an orchestrator knows, by name.
#[derive(Clone, Default)]
pub struct EngineRegistry {
    engines: BTreeMap<String, Arc<dyn Engine>>,
}

impl EngineRegistry {
    /// A registry without engines.
    pub fn new() -> Self {
        Self::default()
    }

    /// The engines that come with urumi, with their built-in defaults.
    pub fn builtin() -> Self {
        let mut engines = Self::new();
        engines.register(Arc::new(MedusaEngine::default()));
        engines
    }

    /// Adds an engine; one of the same name is replaced.
    pub fn register(&mut self, engine: Arc<dyn Engine>) {
        self.engines.insert(engine.name().to_owned(), engine);
    }

    /// The engine of this name, if it is known.
    pub fn find(&self, name: &str) -> Option<&Arc<dyn Engine>> {
        self.engines.get(name)
    }

    /// The engine of this name.
    ///
    /// # Errors
    /// An invalid `engine` field that names those that are known.
    pub fn require(&self, name: &str) -> Result<&Arc<dyn Engine>, Error> {
        let unknown = || FieldError::new("engine", format!("{name:?} is not known; there is {}", self.names()));
        self.find(name).ok_or_else(|| unknown().into())
    }

    /// The names of all, for people.
    pub(crate) fn names(&self) -> String {
        self.engines.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
    }

    /// What each engine offers, by name.
    pub fn infos(&self) -> Vec<EngineInfo> {
        self.engines.values().map(|e| e.info()).collect()
    }
}

impl fmt::Debug for EngineRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.engines.keys()).finish()
    }
}
