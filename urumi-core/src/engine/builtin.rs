//! The engines that come with urumi.

use std::sync::Arc;

use super::medusa::MedusaEngine;
use super::registry::EngineRegistry;

impl EngineRegistry {
    /// The engines that come with urumi, with their built-in defaults.
    pub fn builtin() -> Self {
        let mut engines = Self::new();
        engines.register(Arc::new(MedusaEngine::default()));
        engines
    }
}
