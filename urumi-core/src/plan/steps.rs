//! The steps of a plan.

use std::collections::BTreeMap;
use std::fmt;

use crate::kubernetes::{Kind, Object, ObjectRef};
use crate::store::preview::Drift;

/// The observed objects of a store.
pub type Observed<'a> = BTreeMap<&'a ObjectRef, &'a Object>;

/// The observed objects of a kind.
pub(crate) fn of_kind<'a>(observed: &Observed<'a>, kind: &Kind) -> Vec<&'a Object> {
    observed.values().filter(|object| object.kind() == kind).copied().collect()
}

/// One write to the cluster.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Step {
    /// The object is missing: create it.
    Create(Object),
    /// The object contains generated secrets and was never created: generate them and create it.
    CreateOnce(ObjectRef),
    /// The Secret is missing: create it with the values of another one.
    Copy {
        /// The Secret, without its values.
        object: Object,
        /// The Secret that has the values.
        from: ObjectRef,
    },
    /// Fields that urumi owns differ: apply the object server-side, only to the observed object (by its uid).
    Repair(Object, Vec<Drift>),
}

impl Step {
    /// The object that the step writes.
    pub fn target(&self) -> ObjectRef {
        match self {
            Step::Create(object) | Step::Repair(object, _) | Step::Copy { object, .. } => object.reference(),
            Step::CreateOnce(reference) => reference.clone(),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Create(_) | Step::CreateOnce(_) | Step::Copy { .. } => write!(f, "create {}", self.target()),
            Step::Repair(_, drift) => {
                write!(f, "repair {}", self.target())?;
                drift.iter().try_for_each(|d| write!(f, "\n  {d}"))
            }
        }
    }
}

/// Steps in waves. The steps of a wave do not depend on each other and are sent together; the next wave begins when all of
/// them are done.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Plan {
    /// The waves, none of them empty.
    pub waves: Vec<Vec<Step>>,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.waves.is_empty()
    }

    /// All steps, in order.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.waves.iter().flatten()
    }
}

/// What happened to a store before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life {
    /// Whether it was ever ready.
    pub(crate) was_ready: bool,
    /// Whether it was ever changed.
    pub(crate) was_changed: bool,
}
