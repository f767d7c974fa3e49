//! Ten stores side by side on one small node.

use std::time::Instant;

use futures::stream::{self, StreamExt as _};

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
    for (shop, customer) in shops.iter().zip(&customers) {
        let order = customer.buy().await;
        assert_eq!(shop.sql("select id from \"order\""), order["id"].as_str().unwrap(), "{}", shop.id);
    }
    println!("the first order in each, one after another: {:.1} s", buying.elapsed().as_secs_f64());
    // As many at a time as the node has cores: what more load does to one store, another test tells.
    let buying = Instant::now();
    let rounds = stream::iter((0..4).flat_map(|_| &customers).map(Customer::buy));
    let orders = rounds.buffer_unordered(2).count().await;
    println!("{orders} more, two at a time: {:.1} s", buying.elapsed().as_secs_f64());
    for shop in &shops {
        assert_eq!(shop.sql("select count(*) from \"order\""), "5", "{}", shop.id);
    }
    print_usage("after five orders each", &shops);

    let deleting = Instant::now();
    for shop in &shops {
        server.urumi(&["delete", &shop.id, "--yes"]);
    }
    for shop in &shops {
        server.urumi(&["wait", &shop.id, "--for", "deleted", "--timeout", "8m"]);
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
