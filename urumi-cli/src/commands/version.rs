//! `urumi version`.

use serde_json::json;

use crate::exit::Failure;
use crate::output::Out;

const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(super) fn run(out: &Out) -> Result<(), Failure> {
    if out.structured(&json!({"name": "urumi", "version": VERSION}))? {
        return Ok(());
    }
    out.data(&format!("urumi {VERSION}\n"))
}
