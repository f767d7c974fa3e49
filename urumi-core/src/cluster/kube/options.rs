//! Which cluster to connect to, and how.

use std::path::PathBuf;
use std::time::Duration;

/// Which cluster to connect to, and how.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectOptions {
    /// The kubeconfig file. `None` looks where kubectl does: `$KUBECONFIG`, `~/.kube/config`, and then, in a pod, its
    /// service account. (This, and `HTTPS_PROXY` and `NO_PROXY`, is all that is ever read from the environment.)
    pub kubeconfig: Option<PathBuf>,
    /// The kubeconfig's context; `None` means the current one.
    pub context: Option<String>,
    /// After how long every call ends, repetitions included (a list: every page of 500). 15 s by default.
    pub request_timeout: Duration,
    /// How many requests may be in flight, and so how many connections there are besides those of watches. More wait,
    /// within their deadlines. 64 by default.
    pub max_in_flight: usize,
    /// How long a watch is kept open before it is renewed, plus up to a fifth, at random. 20 s by default, 1 s at least.
    ///
    /// TCP keepalive detects a dead peer within seconds. A proxy in between can keep its connection to urumi alive and
    /// deliver nothing, and only the missing end of the watch shows that, 5 s after it is due. A longer time saves
    /// requests (one for each watch and period), and lets such a failure last longer.
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

    /// Ends every call after this long.
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

    /// Renews watches after this long.
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
