//! Checks of `preview`.

use serde_json::Value;

use super::context::{Context, Stop, ensure, expect_error, expect_invalid};
use crate::error::ErrorKind;

pub(super) async fn a_preview_makes_nothing(context: &Context) -> Result<(), Stop> {
    let id = context.new_id()?;
    let request = context.request().id(id.as_str());
    let preview = context.urumi.preview(request.clone()).await?;
    ensure!(preview.id == id && preview.namespace == id.namespace(), "it is {} in {}", preview.id, preview.namespace);
    ensure!(preview.name == request.name && preview.engine == request.engine, "it shows another request");
    expect_error(context.urumi.get(&id).await, ErrorKind::NotFound, "the store of a preview")?;
    let listed = context.urumi.list().await?;
    ensure!(!listed.iter().any(|store| store.name == request.name), "the list has the store of a preview");
    // The store can still be created, with the same key.
    let request = request.idempotency_key(&context.tag);
    context.urumi.preview(request.clone()).await?;
    context.try_create(request).await?;
    Ok(())
}

/// The kind and the name of each manifest.
pub(super) fn outline(manifests: &[Value]) -> Vec<String> {
    let text = |manifest: &Value, pointer| manifest.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let one = |manifest: &Value| {
        let part = |pointer| text(manifest, pointer).unwrap_or_default();
        format!("{} {}", part("/kind"), part("/metadata/name"))
    };
    manifests.iter().map(one).collect()
}

/// The values of Secrets that are not redacted.
pub(super) fn secrets_shown(manifests: &[Value]) -> Vec<String> {
    let is_secret = |manifest: &&Value| manifest.pointer("/kind").is_some_and(|kind| kind == "Secret");
    let redacted = |value: &Value| value.as_str().is_some_and(|text| text.contains("REDACTED"));
    let mut shown = Vec::new();
    for secret in manifests.iter().filter(is_secret) {
        for part in ["data", "stringData"] {
            let values = secret.get(part).and_then(Value::as_object).into_iter().flatten();
            shown.extend(values.filter(|(_, value)| !redacted(value)).map(|(key, _)| format!("{part}.{key}")));
        }
    }
    shown
}

pub(super) async fn a_preview_tells_what_is_made(context: &Context) -> Result<(), Stop> {
    let request = context.request().id(context.new_id()?.as_str());
    let preview = context.urumi.preview(request.clone()).await?;
    let shown = secrets_shown(&preview.objects);
    ensure!(shown.is_empty(), "the preview shows {shown:?}");
    let made = context.try_create(request).await?;
    ensure!(preview.urls == made.urls, "{:?} was promised, {:?} was made", preview.urls, made.urls);
    let (promised, found) = (outline(&preview.objects), outline(&context.urumi.manifests(&made.id).await?));
    ensure!(promised == found, "{promised:?} was promised, {found:?} was made");
    Ok(())
}

pub(super) async fn a_preview_refuses_what_a_creation_refuses(context: &Context) -> Result<(), Stop> {
    let taken = context.create().await?;
    let request = context.request().id(taken.id.as_str());
    expect_error(context.urumi.preview(request).await, ErrorKind::Conflict, "the preview of a taken id")?;
    let mut request = context.request().id("-");
    request.name = String::new();
    let fields = expect_invalid(context.urumi.preview(request).await, "the preview of a request with two mistakes")?;
    for wanted in ["id", "name"] {
        ensure!(fields.iter().any(|field| field == wanted), "{wanted} is not among {fields:?}");
    }
    let fields = expect_invalid(context.urumi.preview(context.request().idempotency_key("")).await, "an empty key")?;
    ensure!(fields == ["Idempotency-Key"], "an empty key is refused for {fields:?}");
    Ok(())
}
