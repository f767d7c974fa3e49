//! The engines that an orchestrator knows, by name.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::interface::{Engine, EngineInfo, NewStore};
use super::{shape, write_only};
use crate::error::{Error, FieldError};
use crate::store::{Authority, HandedSecrets, Options};

/// The engines that an orchestrator knows, by name.
#[derive(Clone, Default)]
pub struct EngineRegistry {
    engines: BTreeMap<String, Entry>,
}

#[derive(Clone)]
struct Entry {
    engine: Arc<dyn Engine>,
    /// What it offers, with the installation's policy. It is not made again for each request.
    info: EngineInfo,
}

impl EngineRegistry {
    /// A registry without engines.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an engine with its own policy; one of the same name is replaced.
    pub fn register(&mut self, engine: Arc<dyn Engine>) {
        let info = EngineInfo { policy: engine.policy(), ..engine.info() };
        let entry = Entry { info, engine };
        self.engines.insert(entry.engine.name().to_owned(), entry);
    }

    /// These engines with an installation's defaults: options by an engine's name, see [`Engine::with_defaults`].
    ///
    /// # Errors
    /// Every name and option that is wrong, by its path, e.g. `medusa.database.storage.size`.
    pub fn with_defaults(mut self, defaults: Options) -> Result<Self, Vec<FieldError>> {
        let mut wrong = Vec::new();
        for (name, options) in defaults {
            let Some(engine) = self.find(&name) else {
                wrong.push(FieldError::new(name, format!("is no engine; there is {}", self.names())));
                continue;
            };
            match options {
                // A file may name an engine and have all of its options commented out.
                Value::Null => {}
                Value::Object(options) if options.is_empty() => {}
                Value::Object(options) => match engine.with_defaults(&options) {
                    Ok(engine) => self.register(engine),
                    Err(errors) => wrong.extend(errors.into_iter().map(|error| within(&name, error))),
                },
                _ => wrong.push(FieldError::new(name, "must hold the engine's options by their names")),
            }
        }
        if wrong.is_empty() { Ok(self) } else { Err(wrong) }
    }

    /// These engines with an installation's policy: rules by an engine's name, see
    /// [`OptionPolicy::with`](super::OptionPolicy::with). Defaults are set before.
    ///
    /// # Errors
    /// Every name, authority, path and rule that is wrong, by its path, e.g. `medusa.operator.api.replicas`.
    pub fn with_policy(mut self, policy: Options) -> Result<Self, Vec<FieldError>> {
        let mut wrong = Vec::new();
        for (name, rules) in policy {
            let names = self.names();
            let Some(entry) = self.engines.get_mut(&name) else {
                wrong.push(FieldError::new(name, format!("is no engine; there is {names}")));
                continue;
            };
            match rules {
                Value::Null => {}
                Value::Object(rules) => match entry.engine.policy().with(&rules, &entry.info.options) {
                    Ok(policy) => entry.info.policy = policy,
                    Err(errors) => wrong.extend(errors.into_iter().map(|error| within(&name, error))),
                },
                _ => wrong.push(FieldError::new(name, "must hold rules by authority: operator, administrator")),
            }
        }
        if wrong.is_empty() { Ok(self) } else { Err(wrong) }
    }

    /// What the policy refuses of options that a request chooses on this authority; nothing if the engine is not known.
    pub fn refusals(
        &self,
        engine: &str,
        authority: Authority,
        store: &NewStore<'_>,
        options: &Options,
    ) -> Vec<FieldError> {
        let Some(Entry { engine, info }) = self.engines.get(engine) else { return Vec::new() };
        info.policy.check(authority, options, &engine.defaults_for(store), &info.options)
    }

    /// Replaces the lists in options that stand for objects; returns their paths.
    pub(crate) fn refuse_lists(&self, engine: &str, options: &mut Options) -> Vec<FieldError> {
        self.engines.get(engine).map_or_else(Vec::new, |entry| shape::refuse_lists(&entry.info.options, options))
    }

    /// Takes the secret values out of options, see [`HandedSecrets`]; returns those that cannot be one, by their paths.
    pub(crate) fn take_secrets(
        &self,
        engine: &str,
        options: &mut Options,
        taken: &mut HandedSecrets,
    ) -> Vec<FieldError> {
        let mut wrong = Vec::new();
        if let Some(entry) = self.engines.get(engine) {
            write_only::take(&entry.info.options, options, taken, &mut wrong);
        }
        wrong
    }

    /// The options of a record with `REDACTED` in the place of each secret value, which is not on record.
    pub(crate) fn without_secrets(&self, engine: &str, mut options: Options) -> Options {
        if let Some(entry) = self.engines.get(engine) {
            write_only::redact(&entry.info.options, &mut options);
        }
        options
    }

    /// The engine of this name, if it is known.
    pub fn find(&self, name: &str) -> Option<&Arc<dyn Engine>> {
        self.engines.get(name).map(|entry| &entry.engine)
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
        self.engines.values().map(|entry| entry.info.clone()).collect()
    }
}

/// The error of an engine's option, by its path from the engine's name.
fn within(engine: &str, error: FieldError) -> FieldError {
    match error.field.as_str() {
        "" => FieldError::new(engine, error.message),
        field => FieldError::new(format!("{engine}.{field}"), error.message),
    }
}

impl fmt::Debug for EngineRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.engines.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::{Component, Manifest, NewStore, RenderError};
    use crate::secret::SecretSource;
    use crate::store::{StoreSpec, StoreUrls};

    /// An engine of another crate whose only option is `colour`.
    struct Toy {
        name: &'static str,
        colour: Option<String>,
    }

    impl Toy {
        fn check(options: &Options) -> Result<Option<String>, Vec<FieldError>> {
            match options.get("colour").map(Value::as_str) {
                Some(None) => Err(vec![FieldError::new("colour", "must be a text")]),
                colour => Ok(colour.flatten().map(str::to_owned)),
            }
        }
    }

    impl Engine for Toy {
        fn name(&self) -> &str {
            self.name
        }
        fn info(&self) -> EngineInfo {
            EngineInfo::new(self.name, "", true)
        }
        fn with_defaults(&self, defaults: &Options) -> Result<Arc<dyn Engine>, Vec<FieldError>> {
            Ok(Arc::new(Toy { name: self.name, colour: Self::check(defaults)? }))
        }
        fn resolve(&self, _store: &NewStore<'_>, options: &Options) -> Result<Options, Vec<FieldError>> {
            let colour = Self::check(options)?.or_else(|| self.colour.clone());
            Ok(colour.into_iter().map(|colour| ("colour".to_owned(), colour.into())).collect())
        }
        fn render(&self, _spec: &StoreSpec, _secrets: &dyn SecretSource) -> Result<Vec<Manifest>, RenderError> {
            Ok(Vec::new())
        }
        fn components(&self, _spec: &StoreSpec) -> Result<Vec<Component>, RenderError> {
            Ok(Vec::new())
        }
        fn urls(&self, _spec: &StoreSpec) -> Result<StoreUrls, RenderError> {
            Ok(StoreUrls::default())
        }
    }

    fn toys() -> EngineRegistry {
        let mut engines = EngineRegistry::new();
        for name in ["toy", "other"] {
            engines.register(Arc::new(Toy { name, colour: Some("grey".into()) }));
        }
        engines
    }

    fn with(defaults: Value) -> Result<EngineRegistry, Vec<FieldError>> {
        toys().with_defaults(defaults.as_object().cloned().unwrap())
    }

    fn colour(engines: &EngineRegistry, name: &str) -> Value {
        let store = NewStore { id: &crate::store::StoreId::random(), default_domain: "localtest.me" };
        engines.find(name).unwrap().resolve(&store, &Options::new()).unwrap()["colour"].clone()
    }

    #[test]
    fn any_engine_takes_an_installations_defaults() {
        let engines = with(json!({"toy": {"colour": "red"}, "other": null})).unwrap();
        assert_eq!((colour(&engines, "toy"), colour(&engines, "other")), (json!("red"), json!("grey")));
    }

    #[test]
    fn wrong_defaults_are_named_by_engine_and_option() {
        let said = with(json!({"toy": {"colour": 1}, "other": [], "third": {}})).unwrap_err();
        let mut said: Vec<String> = said.iter().map(ToString::to_string).collect();
        said.sort();
        assert_eq!(
            said,
            [
                "other: must hold the engine's options by their names",
                "third: is no engine; there is other, toy",
                "toy.colour: must be a text",
            ]
        );
    }

    /// An engine that implements no more than it must.
    struct Plain;

    impl Engine for Plain {
        fn name(&self) -> &str {
            "plain"
        }
        fn info(&self) -> EngineInfo {
            EngineInfo::new("plain", "", true)
        }
        fn resolve(&self, _store: &NewStore<'_>, options: &Options) -> Result<Options, Vec<FieldError>> {
            Ok(options.clone())
        }
        fn render(&self, _spec: &StoreSpec, _secrets: &dyn SecretSource) -> Result<Vec<Manifest>, RenderError> {
            Ok(Vec::new())
        }
        fn components(&self, _spec: &StoreSpec) -> Result<Vec<Component>, RenderError> {
            Ok(Vec::new())
        }
        fn urls(&self, _spec: &StoreSpec) -> Result<StoreUrls, RenderError> {
            Ok(StoreUrls::default())
        }
    }

    #[test]
    fn an_engine_that_takes_no_defaults_says_so() {
        let mut engines = EngineRegistry::new();
        engines.register(Arc::new(Plain));
        let given = |options: Value| engines.clone().with_defaults(Options::from_iter([("plain".to_owned(), options)]));
        let said: Vec<String> = given(json!({"a": 1})).unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(said, ["plain: the engine plain takes no defaults"]);
        assert!(given(json!({})).is_ok());
    }
}
