//! `urumi list`.

use urumi_core::store::status::StoreStatus;

use crate::cli::GlobalArgs;
use crate::exit::CommandError;
use crate::output::Out;
use crate::target;

pub(super) async fn run(global: &GlobalArgs, out: &Out, wanted: &[StoreStatus]) -> Result<(), CommandError> {
    let mut stores = target::connect(global, out).await?.stores.list().await?;
    let before = stores.len();
    if !wanted.is_empty() {
        stores.retain(|store| wanted.contains(&store.status));
    }
    if stores.is_empty() {
        out.structured(&stores)?;
        out.note(match before {
            0 => "there are no stores; `urumi create NAME` creates one",
            _ => "no store has this status",
        });
        return Ok(());
    }
    out.stores(&stores)
}
