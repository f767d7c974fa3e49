//! What is made of options: snapshots to read, and what must hold of everything that is rendered.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Secret, Service};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{DOMAIN, ID, Letters, MedusaEngine, RENDERER, render, resolve, spec, spec_of, strategies};
use crate::engine::medusa::contract::{api, storefront};
use crate::engine::{Engine, Manifest, Policy, RenderError};
use crate::kubernetes::{Kind, Object, ObjectRef};
use crate::plan::changes::{Change, changes};
use crate::secret::OsSecrets;
use crate::store::{StoreName, StoreSpec};

/// A name that says what a snapshot is about, and all objects as the files one would apply.
fn snapshot(name: &str, spec: &StoreSpec) {
    insta::assert_snapshot!(name, shown(render(spec)));
}

fn shown(manifests: Vec<Manifest>) -> String {
    let mut text = String::new();
    for Manifest { object, policy } in manifests {
        let policy = match policy {
            Policy::Managed => "managed".to_owned(),
            Policy::Copy { from, .. } => format!("copied from {from}"),
            Policy::CreateOnce { guards } => {
                let guards: Vec<String> = guards.iter().map(ToString::to_string).collect();
                format!("created once, unless there is {}", guards.join(" or "))
            }
        };
        text.push_str(&format!("--- # {policy}\n{}", serde_norway::to_string(&object).unwrap()));
    }
    text
}

#[test]
fn default_options() {
    snapshot("default", &spec(json!({})));
}

#[test]
fn external_database() {
    snapshot(
        "external",
        &spec(json!({ "database": { "mode": "external", "secret": { "name": "db" }, "port": 25060 } })),
    );
}

#[test]
fn database_on_a_server() {
    let engine = with_server(server());
    let spec = spec_of(resolve(&engine, json!({})).unwrap());
    insta::assert_snapshot!("managed", shown(engine.render(&spec, &Letters).unwrap()));
    let stages = engine.teardown(&spec, &Letters).unwrap().into_iter().map(|stage| shown(stage.manifests));
    insta::assert_snapshot!("managed_teardown", stages.collect::<Vec<_>>().join("=== then\n"));
    let components = engine.components(&spec).unwrap();
    assert_eq!(components[0].workload.to_string(), "Job databases/store-abc123");
    assert!(engine.teardown(&self::spec(json!({})), &Letters).unwrap().is_empty());
}

fn server() -> Value {
    json!({ "host": "db.example.com", "namespace": "databases", "secretName": "administrator" })
}

/// A server that shows who it is.
fn verified_server() -> Value {
    let ca = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    let mut server = server();
    server.as_object_mut().unwrap().extend(super::options(json!({ "sslMode": "verifyFull", "ca": ca })));
    server
}

fn with_server(server: Value) -> MedusaEngine {
    MedusaEngine::with_defaults(super::options(json!({ "database": { "mode": "managed", "server": server } }))).unwrap()
}

/// The environment of a container, by name; an empty text for a value that comes from elsewhere.
fn environment(container: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    container["env"].as_array().unwrap().iter().map(|v| (text(&v["name"]), text(&v["value"]))).collect()
}

#[test]
fn a_verified_server_is_verified_by_the_jobs_and_the_api() {
    let engine = with_server(verified_server());
    let ca = verified_server()["ca"].as_str().unwrap().to_owned();
    let stores = [
        resolve(&engine, json!({})).unwrap(),
        // A store from before the installation knew the authority.
        resolve(&with_server(server()), json!({})).unwrap(),
    ];
    for options in stores {
        let spec = spec_of(options);
        let manifests = engine.render(&spec, &Letters).unwrap();
        let removal = engine.teardown(&spec, &Letters).unwrap().pop().unwrap().manifests;
        for job in [find::<Job>(&manifests, "store-abc123"), find::<Job>(&removal, "store-abc123-removal")] {
            let container = containers(job).remove(0);
            let env = environment(&container);
            assert_eq!([&env["PGSSLMODE"], &env["SERVER_CA"]], ["verify-full", &ca]);
            let written = format!("printf '%s\\n' \"$SERVER_CA\" >{}\n", env["PGSSLROOTCERT"]);
            assert!(container["args"][0].as_str().unwrap().starts_with(&written));
        }
        for container in containers(find::<Deployment>(&manifests, "medusa-api")) {
            assert_eq!(environment(&container)["DATABASE_CA"], ca);
        }
    }
    let own = spec_of(resolve(&engine, json!({ "api": { "env": { "DATABASE_CA": "mine" } } })).unwrap());
    let manifests = engine.render(&own, &Letters).unwrap();
    let api = containers(find::<Deployment>(&manifests, "medusa-api")).remove(0);
    assert_eq!(env_names(&api).iter().filter(|name| *name == "DATABASE_CA").count(), 1);
    assert_eq!(environment(&api)["DATABASE_CA"], "mine");
}

/// An account that may create namespaces can forge a record.
#[test]
fn a_record_chooses_no_server_but_one_of_the_installation() {
    let engine = with_server(server());
    let options = resolve(&engine, json!({})).unwrap();
    let forged = |field: &str, value: Value| {
        let mut spec = spec_of(options.clone());
        spec.options["database"]["server"][field] = value;
        spec
    };
    for (field, value) in [("host", json!("203.0.113.66")), ("port", json!(6432)), ("namespace", json!("kube-system"))]
    {
        let spec = forged(field, value.clone());
        let told = format!("database.server.{field} is {} in the record", value.to_string().trim_matches('"'));
        let errors = [
            engine.render(&spec, &Letters).map(drop),
            engine.teardown(&spec, &Letters).map(drop),
            engine.components(&spec).map(drop),
            engine.urls(&spec).map(drop),
        ];
        for error in errors {
            let error = error.unwrap_err().to_string();
            assert!(error.contains(&told) && error.contains("formerServers"), "{error}");
        }
    }
    let more = [
        ("image", json!("attacker.example/steal:1")),
        ("secretName", json!("other")),
        ("database", json!("template1")),
        ("sslMode", json!("disable")),
        ("connections", json!(9999)),
    ];
    let expected = shown(engine.render(&spec_of(options.clone()), &Letters).unwrap());
    for (field, value) in more {
        assert_eq!(shown(engine.render(&forged(field, value), &Letters).unwrap()), expected, "{field}");
    }
    let error = MedusaEngine::default().render(&spec_of(options), &Letters).unwrap_err().to_string();
    assert!(error.contains("the installation names no server"), "{error}");
}

#[test]
fn a_store_on_a_former_server_stays_there() {
    let spec = spec_of(resolve(&with_server(server()), json!({})).unwrap());
    let mut former = server();
    former["image"] = json!("postgres:16-alpine");
    let mut current = server();
    current["host"] = json!("second.example.com");
    let database = json!({ "mode": "managed", "server": current, "formerServers": [former] });
    let engine = MedusaEngine::with_defaults(super::options(json!({ "database": database }))).unwrap();
    let manifests = engine.render(&spec, &Letters).unwrap();
    let psql = containers(find::<Job>(&manifests, "store-abc123")).remove(0);
    assert_eq!([&psql["image"], &psql["env"][0]["value"]], ["postgres:16-alpine", "db.example.com"]);
    // A new store's record names its own server only.
    let new = resolve(&engine, json!({})).unwrap();
    assert_eq!(new["database"]["server"]["host"], "second.example.com");
    assert_eq!(new["database"].get("formerServers"), None);
}

#[test]
fn tls_by_an_issuer() {
    snapshot("issuer", &spec(json!({ "tls": { "clusterIssuer": "letsencrypt" } })));
}

fn everything() -> Value {
    json!({
        "domain": "shops.example.com",
        "database": {
            "image": "registry.example.com/db/postgres:15.8@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "storage": { "size": "20480Mi", "className": "fast" },
            "resources": { "requests": { "cpu": "0.5", "memory": "1024Mi" }, "limits": { "cpu": "2000m", "memory": "2Gi" } },
        },
        "api": {
            "image": "registry.example.com/shop/api:2.0.0",
            "replicas": 2,
            "resources": { "limits": { "memory": "2Gi" } },
            "readinessPath": "/ready",
            "env": { "PRICE": "$5 or $(HOME) or $$", "EMPTY": "" },
            "envSecrets": ["stripe"],
        },
        "redis": { "image": "registry.example.com/cache/redis:7.4", "resources": { "limits": { "cpu": "1" } } },
        "admin": { "email": "owner@example.com" },
        "proofOfLife": { "image": "registry.example.com/shop/prove:1" },
        "smoke": { "schedule": "0 * * * *", "deadlineSeconds": 60 },
        "storefront": { "image": "registry.example.com/shop/front:2.0.0", "replicas": 3, "env": { "THEME": "dark" },
            "theme": {
                "logo": "data:image/svg+xml;base64,PHN2Zy8+",
                "colors": { "accent": "#0a7d4f", "background": "#ffffff", "text": "#111111" },
            },
            "locale": "de",
            "currency": "eur",
            "footerLinks": [{ "label": "Imprint", "href": "/imprint" }],
            "robots": "index",
            "manualPayment": "invoice",
            "stripePublishableKey": "pk_test_51Abc",
        },
        "ingress": {
            "className": "traefik",
            "annotations": { "traefik.ingress.kubernetes.io/router.entrypoints": "websecure" },
            "controllerNamespaces": ["traefik", "kube-system/rke2-traefik"],
            "controllerCidrs": ["192.0.2.0/24"],
        },
        "networkPolicy": { "dns": { "namespaces": ["openshift-dns"], "cidrs": ["169.254.20.10/32"], "ports": [53, 5353] } },
        "tls": { "secretName": "wildcard" },
        "quota": { "requests.cpu": "4", "limits.memory": "16Gi", "pods": "20", "count/jobs.batch": 5 },
        "limits": { "default": { "cpu": "1" } },
        "imagePullSecrets": ["registry"],
    })
}

#[test]
fn every_option() {
    snapshot("everything", &spec(everything()));
}

/// A new version restarts no store: these snapshots never change.
#[test]
fn the_first_way_of_rendering_stays_as_it_was() {
    for (name, request) in [("default_in_way_1", json!({})), ("everything_in_way_1", everything())] {
        snapshot(name, &StoreSpec { renderer: 1, ..spec(request) });
    }
}

#[test]
fn a_smoke_order() {
    let job = MedusaEngine::default().smoke(&spec(json!({}))).unwrap().unwrap();
    insta::assert_snapshot!(serde_norway::to_string(&job).unwrap());
}

#[test]
fn components_and_addresses() {
    let engine = MedusaEngine::default();
    let embedded = spec(json!({}));
    let shown = |spec: &StoreSpec| -> Vec<String> {
        let components = engine.components(spec).unwrap();
        components.iter().map(|c| format!("{} = {}", c.name, c.workload)).collect()
    };
    let api_and_shop = [
        "api = Deployment store-abc123/medusa-api",
        "storefront = Deployment store-abc123/medusa-storefront",
        "proof-of-life = Job store-abc123/proof-of-life",
    ];
    assert_eq!(shown(&embedded)[0], "database = StatefulSet store-abc123/postgres");
    assert_eq!(shown(&embedded)[1..], api_and_shop);
    let unproven = spec(json!({ "proofOfLife": { "enabled": false } }));
    assert_eq!(shown(&unproven)[1..], api_and_shop[..2]);
    let several = spec(json!({ "api": { "replicas": 2 } }));
    assert_eq!(shown(&several)[1], "redis = Deployment store-abc123/redis");
    let external = spec(json!({ "database": { "mode": "external", "secret": { "name": "db" } } }));
    assert_eq!(shown(&external), api_and_shop);

    let urls = engine.urls(&embedded).unwrap();
    assert_eq!(urls.storefront.as_deref(), Some("http://store-abc123.localtest.me"));
    assert_eq!(urls.api.as_deref(), Some("http://api-abc123.localtest.me"));
    let urls = engine.urls(&spec(everything())).unwrap();
    assert_eq!(urls.storefront.as_deref(), Some("https://store-abc123.shops.example.com"));
}

#[test]
fn a_policy_is_rendered_for_solvers_of_challenges_only_with_an_issuer() {
    let has = |request: Value| render(&spec(request)).iter().any(|m| m.object.name() == "acme-solver");
    assert!(has(json!({ "tls": { "issuer": "a" } })));
    assert!(!has(json!({ "tls": { "secretName": "a" } })));
    assert!(!has(json!({ "tls": { "issuer": "a" }, "networkPolicy": { "enabled": false } })));
}

#[test]
fn load_balancers_outside_of_the_cluster_are_let_in_by_their_networks() {
    let only = json!({ "ingress": { "controllerNamespaces": [], "controllerCidrs": ["10.0.64.0/20"] } });
    let manifests = render(&spec(only));
    for (name, port) in [("medusa-storefront", 8000), ("medusa-api", 9000)] {
        let policy = find::<k8s_openapi::api::networking::v1::NetworkPolicy>(&manifests, name);
        let [rule] = policy.list_at("/spec/ingress") else { panic!("{name} has one rule") };
        assert_eq!(rule["ports"][0]["port"], port);
        let peers = rule["from"].as_array().unwrap();
        assert!(peers.contains(&json!({ "ipBlock": { "cidr": "10.0.64.0/20" } })), "{peers:?}");
        assert!(peers.iter().all(|peer| peer.get("namespaceSelector").is_none()), "{peers:?}");
    }
}

#[test]
fn of_a_namespace_that_others_share_only_the_named_pods_are_let_in() {
    let manifests = render(&spec(json!({})));
    let policy = find::<k8s_openapi::api::networking::v1::NetworkPolicy>(&manifests, "medusa-storefront");
    let system = json!({ "kubernetes.io/metadata.name": "kube-system" });
    let peers = policy.list_at("/spec/ingress/0/from");
    let peers: Vec<_> = peers.iter().filter(|peer| peer["namespaceSelector"]["matchLabels"] == system).collect();
    let [peer] = peers.as_slice() else { panic!("{peers:?}") };
    assert_eq!(peer["podSelector"]["matchLabels"], json!({ "app.kubernetes.io/name": "traefik" }));
}

/// A port that a request chooses must open nothing inside of the cluster.
#[test]
fn an_external_database_opens_private_networks_for_postgresql_only() {
    for (port, private) in [(5432, true), (6443, false)] {
        let external = json!({ "mode": "external", "secret": { "name": "db" }, "port": port });
        let manifests = render(&spec(json!({ "database": external })));
        let policy = find::<k8s_openapi::api::networking::v1::NetworkPolicy>(&manifests, "medusa-api");
        let rule = policy.list_at("/spec/egress").iter().find(|r| r["ports"][0]["port"] == port).unwrap();
        let except = rule["to"][0]["ipBlock"]["except"].as_array().unwrap();
        assert_eq!(!except.contains(&json!("10.0.0.0/8")), private);
        assert!(except.contains(&json!("169.254.0.0/16")));
    }
}

#[test]
fn specs_that_this_engine_did_not_make_are_refused() {
    let engine = MedusaEngine::default();
    let resolved = resolve(&engine, json!({})).unwrap();
    for (pointer, value, words) in [
        ("/domain", Value::Null, "domain is missing"),
        ("/api/replicas", json!(0), "api.replicas: must be 1 to 20"),
        ("/database/image", Value::Null, "database.image is missing"),
        ("/database/mode", json!("external"), "database.secret is missing"),
        ("/ingress/controllerNamespaces", json!([]), "controllerNamespaces is missing"),
        ("/networkPolicy/dns/namespaces", json!([]), "networkPolicy.dns is missing"),
        ("/networkPolicy/dns/ports", json!([]), "networkPolicy.dns is missing"),
    ] {
        let mut changed = Value::Object(resolved.clone());
        *changed.pointer_mut(pointer).unwrap() = value;
        let spec = spec_of(super::options(changed));
        let Err(RenderError::Options(message)) = engine.render(&spec, &Letters) else {
            panic!("{pointer} must be refused");
        };
        assert!(message.contains(words), "{message}");
        assert!(engine.components(&spec).is_err());
        assert!(engine.urls(&spec).is_err());
    }
    assert!(engine.render(&spec_of(Default::default()), &Letters).is_err());
}

#[test]
fn the_generated_secrets_are_strong_and_belong_together() {
    let manifests = MedusaEngine::default().render(&spec(json!({})), &OsSecrets).unwrap();
    let secret: Secret = find::<Secret>(&manifests, "postgres-credentials").to_typed().unwrap();
    let data: BTreeMap<String, String> =
        secret.data.unwrap().into_iter().map(|(k, v)| (k, String::from_utf8(v.0).unwrap())).collect();
    assert_eq!(data["POSTGRES_PASSWORD"].len(), 20);
    let url = format!("postgres://medusa:{}@postgres:5432/medusa?sslmode=disable", data["POSTGRES_PASSWORD"]);
    assert_eq!(data["DATABASE_URL"], url);
    assert_eq!(data["REDIS_PASSWORD"].len(), 20);
    assert_eq!(data["REDIS_URL"], format!("redis://:{}@redis:6379", data["REDIS_PASSWORD"]));
    assert_ne!(data["REDIS_PASSWORD"], data["POSTGRES_PASSWORD"]);
    assert_eq!(data["JWT_SECRET"].len(), 48);
    assert_eq!(data["COOKIE_SECRET"].len(), 48);
    assert_ne!(data["JWT_SECRET"], data["COOKIE_SECRET"]);
    assert_eq!(data["SMOKE_TOKEN"].len(), 48);
    assert_eq!(data.len(), 7);
}

#[test]
fn secrets_are_generated_again_only_while_nothing_depends_on_them() {
    let guards = |request: Value| -> Vec<ObjectRef> {
        let manifests = render(&spec(request));
        let mut once = manifests.into_iter().filter_map(|m| match m.policy {
            Policy::CreateOnce { guards } => Some(guards),
            Policy::Managed | Policy::Copy { .. } => None,
        });
        let guards = once.next().unwrap();
        assert_eq!(once.next().as_ref(), Some(&guards), "the administrator's password");
        let job = once.next().unwrap();
        assert_eq!(job.iter().map(ToString::to_string).collect::<Vec<_>>(), ["Job proof-of-life"]);
        assert_eq!(once.next(), None);
        guards
    };
    let namespace = format!("store-{ID}");
    assert_eq!(
        guards(json!({})),
        [
            ObjectRef::namespaced(Kind::of::<StatefulSet>(), &namespace, "postgres"),
            ObjectRef::namespaced(Kind::of::<PersistentVolumeClaim>(), &namespace, "postgres-data-postgres-0"),
        ]
    );
    assert_eq!(
        guards(json!({ "database": { "mode": "external", "secret": { "name": "db" } } })),
        [ObjectRef::namespaced(Kind::of::<Deployment>(), &namespace, "medusa-api")]
    );
}

#[test]
fn the_names_that_are_reserved_are_those_that_are_set() {
    let manifests = render(&spec(json!({})));
    let (_, of_storefront) = storefront::RESERVED.split_last().unwrap();
    for (name, reserved) in [("medusa-api", &api::RESERVED[..]), ("medusa-storefront", of_storefront)] {
        let deployment = find::<Deployment>(&manifests, name);
        let set: Vec<Vec<String>> = containers(deployment).iter().map(env_names).collect();
        assert_eq!(set[0], reserved, "{name}");
        assert!(set.iter().all(|names| reserved.iter().zip(names).all(|(a, b)| a == b)), "{name}");
    }
}

/// The storefront reads its settings anew, so new ones need no new pods. In the first way of rendering they did.
#[test]
fn pods_do_not_change_with_the_name_and_the_settings_of_the_shop() {
    let settings = |renderer: u32, name: &str, storefront: Value| {
        let spec = spec(json!({ "storefront": storefront }));
        let manifests = render(&StoreSpec { renderer, name: StoreName::parse(name).unwrap(), ..spec });
        let map = manifests.iter().find(|m| m.object.kind() == &Kind::of::<ConfigMap>());
        let text = map.map(|m| m.object.as_value()["data"]["settings.json"].as_str().unwrap().to_owned());
        let pods = ["medusa-api", "medusa-storefront"];
        (text, pods.map(|name| find::<Deployment>(&manifests, name).at("/spec/template").unwrap().clone()))
    };
    let green = json!({ "theme": { "colors": { "accent": "#00ff00" } } });
    let (plain, pods) = settings(RENDERER, "Shop", json!({}));
    assert_eq!(plain.unwrap(), r#"{"name":"Shop"}"#);
    let (text, same) = settings(RENDERER, "Other", green.clone());
    assert_eq!(text.unwrap(), r##"{"name":"Other","theme":{"colors":{"accent":"#00ff00"}}}"##);
    assert_eq!(pods, same);

    let (text, [_, plain]) = settings(1, "Shop", json!({}));
    assert_eq!((text, plain["metadata"].get("annotations")), (None, None));
    let (text, [_, green]) = settings(1, "Shop", green);
    assert_eq!(text.unwrap(), r##"{"theme":{"colors":{"accent":"#00ff00"}}}"##);
    let (_, [_, red]) = settings(1, "Shop", json!({ "theme": { "colors": { "accent": "#ff0000" } } }));
    assert_ne!(green["metadata"]["annotations"], red["metadata"]["annotations"]);
    assert_eq!(green["spec"], red["spec"]);
}

/// Every part of a store speaks of the same key, before anybody has made it.
#[test]
fn the_publishable_key_is_known_to_all_parts_from_the_beginning() {
    let key = |manifests: &[Manifest]| -> BTreeSet<String> {
        let all = manifests.iter().flat_map(|m| containers(&m.object));
        let keys = all.flat_map(|c| c["env"].as_array().unwrap().clone());
        let keys = keys.filter(|e| e["name"] == "MEDUSA_PUBLISHABLE_KEY");
        keys.map(|e| e["value"].as_str().unwrap().to_owned()).collect()
    };
    let keys = key(&render(&spec(json!({}))));
    let [only] = keys.iter().collect::<Vec<_>>()[..] else { panic!("{keys:?}") };
    assert!(only.strip_prefix("pk_").is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit())));
    let other = StoreSpec { id: "other".parse().unwrap(), ..spec(json!({})) };
    assert_ne!(key(&render(&other)), keys);
}

#[test]
fn the_administrator_is_told_of() {
    let engine = MedusaEngine::default();
    let sign_in = engine.sign_in(&spec(json!({}))).unwrap().unwrap();
    assert_eq!(sign_in.address, "http://api-abc123.localtest.me/app");
    assert_eq!(sign_in.username, "admin@store-abc123.localtest.me");
    let manifests = render(&spec(json!({})));
    let secret = find::<Secret>(&manifests, &sign_in.secret);
    assert!(secret.at(&format!("/data/{}", sign_in.password_key)).is_some());
    assert_eq!(engine.sign_in(&spec(everything())).unwrap().unwrap().username, "owner@example.com");
}

#[test]
fn several_replicas_of_the_api_share_a_redis() {
    let has = |request: Value| render(&spec(request)).iter().any(|m| m.object.name() == "redis");
    assert!(!has(json!({})));
    assert!(has(json!({ "api": { "replicas": 2 } })));
    assert!(has(json!({ "redis": { "enabled": true } })));
    assert!(has(json!({ "api": { "autoscaling": { "max": 2 } } })));
    assert!(!has(json!({ "api": { "replicas": 2, "autoscaling": { "max": 1 } } })));
    assert!(!has(json!({ "api": { "replicas": 2, "env": { "REDIS_URL": "redis://elsewhere:6379" } } })));
}

#[test]
fn an_autoscaler_sets_the_number_of_replicas() {
    let fixed = json!({ "storefront": { "replicas": 3 } });
    let scaled = json!({ "storefront": { "replicas": 3, "autoscaling": { "min": 2, "max": 5, "cpu": 60 } } });
    let (before, after) = (render(&spec(fixed)), render(&spec(scaled.clone())));
    let changes = changes(&before, &after);
    let fields = changes.iter().flat_map(Change::fields).map(|field| field.path).collect::<Vec<_>>();
    assert_eq!(fields, ["spec.replicas"]);
    let [Change::Replace(..), Change::Create(autoscaler)] = changes.as_slice() else { panic!("{changes:?}") };
    insta::assert_snapshot!(serde_norway::to_string(autoscaler).unwrap(), @r"
    apiVersion: autoscaling/v2
    kind: HorizontalPodAutoscaler
    metadata:
      labels:
        app.kubernetes.io/component: storefront
        app.kubernetes.io/name: medusa-storefront
        app.kubernetes.io/version: 0.1.0
      name: medusa-storefront
    spec:
      maxReplicas: 5
      metrics:
      - resource:
          name: cpu
          target:
            averageUtilization: 60
            type: Utilization
        type: Resource
      minReplicas: 2
      scaleTargetRef:
        apiVersion: apps/v1
        kind: Deployment
        name: medusa-storefront
    ");
    let components = MedusaEngine::default().components(&spec(scaled)).unwrap();
    let enough: Vec<_> = components.iter().filter_map(|one| Some((one.name.as_str(), one.enough?))).collect();
    assert_eq!(enough, [("storefront", 2)]);
}

/// How Kubernetes replaces `$(NAME)` in an environment variable's value, when no other variable is known.
fn expanded(value: &str) -> String {
    let mut out = String::new();
    let mut rest = value.chars().peekable();
    while let Some(c) = rest.next() {
        if c == '$' && rest.peek() == Some(&'$') {
            rest.next();
        } else if c == '$' && rest.peek() == Some(&'(') {
            out.push_str("REPLACED");
        }
        out.push(c);
    }
    out
}

proptest! {
    #[test]
    fn literal_values_arrive_as_they_were_given(value in "[$(){}A-Z é]{0,20}") {
        let variable = crate::engine::medusa::workload::env("X", &value);
        prop_assert_eq!(expanded(&variable.value.unwrap_or_default()), value);
    }

    #[test]
    fn everything_rendered_is_sound(request in strategies::request()) {
        let spec = spec(request);
        let manifests = render(&spec);
        sound(&spec, &manifests);
    }
}

/// What must hold of every store's objects.
fn sound(spec: &StoreSpec, manifests: &[Manifest]) {
    let references: BTreeSet<ObjectRef> = manifests.iter().map(|m| m.object.reference()).collect();
    assert_eq!(references.len(), manifests.len(), "two objects have the same name");
    claims(spec, manifests);
    for Manifest { object, .. } in manifests {
        labels(object);
        no_dropped_values("", object.as_value());
        if object.kind().kind != "Secret" {
            let text = object.as_value().to_string();
            let encoded = base64::engine::general_purpose::STANDARD.encode("S".repeat(20));
            assert!(!text.contains(&"S".repeat(20)) && !text.contains(&encoded), "{object:?} shows the password");
        }
        match object.kind().kind.as_ref() {
            "Deployment" | "StatefulSet" | "Job" => workload(object),
            "Ingress" => ingress(object, manifests),
            "NetworkPolicy" => network_policy(object),
            _ => {}
        }
    }
    for component in MedusaEngine::default().components(spec).unwrap() {
        assert!(
            manifests
                .iter()
                .any(|m| { m.object.kind() == &component.workload.kind && m.object.name() == component.workload.name })
        );
    }
}

/// A second claim would spend the quota and hold nothing.
fn claims(spec: &StoreSpec, manifests: &[Manifest]) {
    let stand_alone = manifests.iter().filter(|m| m.object.kind().kind == "PersistentVolumeClaim").count();
    let templates: usize = manifests.iter().map(|m| m.object.list_at("/spec/volumeClaimTemplates").len()).sum();
    let embedded = spec.options["database"]["mode"] == "embedded";
    assert_eq!((stand_alone, templates), (0, usize::from(embedded)));
}

fn labels(object: &Object) {
    for key in ["app.kubernetes.io/name", "app.kubernetes.io/component"] {
        assert!(object.label(key).is_some(), "{object:?} has no {key}");
    }
    for (key, value) in object.at("/metadata/labels").unwrap().as_object().unwrap() {
        crate::kubernetes::syntax::label_key(key).unwrap();
        crate::kubernetes::syntax::label_value(value.as_str().unwrap()).unwrap();
    }
}

/// The API server drops nulls and empty lists, maps and strings, and a comparison would find them missing for ever.
/// It keeps an empty map where it means something: a volume of nothing but defaults, a selector of everything.
fn no_dropped_values(path: &str, value: &Value) {
    let kept = path.ends_with("/emptyDir") || path.ends_with("/podSelector");
    match value {
        Value::Null => panic!("{path} is null"),
        Value::String(text) => {
            assert!(!text.is_empty() || path.starts_with("/metadata/annotations/"), "{path} is an empty text");
        }
        Value::Array(items) => {
            assert!(!items.is_empty(), "{path} is an empty list");
            items.iter().for_each(|item| no_dropped_values(path, item));
        }
        Value::Object(map) => {
            assert!(!map.is_empty() || kept, "{path} is an empty map");
            map.iter().for_each(|(key, value)| no_dropped_values(&format!("{path}/{key}"), value));
        }
        _ => {}
    }
}

fn workload(object: &Object) {
    let pod = object.at("/spec/template/spec").unwrap();
    assert_eq!(pod["automountServiceAccountToken"], false);
    assert_eq!(pod["enableServiceLinks"], false);
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert!(pod["securityContext"]["runAsUser"].as_i64().unwrap() > 0);
    assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
    for forbidden in ["hostNetwork", "hostPID", "hostIPC"] {
        assert!(pod.get(forbidden).is_none());
    }

    let template_labels = object.at("/spec/template/metadata/labels").unwrap();
    // A Job's selector is made by the API server.
    let job = object.kind().kind == "Job";
    let selector = object.at("/spec/selector/matchLabels").and_then(Value::as_object);
    assert_eq!(selector.is_none(), job);
    for (key, value) in selector.into_iter().flatten() {
        assert_eq!(&template_labels[key], value, "{object:?} does not select its own pods");
        assert!(!["app.kubernetes.io/managed-by", "app.kubernetes.io/version"].contains(&key.as_str()));
    }

    let claims = object.list_at("/spec/volumeClaimTemplates").iter().map(|c| c["metadata"]["name"].as_str().unwrap());
    let volumes = pod["volumes"].as_array().unwrap().iter().map(|v| {
        assert!(v.get("emptyDir").is_some() || v.get("configMap").is_some(), "{object:?} mounts {v}");
        v["name"].as_str().unwrap()
    });
    let volumes: BTreeSet<&str> = claims.chain(volumes).collect();

    for container in containers(object) {
        let security = &container["securityContext"];
        assert_eq!(security["allowPrivilegeEscalation"], false);
        assert_eq!(security["readOnlyRootFilesystem"], true);
        assert_eq!(security["capabilities"], json!({ "drop": ["ALL"] }));
        for list in ["requests", "limits"] {
            for resource in ["cpu", "memory"] {
                assert!(container["resources"][list][resource].is_string(), "{object:?} has no {list} of {resource}");
            }
        }
        let serves = container.get("ports").is_some();
        assert_eq!(serves, !job && container["name"] != "prepare");
        for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
            assert_eq!(container.get(probe).is_some(), serves, "{object:?} and {probe}");
        }
        let names = env_names(&container);
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{object:?} has a variable twice");
        let mounted: BTreeSet<&str> =
            container["volumeMounts"].as_array().unwrap().iter().map(|m| m["name"].as_str().unwrap()).collect();
        assert_eq!(mounted, volumes, "{object:?}");
    }
}

/// An Ingress to a port that the Service does not have, or a Service to a port where nobody listens, serves nothing.
fn ingress(object: &Object, manifests: &[Manifest]) {
    for rule in object.list_at("/spec/rules") {
        let host = rule["host"].as_str().unwrap();
        crate::kubernetes::syntax::domain(host).unwrap();
        for path in rule["http"]["paths"].as_array().unwrap() {
            let backend = &path["backend"]["service"];
            let service = find::<Service>(manifests, backend["name"].as_str().unwrap());
            let ports = service.list_at("/spec/ports");
            let port = ports.iter().find(|p| p["port"] == backend["port"]["number"]).expect("the Service has the port");
            let selector = service.at("/spec/selector").unwrap().as_object().unwrap();
            let served = manifests.iter().any(|m| {
                let labels = m.object.at("/spec/template/metadata/labels");
                let selects = labels.is_some_and(|labels| selector.iter().all(|(k, v)| labels.get(k) == Some(v)));
                selects
                    && containers(&m.object).iter().any(|c| {
                        c["ports"].as_array().into_iter().flatten().any(|p| p["containerPort"] == port["targetPort"])
                    })
            });
            assert!(served, "nobody listens on the port of {service:?}");
        }
        for tls in object.list_at("/spec/tls") {
            assert_eq!(tls["hosts"], json!([host]));
        }
    }
}

/// `from: []` lets everyone in, and a peer with no selector at all is everyone too.
fn network_policy(object: &Object) {
    assert_eq!(object.at("/spec/policyTypes"), Some(&json!(["Ingress", "Egress"])));
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        for rule in object.list_at(&format!("/spec/{direction}")) {
            let list = rule[peers].as_array().unwrap();
            assert!(!list.is_empty(), "{object:?} is open");
            assert!(!rule["ports"].as_array().unwrap().is_empty(), "{object:?} opens every port");
            for peer in list {
                let peer = peer.as_object().unwrap();
                let kinds: Vec<&str> = peer.keys().map(String::as_str).collect();
                assert!(
                    kinds.len() == 1 || kinds == ["namespaceSelector", "podSelector"],
                    "{object:?} has a peer of {kinds:?}"
                );
                for selector in ["podSelector", "namespaceSelector"] {
                    if let Some(selector) = peer.get(selector) {
                        assert!(!selector["matchLabels"].as_object().unwrap().is_empty(), "{object:?} selects all");
                    }
                }
            }
        }
    }
    let only_default = object.name() == "default-deny";
    assert_eq!(only_default, object.at("/spec/podSelector") == Some(&json!({})));
}

#[test]
fn every_host_is_below_the_domain() {
    for manifest in render(&spec(json!({}))).iter().filter(|m| m.object.kind().kind == "Ingress") {
        let host = manifest.object.str_at("/spec/rules/0/host").unwrap();
        assert!(host.ends_with(&format!("-{ID}.{DOMAIN}")), "{host}");
    }
}

fn find<'a, K>(manifests: &'a [Manifest], name: &str) -> &'a Object
where
    K: k8s_openapi::Resource,
    K::Scope: crate::kubernetes::Scope,
{
    let kind = Kind::of::<K>();
    let found = manifests.iter().map(|m| &m.object).find(|o| *o.kind() == kind && o.name() == name);
    found.unwrap_or_else(|| panic!("there is no {kind} {name}"))
}

fn containers(object: &Object) -> Vec<Value> {
    let pod = "/spec/template/spec";
    ["initContainers", "containers"].iter().flat_map(|c| object.list_at(&format!("{pod}/{c}")).to_vec()).collect()
}

fn env_names(container: &Value) -> Vec<String> {
    container["env"].as_array().unwrap().iter().map(|e| e["name"].as_str().unwrap().to_owned()).collect()
}
