//! Builds the request for a new store from the arguments, and lists the store's objects.

use std::fmt;

use serde_json::Value;
use urumi_core::CreateStore;
use urumi_core::error::Error;
use urumi_core::store::Authority;

use crate::cli::NewStoreArgs;
use crate::exit::CommandError;
use crate::options;
use crate::output::{Out, table};
use crate::target::Target;

/// Builds the request, and prints warnings about it, unless the validator is a server, whose answers have them. Options get
/// their types from the schema of the validator's engine.
///
/// # Errors
/// When the notation of an option is invalid. Then also reports all other errors that the validator finds.
pub(crate) async fn assemble(validator: &Target, out: &Out, args: &NewStoreArgs) -> Result<CreateStore, CommandError> {
    let mut schema: Option<Value> = None;
    if !(args.sets.is_empty() && args.set_files.is_empty()) {
        let engines = validator.stores.engines().await?;
        schema = engines.into_iter().find(|e| e.name == args.engine).map(|e| e.options);
    }
    let (options, mut wrong) = options::assemble(schema.as_ref(), &args.values, &args.sets, &args.set_files);
    let mut request = CreateStore::new(&args.name, &args.engine).options(options);
    // Direct access to a cluster is the installation's authority. A server uses the authority of the caller's role.
    request.authority = Authority::Installation;
    request.id.clone_from(&args.id);
    request.owner.clone_from(&args.owner);
    if wrong.is_empty() {
        validator.stores.warnings(&request).iter().for_each(|warning| out.warn(&warning.to_string()));
        return Ok(request);
    }
    if let Err(Error::Invalid(errors)) = validator.stores.preview(request).await {
        wrong.extend(errors);
    }
    Err(wrong.into())
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
