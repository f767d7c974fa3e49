//! Tests of the Medusa engine: what it accepts, what it makes of that, and what must hold of everything it makes.

mod policy;
mod reference;
mod refusals;
mod rendering;
mod resolving;
mod strategies;

use serde_json::Value;

use super::MedusaEngine;
use super::resolved::RENDERER;
use crate::engine::{Engine, Manifest, NewStore};
use crate::error::FieldError;
use crate::secret::{NoRandomness, SecretSource, SecretString};
use crate::store::{Options, StoreId, StoreName, StoreSpec};

const ID: &str = "abc123";
const DOMAIN: &str = "localtest.me";

/// Secrets that a test can recognise: as many letters as were asked for.
struct Letters;

impl SecretSource for Letters {
    fn password(&self, length: usize) -> Result<SecretString, NoRandomness> {
        Ok(SecretString::new("S".repeat(length)))
    }
}

fn options(value: Value) -> Options {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} are no options"),
    }
}

fn resolve(engine: &MedusaEngine, request: Value) -> Result<Options, Vec<FieldError>> {
    let id = StoreId::parse(ID).unwrap();
    engine.resolve(&NewStore { id: &id, default_domain: DOMAIN }, &options(request))
}

/// A store that the built-in engine made of a request.
fn spec(request: Value) -> StoreSpec {
    spec_of(resolve(&MedusaEngine::default(), request).unwrap())
}

fn spec_of(options: Options) -> StoreSpec {
    StoreSpec {
        id: StoreId::parse(ID).unwrap(),
        name: StoreName::parse("My \"Shop\" for $(HOME) & $$5").unwrap(),
        engine: MedusaEngine::NAME.into(),
        options,
        renderer: RENDERER,
    }
}

fn render(spec: &StoreSpec) -> Vec<Manifest> {
    MedusaEngine::default().render(spec, &Letters).unwrap()
}
