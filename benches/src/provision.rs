//! Create → all objects persisted, one store at a time and fifty at once.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures::future::try_join_all;
use urumi_core::{StoreId, StoreOrchestrator};

use crate::floor::{Floor, Replay};
use crate::setting::{Setting, request};
use crate::stats::{Row, median};

/// Connections that are open before anything is measured, and requests in flight at most, for both.
const WARM: usize = 64;

/// One store at a time: urumi and the floor take turns.
pub(crate) async fn single(setting: &Setting, rounds: usize) -> Result<Row> {
    let floor = Floor::connect(&setting.config, WARM)?;
    floor.warm(WARM).await;
    setting.cluster.warm(WARM).await;
    let (mut floors, mut ours, mut ids) = (Vec::new(), Vec::new(), Vec::new());
    // The first pair warms caches on the server and is not counted.
    for round in 0..=rounds {
        for floors_turn in [round % 2 == 0, round % 2 != 0] {
            let (id, took) = if floors_turn {
                let (id, objects) = setting.objects()?;
                let replay = Replay::of(&objects)?;
                (id, timed(floor.replay(&replay)).await?)
            } else {
                let started = Instant::now();
                let store = setting.urumi.create(request()).await?;
                (store.id, started.elapsed())
            };
            setting.settled(&id).await?;
            ids.push(id);
            if round > 0 {
                if floors_turn { floors.push(took) } else { ours.push(took) }
            }
        }
    }
    setting.remove(&ids).await?;
    Ok(Row::compared("provision one store (median)", median(&ours), median(&floors), "≤ 1.15"))
}

/// Fifty stores at once: the time until the last of them is persisted.
pub(crate) async fn fifty(setting: &Setting, rounds: usize) -> Result<Row> {
    const STORES: usize = 50;
    let floor = Floor::connect(&setting.config, WARM)?;
    let (mut floors, mut ours) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        // Who comes second meets a server that has more behind it, so they take turns.
        for floors_turn in [round % 2 == 0, round % 2 != 0] {
            let mut ids: Vec<StoreId> = Vec::new();
            if floors_turn {
                let mut replays = Vec::new();
                for _ in 0..STORES {
                    let (id, objects) = setting.objects()?;
                    ids.push(id);
                    replays.push(Replay::of(&objects)?);
                }
                floor.warm(WARM).await;
                floors.push(timed(try_join_all(replays.iter().map(|replay| floor.replay(replay)))).await?);
            } else {
                setting.cluster.warm(WARM).await;
                let started = Instant::now();
                let stores = try_join_all((0..STORES).map(|_| setting.urumi.create(request()))).await?;
                ours.push(started.elapsed());
                ids.extend(stores.into_iter().map(|store| store.id));
            }
            setting.remove(&ids).await?;
        }
        eprintln!("  round {}: the floor {:.1?}, urumi {:.1?}", round + 1, floors.last(), ours.last());
    }
    Ok(Row::compared("provision 50 stores at once (median)", median(&ours), median(&floors), "≤ 1.1"))
}

async fn timed<T>(work: impl Future<Output = Result<T>>) -> Result<Duration> {
    let started = Instant::now();
    work.await?;
    Ok(started.elapsed())
}
