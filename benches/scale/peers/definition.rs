//! A ResourceGraphDefinition: the template by which kro creates the objects of a store.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use urumi_core::StoreId;
use urumi_core::kubernetes::Object;

/// The kind of the custom resources whose objects kro creates, one for each store.
pub(crate) const KIND: &str = "Store";
/// The version of that kind. Its group is kro's default.
pub(crate) const VERSION: &str = "v1alpha1";

/// The definition of which each instance has the objects of one store, with the instance's `spec.id` for the store's id. The other
/// values are the same in all instances, those of Secrets too.
pub(crate) fn definition(id: &StoreId, objects: &[Object]) -> Result<Value> {
    let mut resources = Vec::new();
    for (n, object) in objects.iter().enumerate() {
        let mut template = object.as_value().clone();
        expressions(&mut template, id.as_str())?;
        if object.namespace().is_some() {
            // By this, kro creates the namespace first.
            *template.pointer_mut("/metadata/namespace").context("a namespace")? = json!("${object0.metadata.name}");
        }
        resources.push(json!({"id": format!("object{n}"), "template": template}));
    }
    Ok(json!({
        "metadata": {"name": "stores"},
        "spec": {
            "schema": {"apiVersion": VERSION, "kind": KIND, "scope": "Cluster", "spec": {"id": "string"}},
            "resources": resources,
        },
    }))
}

/// Replaces the store's id by an expression, in all texts. What kro would take for an expression becomes one with that text as its
/// value.
fn expressions(value: &mut Value, id: &str) -> Result<()> {
    match value {
        Value::String(text) => *text = text.replace("${", r#"${"$"}{"#).replace(id, "${schema.spec.id}"),
        Value::Array(items) => items.iter_mut().try_for_each(|item| expressions(item, id))?,
        Value::Object(fields) => {
            for (name, field) in fields {
                ensure!(!name.contains(id), "kro has no expressions in names of fields, such as {name}");
                expressions(field, id)?;
            }
        }
        _ => {}
    }
    Ok(())
}
