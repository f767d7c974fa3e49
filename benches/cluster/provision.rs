//! The time from the request until all objects are persisted, for one store at a time and fifty at once.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures::future::try_join_all;
use urumi_core::{StoreId, StoreOrchestrator};

use urumi_benches::cluster::{BenchCluster, request};
use urumi_benches::floor::{Floor, Replay};
use urumi_benches::stats::{Row, median};

/// The number of connections opened before the measurement, and the maximum number of concurrent requests.
const WARM: usize = 64;

/// One store at a time. Urumi and the floor alternate.
pub(crate) async fn single(cluster: &BenchCluster, rounds: usize) -> Result<Row> {
    let floor = Floor::connect(&cluster.config, WARM)?;
    floor.warm(WARM).await;
    cluster.backend.warm(WARM).await;
    let (mut floors, mut ours, mut ids) = (Vec::new(), Vec::new(), Vec::new());
    // The first round warms the server's caches and is not counted.
    for round in 0..=rounds {
        for floors_turn in [round % 2 == 0, round % 2 != 0] {
            let (id, took) = if floors_turn {
                let (id, objects) = cluster.objects()?;
                let replay = Replay::of(&objects)?;
                (id, timed(floor.replay(&replay)).await?)
            } else {
                let started = Instant::now();
                let store = cluster.urumi.create(request()).await?.into_store();
                (store.id, started.elapsed())
            };
            cluster.settled(&id).await?;
            ids.push(id);
            if round > 0 {
                if floors_turn { floors.push(took) } else { ours.push(took) }
            }
        }
    }
    cluster.remove(&ids).await?;
    Ok(Row::compared("provision one store (median)", median(&ours), median(&floors), "≤ 1.15"))
}

/// Fifty stores at once: the time until the last one is persisted.
pub(crate) async fn fifty(cluster: &BenchCluster, rounds: usize) -> Result<Row> {
    const STORES: usize = 50;
    let floor = Floor::connect(&cluster.config, WARM)?;
    let (mut floors, mut ours) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        // Alternate the order, because the server slows down over time.
        for floors_turn in [round % 2 == 0, round % 2 != 0] {
            let mut ids: Vec<StoreId> = Vec::new();
            if floors_turn {
                let mut replays = Vec::new();
                for _ in 0..STORES {
                    let (id, objects) = cluster.objects()?;
                    ids.push(id);
                    replays.push(Replay::of(&objects)?);
                }
                floor.warm(WARM).await;
                floors.push(timed(try_join_all(replays.iter().map(|replay| floor.replay(replay)))).await?);
            } else {
                cluster.backend.warm(WARM).await;
                let started = Instant::now();
                let stores = try_join_all((0..STORES).map(|_| cluster.urumi.create(request()))).await?;
                ours.push(started.elapsed());
                ids.extend(stores.into_iter().map(|creation| creation.into_store().id));
            }
            cluster.remove(&ids).await?;
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
