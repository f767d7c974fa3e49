//! The options of the suite.

use std::time::Duration;

/// The label, with value `true`, of every namespace that the suite creates.
pub const LABEL: &str = "store.urumi.ai/conformance";

/// The label that tells the objects of one check from those of another.
pub(super) const TAG: &str = "store.urumi.ai/conformance-check";

/// Options of a run of the suite.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long each check may take; two minutes by default.
    pub deadline: Duration,
    /// How many checks run at a time; four by default.
    pub concurrency: usize,
    /// Whether pods become ready on this cluster. If not, checks of workloads are skipped.
    pub workloads: bool,
    /// Whether claims are bound on this cluster. If not, checks of claims are skipped.
    pub claims: bool,
    /// The storage class of claims; the cluster's default by default.
    pub storage_class: Option<String>,
    /// The image of pods. It must run as any user and without arguments.
    pub image: String,
    /// More labels of the suite's namespaces, e.g. those that an admission policy requires.
    pub labels: Vec<(String, String)>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            deadline: Duration::from_secs(120),
            concurrency: 4,
            workloads: true,
            claims: true,
            storage_class: None,
            image: "registry.k8s.io/pause:3.10.1".into(),
            labels: Vec::new(),
        }
    }
}
