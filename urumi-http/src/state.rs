//! The shared state of the handlers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use urumi_core::StoreOrchestrator;
use urumi_core::cluster::ClusterBackend;
use urumi_core::monitor::leader::ElectionHandle;

use crate::audit::Audit;
use crate::auth::{Authentication, Method, SignInMethods};
use crate::browser_guard::BrowserGuard;
use crate::places::{Open, OpenLimits};
use crate::view::View;

/// The default interval of keep-alive comments in watches.
pub const HEARTBEAT: Duration = Duration::from_secs(15);

/// The state of the API. Clones are cheap and share it.
#[derive(Clone)]
pub struct ServerState {
    inner: Arc<Inner>,
}

struct Inner {
    orchestrator: Arc<dyn StoreOrchestrator>,
    authentication: Authentication,
    sign_in: SignInMethods,
    browser_guard: BrowserGuard,
    view: Arc<View>,
    audit: Audit,
    monitor: Option<urumi_core::MonitorHandle>,
    election: Option<ElectionHandle>,
    draining: CancellationToken,
    open: Open,
    cluster_kind: String,
    notices: Vec<String>,
}

impl fmt::Debug for ServerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerState").field("view", &self.inner.view).finish_non_exhaustive()
    }
}

/// Builds a [`ServerState`].
pub struct ServerStateBuilder {
    orchestrator: Arc<dyn StoreOrchestrator>,
    authentication: Authentication,
    sign_in: Option<SignInMethods>,
    browser_guard: BrowserGuard,
    events: Option<Arc<dyn ClusterBackend>>,
    monitor: Option<urumi_core::MonitorHandle>,
    election: Option<ElectionHandle>,
    heartbeat: Duration,
    draining: Option<CancellationToken>,
    open_limits: OpenLimits,
    cluster_kind: String,
    notices: Vec<String>,
}

impl fmt::Debug for ServerStateBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerStateBuilder").field("heartbeat", &self.heartbeat).finish_non_exhaustive()
    }
}

impl ServerStateBuilder {
    /// Sets the authentication. By default there is none: the API serves only requests whose
    /// [`Principal`](crate::auth::Principal) an embedding service has inserted into the extensions.
    #[must_use]
    pub fn authentication(mut self, authentication: Authentication) -> Self {
        self.authentication = authentication;
        self
    }

    /// Sets the answer of `GET /authentication`; by default `local` with [`Authentication::Open`] and `embedded` otherwise.
    #[must_use]
    pub fn sign_in(mut self, methods: SignInMethods) -> Self {
        self.sign_in = Some(methods);
        self
    }

    /// Sets the hosts and origins that browsers may use with [`Authentication::Open`]; by default loopback and the server's
    /// own origin. With other authentication there is no guard.
    #[must_use]
    pub fn browser_guard(mut self, guard: BrowserGuard) -> Self {
        self.browser_guard = guard;
        self
    }

    /// Also audits changes as Events in this cluster; only in the log by default.
    #[must_use]
    pub fn events(mut self, cluster: Arc<dyn ClusterBackend>) -> Self {
        self.events = Some(cluster);
        self
    }

    /// The readiness monitor of this process; its health becomes part of the server's readiness.
    #[must_use]
    pub fn monitor(mut self, monitor: urumi_core::MonitorHandle) -> Self {
        self.monitor = Some(monitor);
        self
    }

    /// The leader election of the monitor, shown in the server's readiness.
    #[must_use]
    pub fn election(mut self, election: impl Into<Option<ElectionHandle>>) -> Self {
        self.election = election.into();
        self
    }

    /// Sets the interval of keep-alive comments in watches; [`HEARTBEAT`] by default.
    #[must_use]
    pub fn heartbeat(mut self, every: Duration) -> Self {
        self.heartbeat = every.max(Duration::from_millis(10));
        self
    }

    /// Ends streams when this token is cancelled, while other requests continue; by default the token of
    /// [`spawn`](Self::spawn).
    #[must_use]
    pub fn draining(mut self, draining: CancellationToken) -> Self {
        self.draining = Some(draining);
        self
    }

    /// Limits the streams, smoke orders and requests that callers have open at once.
    #[must_use]
    pub fn open_limits(mut self, limits: OpenLimits) -> Self {
        self.open_limits = limits;
        self
    }

    /// Sets the kind of cluster that `/version` names, e.g. `memory`; `kubernetes` by default.
    #[must_use]
    pub fn cluster_kind(mut self, kind: impl Into<String>) -> Self {
        self.cluster_kind = kind.into();
        self
    }

    /// Sets what every user should know about this server, e.g. that its stores are simulated. `/version` has these
    /// sentences, and the dashboard and the command line show them.
    #[must_use]
    pub fn notices(mut self, notices: impl Into<Vec<String>>) -> Self {
        self.notices = notices.into();
        self
    }

    /// Builds the state. Its background tasks are spawned onto `tasks` and end when `stop` is cancelled.
    pub fn spawn(self, tasks: &TaskTracker, stop: &CancellationToken) -> ServerState {
        let view = Arc::new(View::default());
        let (followed, orchestrator, until) = (view.clone(), self.orchestrator.clone(), stop.clone());
        tasks.spawn(async move { followed.follow(orchestrator, self.heartbeat, until).await });
        let method = if self.authentication.is_open() { Method::Local } else { Method::Embedded };
        ServerState {
            inner: Arc::new(Inner {
                orchestrator: self.orchestrator,
                authentication: self.authentication,
                sign_in: self.sign_in.unwrap_or_else(|| SignInMethods::new([method])),
                browser_guard: self.browser_guard,
                view,
                audit: Audit::new(self.events, tasks.clone()),
                monitor: self.monitor,
                election: self.election,
                draining: self.draining.unwrap_or_else(|| stop.clone()),
                open: Open::new(self.open_limits),
                cluster_kind: self.cluster_kind,
                notices: self.notices,
            }),
        }
    }
}

impl ServerState {
    /// A builder of the state of a server for `orchestrator`.
    pub fn builder(orchestrator: Arc<dyn StoreOrchestrator>) -> ServerStateBuilder {
        ServerStateBuilder {
            orchestrator,
            authentication: Authentication::chain(Vec::new()),
            sign_in: None,
            browser_guard: BrowserGuard::default(),
            events: None,
            monitor: None,
            election: None,
            heartbeat: HEARTBEAT,
            draining: None,
            open_limits: OpenLimits::default(),
            cluster_kind: "kubernetes".to_owned(),
            notices: Vec::new(),
        }
    }

    pub(crate) fn orchestrator(&self) -> &dyn StoreOrchestrator {
        &*self.inner.orchestrator
    }

    pub(crate) fn authentication(&self) -> &Authentication {
        &self.inner.authentication
    }

    pub(crate) fn sign_in(&self) -> &SignInMethods {
        &self.inner.sign_in
    }

    pub(crate) fn browser_guard(&self) -> &BrowserGuard {
        &self.inner.browser_guard
    }

    pub(crate) fn view(&self) -> &Arc<View> {
        &self.inner.view
    }

    pub(crate) fn audit(&self) -> &Audit {
        &self.inner.audit
    }

    pub(crate) fn monitor(&self) -> Option<&urumi_core::MonitorHandle> {
        self.inner.monitor.as_ref()
    }

    pub(crate) fn election(&self) -> Option<&ElectionHandle> {
        self.inner.election.as_ref()
    }

    pub(crate) fn cluster_kind(&self) -> &str {
        &self.inner.cluster_kind
    }

    pub(crate) fn notices(&self) -> &[String] {
        &self.inner.notices
    }

    pub(crate) fn open(&self) -> &Open {
        &self.inner.open
    }

    /// Cancelled when streams must end.
    pub(crate) fn draining(&self) -> &CancellationToken {
        &self.inner.draining
    }
}
