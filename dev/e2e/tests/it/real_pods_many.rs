//! Ten stores side by side on one small node.

use std::time::Instant;

use futures::future::join_all;

use crate::customer::Customer;
use crate::node::Node;
use crate::programs::Server;
use crate::shop::Shop;
use crate::usage;

/// How many: their requests for CPU fill a node of two cores.
const STORES: usize = 10;

#[tokio::test(flavor = "multi_thread")]
async fn ten_stores_sell_side_by_side() {
    let Some(node) = Node::take().await else { return };
    let server = Server::start(&node, &[]).await;

    let began = Instant::now();
    let shops: Vec<Shop> = (0..STORES).map(|n| Shop::begin(&node, &server, &format!("many-{n}"), &[])).collect();
    println!("{STORES} stores asked for: {:.1} s", began.elapsed().as_secs_f64());
    for shop in &shops {
        shop.opens(&server);
        println!("{} is ready: {:.1} s", shop.id, began.elapsed().as_secs_f64());
    }
    print_usage("at rest", &shops);

    let buying = Instant::now();
    let customers: Vec<Customer> = shops.iter().map(Customer::of).collect();
    let orders = join_all(customers.iter().map(Customer::buy)).await;
    println!("an order in each, all at once: {:.1} s", buying.elapsed().as_secs_f64());
    for (shop, order) in shops.iter().zip(&orders) {
        assert_eq!(shop.sql("select id from \"order\""), order["id"].as_str().unwrap(), "{}", shop.id);
    }
    // More orders, one after another in each store.
    let buying = Instant::now();
    join_all(customers.iter().map(|customer| async {
        for _ in 0..4 {
            customer.buy().await;
        }
    }))
    .await;
    println!("four more in each: {:.1} s", buying.elapsed().as_secs_f64());
    print_usage("after five orders each", &shops);

    let deleting = Instant::now();
    for shop in &shops {
        server.urumi(&["delete", &shop.id, "--yes"]);
    }
    for shop in &shops {
        server.urumi(&["wait", &shop.id, "--for", "deleted", "--timeout", "3m"]);
    }
    println!("{STORES} stores deleted: {:.1} s", deleting.elapsed().as_secs_f64());
}

/// Prints a part's mean and its largest memory over all stores, and what CPU time it has taken.
fn print_usage(when: &str, shops: &[Shop]) {
    let all: Vec<_> = shops.iter().map(usage::of).collect();
    let count = all.len() as f64;
    for (n, (part, _)) in usage::of(&shops[0]).iter().enumerate() {
        let mean = |what: fn(&usage::Usage) -> f64| all.iter().map(|parts| what(&parts[n].1)).sum::<f64>() / count;
        let most = all.iter().map(|parts| parts[n].1.working_set).fold(0.0, f64::max);
        println!(
            "{when}: {part}: resident {:.0} MiB, working set {:.0} MiB (at most {most:.0}), CPU since its start {:.2} s",
            mean(|u| u.resident),
            mean(|u| u.working_set),
            mean(|u| u.cpu)
        );
    }
}
