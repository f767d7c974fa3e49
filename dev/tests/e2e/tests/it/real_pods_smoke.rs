//! Orders that a store places by itself, on a schedule, and what it makes of one that fails.

use std::time::Instant;

use serde_json::Value;

use crate::node::Node;
use crate::programs::Server;
use crate::shop::Shop;

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_takes_no_orders_is_degraded_until_it_does() {
    let Some(node) = Node::take().await else { return };
    let server = Server::start(&node, &[]).await;
    let shop = Shop::begin(&node, &server, "smoke", &["smoke.schedule=* * * * *"]);
    shop.opens(&server);
    // After an order nothing is under way for most of a minute.
    shop.kubectl(&["wait", "cronjob/smoke", "--for=jsonpath={.status.lastSuccessfulTime}", "--timeout", "8m"]);

    // Somebody takes away every way of delivery: each part of the store is well, and nobody can buy.
    let began = Instant::now();
    let taken = "with taken as (update shipping_option set deleted_at = now() where deleted_at is null returning id) \
                 select string_agg(quote_literal(id), ', ') from taken";
    let taken = shop.sql(taken);
    shop.turns("degraded");
    println!("degraded: {:.0} s after what it lacks was taken", began.elapsed().as_secs_f64());
    let state = shop.state(&server);
    let told = "SmokeTestFailed smoke order: choose shipping: the page /checkout/shipping has no field option";
    assert_eq!((state.status.as_str(), state.reason.as_str()), ("degraded", told));
    let failed = condition(&server, &shop);
    assert_eq!((&failed["status"], &failed["reason"]), (&"False".into(), &"SmokeTestFailed".into()), "{failed}");
    assert!(failed["message"].as_str().unwrap().starts_with("choose shipping: "), "{failed}");

    let began = Instant::now();
    shop.sql(&format!("update shipping_option set deleted_at = null where id in ({taken})"));
    server.urumi(&["wait", &shop.id, "--timeout", "8m"]);
    println!("ready: {:.0} s after it was given back", began.elapsed().as_secs_f64());
    let well = condition(&server, &shop);
    assert_eq!((&well["status"], &well["reason"]), (&"True".into(), &"Succeeded".into()), "{well}");
    let orders = "select count(*) filter (where status = 'canceled') > 0, count(*) filter (where status <> 'canceled') \
                  from \"order\" where email = 'smoke-test@urumi.invalid'";
    assert_eq!(shop.sql(orders), "t|0", "what was ordered is taken back");
    shop.closes(&server);
}

/// What is on record of the store's orders.
fn condition(server: &Server, shop: &Shop) -> Value {
    let store: Value = serde_json::from_str(&server.urumi(&["get", &shop.id, "-o", "json"])).unwrap();
    let conditions = store["conditions"].as_array().unwrap();
    conditions.iter().find(|condition| condition["type"] == "SmokeTest").cloned().unwrap_or_default()
}
