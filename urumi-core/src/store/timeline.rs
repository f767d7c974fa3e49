//! What happened to a store, in order: urumi's own changes of its status, what Kubernetes says of its objects, and who
//! asked for what.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::seconds;

/// The reporting component of the Events by which a frontend notes who asked for what.
pub const AUDIT_REPORTER: &str = "urumi.ai/audit";
/// The namespace where Events about things without one are kept: a store's namespace is one of them.
pub const CLUSTER_EVENTS: &str = "default";

/// One thing that happened to a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TimelineEntry {
    /// When, or when last where it happened more than once.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    #[serde(deserialize_with = "seconds::deserialize")]
    pub time: Timestamp,
    /// Who says so.
    pub source: TimelineSource,
    /// Whether somebody should look at it.
    #[serde(rename = "type")]
    pub severity: Severity,
    /// What happened, as one PascalCase word, e.g. `BackOff`.
    pub reason: String,
    /// What happened, as a sentence for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The object that it happened to, e.g. `Pod medusa-api-7d9f-x2x`; none for the store as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// How often it happened.
    pub count: u32,
}

impl TimelineEntry {
    /// An event that concerns the whole store and happened once, in whole seconds.
    pub fn new(time: Timestamp, source: TimelineSource, severity: Severity, reason: impl Into<String>) -> Self {
        let time = seconds::whole(time);
        TimelineEntry { time, source, severity, reason: reason.into(), message: String::new(), object: None, count: 1 }
    }
}

/// Who says that something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum TimelineSource {
    /// urumi: the store's status changed.
    Urumi,
    /// Kubernetes: an Event in the store's namespace.
    Kubernetes,
    /// The server: somebody asked for something.
    Audit,
}

/// Whether somebody should look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[allow(missing_docs, reason = "the two values are Kubernetes' own")]
pub enum Severity {
    Normal,
    Warning,
}
