//! What a controller reports as an Event.

use std::borrow::Cow;

/// The content of an Event, without the object that it is about.
pub(super) struct Incident {
    pub(super) warning: bool,
    pub(super) reason: &'static str,
    pub(super) message: Cow<'static, str>,
    /// The component that reports it.
    pub(super) source: &'static str,
}

impl Incident {
    pub(super) fn warning(reason: &'static str, message: impl Into<Cow<'static, str>>, source: &'static str) -> Self {
        Incident { warning: true, reason, message: message.into(), source }
    }

    pub(super) fn normal(reason: &'static str, message: impl Into<Cow<'static, str>>, source: &'static str) -> Self {
        Incident { warning: false, reason, message: message.into(), source }
    }
}
