//! `urumi render`.

use serde_json::json;

use crate::choice::choose;
use crate::cli::{GlobalArgs, NewStoreArgs};
use crate::exit::CommandError;
use crate::format::Format;
use crate::output::{Out, to_yaml};
use crate::request::{Address, assemble, object_table};
use crate::target;

pub(super) async fn run(global: &GlobalArgs, out: &Out, store: &NewStoreArgs) -> Result<(), CommandError> {
    let validator = target::validator(&choose(global)?, global, out)?;
    let request = assemble(&validator, out, store).await?;
    let engine = request.engine.clone();
    let preview = validator.stores.preview(request).await;
    let objects = preview.map_err(|error| validator.explain(error).for_engine(&engine))?.objects;
    match out.format() {
        None | Some(Format::Yaml) => {
            let documents = objects.iter().map(|o| Ok(format!("---\n{}", to_yaml(o)?)));
            out.data(&documents.collect::<Result<String, CommandError>>()?)
        }
        Some(Format::Json | Format::Extract) => {
            out.structured(&json!({"apiVersion": "v1", "kind": "List", "items": objects})).map(|_| ())
        }
        Some(Format::Name) => out.data(&objects.iter().map(|o| format!("{}\n", Address::of(o))).collect::<String>()),
        Some(Format::Table | Format::Wide) => out.data(&object_table(&objects)),
    }
}
