//! `urumi credentials`.

use serde_json::json;
use urumi_core::StoreOrchestratorExt as _;

use crate::cli::{Format, GlobalArgs, StoreArg};
use crate::exit::CommandError;
use crate::output::{Out, facts};
use crate::target;

pub(super) async fn run(global: &GlobalArgs, out: &Out, which: &StoreArg, reveal: bool) -> Result<(), CommandError> {
    let target = target::connect(global, out).await?;
    let id = target.stores.find(&which.store).await?.id;
    let credentials = target.stores.credentials(&id, reveal).await?;
    let password = credentials.password.as_ref().map(|password| password.reveal());
    let mut shown = json!({"address": credentials.address, "username": credentials.username});
    if let (Some(password), Some(fields)) = (password, shown.as_object_mut()) {
        fields.insert("password".to_owned(), password.into());
    }
    if out.structured(&shown)? {
        return Ok(());
    }
    if out.format() == Some(Format::Name) {
        return out.data(&format!("{}\n", crate::output::safe(password.unwrap_or(&credentials.username))));
    }
    out.data(&facts(vec![
        ("Address", credentials.address.into()),
        ("Username", credentials.username.into()),
        ("Password", password.unwrap_or("hidden; --reveal shows it").into()),
    ]))
}
