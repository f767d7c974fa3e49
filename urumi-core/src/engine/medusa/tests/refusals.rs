//! What is refused: the exact field, and words that say what would be right.

use serde_json::{Value, json};

use super::{MedusaEngine, options, resolve};

/// Each request with the fields it is refused for, and words of the messages.
fn refused(cases: &[(Value, &[(&str, &str)])]) {
    let engine = MedusaEngine::default();
    for (request, expected) in cases {
        let errors = resolve(&engine, request.clone()).expect_err(&format!("{request} must be refused"));
        let shown: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(errors.len(), expected.len(), "{request} gave {shown:#?}");
        for (field, words) in *expected {
            assert!(
                errors.iter().any(|e| e.field == *field && e.message.contains(words)),
                "{request} must be refused for {field} with {words:?}, but gave {shown:#?}"
            );
        }
    }
}

#[test]
fn fields_of_the_wrong_shape() {
    refused(&[
        (json!({ "apy": {} }), &[("apy", "there is no such option; there are domain, database")]),
        (json!({ "api": { "replica": 2 } }), &[("api.replica", "there is no such option")]),
        (json!({ "api": 3 }), &[("api", "must be an object, not")]),
        (json!({ "api": [] }), &[("api", "must be an object, not")]),
        (json!({ "api": { "replicas": "two" } }), &[("api.replicas", "must be a whole number from 1 to 20")]),
        (json!({ "api": { "replicas": 1.5 } }), &[("api.replicas", "must be a whole number from 1 to 20")]),
        (json!({ "api": { "env": { "DEBUG": true } } }), &[("api.env.DEBUG", "must be a string, not true")]),
        (json!({ "api": { "image": 7 } }), &[("api.image", "must be a string, not 7")]),
        (json!({ "api": { "image": null } }), &[("api.image", "must not be null")]),
        (json!({ "storefront": null }), &[("storefront", "must not be null")]),
        (
            json!({ "database": { "mode": "cloud" } }),
            &[("database.mode", "must be embedded, managed or external, not \"cloud\"")],
        ),
        (
            json!({ "networkPolicy": { "enabled": "no" } }),
            &[("networkPolicy.enabled", "must be true or false, not \"no\"")],
        ),
        (json!({ "imagePullSecrets": "a" }), &[("imagePullSecrets", "must be a list, not \"a\"")]),
        (json!({ "imagePullSecrets": ["a", 7] }), &[("imagePullSecrets[1]", "must be a string, not 7")]),
        (json!({ "quota": { "pods": [] } }), &[("quota.pods", "must be a quantity")]),
        (json!({ "tls": { "enabled": true } }), &[("tls.enabled", "clusterIssuer")]),
        (json!({ "limits": { "max": {} } }), &[("limits.max", "default")]),
    ]);
}

#[test]
fn values_that_kubernetes_or_medusa_would_refuse() {
    let mega = "x".repeat(32 * 1024 + 1);
    let long = "a".repeat(60);
    let domain = [long.as_str(); 4].join(".");
    refused(&[
        (json!({ "domain": "" }), &[("domain", "must not be empty")]),
        (json!({ "domain": "*.example.com" }), &[("domain", "wildcard")]),
        (json!({ "domain": "Example.com" }), &[("domain", "lower-case")]),
        (json!({ "domain": "https://example.com" }), &[("domain", "bare domain")]),
        (json!({ "domain": "192.0.2.1" }), &[("domain", "must not end in a number")]),
        (json!({ "domain": domain }), &[("domain", "makes the host store-abc123.")]),
        (json!({ "api": { "replicas": 0 } }), &[("api.replicas", "1 to 20")]),
        (json!({ "api": { "replicas": -1 } }), &[("api.replicas", "from 1 to 20")]),
        (json!({ "storefront": { "replicas": 21 } }), &[("storefront.replicas", "1 to 20")]),
        (json!({ "api": { "autoscaling": {} } }), &[("api.autoscaling.max", "is required")]),
        (json!({ "api": { "autoscaling": { "max": 21 } } }), &[("api.autoscaling.max", "1 to 20")]),
        (json!({ "api": { "autoscaling": { "min": 0, "max": 2 } } }), &[("api.autoscaling.min", "1 to 20")]),
        (
            json!({ "storefront": { "autoscaling": { "min": 3, "max": 2, "cpu": 0 } } }),
            &[
                ("storefront.autoscaling.max", "must not be below storefront.autoscaling.min: 2 is less than 3"),
                ("storefront.autoscaling.cpu", "must be 1 to 100, not 0"),
            ],
        ),
        (json!({ "smoke": { "schedule": "@daily" } }), &[("smoke.schedule", "five fields")]),
        (json!({ "smoke": { "schedule": "60 * * * *" } }), &[("smoke.schedule", "minute \"60\"")]),
        (json!({ "smoke": { "deadlineSeconds": 5 } }), &[("smoke.deadlineSeconds", "10 to 3600")]),
        (json!({ "storefront": { "theme": { "logo": "logo.png" } } }), &[("storefront.theme.logo", "data URL")]),
        (
            json!({ "storefront": { "theme": { "colors": { "accent": "red", "text": "#000" } } } }),
            &[
                ("storefront.theme.colors.accent", "#0a7d4f"),
                ("storefront.theme.colors.text", "six hexadecimal digits"),
            ],
        ),
        (json!({ "storefront": { "locale": "fr" } }), &[("storefront.locale", "must be en or de, not \"fr\"")]),
        (json!({ "storefront": { "currency": "EUR" } }), &[("storefront.currency", "lower case")]),
        (
            json!({ "storefront": { "footerLinks": [{ "label": "", "href": "//x" }] } }),
            &[("storefront.footerLinks[0].label", "1 to 60"), ("storefront.footerLinks[0].href", "https://")],
        ),
        (
            json!({ "storefront": { "footerLinks": [{ "label": "x" }] } }),
            &[("storefront.footerLinks[0].href", "is required")],
        ),
        (
            json!({ "storefront": { "robots": "none" } }),
            &[("storefront.robots", "must be index or noindex, not \"none\"")],
        ),
        (json!({ "storefront": { "manualPayment": "card" } }), &[("storefront.manualPayment", "invoice")]),
        (
            json!({ "storefront": { "stripePublishableKey": "sk_live_1" } }),
            &[("storefront.stripePublishableKey", "never give a secret key")],
        ),
        (
            json!({ "storefront": { "stripePublishableKey": "pk_test_1", "env": { "STRIPE_PUBLISHABLE_KEY": "x" } } }),
            &[("storefront.stripePublishableKey", "choose one")],
        ),
        (json!({ "api": { "image": "" } }), &[("api.image", "must not be empty")]),
        (json!({ "storefront": { "image": "shop: latest" } }), &[("storefront.image", "white space")]),
        (json!({ "database": { "image": "Postgres" } }), &[("database.image", "lower-case")]),
        (json!({ "database": { "storage": { "size": "5GB" } } }), &[("database.storage.size", "5Gi")]),
        (json!({ "database": { "storage": { "size": "-5Gi" } } }), &[("database.storage.size", "negative")]),
        (json!({ "database": { "storage": { "size": "0" } } }), &[("database.storage.size", "at least 100Mi")]),
        (
            json!({ "database": { "storage": { "className": "Fast SSD" } } }),
            &[("database.storage.className", "lower-case")],
        ),
        (
            json!({ "api": { "resources": { "limits": { "memory": "256Mi" } } } }),
            &[("api.resources.requests.memory", "api.resources.limits.memory: 384Mi is more than 256Mi")],
        ),
        (
            json!({ "database": { "resources": { "requests": { "cpu": "2" } } } }),
            &[("database.resources.requests.cpu", "2 is more than 1")],
        ),
        (
            json!({ "storefront": { "resources": { "requests": { "cpu": 0 } } } }),
            &[("storefront.resources.requests.cpu", "more than 0")],
        ),
        (
            json!({ "storefront": { "resources": { "requests": { "cpu": "1u" } } } }),
            &[("storefront.resources.requests.cpu", "steps of a thousandth")],
        ),
        (
            json!({ "api": { "resources": { "requests": { "memory": "512" } } } }),
            &[("api.resources.requests.memory", "at least 16Mi")],
        ),
        (
            json!({ "api": { "resources": { "limits": { "gpu": "1" } } } }),
            &[("api.resources.limits.gpu", "there are cpu and memory")],
        ),
        (json!({ "api": { "env": { "DATABASE_URL": "x" } } }), &[("api.env.DATABASE_URL", "set by urumi itself")]),
        (json!({ "storefront": { "env": { "PORT": "1" } } }), &[("storefront.env.PORT", "set by urumi itself")]),
        (json!({ "api": { "env": { "MY-KEY": "x" } } }), &[("api.env.MY-KEY", "letters, digits and '_'")]),
        (json!({ "api": { "env": { "1ST": "x" } } }), &[("api.env.1ST", "begin with a digit")]),
        (json!({ "api": { "env": { "A": "x\u{0}y" } } }), &[("api.env.A", "NUL")]),
        (json!({ "api": { "env": { "A": mega } } }), &[("api.env.A", "at most 32768")]),
        (json!({ "api": { "readinessPath": "health" } }), &[("api.readinessPath", "begin with '/'")]),
        (json!({ "api": { "livenessPath": "/a b" } }), &[("api.livenessPath", "' '")]),
        (json!({ "storefront": { "readinessPath": "" } }), &[("storefront.readinessPath", "begin with '/'")]),
        (json!({ "api": { "envSecrets": ["Stripe"] } }), &[("api.envSecrets[0]", "lower-case")]),
        (json!({ "admin": { "email": "alice" } }), &[("admin.email", "e-mail address")]),
        (json!({ "redis": { "image": "" } }), &[("redis.image", "must not be empty")]),
        (json!({ "proofOfLife": { "image": "A" } }), &[("proofOfLife.image", "lower-case")]),
        (json!({ "api": { "replicas": 2 }, "redis": { "enabled": false } }), &[("redis.enabled", "completed twice")]),
        (
            json!({ "api": { "autoscaling": { "max": 2 } }, "redis": { "enabled": false } }),
            &[("redis.enabled", "completed twice")],
        ),
        (
            json!({ "api": { "env": { "REDIS_URL": "redis://x" } }, "redis": { "enabled": true } }),
            &[("redis.enabled", "choose one")],
        ),
        (json!({ "ingress": { "className": "a b" } }), &[("ingress.className", "lower-case")]),
        (json!({ "ingress": { "annotations": { "a b": "x" } } }), &[("ingress.annotations.a b", "letters, digits")]),
        (
            json!({ "ingress": { "annotations": { "kubernetes.io/ingress.class": "nginx" } } }),
            &[("ingress.annotations.kubernetes.io/ingress.class", "use ingress.className")],
        ),
        (
            json!({ "ingress": { "annotations": { "cert-manager.io/cluster-issuer": "x" } } }),
            &[("ingress.annotations.cert-manager.io/cluster-issuer", "use tls.clusterIssuer")],
        ),
        (
            json!({ "ingress": { "annotations": { "nginx.ingress.kubernetes.io/server-snippet": "x" } } }),
            &[("ingress.annotations.nginx.ingress.kubernetes.io/server-snippet", "other stores")],
        ),
        (
            json!({ "ingress": { "annotations": { "store.urumi.ai/id": "x" } } }),
            &[("ingress.annotations.store.urumi.ai/id", "belongs to urumi")],
        ),
        (
            json!({ "ingress": { "controllerNamespaces": [] } }),
            &[("ingress.controllerNamespaces", "must not be empty")],
        ),
        (
            json!({ "ingress": { "controllerNamespaces": ["traefik", "Kube", "traefik"] } }),
            &[("ingress.controllerNamespaces[1]", "lower-case"), ("ingress.controllerNamespaces[2]", "there already")],
        ),
        (
            json!({ "ingress": { "controllerNamespaces": ["kube-system/", "kube-system/a b", "/traefik"] } }),
            &[
                ("ingress.controllerNamespaces[0]", "behind the '/'"),
                ("ingress.controllerNamespaces[1]", "' '"),
                ("ingress.controllerNamespaces[2]", "must not be empty"),
            ],
        ),
        (
            json!({ "ingress": { "controllerCidrs": ["10.0.0.1", "10.0.0.1/16", "::/0", "::/0"] } }),
            &[
                ("ingress.controllerCidrs[0]", "10.0.0.0/16"),
                ("ingress.controllerCidrs[1]", "must be written 10.0.0.0/16"),
                ("ingress.controllerCidrs[3]", "there already"),
            ],
        ),
        (
            json!({ "networkPolicy": { "dns": { "namespaces": [], "ports": [] } } }),
            &[
                ("networkPolicy.dns.namespaces", "without networkPolicy.dns.cidrs"),
                ("networkPolicy.dns.ports", "must not be empty"),
            ],
        ),
        (
            json!({ "networkPolicy": { "dns": { "namespaces": ["DNS"], "cidrs": ["DNS"], "ports": [0] } } }),
            &[
                ("networkPolicy.dns.namespaces[0]", "lower-case"),
                ("networkPolicy.dns.cidrs[0]", "network"),
                ("networkPolicy.dns.ports[0]", "1 to 65535"),
            ],
        ),
        (json!({ "tls": { "secretName": "A" } }), &[("tls.secretName", "lower-case")]),
        (
            json!({ "tls": { "issuer": "a", "clusterIssuer": "b" } }),
            &[("tls.clusterIssuer", "together with tls.issuer")],
        ),
        (json!({ "imagePullSecrets": ["ok", "not ok"] }), &[("imagePullSecrets[1]", "lower-case")]),
        (json!({ "quota": { "cpus": "4" } }), &[("quota.cpus", "requests.cpu")]),
        (json!({ "quota": { "pods": "7500m" } }), &[("quota.pods", "whole number")]),
        (json!({ "quota": { "pods": 2 } }), &[("quota.pods", "at least 6")]),
        (
            json!({ "quota": { "pods": 8 }, "storefront": { "autoscaling": { "max": 4 } } }),
            &[("quota.pods", "at least 9")],
        ),
        (json!({ "quota": { "limits.memory": "1Gi" } }), &[("quota.limits.memory", "at least 3355443200")]),
        (json!({ "quota": { "requests.storage": "1Gi" } }), &[("quota.requests.storage", "at least 5Gi")]),
        (json!({ "quota": { "persistentvolumeclaims": 0 } }), &[("quota.persistentvolumeclaims", "at least 1")]),
        (
            json!({ "limits": { "default": { "cpu": "10m" } } }),
            &[("limits.defaultRequest.cpu", "50m is more than 10m")],
        ),
    ]);
}

#[test]
fn what_fits_the_databases_other_mode_only() {
    let external = |more: Value| {
        let mut database = json!({ "mode": "external", "secret": { "name": "db" } });
        database.as_object_mut().unwrap().extend(options(more));
        json!({ "database": database })
    };
    refused(&[
        (json!({ "database": { "mode": "external" } }), &[("database.secret.name", "is required")]),
        (
            json!({ "database": { "mode": "external", "secret": { "key": "URL" } } }),
            &[("database.secret.name", "is required")],
        ),
        (
            json!({ "database": { "secret": { "name": "db" } } }),
            &[("database.secret", "only for database.mode external")],
        ),
        (json!({ "database": { "port": 6432 } }), &[("database.port", "only for database.mode external")]),
        (external(json!({ "image": "postgres:16" })), &[("database.image", "only for database.mode embedded")]),
        (external(json!({ "storage": {} })), &[("database.storage", "only for database.mode embedded")]),
        (external(json!({ "resources": {} })), &[("database.resources", "only for database.mode embedded")]),
        (external(json!({ "secret": { "name": "D B" } })), &[("database.secret.name", "lower-case")]),
        (external(json!({ "secret": { "name": "db", "key": "a/b" } })), &[("database.secret.key", "'/'")]),
        (external(json!({ "port": 0 })), &[("database.port", "1024 to 65535")]),
        (external(json!({ "port": -1 })), &[("database.port", "1024 to 65535")]),
        (external(json!({ "port": 443 })), &[("database.port", "1024 to 65535")]),
        (external(json!({ "port": 70000 })), &[("database.port", "1024 to 65535")]),
    ]);
}

#[test]
fn every_mistake_is_told_at_once() {
    refused(&[(
        json!({
            "domain": "-",
            "colour": "red",
            "api": { "replicas": 99, "image": 1, "resources": { "limits": { "cpu": "lots" } } },
            "storefront": { "env": { "PORT": "1", "a b": "" } },
            "tls": { "issuer": "_" },
        }),
        &[
            ("domain", "begin and end"),
            ("colour", "there is no such option"),
            ("api.replicas", "1 to 20"),
            ("api.image", "must be a string"),
            ("api.resources.limits.cpu", "not a quantity"),
            ("storefront.env.PORT", "set by urumi"),
            ("storefront.env.a b", "letters"),
            ("tls.issuer", "lower-case"),
        ],
    )]);
}

#[test]
fn options_that_do_not_fit_the_record() {
    let value = "x".repeat(30_000);
    let much = json!({ "storefront": { "env": { "A": value, "B": value, "C": value } } });
    refused(&[(much.clone(), &[("storefront", "may have 65536 bytes")])]);
    let errors = MedusaEngine::with_defaults(options(much)).unwrap_err();
    assert_eq!((errors.len(), errors[0].field.as_str()), (1, "storefront"));
}

#[test]
fn maps_and_lists_have_a_limit_and_so_have_the_errors_of_one_request() {
    let map = |count: usize| -> Value { (0..count).map(|n| (format!("NO SUCH {n}"), json!("1"))).collect() };
    let list = |count: usize| -> Value { (0..count).map(|n| json!(format!("N{n}"))).collect() };
    refused(&[
        (json!({ "quota": map(65) }), &[("quota", "has 65 entries, at most 64 are allowed")]),
        (json!({ "api": { "env": map(257) } }), &[("api.env", "has 257 entries, at most 256 are allowed")]),
        (json!({ "storefront": { "env": map(257) } }), &[("storefront.env", "has 257 entries")]),
        (json!({ "ingress": { "annotations": map(65) } }), &[("ingress.annotations", "has 65 entries")]),
        (json!({ "ingress": { "controllerNamespaces": list(65) } }), &[("ingress.controllerNamespaces", "has 65")]),
        (json!({ "ingress": { "controllerCidrs": list(65) } }), &[("ingress.controllerCidrs", "has 65")]),
        (json!({ "imagePullSecrets": list(65) }), &[("imagePullSecrets", "has 65 entries")]),
        (json!({ "api": { "envSecrets": list(65) } }), &[("api.envSecrets", "has 65 entries")]),
    ]);
    let errors = |request| resolve(&MedusaEngine::default(), request).unwrap_err().len();
    assert_eq!(errors(json!({ "imagePullSecrets": list(64) })), 64);
    assert_eq!(errors(json!({ "api": { "env": map(256) }, "storefront": { "env": map(256) } })), 100);
    // Each unknown option costs another reading of all options.
    assert_eq!(errors(map(2000)), 100);
    assert_eq!(errors(json!({ "api": map(60) })), 60);
    let numbers: Value = (0..60).map(|n| (format!("N{n}"), json!(n))).collect();
    assert_eq!(errors(json!({ "api": { "env": numbers }, "quota": map(64) })), 100);
    // More than a record holds is not even read.
    assert_eq!(errors(json!({ "quota": map(10_000) })), 1);
}

#[test]
fn an_installations_defaults_are_checked_as_requests_are() {
    let errors = MedusaEngine::with_defaults(options(json!({
        "api": { "replicas": 0, "image": null },
        "tls": { "clusterIssuer": "Let's Encrypt" },
        "storage": {},
    })))
    .unwrap_err();
    let fields: Vec<&str> = errors.iter().map(|e| e.field.as_str()).collect();
    for field in ["api.replicas", "api.image", "tls.clusterIssuer", "storage"] {
        assert!(fields.contains(&field), "{field} is not in {errors:#?}");
    }
    assert_eq!(fields.len(), 4, "{errors:#?}");
}

#[test]
fn what_concerns_the_installations_server() {
    refused(&[
        (json!({ "database": { "mode": "managed" } }), &[("database.mode", "this installation names no server")]),
        (
            json!({ "database": { "server": { "host": "evil.example.com", "namespace": "x", "secretName": "y" } } }),
            &[("database.server", "the installation's to choose")],
        ),
    ]);
    let server = json!({ "host": "db.example.com", "namespace": "databases", "secretName": "administrator" });
    let engine = MedusaEngine::with_defaults(options(json!({ "database": { "server": server } }))).unwrap();
    let accepted = resolve(&engine, json!({ "database": { "mode": "managed" } })).unwrap();
    assert_eq!(resolve(&engine, Value::Object(accepted.clone())).unwrap(), accepted);
    let other = json!({ "database": { "mode": "managed", "server": { "image": "evil" } } });
    assert_eq!(resolve(&engine, other).unwrap_err()[0].field, "database.server");
    let embedded = resolve(&engine, json!({})).unwrap();
    assert_eq!(embedded["database"].get("server"), None);

    let former = json!({ "database": { "mode": "managed", "formerServers": [server] } });
    assert_eq!(resolve(&engine, former).unwrap_err()[0].field, "database.formerServers");

    let block = |name: &str, text: &str| format!("-----BEGIN {name}-----\n{text}\n-----END {name}-----\n");
    let certificate = block("CERTIFICATE", "MIIB+/0=");
    let mut verified = server.clone();
    verified["sslMode"] = json!("verifyFull");
    verified["ca"] = json!(format!("# the authority\n{certificate}{certificate}"));
    MedusaEngine::with_defaults(options(json!({ "database": { "server": verified } }))).unwrap();
    let wrong = [
        Value::Null,
        json!(""),
        json!("MIIB"),
        json!(block("PRIVATE KEY", "MIIB")),
        json!(format!("{certificate}{}", block("PRIVATE KEY", "MIIB"))),
        json!(block("CERTIFICATE", "$(PGPASSWORD)")),
        json!(block("CERTIFICATE", "")),
        json!("-----BEGIN CERTIFICATE-----\nMIIB"),
        json!(certificate.repeat(500)),
    ];
    for ca in wrong {
        verified["ca"] = ca;
        let errors = MedusaEngine::with_defaults(options(json!({ "database": { "server": verified } }))).unwrap_err();
        assert_eq!(errors[0].field, "database.server.ca", "{}", verified["ca"]);
    }

    let mut elsewhere = server.clone();
    elsewhere["namespace"] = json!("elsewhere");
    let database = json!({ "server": server, "formerServers": [server, elsewhere] });
    let errors = MedusaEngine::with_defaults(options(json!({ "database": database }))).unwrap_err();
    assert_eq!(errors[0].field, "database.formerServers[1].namespace");

    for (field, value) in [
        ("host", json!("db example")),
        ("port", json!(25)),
        ("database", json!("post'gres")),
        ("namespace", json!("store-abc")),
        ("secretName", json!("A")),
        ("image", json!("a b")),
        ("connections", json!(0)),
        ("ca", json!(certificate)),
    ] {
        let mut server = server.clone();
        server[field] = value.clone();
        let errors = MedusaEngine::with_defaults(options(json!({ "database": { "server": server } }))).unwrap_err();
        let fields: Vec<&str> = errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(fields, [format!("database.server.{field}")], "{value}");
    }
}
