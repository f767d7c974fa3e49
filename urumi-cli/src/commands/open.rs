//! `urumi open`.

use urumi_core::StoreOrchestratorExt as _;

use crate::cli::{GlobalArgs, OpenArgs};
use crate::exit::{CommandError, ExitStatus};
use crate::output::{Out, safe};
use crate::{browser, target};

pub(super) async fn run(global: &GlobalArgs, out: &Out, args: &OpenArgs) -> Result<(), CommandError> {
    let target = target::connect(global, out).await?;
    let store = target.stores.find(&args.which.store).await.map_err(|error| target.explain(error))?;
    let url = match args.admin {
        true => Some(target.stores.credentials(&store.id, false).await.map_err(|error| target.explain(error))?.address),
        false => store.urls.storefront.clone(),
    };
    let Some(url) = url else {
        return Err(CommandError::new(ExitStatus::Other, format!("store {} has no storefront", store.id)));
    };
    if !browser::is_web_address(&url) {
        return Err(CommandError::new(
            ExitStatus::Other,
            format!("the store's URL is not a web address: {}", safe(&url)),
        ));
    }
    // Programs get the URL as data.
    if args.print || out.format().is_some() || !browser::is_available() {
        return if out.structured(&serde_json::json!({"url": url}))? { Ok(()) } else { out.data(&format!("{url}\n")) };
    }
    match browser::open(&url) {
        Ok(()) => out.note(&format!("opened {url}")),
        Err(error) => {
            out.warn(&format!("cannot open a browser: {error}"));
            out.data(&format!("{url}\n"))?;
        }
    }
    Ok(())
}
