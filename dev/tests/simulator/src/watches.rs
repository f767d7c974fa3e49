//! Watches whose events are late, come twice, or are seen only with the next listing.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, stream};
use tokio::time::{Instant, sleep_until};
use urumi_core::cluster::{ClusterBackend, WatchStream};
use urumi_core::kubernetes::{ClusterError, ClusterErrorKind, Query, Verb, WatchEvent};

use crate::world::World;

type Event = Result<WatchEvent, ClusterError>;

struct Unsteady {
    world: Arc<World>,
    query: Query,
    source: Option<WatchStream>,
    /// What is on its way, with the time at which it arrives; in order.
    coming: VecDeque<(Instant, Event)>,
    /// When to list again.
    lists_at: Option<Instant>,
}

/// A watch of a world's cluster, as its weather lets it be seen. It keeps the contract: the order of the server, and a
/// new snapshot after each gap.
pub(crate) fn unsteady(world: Arc<World>, query: Query) -> WatchStream {
    let watch = Unsteady { world, query, source: None, coming: VecDeque::new(), lists_at: None };
    stream::unfold(watch, |mut watch| async move { Some((watch.next().await, watch)) }).boxed()
}

impl Unsteady {
    async fn next(&mut self) -> Event {
        loop {
            let Some(source) = &mut self.source else {
                if let Some(at) = self.lists_at.take() {
                    sleep_until(at).await;
                }
                self.source = Some(self.world.cluster.watch(&self.query));
                continue;
            };
            let first = self.coming.front().map(|(at, _)| *at);
            let arrives = async {
                match first {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = arrives => {
                    if let Some((_, event)) = self.coming.pop_front() {
                        return event;
                    }
                }
                Some(event) = source.next() => self.take(event),
            }
        }
    }

    /// Sends an event on its way, or loses the connection before it.
    fn take(&mut self, event: Event) {
        let fate = self.world.event_fate();
        let now = Instant::now();
        let after_others = |late: Duration, last: Option<Instant>| last.map_or(now + late, |last| last.max(now + late));
        let at = after_others(fate.late, self.coming.back().map(|(at, _)| *at));
        if let Some(pause) = fate.gap {
            self.source = None;
            self.lists_at = Some(now + pause);
            let lost =
                ClusterError::new(Verb::Watch, &self.query, ClusterErrorKind::Unreachable, "the connection is lost");
            self.coming.push_back((at, Err(lost)));
            return;
        }
        if let (true, Ok(event @ WatchEvent::Applied(_))) = (fate.repeated, &event) {
            self.coming.push_back((at, Ok(event.clone())));
        }
        self.coming.push_back((at, event));
    }
}
