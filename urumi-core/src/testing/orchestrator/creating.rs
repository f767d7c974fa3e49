//! Checks of `create`.

use serde_json::json;

use super::context::{Context, Stop, ensure, expect_error, expect_invalid};
use crate::error::ErrorKind;
use crate::store::StoreId;
use crate::store::status::StoreStatus;

pub(super) async fn a_new_store_is_provisioning_and_as_asked_for(context: &Context) -> Result<(), Stop> {
    let (id, request) = (context.new_id()?, context.request().label("example.com/check", &context.tag));
    let made = context.try_create(request.clone().id(id.as_str())).await?;
    ensure!(made.status == StoreStatus::Provisioning, "it is {}", made.status);
    ensure!(made.id == id && made.namespace == id.namespace(), "it is {} in {}", made.id, made.namespace);
    ensure!(made.name == request.name && made.engine == request.engine, "it is {made:?}");
    ensure!(made.owner == request.owner, "it belongs to {:?}", made.owner);
    ensure!(made.labels == request.labels, "its labels are {:?}", made.labels);
    ensure!(!made.resource_version.is_empty(), "it has no version");
    // A read after the write shows it.
    let got = context.urumi.get(&id).await?;
    ensure!(got.id == made.id && got.created_at == made.created_at && got.owner == made.owner, "get shows {got:?}");
    ensure!(got.labels == made.labels, "get shows the labels {:?}", got.labels);
    let listed = context.urumi.list().await?;
    ensure!(listed.iter().filter(|store| store.id == id).count() == 1, "the list does not have it once");
    Ok(())
}

pub(super) async fn without_an_id_one_is_drawn(context: &Context) -> Result<(), Stop> {
    let one = context.try_create(context.request()).await?;
    let other = context.try_create(context.request()).await?;
    ensure!(one.id != other.id, "two requests without a key made one store");
    ensure!(StoreId::parse(one.id.as_str()).is_ok(), "{} is no id", one.id);
    Ok(())
}

pub(super) async fn a_taken_id_is_a_conflict_and_nothing_changes(context: &Context) -> Result<(), Stop> {
    let made = context.create().await?;
    let mut again = context.request().id(made.id.as_str());
    again.name.push_str(" again");
    let error = expect_error(context.try_create(again).await, ErrorKind::Conflict, "the creation of a taken id")?;
    ensure!(!error.is_retryable(), "a taken id is said to become free by itself");
    ensure!(error.to_string().contains(made.id.as_str()), "the error does not say which id is taken: {error}");
    let got = context.urumi.get(&made.id).await?;
    ensure!(got.name == made.name && got.created_at == made.created_at, "the first store is now {got:?}");
    Ok(())
}

pub(super) async fn every_wrong_field_is_named_and_nothing_is_made(context: &Context) -> Result<(), Stop> {
    let nonsense = json!({"no-such-option": true});
    let mut request = context.request().id("Not An Id").owner("user:a\u{202e}b").label("no key", "x");
    request.name = String::new();
    request.options = nonsense.as_object().cloned().unwrap_or_default();
    let fields = expect_invalid(context.try_create(request).await, "a request with five mistakes")?;
    for wanted in ["id", "name", "owner", "labels.no key"] {
        ensure!(fields.iter().any(|field| field == wanted), "{wanted} is not among {fields:?}");
    }
    ensure!(fields.iter().any(|field| field.starts_with("options")), "no option is among {fields:?}");

    // One mistake is enough to refuse the request.
    let id = context.new_id()?;
    let mut request = context.request().id(id.as_str());
    request.name = " ".to_owned();
    let fields = expect_invalid(context.try_create(request).await, "a request with a blank name")?;
    ensure!(fields == ["name"], "a blank name is refused for {fields:?}");
    expect_error(context.urumi.get(&id).await, ErrorKind::NotFound, "the store of a refused request")?;
    Ok(())
}

pub(super) async fn an_unknown_engine_is_invalid(context: &Context) -> Result<(), Stop> {
    let mut request = context.request();
    request.engine = "no-such-engine".to_owned();
    let fields = expect_invalid(context.try_create(request).await, "a request for an unknown engine")?;
    ensure!(fields == ["engine"], "it is refused for {fields:?}");
    Ok(())
}

pub(super) async fn names_are_kept_to_the_letter(context: &Context) -> Result<(), Stop> {
    let longest_id = format!("{}{}", "0-".repeat(19), context.tag);
    for (name, id) in [("\"Quotes\" & <tags> \\ ünï 🛍 '; --", None), (&*"🛍".repeat(100), Some(longest_id))] {
        let mut request = context.request();
        request.name = name.to_owned();
        request.id = id;
        let made = context.try_create(request).await?;
        let got = context.urumi.get(&made.id).await?;
        ensure!(made.name == name && got.name == name, "{name:?} became {:?}", got.name);
    }
    Ok(())
}

pub(super) async fn a_store_becomes_ready_by_itself(context: &Context) -> Result<(), Stop> {
    let ready = context.ready().await?;
    ensure!(ready.status == StoreStatus::Ready && ready.reason.is_none(), "it is {ready:?}");
    ensure!(ready.conditions.iter().any(|condition| condition.type_ == "Ready"), "it has no condition Ready");
    let got = context.urumi.get(&ready.id).await?;
    // Conditions may still change; status and URLs do not.
    ensure!(got.status == StoreStatus::Ready && got.urls == ready.urls, "get shows {got:?}");
    Ok(())
}
