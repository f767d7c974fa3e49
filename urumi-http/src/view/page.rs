//! Lists of stores: filters, orders and pages.

use std::cmp::Ordering;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use urumi_core::store::status::StoreStatus;
use utoipa::ToSchema;

use super::Entry;

/// A filter of stores. Empty fields do not filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Any of these statuses.
    pub(crate) status: Vec<StoreStatus>,
    /// This engine.
    pub(crate) engine: Option<String>,
    /// This text in the name or the id, ignoring case.
    pub(crate) name: Option<String>,
}

impl Filter {
    fn has(&self, entry: &Entry) -> bool {
        let store = &entry.store;
        (self.status.is_empty() || self.status.contains(&store.status))
            && self.engine.as_ref().is_none_or(|engine| store.engine == *engine)
            && self.name.as_ref().is_none_or(|name| {
                store.name.to_lowercase().contains(name) || store.id.as_str().contains(name.as_str())
            })
    }
}

/// The order; with a leading `-`, reversed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) enum Sort {
    /// Oldest first.
    #[default]
    #[serde(rename = "createdAt")]
    CreatedAt,
    /// Newest first.
    #[serde(rename = "-createdAt")]
    NewestFirst,
    /// By name.
    #[serde(rename = "name")]
    Name,
    /// By name, reversed.
    #[serde(rename = "-name")]
    NameBackwards,
    /// By status.
    #[serde(rename = "status")]
    Status,
    /// By status, reversed.
    #[serde(rename = "-status")]
    StatusBackwards,
}

impl Sort {
    fn key(self, entry: &Entry) -> String {
        let store = &entry.store;
        match self {
            // Microseconds with leading zeros sort as text.
            Sort::CreatedAt | Sort::NewestFirst => format!("{:020}", store.created_at.as_microsecond().max(0)),
            Sort::Name | Sort::NameBackwards => store.name.to_lowercase(),
            Sort::Status | Sort::StatusBackwards => store.status.to_string(),
        }
    }

    fn directed(self, ordering: Ordering) -> Ordering {
        match self {
            Sort::CreatedAt | Sort::Name | Sort::Status => ordering,
            Sort::NewestFirst | Sort::NameBackwards | Sort::StatusBackwards => ordering.reverse(),
        }
    }
}

/// The beginning of a page: after the last store of the previous page. It stays valid when stores are created or
/// deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    sort: Sort,
    key: String,
    id: String,
}

impl Cursor {
    fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Parses a cursor; `None` if it is not a cursor of this server.
    pub(crate) fn decode(text: &str) -> Option<Self> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    }
}

/// The requested page.
#[derive(Clone, Debug, Default)]
pub(crate) struct PageRequest {
    pub(crate) filter: Filter,
    pub(crate) sort: Sort,
    pub(crate) limit: usize,
    pub(crate) cursor: Option<Cursor>,
}

impl PageRequest {
    /// Parses a cursor, and checks that it has the same order.
    pub(crate) fn behind(&mut self, cursor: &str) -> bool {
        self.cursor = Cursor::decode(cursor).filter(|cursor| cursor.sort == self.sort);
        self.cursor.is_some()
    }
}

/// A page.
pub(crate) struct Page {
    pub(crate) entries: Vec<Arc<Entry>>,
    /// The cursor of the next page, if there is one.
    pub(crate) next: Option<String>,
}

impl Page {
    /// The page of the stores that are `visible`.
    pub(crate) fn of(all: &[Arc<Entry>], request: &PageRequest, visible: impl Fn(&Entry) -> bool) -> Page {
        let sort = request.sort;
        let mut found: Vec<(String, &Arc<Entry>)> = all
            .iter()
            .filter(|entry| visible(entry) && request.filter.has(entry))
            .map(|entry| (sort.key(entry), entry))
            .collect();
        let id = |entry: &Arc<Entry>| entry.store.id.as_str().to_owned();
        found.sort_by(|(a_key, a), (b_key, b)| sort.directed((a_key, &a.store.id).cmp(&(b_key, &b.store.id))));
        if let Some(cursor) = &request.cursor {
            let behind = |key: &String, entry: &Arc<Entry>| {
                sort.directed((key.as_str(), entry.store.id.as_str()).cmp(&(&cursor.key, &cursor.id))).is_gt()
            };
            found.retain(|(key, entry)| behind(key, entry));
        }
        let more = found.len() > request.limit;
        found.truncate(request.limit);
        let next = found.last().filter(|_| more);
        let next = next.map(|(key, entry)| Cursor { sort, key: key.clone(), id: id(entry) }.encode());
        Page { entries: found.into_iter().map(|(_, entry)| entry.clone()).collect(), next }
    }
}

/// Stores as a JSON array, in pieces that share the JSON of the stores: an answer that its client does not read costs no copy.
pub(crate) fn array(entries: Vec<Arc<Entry>>) -> impl Iterator<Item = Bytes> + Send + 'static {
    let end: &[u8] = if entries.is_empty() { b"[]" } else { b"]" };
    let pieces = entries.into_iter().enumerate().flat_map(|(index, entry)| {
        let separator: &[u8] = if index == 0 { b"[" } else { b"," };
        [Bytes::from_static(separator), entry.json.clone()]
    });
    pieces.chain(std::iter::once(Bytes::from_static(end)))
}

/// The length of the [`array`] in bytes.
pub(crate) fn array_length(entries: &[Arc<Entry>]) -> usize {
    // A bracket or a comma before each store, and the last bracket.
    entries.iter().map(|entry| entry.json.len() + 1).sum::<usize>() + if entries.is_empty() { 2 } else { 1 }
}
