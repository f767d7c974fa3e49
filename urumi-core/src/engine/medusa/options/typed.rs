//! Typed options as the options of a request.

use serde_json::Value;

use super::{DatabaseSecret, FooterLink, Limits, MedusaOptions, ResourceList, builtin};
use crate::engine::medusa::resolve;
use crate::error::FieldError;
use crate::kubernetes::syntax::Quantity;
use crate::store::Options;

/// The built-in defaults, without those of an installation.
impl Default for MedusaOptions {
    #[expect(clippy::expect_used, reason = "the built-in options are constant and complete, as a test shows")]
    fn default() -> Self {
        serde_json::from_value(Value::Object(builtin())).expect("the built-in options are complete")
    }
}

/// The options that differ from the built-in defaults. A request leaves out the others, so that the installation's defaults
/// apply to them.
///
/// ```
/// use urumi_core::CreateStore;
/// use urumi_core::engine::medusa::{Locale, MedusaOptions, Replicas};
///
/// # fn main() -> Result<(), String> {
/// let mut options = MedusaOptions::default();
/// options.api.replicas = Replicas::new(2)?;
/// options.storefront.locale = Some(Locale::De);
///
/// let request = CreateStore::new("My Shop", "medusa").options(options);
/// let json = serde_json::json!({"api": {"replicas": 2}, "storefront": {"locale": "de"}});
/// assert_eq!(Some(&request.options), json.as_object());
/// # Ok(())
/// # }
/// ```
///
/// Add to the map what the types cannot say: a built-in default where the installation has another one, null to remove an
/// installation's default, and secret values of `api.secretEnv`.
impl From<MedusaOptions> for Options {
    fn from(options: MedusaOptions) -> Options {
        // Only maps with keys that are no texts cannot be JSON, and there are none.
        let map = |options: &MedusaOptions| match serde_json::to_value(options) {
            Ok(Value::Object(map)) => map,
            _ => Options::new(),
        };
        without(map(&options), &map(&MedusaOptions::default()))
    }
}

/// Reads complete options, such as [`StoreOptions::effective`](crate::store::StoreOptions::effective). A request's options
/// are not complete. Values are checked by their types only.
impl TryFrom<&Options> for MedusaOptions {
    type Error = FieldError;

    fn try_from(options: &Options) -> Result<Self, FieldError> {
        let mut options = options.clone();
        // Secret values are shown as texts.
        if let Some(Value::Object(secrets)) = options.get_mut("api").and_then(|api| api.get_mut("secretEnv")) {
            secrets.values_mut().filter(|value| value.is_string()).for_each(|value| *value = Value::Bool(true));
        }
        resolve::read(&options).map_err(|message| FieldError::new("options", message))
    }
}

/// The options without those that are equal in `defaults`.
fn without(options: Options, defaults: &Options) -> Options {
    let differs = |(key, value): (String, Value)| {
        let value = match (value, defaults.get(&key)) {
            (Value::Object(options), Some(Value::Object(defaults))) => {
                let options = without(options, defaults);
                (!options.is_empty()).then_some(Value::Object(options))?
            }
            (value, Some(default)) if value == *default => return None,
            (value, _) => value,
        };
        Some((key, value))
    };
    options.into_iter().filter_map(differs).collect()
}

impl FooterLink {
    /// A link with this text to this target.
    pub fn new(label: impl Into<String>, href: impl Into<String>) -> Self {
        FooterLink { label: label.into(), href: href.into() }
    }
}

impl DatabaseSecret {
    /// The Secret of this name, with the URL under the key `DATABASE_URL`.
    pub fn new(name: impl Into<String>) -> Self {
        DatabaseSecret { name: name.into(), key: Self::default_key() }
    }
}

impl ResourceList {
    /// These amounts.
    pub fn new(cpu: Quantity, memory: Quantity) -> Self {
        ResourceList { cpu, memory }
    }
}

impl Limits {
    /// The requests and limits of containers that specify none.
    pub fn new(default_request: ResourceList, default: ResourceList) -> Self {
        Limits { default_request, default }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::medusa::{DatabaseMode, Locale, MedusaEngine, Replicas};
    use crate::engine::{Engine, NewStore};
    use crate::store::{CreateStore, StoreId};

    fn typed() -> MedusaOptions {
        let mut options = MedusaOptions { domain: Some("example.com".into()), ..MedusaOptions::default() };
        options.database.mode = DatabaseMode::External;
        options.database.secret = Some(DatabaseSecret::new("database"));
        options.api.replicas = Replicas::new(2).unwrap();
        options.api.env.insert("LOG_LEVEL".into(), "debug".into());
        options.storefront.locale = Some(Locale::De);
        options.storefront.footer_links = vec![FooterLink::new("Imprint", "/imprint")];
        options.ingress.controller_namespaces.push("edge".into());
        options
    }

    #[test]
    fn a_typed_request_equals_the_one_with_the_map() {
        let map = json!({
            "domain": "example.com",
            "database": {"mode": "external", "secret": {"name": "database", "key": "DATABASE_URL"}},
            "api": {"replicas": 2, "env": {"LOG_LEVEL": "debug"}},
            "storefront": {"locale": "de", "footerLinks": [{"label": "Imprint", "href": "/imprint"}]},
            "ingress": {"controllerNamespaces": ["ingress-nginx", "kube-system/traefik", "traefik", "edge"]},
        });
        let map = map.as_object().cloned().unwrap();
        let request = || CreateStore::new("Shop", "medusa");
        assert_eq!(request().options(typed()), request().options(map.clone()));
        assert_eq!(request().options(MedusaOptions::default()), request());

        let (id, engine) = (StoreId::parse("abc").unwrap(), MedusaEngine::default());
        let store = NewStore::new(&id, "localtest.me");
        assert_eq!(engine.resolve(&store, &typed().into()), engine.resolve(&store, &map));
        assert!(engine.resolve(&store, &map).is_ok());
    }

    #[test]
    fn incomplete_options_are_refused_with_the_missing_field() {
        let error = MedusaOptions::try_from(&Options::from(typed())).unwrap_err();
        assert_eq!(error.to_string(), "options: api: missing field `image`");
    }

    #[test]
    fn an_installations_defaults_apply_to_what_is_not_set() {
        let defaults = json!({"api": {"replicas": 5, "image": "example.com/api:1"}});
        let engine = MedusaEngine::with_defaults(defaults.as_object().cloned().unwrap()).unwrap();
        let id = StoreId::parse("abc").unwrap();
        let resolved = engine.resolve(&NewStore::new(&id, "localtest.me"), &typed().into()).unwrap();
        assert_eq!(resolved["api"]["replicas"], 2);
        assert_eq!(resolved["api"]["image"], "example.com/api:1");
    }
}
