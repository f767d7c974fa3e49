//! Checks of `create`, `get` and `apply`.

use futures::future::join_all;
use serde_json::{Value, json};

use super::context::{Context, Stop, ensure, expect_error};
use super::kinds::{CONFIG_MAP, DEPLOYMENT, NAMESPACE, SECRET};
use super::manifests::{config_map, container, deployment};
use super::options::TAG;
use crate::kubernetes::ClusterErrorKind::{AlreadyExists, Conflict, Invalid, NotFound};
use crate::kubernetes::Verb;
use crate::kubernetes::{Object, ObjectRef};

pub(super) async fn create_returns_the_object_as_stored(context: &Context) -> Result<(), Stop> {
    let ns = context.namespace().await?;
    let stored = context.cluster.create(&config_map(context, &ns, "a", json!({"k": "v"}))?).await?;
    ensure!(stored.reference() == ObjectRef::namespaced(CONFIG_MAP, &ns, "a"), "it is {stored:?}");
    ensure!(stored.uid().is_some_and(|uid| !uid.is_empty()), "it has no uid");
    ensure!(stored.resource_version().is_some_and(|v| !v.is_empty()), "it has no resourceVersion");
    ensure!(stored.at("/metadata/creationTimestamp").is_some(), "it has no creationTimestamp");
    ensure!(stored.at("/data") == Some(&json!({"k": "v"})), "its data is {:?}", stored.at("/data"));
    ensure!(stored.str_at("/apiVersion") == Some("v1"), "its apiVersion is {:?}", stored.at("/apiVersion"));
    ensure!(stored.label(TAG) == Some(&context.tag), "its label is {:?}", stored.label(TAG));
    Ok(())
}

pub(super) async fn get_returns_what_was_created(context: &Context) -> Result<(), Stop> {
    let ns = context.namespace_object().await?;
    let stored = context.cluster.create(&config_map(context, ns.name(), "a", json!({"k": "v"}))?).await?;
    let found = context.cluster.get(&stored.reference()).await?;
    ensure!(found.as_ref().map(|o| o.at("/data")) == Some(stored.at("/data")), "get returned {found:?}");
    ensure!(found.and_then(|o| o.uid().map(str::to_owned)).as_deref() == stored.uid(), "it has another uid");
    let found = context.cluster.get(&ObjectRef::cluster(NAMESPACE, ns.name())).await?;
    let uid = found.as_ref().and_then(|o| o.uid());
    ensure!(uid == ns.uid(), "the namespace's uid is {uid:?}, it was {:?}", ns.uid());
    Ok(())
}

pub(super) async fn get_of_what_is_missing_is_none(context: &Context) -> Result<(), Stop> {
    let (ns, nowhere) = (context.namespace().await?, context.new_name());
    for reference in [
        ObjectRef::namespaced(CONFIG_MAP, &ns, "missing"),
        ObjectRef::namespaced(CONFIG_MAP, &nowhere, "missing"),
        ObjectRef::namespaced(DEPLOYMENT, &ns, "missing"),
        ObjectRef::cluster(NAMESPACE, &nowhere),
    ] {
        let found = context.cluster.get(&reference).await?;
        ensure!(found.is_none(), "{reference} was found");
    }
    Ok(())
}

pub(super) async fn a_taken_name_is_refused_and_nothing_changed(context: &Context) -> Result<(), Stop> {
    let ns = context.namespace().await?;
    let first = context.cluster.create(&config_map(context, &ns, "a", json!({"k": "first"}))?).await?;
    let second = context.cluster.create(&config_map(context, &ns, "a", json!({"k": "second"}))?).await;
    let error = expect_error(second, AlreadyExists, "creating the same ConfigMap twice")?;
    ensure!(!error.is_retryable(), "the error claims that a repetition could help");
    let again = context.cluster.create(&context.namespace_manifest(&ns)?).await;
    expect_error(again, AlreadyExists, "creating the same Namespace twice")?;
    let found = context.cluster.get(&first.reference()).await?;
    let (version, data) = (first.resource_version(), Some(&json!({"k": "first"})));
    ensure!(
        found.as_ref().is_some_and(|o| o.resource_version() == version && o.at("/data") == data),
        "the first object has changed"
    );
    Ok(())
}

pub(super) async fn of_concurrent_creates_exactly_one_wins(context: &Context) -> Result<(), Stop> {
    let ns = context.namespace().await?;
    let mut objects = Vec::new();
    for n in 0..8 {
        objects.push(config_map(context, &ns, "a", json!({"k": n.to_string()}))?);
    }
    let results = join_all(objects.iter().map(|object| context.cluster.create(object))).await;
    let mut winners = Vec::new();
    for result in results {
        match result {
            Ok(object) => winners.push(object),
            other => {
                expect_error(other, AlreadyExists, "losing the race to create")?;
            }
        }
    }
    ensure!(winners.len() == 1, "{} of 8 concurrent creates won", winners.len());
    let found = context.cluster.get(&ObjectRef::namespaced(CONFIG_MAP, &ns, "a")).await?;
    let (found, won) = (found.as_ref().and_then(|o| o.at("/data")), winners.first().and_then(|o| o.at("/data")));
    ensure!(found == won, "the one that won is not the one that is stored");
    Ok(())
}

pub(super) async fn a_missing_namespace_is_not_found(context: &Context) -> Result<(), Stop> {
    let object = config_map(context, &context.new_name(), "a", json!({}))?;
    expect_error(context.cluster.create(&object).await, NotFound, "creating in a missing namespace")?;
    expect_error(context.cluster.apply(&object).await, NotFound, "applying in a missing namespace")?;
    Ok(())
}

pub(super) async fn unknown_fields_are_invalid(context: &Context) -> Result<(), Stop> {
    let ns = context.namespace().await?;
    let mut mistyped = container(context, "main");
    if let Some(map) = mistyped.as_object_mut() {
        map.insert("imagePullPolicies".into(), "Always".into());
    }
    let mut map = config_map(context, &ns, "a", json!({}))?;
    if let Some(fields) = map.as_value_mut().as_object_mut() {
        fields.insert("datas".into(), json!({"k": "v"}));
    }
    for object in [deployment(&ns, "a", 0, &[mistyped])?, map] {
        let error = expect_error(context.cluster.create(&object).await, Invalid, "creating with an unknown field")?;
        ensure!(!error.is_retryable(), "the error claims that a repetition could help");
        expect_error(context.cluster.apply(&object).await, Invalid, "applying with an unknown field")?;
        ensure!(context.cluster.get(&object.reference()).await?.is_none(), "{object:?} was stored nevertheless");
    }
    Ok(())
}

pub(super) async fn malformed_names_are_invalid(context: &Context) -> Result<(), Stop> {
    let ns = context.namespace().await?;
    for name in ["Capital", "under_score", "-dash"] {
        let object = config_map(context, &ns, name, json!({}))?;
        expect_error(context.cluster.create(&object).await, Invalid, &format!("creating a ConfigMap {name:?}"))?;
    }
    for name in ["Store-conformance", "store.conformance", &format!("store-conformance-{}", "a".repeat(60))] {
        let object = context.namespace_manifest(name)?;
        expect_error(context.cluster.create(&object).await, Invalid, &format!("creating a Namespace {name:?}"))?;
    }
    Ok(())
}

pub(super) async fn contradictory_objects_are_invalid(context: &Context) -> Result<(), Stop> {
    let ns = context.namespace().await?;
    let mut object = deployment(&ns, "a", 0, &[container(context, "main")])?;
    if let Some(selector) = object.as_value_mut().pointer_mut("/spec/selector/matchLabels") {
        *selector = json!({"app": "another"});
    }
    expect_error(context.cluster.create(&object).await, Invalid, "a selector that its own template does not match")?;
    let mut object = config_map(context, &ns, "a", json!({}))?;
    if let Some(data) = object.as_value_mut().pointer_mut("/data") {
        *data = json!({"k": {"not": "a string"}});
    }
    expect_error(context.cluster.create(&object).await, Invalid, "a field of another type")?;
    Ok(())
}

pub(super) async fn errors_name_verb_and_object(context: &Context) -> Result<(), Stop> {
    let ns = context.new_name();
    let object = config_map(context, &ns, "wanted", json!({}))?;
    let create = expect_error(context.cluster.create(&object).await, NotFound, "creating in a missing namespace")?;
    let apply = expect_error(context.cluster.apply(&object).await, NotFound, "applying in a missing namespace")?;
    for (error, verb) in [(create, Verb::Create), (apply, Verb::Apply)] {
        ensure!(error.verb() == verb, "the error of {verb:?} says {:?}", error.verb());
        let target = error.target();
        ensure!(target.contains("wanted") && target.contains(&ns), "its target is {target:?}");
        ensure!(!error.message().is_empty(), "it gives no reason");
    }
    Ok(())
}

pub(super) async fn the_same_name_in_two_namespaces_is_two_objects(context: &Context) -> Result<(), Stop> {
    let (one, other) = (context.namespace().await?, context.namespace().await?);
    for ns in [&one, &other] {
        context.cluster.create(&config_map(context, ns, "a", json!({"in": ns}))?).await?;
    }
    for ns in [&one, &other] {
        let found = context.cluster.get(&ObjectRef::namespaced(CONFIG_MAP, ns, "a")).await?;
        ensure!(found.is_some_and(|o| o.str_at("/data/in") == Some(ns)), "the one in {ns} is another");
    }
    Ok(())
}

pub(super) async fn secrets_are_stored_encoded(context: &Context) -> Result<(), Stop> {
    let ns = context.namespace().await?;
    let value = json!({"metadata": {"name": "a", "namespace": ns}, "stringData": {"k": "v"}});
    context.cluster.create(&Object::from_value(SECRET, value)?).await?;
    let found = context.cluster.get(&ObjectRef::namespaced(SECRET, &ns, "a")).await?;
    let data = found.as_ref().and_then(|o| o.at("/data"));
    ensure!(data == Some(&json!({"k": "dg=="})), "what was given as text is not stored as base64");
    ensure!(found.is_some_and(|o| o.at("/stringData").is_none()), "the text itself is returned too");
    Ok(())
}

pub(super) async fn apply_creates_what_is_missing(context: &Context) -> Result<(), Stop> {
    let ns = context.namespace().await?;
    let applied = context.cluster.apply(&config_map(context, &ns, "a", json!({"k": "v"}))?).await?;
    ensure!(applied.uid().is_some(), "it has no uid");
    let found = context.cluster.get(&applied.reference()).await?;
    ensure!(found.is_some_and(|o| o.str_at("/data/k") == Some("v")), "it was not stored");
    Ok(())
}

pub(super) async fn apply_sets_ours_and_keeps_the_rest(context: &Context) -> Result<(), Stop> {
    let ns = context.namespace().await?;
    let first = context.cluster.create(&config_map(context, &ns, "a", json!({"ours": "1", "theirs": "x"}))?).await?;
    let applied = context.cluster.apply(&config_map(context, &ns, "a", json!({"ours": "2", "more": "3"}))?).await?;
    let wanted = json!({"ours": "2", "theirs": "x", "more": "3"});
    ensure!(applied.at("/data") == Some(&wanted), "apply made {:?} of it", applied.at("/data"));
    ensure!(applied.uid() == first.uid(), "it is another object now");
    ensure!(applied.resource_version() != first.resource_version(), "its resourceVersion is the same");
    let found = context.cluster.get(&first.reference()).await?;
    ensure!(found.is_some_and(|o| o.at("/data") == Some(&wanted)), "what apply returned is not what is stored");
    Ok(())
}

pub(super) async fn apply_removes_what_it_no_longer_sets(context: &Context) -> Result<(), Stop> {
    let ns = context.namespace().await?;
    // Fields of a creation stay, also when an apply has set them to the same value.
    let data = |data: Value| config_map(context, &ns, "a", data);
    context.cluster.create(&data(json!({"created": "1", "shared": "1"}))?).await?;
    context.cluster.apply(&data(json!({"shared": "1", "kept": "1", "dropped": "1"}))?).await?;
    let applied = context.cluster.apply(&data(json!({"kept": "1"}))?).await?;
    let wanted = json!({"created": "1", "shared": "1", "kept": "1"});
    ensure!(applied.at("/data") == Some(&wanted), "its data is {:?}", applied.at("/data"));

    let env = |names: &[&str]| -> Result<Object, Stop> {
        let mut main = container(context, "main");
        let env: Vec<Value> = names.iter().map(|name| json!({"name": name, "value": "1"})).collect();
        if let Some(map) = main.as_object_mut() {
            map.insert("env".into(), env.into());
        }
        deployment(&ns, "a", 0, &[main])
    };
    context.cluster.apply(&env(&["A", "B"])?).await?;
    let applied = context.cluster.apply(&env(&["B"])?).await?;
    let left = applied.at("/spec/template/spec/containers/0/env");
    ensure!(left == Some(&json!([{"name": "B", "value": "1"}])), "its environment is {left:?}");
    let found = context.cluster.get(&applied.reference()).await?;
    let stored = found.as_ref().and_then(|o| o.at("/spec/template/spec/containers/0/env"));
    ensure!(stored == left, "what apply returned is not what is stored");
    Ok(())
}

pub(super) async fn apply_removes_what_was_created_once_that_is_owned(context: &Context) -> Result<(), Stop> {
    let ns = context.namespace().await?;
    let data = |data: Value| config_map(context, &ns, "a", data);
    let object = data(json!({"kept": "1", "dropped": "1"}))?;
    context.cluster.own_created(&object.reference(), &[]).await?;
    context.cluster.create(&object).await?;
    context.cluster.apply(&data(json!({"kept": "1", "applied": "1"}))?).await?;
    // It may be repeated.
    for _ in 0..2 {
        context.cluster.own_created(&object.reference(), &[]).await?;
    }
    let found = context.cluster.get(&object.reference()).await?;
    let there = json!({"kept": "1", "dropped": "1", "applied": "1"});
    ensure!(found.as_ref().and_then(|found| found.at("/data")) == Some(&there), "it has changed: {found:?}");
    let applied = context.cluster.apply(&data(json!({"kept": "1"}))?).await?;
    ensure!(applied.at("/data") == Some(&json!({"kept": "1"})), "its data is {:?}", applied.at("/data"));
    Ok(())
}

/// As when an autoscaler takes over a Deployment's number of replicas, and gives it back.
pub(super) async fn apply_leaves_what_was_released_as_it_is(context: &Context) -> Result<(), Stop> {
    let ns = context.namespace().await?;
    let (fixed, scaled) = (json!({"number": "3", "kept": "1"}), json!({"kept": "1"}));
    let [fixed, scaled] = [fixed, scaled].map(|data| config_map(context, &ns, "a", data));
    let (fixed, scaled) = (fixed?, scaled?);
    context.cluster.create(&fixed).await?;
    // The first time, the creation has set the number, and the second time, an apply.
    for number in ["5", "7"] {
        // It may be repeated.
        for _ in 0..2 {
            context.cluster.own_created(&fixed.reference(), &["/data/number"]).await?;
            let applied = context.cluster.apply(&scaled).await?;
            ensure!(applied.str_at("/data/number") == Some("3"), "what was left out has changed: {applied:?}");
        }
        let mut another = context.cluster.apply(&scaled).await?;
        if let Some(there) = another.as_value_mut().pointer_mut("/data/number") {
            *there = number.into();
        }
        context.cluster.replace(&another).await?;
        let applied = context.cluster.apply(&scaled).await?;
        ensure!(applied.str_at("/data/number") == Some(number), "the number of another has changed: {applied:?}");
        let applied = context.cluster.apply(&fixed).await?;
        ensure!(applied.str_at("/data/number") == Some("3"), "the number is not ours again: {applied:?}");
    }
    Ok(())
}

pub(super) async fn apply_merges_containers_by_name(context: &Context) -> Result<(), Stop> {
    let ns = context.namespace().await?;
    let (main, side) = (container(context, "main"), container(context, "side"));
    context.cluster.create(&deployment(&ns, "a", 0, &[side, main.clone()])?).await?;
    let mut changed = main;
    if let Some(map) = changed.as_object_mut() {
        map.insert("env".into(), json!([{"name": "A", "value": "1"}]));
    }
    let applied = context.cluster.apply(&deployment(&ns, "a", 0, &[changed])?).await?;
    let containers = applied.list_at("/spec/template/spec/containers");
    let named = |name: &str| containers.iter().find(|c| c.get("name").and_then(Value::as_str) == Some(name));
    ensure!(containers.len() == 2, "there are {} containers", containers.len());
    ensure!(named("side").is_some(), "the container that was not applied is gone");
    let env = named("main").and_then(|c| c.pointer("/env/0/value"));
    ensure!(env == Some(&json!("1")), "the applied container's environment is {env:?}");
    Ok(())
}

pub(super) async fn apply_with_a_uid_is_of_that_object_only(context: &Context) -> Result<(), Stop> {
    let ns = context.namespace().await?;
    let pinned = |name: &str, uid: &str, data: Value| -> Result<Object, Stop> {
        let mut object = config_map(context, &ns, name, data)?;
        if let Some(metadata) = object.as_value_mut().pointer_mut("/metadata").and_then(Value::as_object_mut) {
            metadata.insert("uid".into(), uid.into());
        }
        Ok(object)
    };
    let first = context.cluster.create(&config_map(context, &ns, "a", json!({"k": "1"}))?).await?;
    let own = first.uid().unwrap_or_default();
    let applied = context.cluster.apply(&pinned("a", own, json!({"k": "2"}))?).await?;
    ensure!(applied.str_at("/data/k") == Some("2"), "what has that uid was not changed");
    let other = "11111111-2222-4333-8444-555555555555";
    let late = context.cluster.apply(&pinned("a", other, json!({"k": "3"}))?).await;
    expect_error(late, Conflict, "applying to another object of the same name")?;
    let found = context.cluster.get(&first.reference()).await?;
    ensure!(found.is_some_and(|o| o.str_at("/data/k") == Some("2")), "a refused apply changed it");
    let gone = pinned("gone", other, json!({"k": "1"}))?;
    expect_error(context.cluster.apply(&gone).await, Conflict, "applying to an object that is gone")?;
    ensure!(context.cluster.get(&gone.reference()).await?.is_none(), "a refused apply created it");
    Ok(())
}

pub(super) async fn apply_without_a_change_changes_nothing(context: &Context) -> Result<(), Stop> {
    let ns = context.namespace().await?;
    let object = config_map(context, &ns, "a", json!({"k": "v"}))?;
    let first = context.cluster.apply(&object).await?;
    let second = context.cluster.apply(&object).await?;
    let (before, after) = (first.resource_version(), second.resource_version());
    ensure!(before == after, "its resourceVersion went from {before:?} to {after:?}");
    Ok(())
}

pub(super) async fn a_changed_spec_is_a_new_generation(context: &Context) -> Result<(), Stop> {
    let ns = context.namespace().await?;
    let generation = |object: &Object| object.int_at("/metadata/generation");
    let first = context.cluster.create(&deployment(&ns, "a", 0, &[container(context, "main")])?).await?;
    ensure!(generation(&first) == Some(1), "the first generation is {:?}", generation(&first));
    let second = context.cluster.apply(&deployment(&ns, "a", 0, &[container(context, "other")])?).await?;
    ensure!(generation(&second) == Some(2), "the second generation is {:?}", generation(&second));
    Ok(())
}
