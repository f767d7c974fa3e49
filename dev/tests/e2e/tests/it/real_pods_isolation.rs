//! Two stores side by side, neither of which gets at what is the other's.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::Value;

use crate::browser;
use crate::customer::{Administrator, Customer};
use crate::kubectl::kubectl;
use crate::node::Node;
use crate::policies::{Judge, addresses, assert_same, expected, world};
use crate::programs::Server;
use crate::shop::Shop;

#[tokio::test(flavor = "multi_thread")]
async fn a_store_gets_at_nothing_of_another() {
    let Some(node) = Node::take().await else { return };
    let Some(judge) = Judge::find() else { return };
    let server = Server::start(&node, &[]).await;
    let one = Shop::begin(&node, &server, "one", &[]);
    let other = Shop::begin(&node, &server, "other", &[]);
    one.opens(&server);
    other.opens(&server);

    databases_are_their_own(&one, &other);
    orders_keys_and_administrators_are_their_own(&server, &one, &other).await;
    a_browser_in_both_is_two_customers(&node, &one, &other).await;
    no_pod_has_a_way_to_the_kubernetes_api(&one);
    policies_allow_what_is_needed_and_no_more(&node, &judge, [&one, &other]);

    one.closes(&server);
    other.closes(&server);
}

/// Nothing here enforces NetworkPolicies, so a pod of one store does reach the other's database: the password is all
/// that is between them.
fn databases_are_their_own(one: &Shop, other: &Shop) {
    let host = format!("postgres.{}", other.namespace);
    let query = |password: &str| {
        let psql = ["psql", "-h", &host, "-U", "medusa", "-d", "medusa", "-w", "-tAc", "select 1"];
        one.exec("postgres-0", &[&["env", &format!("PGPASSWORD={password}")], &psql[..]].concat())
    };
    let refused = query(&one.password());
    assert!(!refused.ok && refused.stderr.contains("password authentication failed"), "{refused:?}");
    let refused = query("");
    assert!(!refused.ok && refused.stderr.contains("no password supplied"), "{refused:?}");
    assert_eq!(query(&other.password()).ok().trim(), "1", "it was reached, and refuses nothing but a wrong password");
}

async fn orders_keys_and_administrators_are_their_own(server: &Server, one: &Shop, other: &Shop) {
    let customer = Customer::of(one);
    let order = customer.buy().await;
    let id = order["id"].as_str().unwrap();
    let (email, password) = one.administrator(server);
    let administrator = Administrator::sign_in(one, &email, &password).await.expect("the password is right");
    assert_eq!(administrator.get(&format!("/admin/orders/{id}")).await["order"]["id"], *id);
    let (foreign_email, foreign_password) = other.administrator(server);
    let foreign = Administrator::sign_in(other, &foreign_email, &foreign_password).await.expect("so is the other's");
    assert_eq!(foreign.get("/admin/orders").await["count"], 0);
    assert_eq!(other.sql("select count(*) from \"order\""), "0");
    assert_eq!(other.sql("select count(*) from customer"), "0");

    // What one store has given out is worth nothing in the other.
    for (email, password) in [(&email, &password), (&foreign_email, &password), (&email, &foreign_password)] {
        assert!(Administrator::sign_in(other, email, password).await.is_none(), "{email} signs in to the other store");
    }
    let visitor = Customer::of(other);
    let regions = "/store/regions";
    assert_eq!(visitor.ask(Method::GET, regions, None).await.0, 200);
    let (status, answer) = visitor.with_key(&one.key()).ask(Method::GET, regions, None).await;
    assert_eq!((status, answer["type"].as_str()), (400, Some("not_allowed")), "{answer}");
    assert_eq!(foreign.at(one).status("/admin/orders").await, 401, "the other's token");
    assert_eq!(administrator.status("/admin/orders").await, 200);
}

/// Both shops are hosts of one domain, behind one Ingress controller.
async fn a_browser_in_both_is_two_customers(node: &Node, one: &Shop, other: &Shop) {
    browser::run_in_both(one, other, node.ingress.ip()).await;
    let bought = "select string_agg(distinct l.product_title, ',') from \"order\" o join order_item i on i.order_id = o.id \
                  join order_line_item l on l.id = i.item_id where o.email = 'two-shops@example.com'";
    assert_eq!((one.sql(bought).as_str(), other.sql(bought).as_str()), ("Dot Grid Notebook", "Stoneware Mug"));
}

/// Looks into the containers, where an account's token would be mounted.
fn no_pod_has_a_way_to_the_kubernetes_api(shop: &Shop) {
    let print = "process.stdout.write(require('fs').readFileSync('/proc/self/mounts', 'utf8'))";
    let node = ["node", "-e", print];
    let parts: [(&str, &[&str]); 3] = [
        ("postgres-0", &["cat", "/proc/self/mounts"]),
        ("deployment/medusa-api", &node),
        ("deployment/medusa-storefront", &node),
    ];
    for (part, command) in parts {
        let mounts = shop.exec(part, command).ok();
        assert!(mounts.contains(" /tmp ") && mounts.contains(" /etc/hosts "), "{part} has other mounts: {mounts}");
        assert!(!mounts.contains("serviceaccount"), "{part} has an account's token: {mounts}");
    }
    let pods: Value = serde_json::from_str(&shop.kubectl(&["get", "pods", "-o", "json"])).unwrap();
    let pods = pods["items"].as_array().unwrap();
    assert_eq!(pods.len(), 4, "the database, the API, the storefront and the proof of life, which is over");
    for pod in pods {
        let volumes = pod["spec"]["volumes"].as_array().unwrap();
        assert!(volumes.iter().all(|volume| volume.get("projected").is_none()), "{volumes:?}");
    }
}

/// On what the API server holds, with the labels that it and its controllers have added.
fn policies_allow_what_is_needed_and_no_more(node: &Node, judge: &Judge, shops: [&Shop; 2]) {
    let kinds = "networkpolicies,pods,namespaces";
    let objects = kubectl(&node.kubeconfig, &["get", kinds, "--all-namespaces", "-o", "json"]).ok();
    let objects: Value = serde_json::from_str(&objects).unwrap();
    let stores = shops.map(|shop| shop.namespace.as_str());
    let mut objects = [objects["items"].as_array().unwrap().clone(), world(&stores)].concat();
    // Stores of others, such as those that a test has left to be removed, are not what this is about.
    let of_another = |o: &Value| {
        let metadata = &o["metadata"];
        let namespace = metadata["namespace"].as_str().or(metadata["name"].as_str()).unwrap();
        namespace.starts_with("store-") && !stores.contains(&namespace)
    };
    objects.retain(|object| !of_another(object));
    let allowed = judge.allowed(&objects, &addresses());
    let needed = stores.iter().flat_map(|store| expected(store, false)).collect();
    assert_same(&allowed, &needed);

    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for object in &objects {
        *kinds.entry(object["kind"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    println!("judged by simulation: {kinds:?}, {} flows allowed", allowed.len());
    objects.retain(|object| object["kind"] != "NetworkPolicy");
    let open = judge.allowed(&objects, &addresses());
    let [one, other] = stores;
    assert!(open.contains(&format!("{one}/medusa-api -> {other}/postgres 5432/TCP")), "without policies all is open");
}
