//! The objects that keep the earlier revisions of a store.

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::ControllerRevision;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::revision::{FailedRevision, NUMBER, Revision};
use super::{ID, Record, belongs, common_labels, own};
use crate::kubernetes::{Kind, LabelRequirement, MalformedObject, Object, Query};
use crate::store::{Authority, Options, StoreId, StoreName, StoreSpec};

impl Record {
    /// The present revision.
    pub(crate) fn present(&self, spec: &StoreSpec) -> Kept {
        let Revision { number, at, by, reason, restores, failed, .. } = self.revision.clone();
        Kept {
            number,
            at: at.unwrap_or(self.created_at),
            by,
            reason,
            restores,
            failed,
            name: spec.name.clone(),
            request: self.request.clone().unwrap_or_else(|| spec.options.clone()),
            options: spec.options.clone(),
            renderer: spec.renderer,
            authority: self.authority.as_str().to_owned(),
        }
    }

    /// The object that keeps the present revision.
    pub(crate) fn kept_revision(&self, spec: &StoreSpec) -> Result<Object, MalformedObject> {
        let (number, kept) = (self.revision.number, self.present(spec));
        let mut object = Object::from_value(
            Kind::of::<ControllerRevision>(),
            json!({
                "metadata": {"name": format!("revision-{number}"), "namespace": self.id.namespace()},
                "revision": number,
                "data": kept,
            }),
        )?;
        own(&mut object, &self.id, &self.uid);
        let mut labels = common_labels(&self.id);
        labels.push((NUMBER.to_owned(), number.to_string()));
        object.add_labels(&["metadata"], &labels);
        Ok(object)
    }
}

/// A revision as its object keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Kept {
    pub(crate) number: u64,
    pub(crate) at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) restores: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failed: Option<FailedRevision>,
    pub(crate) name: StoreName,
    pub(crate) request: Options,
    pub(crate) options: Options,
    #[serde(default = "crate::store::first", skip_serializing_if = "crate::store::is_first")]
    pub(crate) renderer: u32,
    authority: String,
}

impl Kept {
    /// Reads the object of a revision; `None` for an object of another sort, or of an earlier store of the same id.
    pub(crate) fn read(object: &Object, id: &StoreId, uid: &str) -> Option<Kept> {
        let ours = object.label(NUMBER).is_some() && object.label(ID) == Some(id.as_str());
        if !ours || !belongs(object, id, uid) {
            return None;
        }
        serde_json::from_value(object.at("/data")?.clone()).ok()
    }

    /// The authority on which its options were chosen.
    pub(crate) fn authority(&self) -> Authority {
        Authority::parse(&self.authority).unwrap_or_default()
    }
}

/// The objects that keep the revisions of a store.
pub(crate) fn kept_revisions(id: &StoreId) -> Query {
    let of_store = LabelRequirement::Equals(ID.into(), id.to_string());
    // The controller of StatefulSets labels its revisions with the store's id, too.
    let ours = LabelRequirement::Exists(NUMBER.into());
    Query::all(Kind::of::<ControllerRevision>()).in_namespace(id.namespace()).labelled(of_store).labelled(ours)
}
