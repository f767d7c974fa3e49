//! Which cluster to connect to, and how.

use std::path::PathBuf;
use std::time::Duration;

/// Which cluster to connect to, and how.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectOptions {
    /// The kubeconfig file. With `None`, the same places as in kubectl: `$KUBECONFIG`, `~/.kube/config`, and in a pod
    /// its service account. (Of the environment, only these, `HTTPS_PROXY` and `NO_PROXY` are read.)
    pub kubeconfig: Option<PathBuf>,
    /// The kubeconfig's context; `None` means the current one.
    pub context: Option<String>,
    /// The deadline of every call, including retries (of a list: every page of 500). 15 s by default.
    pub request_timeout: Duration,
    /// The maximum number of requests in flight, and so of connections besides those of watches. Further requests wait
    /// within their deadlines. 64 by default; fewer while the API server answers that it is overloaded (429).
    pub max_in_flight: usize,
    /// How long a watch stays open before it is renewed, plus a random time of up to a fifth. 20 s by default, at least
    /// 1 s.
    ///
    /// TCP keepalive detects a dead peer within seconds. But a proxy may keep its connection to urumi alive and deliver
    /// nothing. This is detected 5 s after the watch should have ended. A longer period saves requests (one per watch
    /// and period), but such a failure lasts longer.
    pub watch_timeout: Duration,
    /// The `User-Agent`, which the API server's audit log shows. `urumi/<version>` by default.
    pub user_agent: String,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        ConnectOptions {
            kubeconfig: None,
            context: None,
            request_timeout: Duration::from_secs(15),
            max_in_flight: 64,
            watch_timeout: Duration::from_secs(20),
            user_agent: concat!("urumi/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

impl ConnectOptions {
    /// Uses this kubeconfig file.
    #[must_use]
    pub fn kubeconfig(mut self, path: impl Into<PathBuf>) -> Self {
        self.kubeconfig = Some(path.into());
        self
    }

    /// Uses this context of the kubeconfig.
    #[must_use]
    pub fn context(mut self, name: impl Into<String>) -> Self {
        self.context = Some(name.into());
        self
    }

    /// Sets the deadline of every call.
    #[must_use]
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// Limits the requests in flight.
    #[must_use]
    pub fn max_in_flight(mut self, requests: usize) -> Self {
        self.max_in_flight = requests;
        self
    }

    /// Sets how long watches stay open before they are renewed.
    #[must_use]
    pub fn watch_timeout(mut self, timeout: Duration) -> Self {
        self.watch_timeout = timeout;
        self
    }

    /// Sets the `User-Agent`.
    #[must_use]
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.user_agent = name.into();
        self
    }
}
