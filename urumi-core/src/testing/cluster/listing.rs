//! Checks of `list`.

use serde_json::json;

use super::context::{Context, Stop, ensure};
use super::kinds::{CONFIG_MAP, NAMESPACE};
use super::manifests::{config_map, labelled_config_map};
use super::options::TAG;
use crate::kubernetes::Object;
use crate::kubernetes::{LabelRequirement, Query};

fn mine(context: &Context) -> LabelRequirement {
    LabelRequirement::Equals(TAG.into(), context.tag.clone())
}

fn places(objects: &[Object]) -> Vec<String> {
    objects.iter().map(|o| format!("{}/{}", o.namespace().unwrap_or_default(), o.name())).collect()
}

pub(super) async fn a_list_without_a_match_is_empty(context: &Context) -> Result<(), Stop> {
    let (ns, nowhere) = (context.namespace().await?, context.new_name());
    for query in [
        Query::all(CONFIG_MAP).labelled(mine(context)),
        Query::all(CONFIG_MAP).in_namespace(&ns).named("missing"),
        Query::all(CONFIG_MAP).in_namespace(&nowhere),
        Query::all(NAMESPACE).named(&nowhere),
    ] {
        let found = context.cluster.list(&query).await?;
        ensure!(found.is_empty(), "the list of {query} has {:?}", places(&found));
    }
    Ok(())
}

pub(super) async fn a_list_is_ordered_by_namespace_and_name(context: &Context) -> Result<(), Stop> {
    let mut wanted = Vec::new();
    for _ in 0..2 {
        let ns = context.namespace().await?;
        for name in ["b", "a", "a-b", "a.b", "c"] {
            context.cluster.create(&config_map(context, &ns, name, json!({}))?).await?;
            wanted.push((ns.clone(), name));
        }
    }
    wanted.sort();
    let wanted: Vec<String> = wanted.into_iter().map(|(ns, name)| format!("{ns}/{name}")).collect();
    let found = places(&context.cluster.list(&Query::all(CONFIG_MAP).labelled(mine(context))).await?);
    ensure!(found == wanted, "expected {wanted:?}, got {found:?}");
    Ok(())
}

pub(super) async fn a_list_obeys_namespace_name_and_labels(context: &Context) -> Result<(), Stop> {
    let (one, other) = (context.namespace().await?, context.namespace().await?);
    for (ns, name, colour) in [(&one, "a", "red"), (&one, "b", "blue"), (&other, "a", "red")] {
        let labels = json!({TAG: context.tag, "colour": colour});
        context.cluster.create(&labelled_config_map(ns, name, labels, json!({}))?).await?;
    }
    context.cluster.create(&config_map(context, &other, "plain", json!({}))?).await?;
    let red = || LabelRequirement::Equals("colour".into(), "red".into());
    let coloured = || LabelRequirement::Exists("colour".into());
    let all = || Query::all(CONFIG_MAP).labelled(mine(context));
    for (query, wanted) in [
        (all(), 4),
        (all().in_namespace(&one), 2),
        (all().in_namespace(&other).named("a"), 1),
        (all().named("a"), 2),
        (all().labelled(coloured()), 3),
        (all().labelled(red()), 2),
        (all().labelled(red()).in_namespace(&one), 1),
        (all().labelled(red()).in_namespace(&one).named("b"), 0),
        (Query::all(NAMESPACE).labelled(mine(context)), 2),
        (Query::all(NAMESPACE).labelled(mine(context)).named(&one), 1),
    ] {
        let found = context.cluster.list(&query).await?;
        let labels = query.label_selector();
        ensure!(found.len() == wanted, "{query} ({labels}): expected {wanted}, got {:?}", places(&found));
        ensure!(found.iter().all(|o| query.matches(o)), "{query} ({labels}): got what does not match");
    }
    Ok(())
}
