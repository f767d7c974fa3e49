//! A process between its start and its end: it may die, be told to stop, and stand still for a while.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// A process between its start and its end.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    /// Which replica it is.
    pub replica: usize,
    /// As whom it stands in elections: no two processes have the same.
    pub identity: String,
    /// Cancelled when it dies: everything in it is dropped where it stands.
    pub dead: CancellationToken,
    /// Cancelled when it is told to stop.
    pub stop: CancellationToken,
    frozen: Arc<AtomicBool>,
    /// Wakes in the order of those who wait: tokio's `watch` picks it at random.
    turned: Arc<Notify>,
}

impl Life {
    pub(crate) fn new(replica: usize, start: u64) -> Life {
        Life {
            replica,
            identity: format!("{replica}-{start}"),
            dead: CancellationToken::new(),
            stop: CancellationToken::new(),
            frozen: Arc::default(),
            turned: Arc::default(),
        }
    }

    /// Whether it has not died and was not told to stop.
    pub(crate) fn is_up(&self) -> bool {
        !self.dead.is_cancelled() && !self.stop.is_cancelled()
    }

    pub(crate) fn is_frozen(&self) -> bool {
        self.frozen.load(Ordering::Relaxed)
    }

    /// Has it stand still, or go on. Clocks go on meanwhile, and so does whatever it has sent.
    pub(crate) fn freeze(&self, frozen: bool) {
        self.frozen.store(frozen, Ordering::Relaxed);
        self.turned.notify_waiters();
    }

    /// Does something within the process: not while it stands still, and no more once it has died.
    pub(crate) async fn does<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        loop {
            // From here on no turn is missed.
            let turned = self.turned.notified();
            tokio::select! {
                biased;
                () = self.dead.cancelled() => return None,
                () = turned => {}
                done = &mut work, if !self.is_frozen() => return Some(done),
            }
        }
    }
}
