//! Engines: plugins that turn a store's spec into Kubernetes objects and say which of them must be ready.

mod builtin;
mod interface;
pub mod medusa;
mod policy;
mod registry;
mod shape;
mod words;
mod write_only;

pub use self::interface::{
    Component, Engine, EngineInfo, Manifest, NewStore, PodSecurity, Policy, RenderError, RequestChange, SignIn, Stage,
};
pub use self::policy::{OptionPolicy, Rule};
pub use self::registry::EngineRegistry;
