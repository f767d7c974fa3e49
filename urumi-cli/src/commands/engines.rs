//! `urumi engines`.

use urumi_core::engine::EngineInfo;
use urumi_core::error::FieldError;

use crate::choice::choose;
use crate::cli::GlobalArgs;
use crate::exit::CommandError;
use crate::format::Format;
use crate::options::show_path;
use crate::output::{Cell, Out, table, width, wrapped};
use crate::schema::{Leaf, Node};
use crate::target;

/// The indentation of an option's description.
const INDENT: usize = 4;

pub(super) async fn run(
    global: &GlobalArgs,
    out: &Out,
    name: Option<&str>,
    option: Option<&str>,
) -> Result<(), CommandError> {
    let target = target::validator(&choose(global)?, global, out)?;
    let engines = target.stores.engines().await.map_err(|error| target.explain(error))?;
    let Some(name) = name else { return all(out, &engines) };
    match engines.iter().find(|engine| engine.name == name) {
        Some(engine) => one(out, engine, option),
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
    for engine in engines {
        out.note(&format!("`urumi engines {}` lists its options", engine.name));
    }
    Ok(())
}

fn one(out: &Out, engine: &EngineInfo, option: Option<&str>) -> Result<(), CommandError> {
    let mut leaves = Node::root(&engine.options).leaves();
    match option {
        Some(option) => {
            let all = leaves.clone();
            leaves.retain(|leaf| is_within(&show_path(&leaf.path), option));
            if leaves.is_empty() {
                return Err(unknown(&all, option).for_engine(&engine.name));
            }
            if out.structured(&leaves)? {
                return Ok(());
            }
        }
        None if out.structured(engine)? => return Ok(()),
        None => {}
    }
    match out.format() {
        Some(Format::Name) => out.data(&leaves.iter().map(|leaf| show_path(&leaf.path) + "\n").collect::<String>()),
        Some(Format::Wide) => {
            let row = |leaf: &Leaf| -> Vec<Cell> {
                let default = if leaf.default.is_empty() { "-" } else { &leaf.default };
                vec![show_path(&leaf.path).into(), (&leaf.type_name).into(), default.into(), (&leaf.description).into()]
            };
            out.data(&table(&["OPTION", "TYPE", "DEFAULT", "DESCRIPTION"], leaves.iter().map(row).collect()))
        }
        _ => {
            let width = width();
            let blocks: Vec<String> = leaves.iter().map(|leaf| block(leaf, width)).collect();
            out.data(&blocks.join("\n"))
        }
    }
}

/// Whether the path is that of the option, or of an option in this group.
fn is_within(path: &str, option: &str) -> bool {
    path == option || path.strip_prefix(option).is_some_and(|rest| rest.starts_with('.'))
}

fn unknown(leaves: &[Leaf], option: &str) -> CommandError {
    let paths = leaves.iter().map(|leaf| show_path(&leaf.path));
    let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_lowercase();
    let likeness = |path: &str| {
        strsim::jaro_winkler(&path.to_lowercase(), &option.to_lowercase())
            .max(strsim::jaro_winkler(&last(path), &last(option)))
    };
    let closest = paths.max_by(|a, b| likeness(a).total_cmp(&likeness(b))).filter(|path| likeness(path) > 0.8);
    let meant = closest.map(|path| format!("; did you mean {path}?")).unwrap_or_default();
    vec![FieldError::new("options", format!("there is no option {option:?}{meant}"))].into()
}

/// An option as a block of lines: its path, its type and default, who may set it, and its description.
fn block(leaf: &Leaf, width: usize) -> String {
    let bold = anstyle::Style::new().bold();
    let bounds = leaf.bounds.as_ref().map(|bounds| format!(", {bounds}")).unwrap_or_default();
    let default = if leaf.default.is_empty() { "no default" } else { &format!("default {}", leaf.default) };
    let may_administrator = leaf.lifted_by.as_deref() == Some("administrator");
    let set_by = match (leaf.is_locked, may_administrator) {
        (true, true) => "; set by the installation or an administrator",
        (true, false) => "; set by the installation",
        (false, true) => "; an administrator may exceed the limit",
        (false, false) => "",
    };
    format!(
        "{bold}{}{bold:#}\n{}{}",
        show_path(&leaf.path),
        wrapped(&format!("{}{bounds}; {default}{set_by}", leaf.type_name), INDENT, width),
        wrapped(&leaf.description, INDENT, width),
    )
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr as _;
    use urumi_core::engine::EngineRegistry;

    use super::*;

    #[test]
    fn every_option_fits_a_terminal() {
        let engine = EngineRegistry::builtin().infos().remove(0);
        let leaves = Node::root(&engine.options).leaves();
        assert!(leaves.len() > 50);
        for leaf in &leaves {
            let text = anstream::adapter::strip_str(&block(leaf, 80)).to_string();
            for line in text.lines() {
                // A word is not broken.
                assert!(line.width() <= 80 || !line.trim().contains(' '), "{line}");
            }
        }
    }

    #[test]
    fn an_option_or_a_group_is_chosen_by_its_path() {
        for (path, option, is_chosen) in [
            ("api.replicas", "api.replicas", true),
            ("api.replicas", "api", true),
            ("api.replicasMax", "api.replicas", false),
            ("apis.x", "api", false),
        ] {
            assert_eq!(is_within(path, option), is_chosen, "{path} {option}");
        }
        let engine = EngineRegistry::builtin().infos().remove(0);
        let leaves = Node::root(&engine.options).leaves();
        for typed in ["api.replica", "replicas"] {
            let error = unknown(&leaves, typed);
            assert!(error.errors[0].contains("did you mean") && error.errors[0].contains("eplicas?"), "{error:?}");
        }
    }
}
