//! `urumi list`.

use jiff::Timestamp;

use super::{get, watch};
use crate::cli::{GlobalArgs, ListArgs};
use crate::exit::CommandError;
use crate::output::{Out, StoreTable};
use crate::target;

pub(super) async fn run(global: &GlobalArgs, out: &Out, args: &ListArgs) -> Result<(), CommandError> {
    if args.watch {
        return watch::run(global, out, None, &args.listed).await;
    }
    let target = target::connect(global, out).await?;
    args.listed.filter.check(target.via())?;
    let mut stores = target.stores.list().await.map_err(|error| target.explain(error))?;
    let before = stores.len();
    stores.retain(|store| args.listed.matches(store));
    args.sort.sort(&mut stores);
    stores.truncate(args.limit.unwrap_or(usize::MAX));
    if stores.is_empty() {
        out.structured(&stores)?;
        out.note(match before {
            0 => "there are no stores; `urumi create NAME` creates one",
            _ => "no store matches",
        });
        // A server would need another request.
        if let (Some(engine), Some(_)) = (&args.listed.filter.engine, target.as_cluster()) {
            let known = target.stores.engines().await.map_err(|error| target.explain(error))?;
            if known.iter().all(|known| known.name != *engine) {
                out.warn(&format!("there is no engine {engine:?}; `urumi engines` lists the engines"));
            }
        }
        return Ok(());
    }
    if out.is_for_people() {
        out.data(&StoreTable::new(out.is_wide(), !args.listed.no_headers).rows(&stores, Timestamp::now()))?;
        get::mention_monitor(&target, out, &stores);
        return Ok(());
    }
    out.stores(&stores)
}
