//! Reads lists page by page, and the result of a TokenReview.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::errors::Failure;
use super::item;
use super::request::Call;
use super::transport::Transport;
use crate::kubernetes::{Compressed, Object, ObjectList, Query, TokenReview};

/// The page size, the same as in client-go: large enough for few round trips, small enough for the API server's memory.
pub(super) const PAGE: usize = 500;

/// A consistent list of all objects of a query.
pub(super) struct Listing {
    pub(super) objects: ObjectList,
    /// The list's `resourceVersion`, from which to watch.
    pub(super) version: String,
}

/// A page. Its items are read one by one: as objects they take ten times the memory.
#[derive(Deserialize)]
struct Page<'a> {
    #[serde(default)]
    metadata: PageMetadata,
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
}

impl Page<'_> {
    /// What is read of each item, in the order of the answer.
    fn read<T>(&self, read: impl Fn(&RawValue) -> Result<T, Failure>) -> Result<Vec<T>, Failure> {
        self.items.iter().flatten().map(|item| read(item)).collect()
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageMetadata {
    #[serde(default)]
    resource_version: String,
    #[serde(default)]
    r#continue: String,
}

/// Lists all objects, ordered by namespace and name.
pub(super) async fn all(transport: &Transport, query: &Query) -> Result<Vec<Object>, Failure> {
    let object = |item: &RawValue| item::object(&query.kind, item::json(item.get().as_bytes())?);
    let (pages, _) = pages(transport, query, |page| page.read(object)).await?;
    let mut objects: Vec<Object> = pages.into_iter().flatten().collect();
    objects.sort_by(|a, b| (a.namespace(), a.name()).cmp(&(b.namespace(), b.name())));
    Ok(objects)
}

/// Lists all objects, to watch them.
pub(super) async fn listing(transport: &Transport, query: &Query) -> Result<Listing, Failure> {
    let text = |item: &RawValue| item::text(&query.kind, item);
    let compress = |page: &Page<'_>| Ok(Compressed::ordered(&query.kind, page.read(text)?));
    let (pages, version) = pages(transport, query, compress).await?;
    Ok(Listing { objects: pages.into_iter().collect(), version })
}

/// Requests a list page by page, and passes each page to `read`. Each page has its own deadline, because the number of pages
/// depends on the cluster. If a page's token expires, requests the complete list without pages, which cannot expire.
async fn pages<P>(
    transport: &Transport,
    query: &Query,
    read: impl Fn(&Page<'_>) -> Result<P, Failure>,
) -> Result<(Vec<P>, String), Failure> {
    let mut pages = Vec::new();
    let mut limit = Some(PAGE);
    let mut next = String::new();
    loop {
        let token = Some(next.as_str()).filter(|token| !token.is_empty());
        let bytes = match transport.call(&Call::list(query, limit, token)).await {
            Ok(bytes) => bytes,
            Err(failure) if failure.expired && token.is_some() => {
                pages.clear();
                limit = None;
                next.clear();
                continue;
            }
            Err(failure) => return Err(failure),
        };
        let page: Page<'_> = serde_json::from_slice(&bytes).map_err(|e| item::unreadable(&e))?;
        pages.push(read(&page)?);
        next = page.metadata.r#continue;
        if next.is_empty() {
            return Ok((pages, page.metadata.resource_version));
        }
    }
}

/// The result of a TokenReview. Ignores `status.error`, which does not help the caller and may contain the token.
pub(super) fn token_review(review: &Value) -> Result<TokenReview, Failure> {
    let status = review.get("status").ok_or_else(|| Failure::unreadable("it has no status"))?;
    // Left out if it is false.
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
