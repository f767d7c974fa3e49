//! `urumi engines`.

use serde_json::Value;
use urumi_core::engine::EngineInfo;
use urumi_core::error::FieldError;

use crate::choice::choose;
use crate::cli::{Format, GlobalArgs};
use crate::exit::CommandError;
use crate::options::show_path;
use crate::output::{Cell, Out, table};
use crate::schema::Node;
use crate::target;

pub(super) async fn run(global: &GlobalArgs, out: &Out, name: Option<&str>) -> Result<(), CommandError> {
    let engines = target::validator(&choose(global)?, global, out)?.stores.engines().await?;
    let Some(name) = name else { return all(out, &engines) };
    match engines.iter().find(|engine| engine.name == name) {
        Some(engine) => one(out, engine),
        None => {
            let known: Vec<&str> = engines.iter().map(|engine| engine.name.as_str()).collect();
            Err(vec![FieldError::new("engine", format!("{name:?} is not known; there is {}", known.join(", ")))].into())
        }
    }
}

fn all(out: &Out, engines: &[EngineInfo]) -> Result<(), CommandError> {
    if out.structured(&engines)? {
        return Ok(());
    }
    if out.format() == Some(Format::Name) {
        return out.data(&engines.iter().map(|e| format!("{}\n", e.name)).collect::<String>());
    }
    let rows = engines.iter().map(|e| vec![(&e.name).into(), (&e.description).into()]).collect();
    out.data(&table(&["NAME", "DESCRIPTION"], rows))?;
    out.note("`urumi engines NAME` lists the options of an engine");
    Ok(())
}

fn one(out: &Out, engine: &EngineInfo) -> Result<(), CommandError> {
    if out.structured(engine)? {
        return Ok(());
    }
    let schema: Value = engine.options.clone();
    let leaves = Node::root(&schema).leaves();
    if out.format() == Some(Format::Name) {
        return out.data(&leaves.iter().map(|leaf| show_path(&leaf.path) + "\n").collect::<String>());
    }
    let row = |leaf: &crate::schema::Leaf| -> Vec<Cell> {
        let default = if leaf.default.is_empty() { "-" } else { &leaf.default };
        vec![show_path(&leaf.path).into(), (&leaf.type_name).into(), default.into(), (&leaf.description).into()]
    };
    out.data(&table(&["OPTION", "TYPE", "DEFAULT", "DESCRIPTION"], leaves.iter().map(row).collect()))
}
