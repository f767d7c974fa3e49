//! Changes of a store: what people ask for, and what it would do.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Authority;
use super::field::OptionWarning;
use super::handed::HandedSecrets;
use super::merge_patch;
use super::preview::Difference;
use super::request::Options;

/// The longest reason of a change, in characters.
pub const MAX_REASON: usize = 200;

/// A change of a store. What it does not name stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct UpdateStore {
    /// The new display name: 1 to 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100))]
    pub name: Option<String>,
    /// A merge patch (RFC 7396) of the options that the store's request chose: `null` takes an option back, so that its default
    /// applies again.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub options: Options,
    /// Whether all options that the request leaves out take today's defaults. Otherwise they stay as they were when the store was
    /// created or refreshed, except for those that follow from the change.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refresh: bool,
    /// Why, for the history: up to 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 200))]
    pub reason: Option<String>,
    /// Who asks for it. It is never part of a request's JSON: a frontend knows its caller.
    #[serde(skip)]
    pub by: Option<String>,
    /// On whose authority the options are chosen.
    #[serde(skip)]
    pub authority: Authority,
    /// The secret values that were taken out of the options.
    #[serde(skip)]
    pub(crate) handed: HandedSecrets,
}

impl UpdateStore {
    /// A change of nothing yet.
    pub fn new() -> Self {
        UpdateStore::default()
    }

    /// Sets the display name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Changes options by a merge patch.
    #[must_use]
    pub fn options(mut self, patch: impl Into<Options>) -> Self {
        self.options = patch.into();
        self
    }

    /// Takes today's defaults for everything that the request leaves out.
    #[must_use]
    pub fn refresh(mut self) -> Self {
        self.refresh = true;
        self
    }

    /// Says why.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Says who asks for it.
    #[must_use]
    pub fn by(mut self, who: impl Into<String>) -> Self {
        self.by = Some(who.into());
        self
    }

    /// Chooses the options on this authority instead of an operator's.
    #[must_use]
    pub fn on_authority_of(mut self, authority: Authority) -> Self {
        self.authority = authority;
        self
    }
}

/// An option in force that a change changes. Secret values are shown as `REDACTED`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct OptionChange {
    /// The option's path, e.g. `api.replicas`.
    pub option: String,
    /// Its value before; left out if it had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// Its value after; left out if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
}

impl OptionChange {
    /// The options that differ between two sets, by path.
    pub(crate) fn between(before: &Options, after: &Options) -> Vec<OptionChange> {
        let at = |options: &Options, path: &[String]| -> Option<Value> {
            let (first, rest) = path.split_first()?;
            rest.iter().try_fold(options.get(first)?, |value, name| value.get(name)).cloned()
        };
        let paths = merge_patch::paths(&merge_patch::between(before, after));
        let change =
            |path: Vec<String>| OptionChange { option: path.join("."), from: at(before, &path), to: at(after, &path) };
        paths.into_iter().map(change).collect()
    }
}

/// What a change would do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct UpdatePreview {
    /// The revision that the change would make; the present one if nothing changes.
    pub revision: u64,
    /// The display name after the change.
    pub name: String,
    /// The options in force that change.
    pub options: Vec<OptionChange>,
    /// The components whose pods are replaced. Other changes take effect without a restart.
    pub restarts: Vec<String>,
    /// What would be done to the store's objects.
    pub objects: Vec<Difference>,
    /// What to know about options of the change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<OptionWarning>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn changed_options_are_named_with_their_values() {
        let options = |value: Value| value.as_object().cloned().unwrap();
        let before = options(json!({"api": {"replicas": 1, "image": "a"}, "gone": {"a": 1}, "same": [1]}));
        let after = options(json!({"api": {"replicas": 2, "image": "a"}, "new": {"b": true}, "same": [1]}));
        let changes = OptionChange::between(&before, &after);
        let changes: Vec<Value> = changes.iter().map(|change| serde_json::to_value(change).unwrap()).collect();
        assert_eq!(
            changes,
            [
                json!({"option": "api.replicas", "from": 1, "to": 2}),
                json!({"option": "gone", "from": {"a": 1}}),
                json!({"option": "new.b", "to": true}),
            ]
        );
    }
}
