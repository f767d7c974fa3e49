//! Checks of `watch`.

use serde_json::json;

use super::context::{Context, Stop, ensure};
use super::kinds::{CONFIG_MAP, NAMESPACE};
use super::manifests::{config_map, labelled_config_map};
use super::options::TAG;
use crate::kubernetes::{ClusterErrorKind, LabelRequirement, MetadataPatch, Query, WatchEvent};
use crate::kubernetes::{Object, ObjectRef};

fn mine(context: &Context) -> Query {
    Query::all(CONFIG_MAP).labelled(LabelRequirement::Equals(TAG.into(), context.tag.clone()))
}

fn names<'a>(objects: impl IntoIterator<Item = &'a Object>) -> Vec<&'a str> {
    objects.into_iter().map(Object::name).collect()
}

pub(super) async fn a_watch_begins_with_a_snapshot(context: &Context) -> Result<(), Stop> {
    let ns = context.namespace().await?;
    for name in ["b", "a"] {
        context.cluster.create(&config_map(context, &ns, name, json!({}))?).await?;
    }
    let snapshot = context.watch(&mine(context)).snapshot().await?;
    let mut found = names(&snapshot);
    found.sort_unstable();
    ensure!(found == ["a", "b"], "the snapshot has {found:?}");
    Ok(())
}

pub(super) async fn a_watch_begins_with_a_snapshot_even_of_nothing(context: &Context) -> Result<(), Stop> {
    for query in [mine(context), Query::all(CONFIG_MAP).in_namespace(context.new_name())] {
        let snapshot = context.watch(&query).snapshot().await?;
        ensure!(snapshot.is_empty(), "the snapshot has {:?}", names(&snapshot));
    }
    Ok(())
}

pub(super) async fn changes_come_in_their_order(context: &Context) -> Result<(), Stop> {
    let ns = context.namespace().await?;
    let mut watch = context.watch(&mine(context));
    watch.snapshot().await?;
    let wanted = ["c", "a", "d", "b"];
    for name in wanted {
        context.cluster.create(&config_map(context, &ns, name, json!({}))?).await?;
    }
    context.waiting.on("the creation of four ConfigMaps");
    let mut seen: Vec<String> = Vec::new();
    while seen.len() < wanted.len() {
        match watch.next().await? {
            WatchEvent::Applied(object) if !seen.iter().any(|name| name == object.name()) => {
                seen.push(object.name().to_owned());
            }
            WatchEvent::Applied(_) => {}
            WatchEvent::Snapshot(_) => return Err(Stop::Skipped("the watch had a gap: no order can be seen".into())),
            WatchEvent::Deleted(object) => return Err(Stop::Failed(format!("{object:?} was reported as deleted"))),
        }
    }
    ensure!(seen == wanted, "created as {wanted:?}, seen as {seen:?}");
    Ok(())
}

pub(super) async fn the_last_state_is_always_seen(context: &Context) -> Result<(), Stop> {
    let ns = context.namespace().await?;
    let mut watch = context.watch(&mine(context));
    watch.snapshot().await?;
    for n in 0..=20 {
        context.cluster.apply(&config_map(context, &ns, "a", json!({"n": n.to_string()}))?).await?;
    }
    context.waiting.on("the last of twenty changes");
    let mut last = -1;
    while last < 20 {
        let object = match watch.next().await? {
            WatchEvent::Applied(object) => Some(object),
            WatchEvent::Snapshot(objects) => objects.into_iter().next(),
            WatchEvent::Deleted(object) => return Err(Stop::Failed(format!("{object:?} was reported as deleted"))),
        };
        if let Some(n) = object.as_ref().and_then(|o| o.str_at("/data/n")?.parse::<i32>().ok()) {
            ensure!(n >= last, "change {n} was seen after change {last}");
            last = n;
        }
    }
    Ok(())
}

pub(super) async fn an_object_that_ceases_to_match_is_deleted(context: &Context) -> Result<(), Stop> {
    let ns = context.namespace().await?;
    let coloured = |colour: &str| labelled_config_map(&ns, "a", json!({TAG: context.tag, "colour": colour}), json!({}));
    let red = LabelRequirement::Equals("colour".into(), "red".into());
    let mut watch = context.watch(&mine(context).labelled(red));
    let snapshot = watch.snapshot().await?;
    ensure!(snapshot.is_empty(), "the snapshot has {:?}", names(&snapshot));
    context.cluster.create(&coloured("blue")?).await?;
    context.cluster.apply(&coloured("red")?).await?;
    watch.until("an object that begins to match", |seen| names(seen.iter().copied()) == ["a"]).await?;
    context.cluster.apply(&coloured("blue")?).await?;
    watch.until("an object that ceases to match", |seen| seen.is_empty()).await?;
    context.cluster.apply(&coloured("red")?).await?;
    let seen = watch.until("an object that matches again", |seen| names(seen.iter().copied()) == ["a"]).await?;
    ensure!(seen.iter().all(|o| o.label("colour") == Some("red")), "it is not shown as it is");
    Ok(())
}

pub(super) async fn a_watch_obeys_namespace_and_name(context: &Context) -> Result<(), Stop> {
    let (one, other) = (context.namespace().await?, context.namespace().await?);
    let mut by_namespace = context.watch(&mine(context).in_namespace(&one));
    let mut by_name = context.watch(&mine(context).in_namespace(&one).named("last"));
    by_namespace.snapshot().await?;
    by_name.snapshot().await?;
    for (ns, name) in [(&other, "a"), (&one, "a"), (&other, "last"), (&one, "last")] {
        context.cluster.create(&config_map(context, ns, name, json!({}))?).await?;
    }
    let seen = by_namespace.until("two ConfigMaps", |seen| seen.len() >= 2).await?;
    ensure!(seen.iter().all(|o| o.namespace() == Some(&one)), "something of another namespace was seen");
    let seen = by_name.until("the named ConfigMap", |seen| !seen.is_empty()).await?;
    ensure!(names(&seen) == ["last"], "the watch of one name saw {:?}", names(&seen));
    Ok(())
}

pub(super) async fn all_watches_see_the_same(context: &Context) -> Result<(), Stop> {
    let ns = context.namespace().await?;
    let mut watches: Vec<_> = (0..3).map(|_| context.watch(&mine(context))).collect();
    for watch in &mut watches {
        watch.snapshot().await?;
    }
    let object = context.cluster.create(&config_map(context, &ns, "a", json!({"k": "v"}))?).await?;
    // A watch that begins late must have it in its snapshot.
    watches.push(context.watch(&mine(context)));
    for watch in &mut watches {
        let seen = watch.until("the new ConfigMap", |seen| !seen.is_empty()).await?;
        ensure!(seen.iter().all(|o| o.uid() == object.uid()), "another object was seen");
    }
    Ok(())
}

pub(super) async fn record_updates_are_seen(context: &Context) -> Result<(), Stop> {
    let ns = context.namespace().await?;
    let tagged = LabelRequirement::Equals(TAG.into(), context.tag.clone());
    let mut watch = context.watch(&Query::all(NAMESPACE).labelled(tagged));
    watch.snapshot().await?;
    let mut tries = 20;
    let updated = loop {
        let found = context.cluster.get(&ObjectRef::cluster(NAMESPACE, &ns)).await?;
        let found = found.ok_or_else(|| Stop::Failed("the namespace has disappeared".into()))?;
        let version = found.resource_version().unwrap_or_default();
        let patch = MetadataPatch::at(version).annotate("store.urumi.ai/status", "ready");
        tries -= 1;
        match context.cluster.patch_metadata(&found.reference(), &patch).await {
            // A controller has changed it first.
            Err(error) if error.kind() == ClusterErrorKind::Conflict && tries > 0 => {}
            other => break other?,
        }
    };
    let ready = |seen: &[&Object]| seen.iter().any(|o| o.annotation("store.urumi.ai/status") == Some("ready"));
    let seen = watch.until("the changed annotation", ready).await?;
    ensure!(seen.iter().all(|o| o.uid() == updated.uid()), "another namespace was seen");
    Ok(())
}
