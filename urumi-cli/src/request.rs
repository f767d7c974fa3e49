//! Builds the request for a new store from the arguments, and lists the store's objects.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use urumi_core::CreateStore;
use urumi_core::error::{Error, FieldError};
use urumi_core::secret::RedactedSecrets;
use urumi_core::store::{Authority, Options};

use crate::cli::NewStoreArgs;
use crate::exit::CommandError;
use crate::output::{Out, table};
use crate::target::Target;
use crate::{options, yaml};

/// Builds the request, and prints warnings about it, unless the validator is a server, whose answers have them. Options get
/// their types from the schema of the validator's engine.
///
/// # Errors
/// When the notation of an option is invalid. Then also reports all other errors that the validator finds.
pub(crate) async fn assemble(validator: &Target, out: &Out, args: &NewStoreArgs) -> Result<CreateStore, CommandError> {
    let described = match &args.file {
        Some(file) => StoreFile::read(file)?,
        None => StoreFile::default(),
    };
    let engine = args.engine.clone().or(described.engine).unwrap_or_else(|| DEFAULT_ENGINE.to_owned());
    let mut schema: Option<Value> = None;
    if !(args.sets.is_empty() && args.set_files.is_empty()) {
        let engines = validator.stores.engines().await.map_err(|error| validator.explain(error))?;
        schema = engines.into_iter().find(|e| e.name == engine).map(|e| e.options);
    }
    let base = described.options.unwrap_or_default();
    let (options, mut wrong) = options::assemble(base, schema.as_ref(), &args.values, &args.sets, &args.set_files);
    wrong.extend(redacted(&options));
    let mut request = CreateStore::new(args.name.clone().or(described.name).unwrap_or_default(), &engine);
    request.options = options;
    // Direct access to a cluster is the installation's authority. A server uses the authority of the caller's role.
    request.authority = Authority::Installation;
    request.id = args.id.clone().or(described.id);
    request.owner = args.owner.clone().or(described.owner);
    request.labels = described.labels.unwrap_or_default();
    for label in &args.labels {
        match label.split_once('=') {
            Some((key, value)) => {
                request.labels.insert(key.to_owned(), value.to_owned());
            }
            None => wrong.push(FieldError::new("--label", format!("{label:?} has no '='; write key=value"))),
        }
    }
    if wrong.is_empty() {
        validator.stores.warnings(&request).iter().for_each(|warning| out.warn(&warning.to_string()));
        return Ok(request);
    }
    if let Err(Error::Invalid(errors)) = validator.stores.preview(request).await {
        wrong.extend(errors);
    }
    Err(CommandError::from(wrong).for_engine(&engine))
}

/// The engine of stores whose request names none.
const DEFAULT_ENGINE: &str = "medusa";

/// A store in a file, as `urumi get -o yaml` prints it.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoreFile {
    name: Option<String>,
    engine: Option<String>,
    id: Option<String>,
    owner: Option<String>,
    labels: Option<BTreeMap<String, String>>,
    options: Option<Options>,
    /// Fields that do not describe a new store.
    #[serde(rename = "status")]
    _status: Option<IgnoredAny>,
    #[serde(rename = "reason")]
    _reason: Option<IgnoredAny>,
    #[serde(rename = "namespace")]
    _namespace: Option<IgnoredAny>,
    #[serde(rename = "urls")]
    _urls: Option<IgnoredAny>,
    #[serde(rename = "createdAt")]
    _created_at: Option<IgnoredAny>,
    #[serde(rename = "readyAt")]
    _ready_at: Option<IgnoredAny>,
    #[serde(rename = "conditions")]
    _conditions: Option<IgnoredAny>,
    #[serde(rename = "revision")]
    _revision: Option<IgnoredAny>,
    #[serde(rename = "observedRevision")]
    _observed_revision: Option<IgnoredAny>,
    #[serde(rename = "resourceVersion")]
    _resource_version: Option<IgnoredAny>,
    #[serde(rename = "effectiveOptions")]
    _effective_options: Option<IgnoredAny>,
    #[serde(rename = "events")]
    _events: Option<IgnoredAny>,
}

impl StoreFile {
    fn read(file: &str) -> Result<Self, CommandError> {
        let text = options::text_of(file).map_err(CommandError::usage)?;
        yaml::parse(&text).map_err(|error| CommandError::usage(format!("{file} does not describe a store: {error}")))
    }
}

/// Secrets that are missing: `urumi get` prints them as REDACTED.
fn redacted(options: &Options) -> Vec<FieldError> {
    fn collect(value: &Value, path: &mut Vec<String>, found: &mut Vec<FieldError>) {
        match value {
            Value::String(text) if text == RedactedSecrets::TEXT => {
                let message = "the file does not contain the secret; pass it with --set or --values, or remove it";
                found.push(FieldError::new(format!("options.{}", options::show_path(path)), message));
            }
            Value::Object(fields) => {
                for (name, value) in fields {
                    path.push(name.clone());
                    collect(value, path, found);
                    path.pop();
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    for (name, value) in options {
        collect(value, &mut vec![name.clone()], &mut found);
    }
    found
}

/// An object's kind, namespace and name.
pub(crate) struct Address<'a> {
    kind: &'a str,
    namespace: Option<&'a str>,
    name: &'a str,
}

impl<'a> Address<'a> {
    /// Reads the address from a manifest.
    pub(crate) fn of(object: &'a Value) -> Self {
        let at = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
        Address {
            kind: at("/kind").unwrap_or_default(),
            namespace: at("/metadata/namespace"),
            name: at("/metadata/name").unwrap_or_default(),
        }
    }
}

impl fmt::Display for Address<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

/// Formats objects as a table of their addresses.
pub(crate) fn object_table(objects: &[Value]) -> String {
    let row = |object| {
        let Address { kind, namespace, name } = Address::of(object);
        vec![kind.into(), namespace.unwrap_or("-").into(), name.into()]
    };
    table(&["KIND", "NAMESPACE", "NAME"], objects.iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_file_as_get_prints_it_describes_a_store() {
        let text = "id: shop\nname: Shop\nengine: medusa\nstatus: ready\nreason: x\nnamespace: store-shop\nurls: {api: x}\n\
                    createdAt: 2027-01-15T08:00:00Z\nreadyAt: 2027-01-15T08:00:00Z\nowner: user:ann\nlabels: {team: web}\n\
                    conditions: []\nrevision: 1\nobservedRevision: 1\nresourceVersion: '1'\noptions: {api: {replicas: 2}}\neffectiveOptions: {}\nevents: []\n";
        let file: StoreFile = yaml::parse(text).unwrap();
        assert_eq!((file.id.as_deref(), file.name.as_deref()), (Some("shop"), Some("Shop")));
        assert_eq!(file.options.map(Value::Object), Some(json!({"api": {"replicas": 2}})));
        assert!(yaml::parse::<StoreFile>("name: Shop\noption: {}").is_err(), "a typing error is ignored");
    }

    #[test]
    fn secrets_that_are_not_in_the_file_are_named() {
        let options = json!({"api": {"secretEnv": {"KEY": "REDACTED"}, "replicas": 1}});
        let found = redacted(options.as_object().unwrap());
        assert_eq!(found.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), ["options.api.secretEnv.KEY"]);
    }
}
