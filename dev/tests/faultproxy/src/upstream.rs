//! Where requests go: to the API server, and for a while to a second one that lags behind.

use std::sync::OnceLock;

use http::{Method, Uri};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::link::{Flow, Link};
use crate::plan::Moved;

/// The API servers of one cluster.
pub(crate) struct Upstreams {
    first: kube::Client,
    second: OnceLock<(kube::Client, watch::Receiver<Flow>)>,
    /// What goes to the second.
    moved: watch::Sender<Option<Moved>>,
}

impl Upstreams {
    pub(crate) fn new(first: kube::Client) -> Upstreams {
        Upstreams { first, second: OnceLock::new(), moved: watch::Sender::new(None) }
    }

    pub(crate) fn add_second(&self, client: kube::Client, link: &Link) {
        assert!(self.second.set((client, link.flow())).is_ok(), "there is a second one");
    }

    /// Has this go to the second from now on, and all else to the first. Says whether anything has changed.
    pub(crate) fn move_over(&self, what: Option<Moved>) -> bool {
        self.moved.send_if_modified(|moved| std::mem::replace(moved, what) != what)
    }

    /// Tells when something else goes to the second.
    pub(crate) fn moves(&self) -> watch::Receiver<Option<Moved>> {
        self.moved.subscribe()
    }

    /// When the second came to know the present, if anything goes there.
    pub(crate) fn thawed(&self) -> Option<Instant> {
        let (_, flow) = self.second.get().filter(|_| self.moved.borrow().is_some())?;
        flow.borrow().thawed
    }

    /// Where this request goes.
    pub(crate) fn of(&self, method: &Method, uri: &Uri) -> &kube::Client {
        let goes = match *self.moved.borrow() {
            None => false,
            Some(Moved::All) => true,
            Some(Moved::Reads) => is_watch(uri) || is_list(method, uri),
            Some(Moved::Watches) => is_watch(uri),
        };
        match self.second.get() {
            Some((second, _)) if goes => second,
            _ => &self.first,
        }
    }
}

pub(crate) fn is_watch(uri: &Uri) -> bool {
    uri.query().is_some_and(|query| query.contains("watch=true"))
}

/// Whether objects of a kind are asked for: those of a namespace or all.
fn is_list(method: &Method, uri: &Uri) -> bool {
    let names = match uri.path().trim_start_matches('/').split('/').collect::<Vec<_>>()[..] {
        ["api", _version, ref names @ ..] | ["apis", _, _version, ref names @ ..] => names.len(),
        _ => return false,
    };
    *method == Method::GET && (names == 1 || names == 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_told_from_an_object() {
        let list = |path: &str| is_list(&Method::GET, &path.parse().unwrap());
        assert!(list("/api/v1/pods?limit=500"));
        assert!(list("/apis/apps/v1/namespaces/store-a/deployments"));
        assert!(!list("/api/v1/namespaces/store-a"));
        assert!(!list("/apis/apps/v1/namespaces/store-a/deployments/medusa-api"));
        assert!(!list("/api/v1/namespaces/store-a/pods/postgres-0/log"));
        assert!(!list("/readyz"));
    }
}
