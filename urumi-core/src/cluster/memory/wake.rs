//! Wakes those that wait for a change, in the order in which they began to wait: tokio's `watch` picks the order at
//! random, and simulations are to be the same each time.

use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

/// Wakes its sleepers.
#[derive(Default)]
pub(super) struct Wake {
    notify: Arc<Notify>,
    sleepers: Arc<()>,
}

impl Wake {
    /// Somebody who wants to be woken from now on.
    pub(super) fn subscribe(&self) -> Sleeper {
        let next = Box::pin(self.notify.clone().notified_owned());
        Sleeper { notify: self.notify.clone(), _counted: self.sleepers.clone(), next }
    }

    /// How many want to be woken.
    pub(super) fn sleepers(&self) -> usize {
        Arc::strong_count(&self.sleepers) - 1
    }

    pub(super) fn wake(&self) {
        self.notify.notify_waiters();
    }
}

/// Sleeps until it is woken.
pub(super) struct Sleeper {
    notify: Arc<Notify>,
    _counted: Arc<()>,
    next: Pin<Box<OwnedNotified>>,
}

impl Sleeper {
    /// Only what comes after this wakes.
    pub(super) fn forget(&mut self) {
        self.next.set(self.notify.clone().notified_owned());
    }

    /// Resolves once it was woken since it was made, or forgot.
    pub(super) async fn woken(&mut self) {
        self.next.as_mut().await;
        self.forget();
    }
}
