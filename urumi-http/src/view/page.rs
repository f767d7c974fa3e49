//! Lists of stores: filters, orders and pages.

use std::cmp::Ordering;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use urumi_core::store::selector::LabelSelector;
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
    /// These requirements on the labels.
    pub(crate) labels: LabelSelector,
}

impl Filter {
    fn has(&self, entry: &Entry) -> bool {
        let store = &entry.store;
        (self.status.is_empty() || self.status.contains(&store.status))
            && self.engine.as_ref().is_none_or(|engine| store.engine == *engine)
            && self.name.as_ref().is_none_or(|name| {
                store.name.to_lowercase().contains(name) || store.id.as_str().contains(name.as_str())
            })
            && self.labels.matches(&store.labels)
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
    const NAMES: [(&str, Sort); 6] = [
        ("createdAt", Sort::CreatedAt),
        ("-createdAt", Sort::NewestFirst),
        ("name", Sort::Name),
        ("-name", Sort::NameBackwards),
        ("status", Sort::Status),
        ("-status", Sort::StatusBackwards),
    ];

    /// Reads an order.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let known = Self::NAMES.iter().find(|(name, _)| *name == text);
        known.map(|(_, sort)| *sort).ok_or_else(|| {
            let names = Self::NAMES.map(|(name, _)| name).join(", ");
            format!("{text:?} is not an order; there are {names}")
        })
    }

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

    /// Reads a cursor of a list in this order.
    pub(crate) fn read(text: &str, sort: Sort) -> Result<Self, &'static str> {
        let decoded = URL_SAFE_NO_PAD.decode(text).ok();
        let cursor = decoded.and_then(|json| serde_json::from_slice::<Cursor>(&json).ok());
        let ours = cursor.filter(|cursor| cursor.sort == sort);
        ours.ok_or("does not belong to this query; begin again without a cursor")
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The names are those of the description.
    #[test]
    fn orders_are_read_as_they_are_written() {
        for (name, sort) in Sort::NAMES {
            assert_eq!(serde_json::to_value(sort).unwrap(), name);
            assert_eq!(Sort::parse(name), Ok(sort));
        }
        assert!(Sort::parse("id").unwrap_err().contains("\"id\" is not an order; there are createdAt, -createdAt"));
    }
}
