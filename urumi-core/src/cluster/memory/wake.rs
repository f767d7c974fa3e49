//! Wakes waiting tasks in the order in which they began to wait. tokio's `watch` wakes them in a random order, which would
//! make simulations differ from run to run.

use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

/// Wakes its subscribers.
#[derive(Default)]
pub(super) struct Wake {
    notify: Arc<Notify>,
    sleepers: Arc<()>,
}

impl Wake {
    /// A subscriber that is woken from now on.
    pub(super) fn subscribe(&self) -> Sleeper {
        let next = Box::pin(self.notify.clone().notified_owned());
        Sleeper { notify: self.notify.clone(), _counted: self.sleepers.clone(), next }
    }

    /// The number of subscribers.
    pub(super) fn sleepers(&self) -> usize {
        Arc::strong_count(&self.sleepers) - 1
    }

    pub(super) fn wake(&self) {
        self.notify.notify_waiters();
    }
}

/// A subscriber of a [`Wake`].
pub(super) struct Sleeper {
    notify: Arc<Notify>,
    _counted: Arc<()>,
    next: Pin<Box<OwnedNotified>>,
}

impl Sleeper {
    /// Forgets earlier wake-ups.
    pub(super) fn forget(&mut self) {
        self.next.set(self.notify.clone().notified_owned());
    }

    /// Resolves after a wake-up since the creation or the last `forget`.
    pub(super) async fn woken(&mut self) {
        self.next.as_mut().await;
        self.forget();
    }
}
