//! Reading answers: one object, or a list page by page.

use serde::Deserialize;
use serde_json::Value;

use super::errors::Failure;
use super::request::Call;
use super::transport::Transport;
use crate::kubernetes::{FIELD_MANAGER, Query, TokenReview};
use crate::kubernetes::{Kind, Object};

/// As client-go's: large enough to need few round trips, small enough for the API server's memory.
pub(super) const PAGE: usize = 500;

/// All objects of a query as of one moment.
pub(super) struct Listing {
    pub(super) objects: Vec<Object>,
    /// The `resourceVersion` of that moment, from which to watch.
    pub(super) version: String,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    metadata: PageMetadata,
    #[serde(default)]
    items: Option<Vec<Value>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageMetadata {
    #[serde(default)]
    resource_version: String,
    #[serde(default)]
    r#continue: String,
}

/// Lists all, ordered by namespace and name. Each page has a deadline of its own: a list is as long as the cluster is
/// large. When a page's token expires, everything is asked for again at once, which cannot expire.
pub(super) async fn all(transport: &Transport, query: &Query) -> Result<Listing, Failure> {
    let mut objects = Vec::new();
    let mut limit = Some(PAGE);
    let mut next = String::new();
    let version = loop {
        let token = Some(next.as_str()).filter(|token| !token.is_empty());
        let page = match transport.call(&Call::list(query, limit, token)).await {
            Ok(bytes) => serde_json::from_slice::<Page>(&bytes).map_err(|e| unreadable(&e))?,
            Err(failure) if failure.expired && token.is_some() => {
                objects.clear();
                limit = None;
                next.clear();
                continue;
            }
            Err(failure) => return Err(failure),
        };
        for item in page.items.unwrap_or_default() {
            objects.push(object(&query.kind, item)?);
        }
        next = page.metadata.r#continue;
        if next.is_empty() {
            break page.metadata.resource_version;
        }
    };
    objects.sort_by(|a, b| (a.namespace(), a.name()).cmp(&(b.namespace(), b.name())));
    Ok(Listing { objects, version })
}

/// An object as the server sent it. Of its `managedFields`, a third of its size, only who else has changed it stays, and
/// when. The items of a list come without `apiVersion` and `kind`, which are filled in.
pub(super) fn object(kind: &Kind, mut value: Value) -> Result<Object, Failure> {
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        let others: Vec<Value> = match metadata.remove("managedFields") {
            Some(Value::Array(entries)) => entries.into_iter().filter_map(another_manager).collect(),
            _ => Vec::new(),
        };
        if !others.is_empty() {
            metadata.insert("managedFields".into(), others.into());
        }
    }
    Object::from_value(kind.clone(), value).map_err(Failure::unreadable)
}

/// An entry of somebody else's in `managedFields`, without the fields. What controllers write to a status is none.
fn another_manager(mut entry: Value) -> Option<Value> {
    let map = entry.as_object_mut()?;
    let manager = map.get("manager").and_then(Value::as_str)?;
    let kept = manager != FIELD_MANAGER && !map.contains_key("subresource");
    map.retain(|key, _| key == "manager" || key == "time");
    kept.then_some(entry)
}

/// What a TokenReview found. Its `status.error` says nothing that the caller could use, and may be about the token.
pub(super) fn token_review(review: &Value) -> Result<TokenReview, Failure> {
    let status = review.get("status").ok_or_else(|| Failure::unreadable("it has no status"))?;
    // Left out where it is false.
    if status.get("authenticated").and_then(Value::as_bool) != Some(true) {
        return Ok(TokenReview::default());
    }
    let texts = |path: &str| {
        let list = status.pointer(path).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let username = status.pointer("/user/username").and_then(Value::as_str).filter(|name| !name.is_empty());
    Ok(TokenReview {
        authenticated: true,
        username: username.ok_or_else(|| Failure::unreadable("it has no status.user.username"))?.to_owned(),
        groups: texts("/user/groups"),
        audiences: texts("/audiences"),
    })
}

/// The JSON of an answer.
pub(super) fn json(bytes: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(bytes).map_err(|e| unreadable(&e))
}

/// Says where the JSON is wrong without quoting it.
pub(super) fn unreadable(error: &serde_json::Error) -> Failure {
    Failure::unreadable(format_args!("wrong JSON at line {}, column {}", error.line(), error.column()))
}
