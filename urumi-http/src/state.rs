//! What the handlers share.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use urumi_core::StoreOrchestrator;
use urumi_core::cluster::ClusterBackend;
use urumi_core::monitor::leader::ElectionHandle;

use crate::audit::Audit;
use crate::auth::Authentication;
use crate::browser_guard::BrowserGuard;
use crate::view::View;

/// How often those who watch are shown that they are still connected, by default.
pub const HEARTBEAT: Duration = Duration::from_secs(15);

/// Everything that the API needs. A cheap handle: clones share everything.
#[derive(Clone)]
pub struct ServerState {
    inner: Arc<Inner>,
}

struct Inner {
    orchestrator: Arc<dyn StoreOrchestrator>,
    authentication: Authentication,
    browser_guard: BrowserGuard,
    view: Arc<View>,
    audit: Audit,
    monitor: Option<urumi_core::MonitorHandle>,
    election: Option<ElectionHandle>,
    draining: CancellationToken,
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
    browser_guard: BrowserGuard,
    events: Option<Arc<dyn ClusterBackend>>,
    monitor: Option<urumi_core::MonitorHandle>,
    election: Option<ElectionHandle>,
    heartbeat: Duration,
    draining: Option<CancellationToken>,
}

impl fmt::Debug for ServerStateBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerStateBuilder").field("heartbeat", &self.heartbeat).finish_non_exhaustive()
    }
}

impl ServerStateBuilder {
    /// How callers are recognised. By default nobody is: only callers that an embedding service has put into the
    /// request's extensions are served.
    #[must_use]
    pub fn authentication(mut self, authentication: Authentication) -> Self {
        self.authentication = authentication;
        self
    }

    /// Which hosts and origins browsers may use where the authentication is [`Authentication::Open`]; loopback and the
    /// server's own by default. Other authentication needs no guard, and has none.
    #[must_use]
    pub fn browser_guard(mut self, guard: BrowserGuard) -> Self {
        self.browser_guard = guard;
        self
    }

    /// Where changes are noted as Kubernetes Events, beside the log; nowhere by default.
    #[must_use]
    pub fn events(mut self, cluster: Arc<dyn ClusterBackend>) -> Self {
        self.events = Some(cluster);
        self
    }

    /// The monitor that runs beside this server, whose health is then part of the server's.
    #[must_use]
    pub fn monitor(mut self, monitor: urumi_core::MonitorHandle) -> Self {
        self.monitor = Some(monitor);
        self
    }

    /// The election that the monitor is led by, which is then part of the server's state of health.
    #[must_use]
    pub fn election(mut self, election: impl Into<Option<ElectionHandle>>) -> Self {
        self.election = election.into();
        self
    }

    /// How often those who watch are shown that they are still connected; [`HEARTBEAT`] by default.
    #[must_use]
    pub fn heartbeat(mut self, every: Duration) -> Self {
        self.heartbeat = every.max(Duration::from_millis(10));
        self
    }

    /// Ends streams politely when it is cancelled, while other requests are finished; the token of
    /// [`spawn`](Self::spawn) by default.
    #[must_use]
    pub fn draining(mut self, draining: CancellationToken) -> Self {
        self.draining = Some(draining);
        self
    }

    /// The state. What runs for it is spawned onto `tasks` and ends when `stop` is cancelled.
    pub fn spawn(self, tasks: &TaskTracker, stop: &CancellationToken) -> ServerState {
        let view = Arc::new(View::default());
        let (followed, orchestrator, until) = (view.clone(), self.orchestrator.clone(), stop.clone());
        tasks.spawn(async move { followed.follow(orchestrator, self.heartbeat, until).await });
        ServerState {
            inner: Arc::new(Inner {
                orchestrator: self.orchestrator,
                authentication: self.authentication,
                browser_guard: self.browser_guard,
                view,
                audit: Audit::new(self.events, tasks.clone()),
                monitor: self.monitor,
                election: self.election,
                draining: self.draining.unwrap_or_else(|| stop.clone()),
            }),
        }
    }
}

impl ServerState {
    /// Begins to build the state of a server over `orchestrator`.
    pub fn builder(orchestrator: Arc<dyn StoreOrchestrator>) -> ServerStateBuilder {
        ServerStateBuilder {
            orchestrator,
            authentication: Authentication::chain(Vec::new()),
            browser_guard: BrowserGuard::default(),
            events: None,
            monitor: None,
            election: None,
            heartbeat: HEARTBEAT,
            draining: None,
        }
    }

    pub(crate) fn orchestrator(&self) -> &dyn StoreOrchestrator {
        &*self.inner.orchestrator
    }

    pub(crate) fn authentication(&self) -> &Authentication {
        &self.inner.authentication
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

    /// Cancelled when streams should end.
    pub(crate) fn draining(&self) -> &CancellationToken {
        &self.inner.draining
    }
}
