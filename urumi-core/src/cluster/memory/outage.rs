//! Outages: rules by which requests fail, and the record of all requests.

use std::collections::VecDeque;
use std::time::Duration;

use crate::kubernetes::Kind;
use crate::kubernetes::{Access, ClusterErrorKind, Verb};

/// A rule by which requests to the in-memory cluster fail. By default it applies to every request until it is ended.
///
/// ```
/// use urumi_core::cluster::Outage;
/// use urumi_core::kubernetes::{ClusterErrorKind, Verb};
///
/// // The second and third creation succeed, but their answers are lost.
/// let outage = Outage::new(ClusterErrorKind::Timeout).verb(Verb::Create).after(1).times(2).answer_lost();
/// # let _ = outage;
/// ```
#[derive(Clone, Debug)]
pub struct Outage {
    error: ClusterErrorKind,
    verb: Option<Verb>,
    kind: Option<Kind>,
    name: Option<String>,
    namespace: Option<String>,
    skip: usize,
    times: Option<usize>,
    answer_lost: bool,
    pub(super) takes: Duration,
}

impl Outage {
    /// Every request fails with this error.
    pub fn new(error: ClusterErrorKind) -> Self {
        Outage {
            error,
            verb: None,
            kind: None,
            name: None,
            namespace: None,
            skip: 0,
            times: None,
            answer_lost: false,
            takes: Duration::ZERO,
        }
    }

    /// Only requests of this verb.
    #[must_use]
    pub fn verb(mut self, verb: Verb) -> Self {
        self.verb = Some(verb);
        self
    }

    /// Only requests about objects of this kind.
    #[must_use]
    pub fn of_kind(mut self, kind: Kind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Only requests about objects of this name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Only requests about objects in this namespace, or about the namespace itself.
    #[must_use]
    pub fn in_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// The first `requests` that match succeed.
    #[must_use]
    pub fn after(mut self, requests: usize) -> Self {
        self.skip = requests;
        self
    }

    /// Only this many requests fail.
    #[must_use]
    pub fn times(mut self, requests: usize) -> Self {
        self.times = Some(requests);
        self
    }

    /// The request is carried out; only its answer is lost.
    #[must_use]
    pub fn answer_lost(mut self) -> Self {
        self.answer_lost = true;
        self
    }

    /// The failure is reported after this time.
    #[must_use]
    pub fn taking(mut self, time: Duration) -> Self {
        self.takes = time;
        self
    }

    fn fits(&self, request: &Asked<'_>) -> bool {
        self.verb.is_none_or(|verb| verb == request.verb)
            && self.kind.as_ref().is_none_or(|kind| Some(kind) == request.kind)
            && self.name.as_deref().is_none_or(|name| request.name == Some(name))
            && self.namespace.as_deref().is_none_or(|ns| {
                request.namespace == Some(ns)
                    || (request.kind.is_some_and(|k| *k.kind == *"Namespace") && request.name == Some(ns))
            })
    }
}

/// Identifies an [`Outage`] that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutageId(u64);

/// A request to the in-memory cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The verb. A watch counts once when it is opened, and once each time it lists again.
    pub verb: Verb,
    /// The object or selection, for messages.
    pub target: String,
}

/// What rules match: a request without its content.
pub(super) struct Asked<'a> {
    pub(super) verb: Verb,
    pub(super) kind: Option<&'a Kind>,
    pub(super) namespace: Option<&'a str>,
    pub(super) name: Option<&'a str>,
}

impl Asked<'_> {
    /// The verbs in Kubernetes' RBAC rules; all of them must be allowed.
    fn kubernetes_verbs(&self) -> &'static [&'static str] {
        match self.verb {
            Verb::Create | Verb::ReviewToken => &["create"],
            Verb::Apply => &["patch"],
            Verb::Replace => &["update"],
            Verb::Get => &["get"],
            Verb::List => &["list"],
            Verb::Watch => &["list", "watch"],
            Verb::PatchMetadata => &["patch"],
            Verb::Delete => &["delete"],
            Verb::Logs => &["get"],
            _ => &[],
        }
    }
}

/// How a request fails.
pub(super) struct Failure {
    pub(super) error: ClusterErrorKind,
    pub(super) answer_lost: bool,
    pub(super) takes: Duration,
}

/// What happens to requests before they reach the cluster: latency, permissions and outages. Remembers the requests.
#[derive(Default)]
pub(super) struct Gate {
    outages: Vec<(OutageId, Outage)>,
    next_id: u64,
    pub(super) latency: Duration,
    pub(super) denied: Vec<Access>,
    requests: VecDeque<Request>,
    count: u64,
}

impl Gate {
    /// The number of requests that are remembered.
    const REMEMBERED: usize = 10_000;

    pub(super) fn add(&mut self, outage: Outage) -> OutageId {
        self.next_id += 1;
        let id = OutageId(self.next_id);
        self.outages.push((id, outage));
        id
    }

    pub(super) fn end(&mut self, id: OutageId) -> bool {
        let before = self.outages.len();
        self.outages.retain(|(other, _)| *other != id);
        self.outages.len() < before
    }

    pub(super) fn end_all(&mut self) {
        self.outages.clear();
    }

    pub(super) fn note(&mut self, verb: Verb, target: &str) {
        self.count += 1;
        if self.requests.len() == Self::REMEMBERED {
            self.requests.pop_front();
        }
        self.requests.push_back(Request { verb, target: target.to_owned() });
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests.iter().cloned().collect()
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn forget_requests(&mut self) {
        self.requests.clear();
        self.count = 0;
    }

    /// Counts the request, and returns how it fails if it does.
    pub(super) fn check(&mut self, request: &Asked<'_>) -> Option<Failure> {
        let (_, outage) = self.outages.iter_mut().find_map(|(id, outage)| {
            if !outage.fits(request) || outage.times == Some(0) {
                return None;
            }
            if outage.skip > 0 {
                outage.skip -= 1;
                return None;
            }
            Some((id, outage))
        })?;
        outage.times = outage.times.map(|n| n.saturating_sub(1));
        Some(Failure { error: outage.error, answer_lost: outage.answer_lost, takes: outage.takes })
    }

    /// Whether permissions allow an access.
    pub(super) fn allows(&self, access: &Access) -> bool {
        !self.denied.iter().any(|denied| {
            denied.verb == access.verb
                && denied.group == access.group
                && denied.resource == access.resource
                && (denied.namespace.is_none() || denied.namespace == access.namespace)
                && (denied.name.is_none() || denied.name == access.name)
        })
    }

    /// The first of the request's Kubernetes verbs that is denied.
    pub(super) fn denial(&self, request: &Asked<'_>) -> Option<&'static str> {
        let kind = request.kind?;
        let part = if request.verb == Verb::Logs { "/log" } else { "" };
        request.kubernetes_verbs().iter().copied().find(|verb| {
            !self.allows(&Access {
                verb: (*verb).to_owned(),
                group: kind.group.to_string(),
                resource: format!("{}{part}", kind.plural),
                namespace: request.namespace.map(str::to_owned),
                name: request.name.map(str::to_owned),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create(name: &str) -> Asked<'_> {
        Asked { verb: Verb::Create, kind: None, namespace: None, name: Some(name) }
    }

    #[test]
    fn the_nth_request_fails_and_the_rest_pass() {
        let mut gate = Gate::default();
        gate.add(Outage::new(ClusterErrorKind::Timeout).verb(Verb::Create).after(1).times(1));
        let fails: Vec<bool> = (0..4).map(|_| gate.check(&create("a")).is_some()).collect();
        assert_eq!(fails, [false, true, false, false]);
    }

    #[test]
    fn an_outage_lasts_until_it_is_ended() {
        let mut gate = Gate::default();
        let id = gate.add(Outage::new(ClusterErrorKind::Unavailable).named("a"));
        assert!(gate.check(&create("a")).is_some());
        assert!(gate.check(&create("b")).is_none());
        assert!(gate.end(id));
        assert!(!gate.end(id));
        assert!(gate.check(&create("a")).is_none());
    }
}
