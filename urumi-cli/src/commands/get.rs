//! `urumi get`.

use urumi_core::StoreOrchestratorExt as _;

use crate::cli::{Global, Which};
use crate::exit::Failure;
use crate::output::Out;
use crate::target;

pub(super) async fn run(global: &Global, out: &Out, which: &Which) -> Result<(), Failure> {
    let store = target::connect(global, out).await?.stores.find(&which.store).await?;
    out.details(&store)
}
