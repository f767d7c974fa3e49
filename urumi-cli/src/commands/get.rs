//! `urumi get`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use urumi_core::store::status::StoreStatus;
use urumi_core::store::{Options, StoreOptions};
use urumi_core::{Store, StoreOrchestratorExt as _};

use crate::cli::{GlobalArgs, StoreArg};
use crate::exit::{CommandError, Via};
use crate::format::Format;
use crate::options::show_path;
use crate::output::{Out, details, table};
use crate::target::{self, Target};

/// A store with its options, as JSON or YAML. `urumi create --file` accepts it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown<'a> {
    #[serde(flatten)]
    store: &'a Store,
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<&'a Options>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_options: Option<&'a Options>,
}

impl<'a> Shown<'a> {
    pub(super) fn new(store: &'a Store, options: Option<&'a StoreOptions>) -> Self {
        Shown {
            store,
            options: options.map(|options| &options.requested),
            effective_options: options.map(|options| &options.effective),
        }
    }
}

pub(super) async fn run(global: &GlobalArgs, out: &Out, which: &StoreArg) -> Result<(), CommandError> {
    let target = target::connect(global, out).await?;
    let store = target.stores.find(&which.store).await.map_err(|error| target.explain(error))?;
    if out.format() == Some(Format::Name) {
        return out.store(&store);
    }
    let with_options = !out.is_for_people() || out.is_wide();
    let options = if with_options { options(&target, out, &store).await } else { None };
    if out.structured(&Shown::new(&store, options.as_ref()))? {
        return Ok(());
    }
    let mut text = details(&store, out.is_wide(), Timestamp::now());
    if let Some(options) = &options {
        text.push_str(&options_table(options));
    }
    out.data(&text)?;
    mention_monitor(&target, out, std::slice::from_ref(&store));
    Ok(())
}

/// The store's options. A store whose record cannot be read is shown without them.
pub(super) async fn options(target: &Target, out: &Out, store: &Store) -> Option<StoreOptions> {
    match target.stores.options(&store.id).await {
        Ok(options) => Some(options),
        Err(error) => {
            out.warn(&format!("the options of store {} are not shown: {error}", store.id));
            None
        }
    }
}

/// Says what is needed for changes that are going on.
pub(super) fn mention_monitor(target: &Target, out: &Out, stores: &[Store]) {
    if needs_monitor(target.via(), stores) {
        out.note("note: the status changes only while a monitor runs (`urumi monitor` or urumi-http)");
    }
}

/// Whether a store changes, and possibly no monitor runs: on a cluster, this cannot be seen.
fn needs_monitor(via: Via, stores: &[Store]) -> bool {
    let changes = |store: &Store| matches!(store.status, StoreStatus::Provisioning | StoreStatus::Deleting);
    via == Via::Cluster && stores.iter().any(changes)
}

/// The options in force, and which of them the request chose.
pub(super) fn options_table(options: &StoreOptions) -> String {
    let (mut chosen, mut effective) = (BTreeMap::new(), BTreeMap::new());
    flatten(&options.requested, &mut Vec::new(), &mut chosen);
    flatten(&options.effective, &mut Vec::new(), &mut effective);
    // What was chosen may be a secret, which is not among the options in force.
    chosen.iter().for_each(|(path, value)| {
        effective.entry(path.clone()).or_insert_with(|| value.clone());
    });
    let row = |(path, value): (&String, &String)| {
        let origin = if chosen.contains_key(path) { "chosen" } else { "default" };
        vec![path.into(), value.into(), origin.into()]
    };
    format!("\n{}", table(&["OPTION", "VALUE", "FROM"], effective.iter().map(row).collect()))
}

/// Lists the values by their paths. Values that are not set are left out.
fn flatten(options: &Options, path: &mut Vec<String>, found: &mut BTreeMap<String, String>) {
    for (name, value) in options {
        path.push(name.clone());
        match value {
            Value::Object(inner) if !inner.is_empty() => flatten(inner, path, found),
            Value::Null => {}
            Value::String(text) => {
                found.insert(show_path(path), shortened(text));
            }
            other => {
                found.insert(show_path(path), shortened(&other.to_string()));
            }
        }
        path.pop();
    }
}

/// Images are data URLs of many kilobytes.
fn shortened(text: &str) -> String {
    const MAX: usize = 60;
    let mut short: String = text.chars().take(MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::test_store::test_store;

    fn options() -> StoreOptions {
        let map = |value: Value| value.as_object().unwrap().clone();
        StoreOptions::new(
            map(json!({"api": {"replicas": 2, "secretEnv": {"KEY": "REDACTED"}}})),
            map(json!({"api": {"replicas": 2, "image": "a:1"}, "tls": null, "logo": "x".repeat(100)})),
        )
    }

    #[test]
    fn a_monitor_is_mentioned_if_a_store_changes_on_a_cluster() {
        let stores = |status: &str| [test_store("a", json!({})), test_store("b", json!({ "status": status }))];
        for status in ["provisioning", "deleting"] {
            assert!(needs_monitor(Via::Cluster, &stores(status)), "{status}");
            assert!(!needs_monitor(Via::Server, &stores(status)) && !needs_monitor(Via::Memory, &stores(status)));
        }
        for status in ["ready", "failed", "degraded"] {
            assert!(!needs_monitor(Via::Cluster, &stores(status)), "{status}");
        }
    }

    #[test]
    fn options_are_listed_with_their_origin() {
        let text = anstream::adapter::strip_str(&options_table(&options())).to_string();
        let rows: Vec<Vec<&str>> = text.lines().skip(2).map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows[0], ["api.image", "a:1", "default"]);
        assert_eq!(rows[1], ["api.replicas", "2", "chosen"]);
        assert_eq!(rows[2], ["api.secretEnv.KEY", "REDACTED", "chosen"]);
        assert_eq!((rows[3][0], rows[3][1].chars().count(), rows.len()), ("logo", 61, 4));
    }

    #[test]
    fn a_store_is_shown_with_its_options() {
        let (store, options) = (test_store("shop", json!({})), options());
        let shown = serde_json::to_value(Shown::new(&store, Some(&options))).unwrap();
        assert_eq!((&shown["id"], &shown["options"]["api"]["replicas"]), (&json!("shop"), &json!(2)));
        assert_eq!(shown["effectiveOptions"]["api"]["image"], "a:1");
        let without = serde_json::to_value(Shown::new(&store, None)).unwrap();
        assert!(without.get("options").is_none() && without.get("effectiveOptions").is_none());
    }
}
