//! Requests drawn at random: good ones with every option, and nonsense around the names that mean something.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn object(fields: impl IntoIterator<Item = (&'static str, Option<Value>)>) -> Value {
    let fields = fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Value::Object(fields.collect::<Map<_, _>>())
}

fn name() -> impl Strategy<Value = Value> {
    "[a-z][a-z0-9-]{0,20}[a-z0-9]".prop_map(Value::String)
}

fn image() -> impl Strategy<Value = Value> {
    "(registry\\.example(:5000)?/)?[a-z]{1,8}(/[a-z0-9]{1,8})?(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,70})?(@sha256:[0-9a-f]{64})?"
        .prop_map(Value::String)
}

/// Requests at most what the limits allow, in various units.
fn resources() -> impl Strategy<Value = Value> {
    (1_u32..2000, 0_u32..2000, 16_u32..4096, 0_u32..4096).prop_map(|(cpu, more_cpu, memory, more_memory)| {
        let cpu_limit = f64::from(cpu + more_cpu) / 1000.0;
        json!({
            "requests": { "cpu": format!("{cpu}m"), "memory": format!("{memory}Mi") },
            "limits": { "cpu": cpu_limit, "memory": u64::from(memory + more_memory) * 1024 * 1024 },
        })
    })
}

fn env() -> impl Strategy<Value = Value> {
    btree_map("X_[A-Z0-9_]{0,10}", "[^\0]{0,40}", 0..5).prop_map(|map| json!(map))
}

fn workload() -> impl Strategy<Value = Value> {
    let parts = (option::of(image()), option::of(1_u32..=20), option::of(autoscaling()), option::of(resources()));
    (parts, option::of(env())).prop_map(|((image, replicas, autoscaling, resources), env)| {
        object([
            ("image", image),
            ("replicas", replicas.map(Value::from)),
            ("autoscaling", autoscaling),
            ("resources", resources),
            ("env", env),
        ])
    })
}

fn autoscaling() -> impl Strategy<Value = Value> {
    (1_u32..=10, 0_u32..=10, option::of(1_u32..=100)).prop_map(|(min, more, cpu)| {
        object([("min", Some(min.into())), ("max", Some((min + more).into())), ("cpu", cpu.map(Value::from))])
    })
}

fn database() -> impl Strategy<Value = Value> {
    let embedded = (option::of(image()), option::of(100_u32..100_000), option::of(name()), option::of(resources()))
        .prop_map(|(image, size, class, resources)| {
            let size = size.map(|size| Value::from(format!("{size}Mi")));
            let storage = object([("size", size), ("className", class)]);
            object([
                ("mode", Some("embedded".into())),
                ("image", image),
                ("storage", Some(storage)),
                ("resources", resources),
            ])
        });
    let external = (name(), option::of("[A-Z_]{1,20}"), option::of(1024_u16..)).prop_map(|(name, key, port)| {
        let secret = object([("name", Some(name)), ("key", key.map(Value::from))]);
        object([("mode", Some("external".into())), ("secret", Some(secret)), ("port", port.map(Value::from))])
    });
    prop_oneof![embedded, external]
}

fn tls() -> impl Strategy<Value = Value> {
    (prop_oneof![Just("secretName"), Just("issuer"), Just("clusterIssuer")], option::of(name()))
        .prop_map(|(choice, name)| object([(choice, name)]))
}

fn ingress() -> impl Strategy<Value = Value> {
    let annotations = btree_map("example\\.com/[a-z]{1,10}", "\\PC{0,30}", 0..4).prop_map(|map| json!(map));
    let namespaces = proptest::collection::btree_set("[a-z]{1,10}(/[a-z]{1,10})?", 1..4).prop_map(|set| json!(set));
    (option::of(name()), option::of(annotations), option::of(namespaces), option::of(networks())).prop_map(
        |(class, annotations, namespaces, networks)| {
            object([
                ("className", class),
                ("annotations", annotations),
                ("controllerNamespaces", namespaces),
                ("controllerCidrs", networks),
            ])
        },
    )
}

fn networks() -> impl Strategy<Value = Value> {
    proptest::collection::btree_set("10\\.[1-9][0-9]?\\.0\\.0/16|fd[0-9a-f]{2}::/16", 0..3).prop_map(|set| json!(set))
}

fn dns() -> impl Strategy<Value = Value> {
    let namespaces = proptest::collection::btree_set("[a-z]{1,10}", 1..3).prop_map(|set| json!(set));
    let ports = vec(1_u16.., 1..3).prop_map(|ports| json!(ports));
    (option::of(namespaces), option::of(networks()), option::of(ports))
        .prop_map(|(namespaces, cidrs, ports)| object([("namespaces", namespaces), ("cidrs", cidrs), ("ports", ports)]))
}

/// A request that must be accepted.
pub(super) fn request() -> impl Strategy<Value = Value> {
    let domain = "([a-z][a-z0-9-]{0,8}[a-z0-9]\\.){0,3}[a-z]{2,6}".prop_map(Value::String);
    let quota = btree_map("count/[a-z]{1,8}", 1_u32..100, 0..3).prop_map(|map| json!(map));
    let limits = resources().prop_map(|r| json!({ "defaultRequest": r["requests"], "default": r["limits"] }));
    let pull = proptest::collection::btree_set("[a-z]{1,10}", 0..3).prop_map(|set| json!(set));
    let policy = (any::<bool>(), option::of(dns()))
        .prop_map(|(enabled, dns)| object([("enabled", Some(enabled.into())), ("dns", dns)]));
    // Off only where no number of replicas needs it.
    let redis = (option::of(image()), option::of(resources())).prop_map(|(image, resources)| {
        object([("enabled", Some(true.into())), ("image", image), ("resources", resources)])
    });
    let proof =
        (any::<bool>(), option::of(image()), option::of(resources())).prop_map(|(enabled, image, resources)| {
            object([("enabled", Some(enabled.into())), ("image", image), ("resources", resources)])
        });
    let admin = "[a-z]{1,10}@[a-z]{1,10}\\.example".prop_map(|email| json!({ "email": email }));
    (
        (option::of(domain), option::of(database()), option::of(workload()), option::of(workload())),
        (option::of(ingress()), option::of(tls()), option::of(quota), option::of(limits)),
        (option::of(pull), option::of(policy), option::of(redis), option::of(proof), option::of(admin)),
    )
        .prop_map(|((domain, database, api, storefront), (ingress, tls, quota, limits), more)| {
            let (pull, policy, redis, proof, admin) = more;
            object([
                ("redis", redis),
                ("proofOfLife", proof),
                ("admin", admin),
                ("domain", domain),
                ("database", database),
                ("api", api),
                ("storefront", storefront),
                ("ingress", ingress),
                ("tls", tls),
                ("quota", quota),
                ("limits", limits),
                ("imagePullSecrets", pull),
                ("networkPolicy", policy),
            ])
        })
}

/// JSON in which the names of options turn up at random.
pub(super) fn nonsense() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        Just("domain"),
        Just("database"),
        Just("mode"),
        Just("storage"),
        Just("secret"),
        Just("api"),
        Just("image"),
        Just("replicas"),
        Just("resources"),
        Just("limits"),
        Just("env"),
        Just("tls"),
        Just("issuer"),
        Just("quota"),
        Just("imagePullSecrets"),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(Value::from("external")),
        Just(Value::from("1Gi")),
    ];
    let value = leaf.prop_recursive(3, 24, 4, move |inner| {
        let list = vec(inner.clone(), 0..3).prop_map(Value::from);
        prop_oneof![list, btree_map(key.clone(), inner, 0..4).prop_map(|map| json!(map))]
    });
    value.prop_map(|value| if value.is_object() { value } else { json!({ "api": value }) })
}
