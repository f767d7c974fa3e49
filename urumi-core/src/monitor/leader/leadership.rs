//! Whether one leads now: asked of the clock each time, since the answer ends by itself.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// For how long one leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Term {
    /// One does not.
    Over,
    /// Until then, unless it is renewed.
    Until(Instant),
    /// Until somebody says otherwise.
    Open,
}

impl Term {
    fn holds(self, now: Instant) -> bool {
        match self {
            Term::Over => false,
            Term::Until(end) => now < end,
            Term::Open => true,
        }
    }
}

/// Whether this process leads. Clones are of the same leadership.
#[derive(Clone, Debug)]
pub struct Leadership {
    term: watch::Receiver<Term>,
}

/// Says who leads where it is not elected by this crate.
#[derive(Debug)]
pub struct Appointment(watch::Sender<Term>);

impl Appointment {
    /// Gives or takes the leadership.
    pub fn set(&self, leads: bool) {
        self.0.send_replace(if leads { Term::Open } else { Term::Over });
    }
}

impl Leadership {
    pub(super) fn new() -> (watch::Sender<Term>, Leadership) {
        let (sender, term) = watch::channel(Term::Over);
        (sender, Leadership { term })
    }

    /// A leadership that somebody else gives and takes. It stays as it is once the [`Appointment`] is dropped.
    pub fn appointed(leads: bool) -> (Appointment, Leadership) {
        let (sender, leadership) = Leadership::new();
        let appointment = Appointment(sender);
        appointment.set(leads);
        (appointment, leadership)
    }

    /// Whether this process leads at this moment, by the monotonic clock: also right after a pause of any length.
    pub fn holds(&self) -> bool {
        self.term.borrow().holds(Instant::now())
    }

    /// Resolves when this process no longer leads; at once where it does not.
    pub async fn ended(&mut self) {
        while self.holds() {
            let end = match *self.term.borrow_and_update() {
                Term::Until(end) => Some(end),
                Term::Over | Term::Open => None,
            };
            let due = async {
                match end {
                    Some(end) => sleep_until(end).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => {}
                () = changed(&mut self.term) => {}
            }
        }
    }

    /// Resolves when this process leads; at once where it does.
    pub async fn began(&mut self) {
        while !self.holds() {
            self.term.borrow_and_update();
            if self.holds() {
                return;
            }
            changed(&mut self.term).await;
        }
    }

    /// Does some work for as long as this process leads; none where it ceased to before the work was done. The clock is
    /// asked each time before the work goes on, so that a process that was paused does not finish what it had begun.
    pub async fn while_held<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut watching = self.clone();
        let mut ended = pin!(watching.ended());
        let mut work = pin!(work);
        poll_fn(|context| {
            if !self.holds() || ended.as_mut().poll(context).is_ready() {
                return Poll::Ready(None);
            }
            work.as_mut().poll(context).map(Some)
        })
        .await
    }
}

/// Resolves when the term was changed; never, where nobody can change it any more.
async fn changed(term: &mut watch::Receiver<Term>) {
    if term.changed().await.is_err() {
        std::future::pending().await
    }
}
