//! `urumi render`.

use serde_json::json;

use super::create::{object_table, prepare};
use crate::cli::{Format, Global, NewStore};
use crate::exit::Failure;
use crate::output::{Out, json, yaml};
use crate::target;

pub(super) fn run(global: &Global, out: &Out, store: &NewStore) -> Result<(), Failure> {
    let orchestrator = target::offline(global);
    let (_, spec) = prepare(&orchestrator, store)?;
    let objects = orchestrator.render(&spec)?;
    match out.format() {
        None | Some(Format::Yaml) => {
            let documents = objects.iter().map(|o| Ok(format!("---\n{}", yaml(o)?)));
            out.data(&documents.collect::<Result<String, Failure>>()?)
        }
        Some(Format::Json) => out.data(&json(&json!({"apiVersion": "v1", "kind": "List", "items": objects}))?),
        Some(Format::Name) => out.data(&objects.iter().map(|o| format!("{}\n", o.reference())).collect::<String>()),
        Some(Format::Table | Format::Wide) => out.data(&object_table(&objects)),
    }
}
