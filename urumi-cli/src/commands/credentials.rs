//! `urumi credentials`.

use serde_json::json;
use urumi_core::StoreOrchestratorExt as _;

use crate::cli::{CredentialsArgs, GlobalArgs};
use crate::exit::CommandError;
use crate::format::Format;
use crate::output::{Out, facts, safe};
use crate::{lookup, target};

pub(super) async fn run(global: &GlobalArgs, out: &Out, args: &CredentialsArgs) -> Result<(), CommandError> {
    let target = target::connect(global, out).await?;
    let store = &args.which.store;
    let id = match args.reveal {
        true => lookup::exact(&target, out, store).await?.id,
        false => target.stores.find(store).await.map_err(|error| target.explain(error))?.id,
    };
    let credentials = target.stores.credentials(&id, args.reveal).await.map_err(|error| target.explain(error))?;
    let password = credentials.password.as_ref().map(|password| password.reveal());
    let mut shown = json!({"address": credentials.address, "username": credentials.username});
    if let (Some(password), Some(fields)) = (password, shown.as_object_mut()) {
        fields.insert("password".to_owned(), password.into());
    }
    if out.structured(&shown)? {
        return Ok(());
    }
    if out.format() == Some(Format::Name) {
        return out.data(&format!("{}\n", safe(&credentials.username)));
    }
    out.data(&facts(vec![
        ("Address", credentials.address.into()),
        ("Username", credentials.username.into()),
        ("Password", password.unwrap_or("hidden; --reveal shows it").into()),
    ]))
}
