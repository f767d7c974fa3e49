//! Many customers at once, and two replicas of the API.

use std::collections::BTreeSet;
use std::time::Instant;

use futures::future::join_all;

use crate::customer::Customer;
use crate::node::Node;
use crate::programs::Server;
use crate::shop::Shop;

#[tokio::test(flavor = "multi_thread")]
async fn ten_orders_at_once_are_ten_orders() {
    let Some(node) = Node::take().await else { return };
    let server = Server::start(&node, &[]).await;
    let shop = Shop::begin(&node, &server, "orders", &["api.replicas=2"]);
    shop.opens(&server);
    let customer = Customer::of(&shop);

    // Each replica by an address of its own, as the Service would choose between them.
    let addresses = shop.kubectl(&[
        "get",
        "pods",
        "-l",
        "app.kubernetes.io/name=medusa-api",
        "-o",
        "jsonpath={range .items[*]}{.status.podIP}{\"\\n\"}{end}",
    ]);
    let replicas: Vec<Customer> =
        addresses.lines().map(|address| customer.at(&format!("http://{address}:9000"))).collect();
    assert_eq!(replicas.len(), 2);

    let began = Instant::now();
    // Ten people: Medusa refuses one who is new to it in two carts at the same moment.
    let customers: Vec<Customer> = (0..10).map(|n| customer.called(&format!("customer-{n}"))).collect();
    let carts = join_all(customers.iter().map(Customer::fill_cart)).await;
    let filled = began.elapsed();
    // Every cart is completed at both replicas at once, as a customer does who clicks twice.
    let completions = carts.iter().flat_map(|cart| replicas.iter().map(move |replica| replica.complete(cart)));
    let answers = join_all(completions).await;
    println!("ten carts filled: {:.1} s", filled.as_secs_f64());
    println!("completed twice each: {:.1} s", (began.elapsed() - filled).as_secs_f64());

    let mut orders = BTreeSet::new();
    for (cart, answers) in carts.iter().zip(answers.chunks(replicas.len())) {
        for (status, answer) in answers {
            // Who is told that another request is at work may ask again.
            assert!(matches!(status, 200 | 409), "{status}: {answer}");
            if *status == 200 {
                orders.insert(answer["order"]["id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned());
            }
        }
        // On a busy machine that happens to both, since all buy the same thing and wait for each other. Nobody is at work now.
        if answers.iter().all(|(status, _)| *status == 409) {
            let (status, answer) = customer.complete(cart).await;
            assert_eq!(status, 200, "{answer}");
            orders.insert(answer["order"]["id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned());
        }
    }
    assert_eq!(orders.len(), 10, "{orders:?}");
    assert_eq!(shop.sql("select count(*) from \"order\""), "10");
    assert_eq!(shop.sql("select count(distinct cart_id) from order_cart"), "10");

    // A customer whose answer was lost asks again and finds the same order.
    for cart in &carts {
        let (status, answer) = customer.complete(cart).await;
        assert!(status == 200 && orders.contains(answer["order"]["id"].as_str().unwrap()), "{status}: {answer}");
    }
    assert_eq!(shop.sql("select count(*) from \"order\""), "10");
    let twice = "select count(*) from (select sum(reserved_quantity) as reserved from inventory_level) as t \
                 where reserved = (select count(*) from order_item)";
    assert_eq!(shop.sql(twice), "1", "each order has reserved its goods once");
    shop.closes(&server);
}
