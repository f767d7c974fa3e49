//! `urumi render`.

use serde_json::json;

use crate::choice::choose;
use crate::cli::{Format, GlobalArgs, NewStoreArgs};
use crate::exit::CommandError;
use crate::output::{Out, json, to_yaml};
use crate::request::{Address, assemble, object_table};
use crate::target;

pub(super) async fn run(global: &GlobalArgs, out: &Out, store: &NewStoreArgs) -> Result<(), CommandError> {
    let validator = target::validator(&choose(global)?, global, out)?;
    let request = assemble(&validator, out, store).await?;
    let objects = validator.stores.preview(request).await?.objects;
    match out.format() {
        None | Some(Format::Yaml) => {
            let documents = objects.iter().map(|o| Ok(format!("---\n{}", to_yaml(o)?)));
            out.data(&documents.collect::<Result<String, CommandError>>()?)
        }
        Some(Format::Json) => out.data(&json(&json!({"apiVersion": "v1", "kind": "List", "items": objects}))?),
        Some(Format::Name) => out.data(&objects.iter().map(|o| format!("{}\n", Address::of(o))).collect::<String>()),
        Some(Format::Table | Format::Wide) => out.data(&object_table(&objects)),
    }
}
