//! A real browser in front of a shop: the tests of dev/browser.

use std::net::IpAddr;

use tokio::process::Command;

use crate::shop::Shop;

/// Runs them; `arguments` say which.
pub(crate) async fn run(shop: &Shop, address: IpAddr, arguments: &[&str]) {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../browser/run");
    let status = Command::new(program)
        .args(arguments)
        .env("SHOP_URL", shop.storefront())
        .env("SHOP_ADDRESS", address.to_string())
        .status()
        .await
        .unwrap();
    assert!(status.success(), "the browser's tests in {} failed", shop.id);
}
