//! How many requests are under way at once: fewer while the API server is overloaded.
//!
//! An API server whose priority level is full answers with 429. Requests that are sent again after their `Retry-After`, all at
//! once, meet the same full queue, and keep other clients of the level waiting. So the limit is halved by such an answer, and
//! grows by one after as many answers as it allows requests, as TCP does with its window.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// The requests that were under way together when the server was overloaded are refused together: they halve the limit once.
const TOGETHER: Duration = Duration::from_secs(1);

/// The limit of requests under way.
pub(super) struct Limit {
    most: usize,
    slots: Semaphore,
    state: Mutex<State>,
}

struct State {
    limit: usize,
    /// How many more requests are under way than the limit allows. Their slots are not used again.
    surplus: usize,
    /// The answers since the limit changed.
    answers: usize,
    halved: Option<Instant>,
}

/// A request under way.
pub(super) struct Slot<'a> {
    limit: &'a Limit,
    permit: Option<SemaphorePermit<'a>>,
}

impl Limit {
    /// At most this many requests, and at least one.
    pub(super) fn new(most: usize) -> Self {
        let most = most.clamp(1, Semaphore::MAX_PERMITS);
        let state = State { limit: most, surplus: 0, answers: 0, halved: None };
        Limit { most, slots: Semaphore::new(most), state: Mutex::new(state) }
    }

    /// Waits until one more request is allowed.
    pub(super) async fn slot(&self) -> Slot<'_> {
        // The semaphore is never closed.
        Slot { limit: self, permit: self.slots.acquire().await.ok() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot<'_> {
    /// Takes in that the server has answered the request.
    pub(super) fn answered(&self) {
        let mut state = self.limit.state();
        state.answers += 1;
        if state.limit < self.limit.most && state.answers >= state.limit {
            state.limit += 1;
            state.answers = 0;
            if state.surplus > 0 {
                state.surplus -= 1;
            } else {
                self.limit.slots.add_permits(1);
            }
        }
    }

    /// Takes in that the server has refused the request because it is overloaded.
    pub(super) fn refused(&self) {
        let mut state = self.limit.state();
        state.answers = 0;
        if state.halved.is_none_or(|at| at.elapsed() >= TOGETHER) {
            state.halved = Some(Instant::now());
            let fewer = state.limit / 2;
            state.limit -= fewer;
            state.surplus += fewer - self.limit.slots.forget_permits(fewer);
        }
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut state = self.limit.state();
        if state.surplus > 0 {
            state.surplus -= 1;
            self.permit.take().into_iter().for_each(SemaphorePermit::forget);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use futures::future::join_all;

    use super::*;

    /// How many requests are allowed now.
    fn allowed(limit: &Limit) -> usize {
        std::iter::from_fn(|| limit.slot().now_or_never()).collect::<Vec<_>>().len()
    }

    #[tokio::test(start_paused = true)]
    async fn an_overloaded_server_is_asked_less() {
        let limit = Limit::new(8);
        let slots = join_all((0..8).map(|_| limit.slot())).await;
        for slot in &slots {
            slot.refused();
        }
        assert_eq!(allowed(&limit), 0);
        drop(slots);
        assert_eq!(allowed(&limit), 4);
        for expected in [2, 1, 1] {
            tokio::time::advance(TOGETHER).await;
            limit.slot().await.refused();
            assert_eq!(allowed(&limit), expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_answers_again_is_asked_more_step_by_step() {
        let limit = Limit::new(4);
        limit.slot().await.refused();
        assert_eq!(allowed(&limit), 2);
        for expected in [2, 3, 3, 3, 4, 4] {
            limit.slot().await.answered();
            assert_eq!(allowed(&limit), expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_that_grows_while_too_many_are_under_way_allows_no_more() {
        let limit = Limit::new(4);
        let slots = join_all((0..4).map(|_| limit.slot())).await;
        slots[0].refused();
        slots[1].answered();
        slots[1].answered();
        drop(slots);
        assert_eq!(allowed(&limit), 3);
    }
}
