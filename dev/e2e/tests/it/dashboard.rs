//! A person at the dashboard of a server, in a real browser: the tests of dev/dashboard that are meant for any server.

use std::path::Path;

use tokio::process::Command;

use crate::programs::Server;
use crate::shop::Shop;

/// What the person chooses.
pub(crate) struct Choices<'a> {
    pub(crate) name: &'a str,
    pub(crate) accent: &'a str,
    pub(crate) logo: &'a Path,
}

/// Makes the store by clicks, with two storefronts.
pub(crate) async fn create(server: &Server, shop: &Shop, choices: Choices<'_>) {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../dashboard/run");
    let status = Command::new(program)
        .env("DASHBOARD_URL", &server.url)
        .env("STORE_ID", &shop.id)
        .env("STORE_NAME", choices.name)
        .env("STORE_ACCENT", choices.accent)
        .env("STORE_LOGO", choices.logo)
        .status()
        .await
        .unwrap();
    assert!(status.success(), "the store {} could not be made by clicks", shop.id);
}
