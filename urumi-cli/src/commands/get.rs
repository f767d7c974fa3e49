//! `urumi get`.

use urumi_core::StoreOrchestratorExt as _;

use crate::cli::{GlobalArgs, StoreArg};
use crate::exit::CommandError;
use crate::output::Out;
use crate::target;

pub(super) async fn run(global: &GlobalArgs, out: &Out, which: &StoreArg) -> Result<(), CommandError> {
    let store = target::connect(global, out).await?.stores.find(&which.store).await?;
    out.details(&store)
}
