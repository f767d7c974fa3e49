//! `urumi render`.

use k8s_openapi::api::core::v1::Secret;
use serde_json::{Value, json};
use urumi_core::object::{Kind, Object};

use super::create::{object_table, prepare};
use crate::cli::{Format, Global, NewStore};
use crate::exit::Failure;
use crate::output::{Out, json, yaml};
use crate::target;

pub(super) fn run(global: &Global, out: &Out, store: &NewStore) -> Result<(), Failure> {
    let orchestrator = target::offline(global);
    let (_, spec) = prepare(&orchestrator, store)?;
    let mut objects = orchestrator.render(&spec)?;
    objects.iter_mut().for_each(write_out_secret);
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

/// Turns a Secret's `data` into `stringData`, which means the same, so that it can be seen to be redacted.
fn write_out_secret(object: &mut Object) {
    if *object.kind() != Kind::of::<Secret>() {
        return;
    }
    let Ok(secret) = object.to_typed::<Secret>() else { return };
    let texts =
        secret.data.into_iter().flatten().map(|(key, value)| String::from_utf8(value.0).map(|text| (key, text)));
    if let (Ok(texts), Some(object)) = (texts.collect::<Result<Vec<_>, _>>(), object.as_value_mut().as_object_mut()) {
        object.remove("data");
        object.insert("stringData".into(), texts.into_iter().map(|(key, text)| (key, Value::String(text))).collect());
    }
}
