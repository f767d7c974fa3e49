//! A store from its creation through an order to its end.

use std::time::{Duration, Instant};

use serde_json::Value;
use urumi_core::cluster::{ConnectOptions, KubeCluster};

use crate::browser;
use crate::customer::{Administrator, Customer};
use crate::dashboard::{self, Choices};
use crate::kubectl::kubectl;
use crate::node::Node;
use crate::phases;
use crate::platform::Platform;
use crate::shop::Shop;

/// How long anything may take that takes seconds.
const PATIENCE: Duration = Duration::from_secs(300);
const LOGO: &str = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'><circle cx='5' cy='5' r='4'/></svg>";

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_placed_in_a_store_that_urumi_made() {
    let Some(node) = Node::take().await else { return };
    let began = Instant::now();
    let platform = Platform::install(&node, &[]);
    println!("platform: {:.1} s", began.elapsed().as_secs_f64());
    let began = Instant::now();
    platform.test();
    println!("the chart's own test: {:.1} s", began.elapsed().as_secs_f64());
    let server = platform.server();
    let shop = Shop::of(&node, "life");

    KubeCluster::install_crypto_provider();
    let cluster = KubeCluster::connect(ConnectOptions::default().kubeconfig(&node.kubeconfig)).await.unwrap();
    let namespace = shop.namespace.clone();
    let watching = tokio::spawn(async move { phases::watch(&cluster, &namespace).await });
    let began = Instant::now();
    let logo = tempfile::Builder::new().suffix(".svg").tempfile().unwrap();
    std::fs::write(logo.path(), LOGO).unwrap();
    dashboard::create(&platform, &shop, Choices { name: "Life", accent: "#0a7d4f", logo: logo.path() }).await;
    let accepted = began.elapsed();
    server.urumi(&["wait", &shop.id, "--timeout", "8m"]);
    let ready = began.elapsed();
    let phases = tokio::time::timeout(PATIENCE, watching).await.expect("every phase is over").unwrap();
    println!("objects: {:.1} s", accepted.as_secs_f64());
    for (phase, after) in &phases {
        println!("{phase}: {:.1} s", after.as_secs_f64());
    }
    println!("ready: {:.1} s", ready.as_secs_f64());

    // What a customer sees, through the Ingress.
    let customer = Customer::of(&shop);
    what_a_customer_sees(&shop, &customer).await;

    // The order, and where it is.
    let order = customer.buy().await;
    let id = order["id"].as_str().unwrap();
    assert!(order["total"].as_f64().unwrap() > 0.0, "{order}");
    assert_eq!(
        shop.sql(&format!("select count(*) from \"order\" where id = '{id}' and email = 'ada@example.com'")),
        "1"
    );
    let (email, password) = shop.administrator(&server);
    let administrator = Administrator::sign_in(&shop, &email, &password).await.expect("the password is right");
    let seen = administrator.get(&format!("/admin/orders/{id}?fields=%2Bemail")).await;
    assert_eq!(seen["order"]["id"], *id);
    assert_eq!(seen["order"]["email"], "ada@example.com");
    assert!(Administrator::sign_in(&shop, &email, "wrong").await.is_none());
    let app = shop.browser().get(format!("{}/app/", shop.api())).send().await.unwrap();
    assert_eq!(app.status(), 200, "the administrator's pages");

    // One by clicks in a real browser, with and without JavaScript, and one that urumi places itself and takes back.
    browser::run(&shop, node.ingress.ip(), &["buy", "--grep", "desk|no-javascript"]).await;
    both_storefronts_had_a_hand_in_it(&shop);
    let ordered = |email: &str, status: &str| {
        shop.sql(&format!("select count(*) from \"order\" where email = '{email}' and status = '{status}'"))
    };
    assert_eq!(ordered("anna@example.com", "pending"), "2");
    println!("{}", server.urumi(&["smoke", &shop.id]));
    assert_eq!(ordered("smoke-test@urumi.invalid", "canceled"), "1");
    assert_eq!(ordered("smoke-test@urumi.invalid", "pending"), "0");

    // A pod that is killed comes back, and so does the database, with the order still in it.
    let pods =
        |name: &str| shop.kubectl(&["get", "pods", "-l", &format!("app.kubernetes.io/name={name}"), "-o", "name"]);
    for (name, workload) in [("medusa-api", "deployment/medusa-api"), ("postgres", "statefulset/postgres")] {
        let before = pods(name);
        shop.kubectl(&["delete", before.trim(), "--grace-period=0", "--force"]);
        shop.kubectl(&["rollout", "status", workload, "--timeout", "8m"]);
        server.urumi(&["wait", &shop.id, "--timeout", "8m"]);
    }
    shop.kubectl(&["rollout", "restart", "statefulset/postgres"]);
    shop.kubectl(&["rollout", "status", "statefulset/postgres", "--timeout", "8m"]);
    shop.kubectl(&["wait", "--for=condition=Available", "deployment/medusa-api", "--timeout", "8m"]);
    server.urumi(&["wait", &shop.id, "--timeout", "8m"]);
    assert_eq!(shop.sql(&format!("select count(*) from \"order\" where id = '{id}'")), "1");
    assert_eq!(administrator.get(&format!("/admin/orders/{id}")).await["order"]["id"], *id);

    // Nothing is left.
    let deleting = Instant::now();
    server.urumi(&["delete", &shop.id, "--yes", "--wait", "--timeout", "8m"]);
    println!("deleted: {:.1} s", deleting.elapsed().as_secs_f64());
    assert!(!kubectl(&node.kubeconfig, &["get", "namespace", &shop.namespace]).ok);
    let volumes = || -> Vec<Value> {
        let volumes = kubectl(&node.kubeconfig, &["get", "persistentvolumes", "-o", "json"]).ok();
        let volumes: Value = serde_json::from_str(&volumes).unwrap();
        let ours = |v: &&Value| v["spec"]["claimRef"]["namespace"] == *shop.namespace;
        volumes["items"].as_array().unwrap().iter().filter(ours).cloned().collect()
    };
    for volume in volumes() {
        // Its provisioner removes it after the claim is gone.
        let name = format!("pv/{}", volume["metadata"]["name"].as_str().unwrap());
        kubectl(&node.kubeconfig, &["wait", "--for=delete", &name, "--timeout", "8m"]).ok();
    }
    assert_eq!(volumes(), [] as [Value; 0]);
}

/// Nothing makes one customer's requests go to one pod: each pod took steps to the orders.
fn both_storefronts_had_a_hand_in_it(shop: &Shop) {
    let storefronts = ["get", "pods", "-l", "app.kubernetes.io/name=medusa-storefront", "-o", "name"];
    let storefronts = shop.kubectl(&storefronts);
    let steps: Vec<usize> = storefronts
        .lines()
        .map(|pod| {
            let log = shop.kubectl(&["logs", pod]);
            let requests = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let of_checkout = |path: &str| path.starts_with("/checkout");
            requests.filter(|request| request["path"].as_str().is_some_and(of_checkout)).count()
        })
        .collect();
    println!("steps of a checkout that each storefront served: {steps:?}");
    assert!(steps.len() == 2 && !steps.contains(&0), "{storefronts}: {steps:?}");
}

async fn what_a_customer_sees(shop: &Shop, customer: &Customer) {
    let region = customer.region().await;
    let product = customer.product(region["id"].as_str().unwrap()).await;
    let page = shop.browser().get(shop.storefront()).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    let title = product["title"].as_str().unwrap();
    assert!(
        page.contains(title) && page.contains("Life"),
        "the page shows neither {title} nor the shop's name: {page}"
    );
    // The page names its owner's colours and logo, and the shop serves them.
    for (path, media_type, content) in
        [("/theme.css", "text/css", "--accent:#0a7d4f"), ("/logo", "image/svg+xml", LOGO)]
    {
        let address = page.split('"').find(|value| value.starts_with(path));
        let address = address.unwrap_or_else(|| panic!("{path} is not in the page: {page}"));
        let served = shop.browser().get(format!("{}{address}", shop.storefront())).send().await.unwrap();
        assert_eq!(served.status(), 200, "{address}");
        assert_eq!(served.headers()["content-type"], media_type, "{address}");
        let served = served.text().await.unwrap();
        assert!(served.contains(content), "{address}: {served}");
    }
    let address = format!("{}/products/{}", shop.storefront(), product["handle"].as_str().unwrap());
    let page = shop.browser().get(&address).send().await.unwrap();
    assert_eq!(page.status(), 200, "{address}");
    let picture = product["thumbnail"].as_str().unwrap();
    let picture = shop.browser().get(picture).send().await.unwrap();
    assert_eq!(picture.status(), 200);
    assert!(picture.headers()["content-type"].to_str().unwrap().starts_with("image/"));
}
