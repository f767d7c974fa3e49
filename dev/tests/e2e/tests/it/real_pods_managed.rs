//! Stores whose databases are on one server: made with them, apart from each other, and removed with them.

use std::io::Write as _;

use crate::customer::Customer;
use crate::node::Node;
use crate::outside::Outside;
use crate::programs::Server;
use crate::shop::Shop;

#[tokio::test(flavor = "multi_thread")]
async fn databases_on_one_server_come_and_go_with_their_stores() {
    let Some(node) = Node::take().await else { return };
    let outside = Outside::start(&node, "databases");
    let secret = serde_json::json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/basic-auth",
        "metadata": {"name": "administrator", "namespace": "databases"},
        "stringData": {"username": "postgres", "password": Outside::PASSWORD},
    });
    crate::kubectl::kubectl_with(&node.kubeconfig, &["apply", "-f", "-"], &secret.to_string()).ok();
    let mut defaults = tempfile::NamedTempFile::new().unwrap();
    let server = serde_json::json!({
        "host": outside.host(), "sslMode": "disable", "namespace": "databases", "secretName": "administrator",
    });
    let medusa = serde_json::json!({"medusa": {"database": {"mode": "managed", "server": server}}});
    defaults.write_all(medusa.to_string().as_bytes()).unwrap();
    let server = Server::start(&node, &["--engine-defaults", defaults.path().to_str().unwrap()]).await;

    let shops = ["one", "two"].map(|id| Shop::begin(&node, &server, id, &[]));
    for shop in &shops {
        shop.opens(&server);
    }
    let [one, two] = shops;
    assert_eq!(one.kubectl(&["get", "statefulsets,persistentvolumeclaims", "-o", "name"]), "");

    let order = Customer::of(&one).buy().await;
    let count = format!("select count(*) from \"order\" where id = '{}'", order["id"].as_str().unwrap());
    assert_eq!(outside.sql("store-one", &count), "1");
    assert_eq!(outside.sql("store-two", &count), "0");

    // Each store's role reaches its own database and no other, and cannot make more of them.
    let may = |what: &str| outside.sql("postgres", &format!("select {what}"));
    assert_eq!(may("has_database_privilege('store-one', 'store-one', 'connect')"), "t");
    for other in ["store-two", "postgres", "template1"] {
        assert_eq!(may(&format!("has_database_privilege('store-one', '{other}', 'connect')")), "f", "{other}");
    }
    assert_eq!(may("rolsuper or rolcreaterole or rolcreatedb from pg_roles where rolname = 'store-one'"), "f");
    // The administrator's password is in no store's namespace.
    let secrets = one.kubectl(&[
        "get",
        "secrets",
        "-o",
        "go-template={{range .items}}{{range .data}}{{. | base64decode}} {{end}}{{end}}",
    ]);
    assert!(secrets.contains("postgres://store-one:") && !secrets.contains(Outside::PASSWORD));

    one.closes(&server);
    let left = "select string_agg(datname, ' ') from pg_database where datname like 'store-%'";
    assert_eq!(outside.sql("postgres", left), "store-two");
    assert_eq!(may("count(*) from pg_roles where rolname = 'store-one'"), "0");
    two.closes(&server);
    assert_eq!(outside.sql("postgres", left), "");
}
