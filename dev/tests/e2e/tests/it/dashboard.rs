//! A person at the platform's dashboard, in a real browser: the tests of dev/tests/dashboard that are meant for any server.

use std::path::Path;

use tokio::process::Command;

use crate::platform::Platform;
use crate::shop::Shop;

/// What the person chooses.
pub(crate) struct Choices<'a> {
    pub(crate) name: &'a str,
    pub(crate) accent: &'a str,
    pub(crate) logo: &'a Path,
}

/// Signs in and makes the store by clicks, with two storefronts.
pub(crate) async fn create(platform: &Platform, shop: &Shop, choices: Choices<'_>) {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../dashboard/run");
    let status = Command::new(program)
        .env("DASHBOARD_URL", Platform::DASHBOARD)
        .env("DASHBOARD_ADDRESS", platform.ingress.ip().to_string())
        .env("DASHBOARD_TOKEN", &platform.token)
        .env("STORE_ID", &shop.id)
        .env("STORE_NAME", choices.name)
        .env("STORE_ACCENT", choices.accent)
        .env("STORE_LOGO", choices.logo)
        .status()
        .await
        .unwrap();
    assert!(status.success(), "the store {} could not be made by clicks", shop.id);
}
