//! A shop's year: it is changed, and taken back, while people buy in it. No order is lost.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::customer::Customer;
use crate::node::Node;
use crate::programs::Server;
use crate::shop::Shop;

/// How often somebody buys.
///
/// A store with the default resources takes some twenty orders a minute, fewer while the pods of a change start.
const EVERY: Duration = Duration::from_secs(4);
/// What `urumi update --wait` and `urumi rollback --wait` exit with if the change was taken back.
const TAKEN_BACK: i32 = 6;

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_sells_while_it_is_changed() {
    let Some(node) = Node::take().await else { return };
    let server = Server::start(&node, &[]).await;
    let shop = Shop::begin(&node, &server, "year", &["storefront.replicas=1"]);
    shop.opens(&server);
    let customer = Customer::of(&shop);
    customer.buy().await;

    let closing = CancellationToken::new();
    let sales = tokio::spawn(sales(customer.clone(), closing.clone()));
    let change = |what: &str, args: &[&str]| {
        let began = Instant::now();
        tokio::task::block_in_place(|| {
            server.urumi(&[&["update", &shop.id, "--wait", "--timeout", "8m"], args].concat());
        });
        println!("{what}: {:.1} s", began.elapsed().as_secs_f64());
    };
    // The name and the colours are seen at once, and nothing restarts.
    let storefront = pod_names(&shop, "medusa-storefront");
    let began = Instant::now();
    let look = ["update", &shop.id, "--name", "Other", "--set", "storefront.theme.colors.accent=#0a7d4f"];
    tokio::task::block_in_place(|| server.urumi(&look));
    let accepted = Instant::now();
    let seen = async {
        while !shop.browser().get(shop.storefront()).send().await.unwrap().text().await.unwrap().contains("Other") {}
    };
    tokio::time::timeout(Duration::from_secs(120), seen).await.unwrap();
    let [request, visitor] = [accepted - began, accepted.elapsed()].map(|time| time.as_secs_f64());
    println!("name and colours: the command took {request:.1} s, and a visitor saw them {visitor:.1} s later");
    assert_eq!(pod_names(&shop, "medusa-storefront"), storefront);
    change("storefront, 1 to 3 replicas", &["--set", "storefront.replicas=3"]);
    assert_eq!(pods(&shop, "medusa-storefront"), 3);
    change("API, 1 to 2 replicas with Redis", &["--set", "api.replicas=2"]);
    assert_eq!((pods(&shop, "medusa-api"), pods(&shop, "redis")), (2, 1));
    change("API, 2 replicas to 1 without Redis", &["--set", "api.replicas=1", "--unset", "redis"]);
    change("API, resources", &["--set", "api.resources.requests.memory=300Mi"]);
    change("API, a variable", &["--set", "api.env.GREETING=hello"]);

    // An image that does not exist: the store returns to the revision before by itself, and says why.
    let began = Instant::now();
    let typo = ["update", &shop.id, "--set", "api.image=registry.invalid/typo:1", "--reason", "a typo"];
    let (code, stdout, stderr) =
        tokio::task::block_in_place(|| server.urumi_may_fail(&[&typo[..], &["--wait", "--timeout", "8m"]].concat()));
    assert_eq!(code, TAKEN_BACK, "{stdout}{stderr}");
    println!("an image that does not exist, taken back: {:.1} s", began.elapsed().as_secs_f64());
    let history: Value = serde_json::from_str(&server.urumi(&["history", &shop.id, "-o", "json"])).unwrap();
    let failed = history.as_array().unwrap().iter().find(|revision| revision["reason"] == "a typo").unwrap();
    let why = failed["failure"].as_str().unwrap_or_else(|| panic!("{failed}"));
    assert!(why.contains("registry.invalid/typo:1"), "{why}");

    let began = Instant::now();
    tokio::task::block_in_place(|| server.urumi(&["rollback", &shop.id, "--to", "2", "--wait", "--timeout", "8m"]));
    println!("back to revision 2 by hand: {:.1} s", began.elapsed().as_secs_f64());
    shop.turns("ready");
    closing.cancel();
    let sales = sales.await.unwrap();

    let lost: Vec<&String> = sales.iter().filter_map(|sale| sale.as_ref().err()).collect();
    assert!(lost.is_empty(), "{} of {}: {lost:#?}", lost.len(), sales.len());
    let orders: BTreeSet<&String> = sales.iter().filter_map(|sale| sale.as_ref().ok()).collect();
    assert!(orders.len() == sales.len() && sales.len() > 20, "{} orders, {} sales", orders.len(), sales.len());
    // With the one before the first change.
    assert_eq!(shop.sql("select count(*) from \"order\""), (orders.len() + 1).to_string());
    println!("{} orders while the shop was changed", orders.len());

    // Another domain: the shop moves, and is back at its old address after the way back.
    change("domain", &["--set", "domain=example.localtest.me"]);
    let hosts = |shop: &Shop| shop.kubectl(&["get", "ingresses", "-o", "jsonpath={.items[*].spec.rules[*].host}"]);
    assert!(hosts(&shop).contains("year.example.localtest.me"), "{}", hosts(&shop));
    server.urumi(&["rollback", &shop.id, "--wait", "--timeout", "8m"]);
    assert!(!hosts(&shop).contains("example.localtest.me"), "{}", hosts(&shop));
    customer.buy().await;
    shop.closes(&server);
}

/// The names of a part's pods.
fn pod_names(shop: &Shop, part: &str) -> String {
    shop.kubectl(&["get", "pods", "-l", &format!("app.kubernetes.io/name={part}"), "-o", "name"])
}

/// How many pods of a part are ready.
fn pods(shop: &Shop, part: &str) -> usize {
    let path = "jsonpath={range .items[*]}{.status.conditions[?(@.type==\"Ready\")].status}{\"\\n\"}{end}";
    let ready = shop.kubectl(&["get", "pods", "-l", &format!("app.kubernetes.io/name={part}"), "-o", path]);
    ready.lines().filter(|status| *status == "True").count()
}

/// Somebody buys at a steady rate until the shop closes: the ids of the orders, and why there is none.
async fn sales(customer: Customer, closing: CancellationToken) -> Vec<Result<String, String>> {
    let mut beat = tokio::time::interval(EVERY);
    let mut sales = JoinSet::new();
    let mut number = 0;
    while closing.run_until_cancelled(beat.tick()).await.is_some() {
        number += 1;
        let customer = customer.called(&format!("customer-{number}"));
        sales.spawn(async move { customer.buy().await["id"].as_str().unwrap().to_owned() });
    }
    let mut all = Vec::new();
    while let Some(sale) = sales.join_next().await {
        all.push(sale.map_err(|error| match error.try_into_panic() {
            Ok(panic) => panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "it panicked".to_owned()),
            Err(error) => error.to_string(),
        }));
    }
    all
}
