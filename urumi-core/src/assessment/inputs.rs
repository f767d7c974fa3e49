//! The inputs of an assessment.

use std::time::Duration;

use jiff::Timestamp;

use super::diagnosis::{Cause, Classes, Surroundings};
use super::smoke_result::SmokeResult;
use crate::engine::Component;
use crate::error::FieldError;
use crate::kubernetes::Object;
use crate::plan::Plan;
use crate::record::Record;

/// Why a plan could not be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlanFailure {
    pub(crate) cause: Cause,
    /// Whether a retry may succeed without anybody changing anything.
    pub(crate) retryable: bool,
}

/// The inputs of an assessment.
#[derive(Clone, Debug)]
pub(crate) struct Inputs<'a> {
    pub(crate) record: &'a Record,
    /// Each component with its workload, if that exists.
    pub(crate) components: Vec<(&'a Component, Option<&'a Object>)>,
    pub(crate) around: Surroundings<'a>,
    /// The result of the newest smoke order whose Job still exists.
    pub(crate) smoke: Option<SmokeResult>,
    /// The ingress class of each of the store's Ingresses; `None` for the default class.
    pub(crate) ingress_classes: Vec<Option<&'a str>>,
    /// The ingress classes that exist; `None` if they cannot be read.
    pub(crate) known_ingress_classes: Option<&'a Classes>,
    /// What is left to do; `None` while that is not known.
    pub(crate) outstanding: Option<&'a Plan>,
    pub(crate) plan_failure: Option<&'a PlanFailure>,
    /// What of the store's options today's policy refuses.
    pub(crate) refused: &'a [FieldError],
    /// The field that another client keeps changing.
    pub(crate) conflict: Option<Cause>,
    /// The wall clock's time, for the conditions.
    pub(crate) now: Timestamp,
    /// How long this process has seen the store in this attempt to provision it.
    pub(crate) provisioning_for: Duration,
    /// How long a store may be provisioning.
    pub(crate) deadline: Duration,
    /// The reason of the store's [trouble](super::Assessment::trouble) in earlier assessments, and how long it has lasted.
    pub(crate) trouble: Option<(&'a str, Duration)>,
    /// How long a store may be in trouble while it is provisioned, or a revision while it is rolled out.
    pub(crate) grace: Duration,
    /// The proof of the present revision; `None` if none is needed.
    pub(crate) proof: Option<Proof<'a>>,
    /// Whether the engine renders new stores in another way.
    pub(crate) outdated: bool,
    /// How long the present revision is being rolled out.
    pub(crate) rollout: RolloutTime<'a>,
}

/// The Job that proves the present revision.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Proof<'a> {
    Missing,
    Begun(&'a Object),
}

/// How long the present revision has been rolled out by this process, and its problem.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RolloutTime<'a> {
    /// How long it takes already.
    pub(crate) lasts: Duration,
    /// The reason of its [trouble](super::rollout::Rollout::trouble) in earlier assessments, and how long it has lasted.
    pub(crate) trouble: Option<(&'a str, Duration)>,
}
