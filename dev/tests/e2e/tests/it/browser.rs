//! A real browser in front of a shop, or of two: the tests of dev/tests/browser.

use std::net::IpAddr;

use tokio::process::Command;

use crate::shop::Shop;

/// Runs them; `arguments` say which.
pub(crate) async fn run(shop: &Shop, address: IpAddr, arguments: &[&str]) {
    start(shop, address, arguments, &[]).await;
}

/// Runs those for a browser that goes from one shop to another.
pub(crate) async fn run_in_both(shop: &Shop, other: &Shop, address: IpAddr) {
    start(shop, address, &["two-shops"], &[("OTHER_SHOP_URL", other.storefront())]).await;
}

async fn start(shop: &Shop, address: IpAddr, arguments: &[&str], environment: &[(&str, String)]) {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../browser/run");
    let status = Command::new(program)
        .args(arguments)
        .env("SHOP_URL", shop.storefront())
        .env("SHOP_ADDRESS", address.to_string())
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .status()
        .await
        .unwrap();
    assert!(status.success(), "the browser's tests in {} failed", shop.id);
}
