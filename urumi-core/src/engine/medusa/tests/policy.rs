//! The built-in policy: every option has a decision, and each of them is as documented.

use serde_json::{Value, json};

use super::{DOMAIN, ID, options};
use crate::engine::{EngineInfo, EngineRegistry, NewStore, Rule};
use crate::store::{Authority, StoreId};

/// Every option that is no object, by its path, with its schema.
pub(super) fn leaves(schema: &Value) -> Vec<(String, Value)> {
    fn collect(path: &str, schema: &Value, found: &mut Vec<(String, Value)>) {
        match schema["properties"].as_object() {
            Some(properties) => {
                for (name, property) in properties {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    collect(&path, property, found);
                }
            }
            None => found.push((path.to_owned(), schema.clone())),
        }
    }
    let mut found = Vec::new();
    collect("", schema, &mut found);
    found
}

/// A request that chooses one option.
fn choosing(path: &str, value: Value) -> Value {
    path.rsplit('.').fold(value, |value, name| json!({ name: value }))
}

pub(super) fn info(engines: &EngineRegistry) -> EngineInfo {
    engines.infos().into_iter().find(|info| info.name == "medusa").unwrap()
}

/// The installation's file as a chart renders it, or none.
fn installations() -> Vec<(&'static str, EngineRegistry)> {
    let rendered = |values: &str| {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../helm/store-platform/tests/rendered/");
        let text = std::fs::read_to_string(format!("{root}{values}.yaml")).unwrap();
        let documents = text.split("\n---\n").map(|document| serde_norway::from_str::<Value>(document).unwrap());
        let file =
            documents.filter_map(|document| document["data"]["engine-defaults.yaml"].as_str().map(str::to_owned));
        let file: Vec<String> = file.collect();
        let [file] = file.as_slice() else { panic!("{values}: {} files", file.len()) };
        crate::settings::engines(options(serde_norway::from_str(file).unwrap())).unwrap()
    };
    vec![("built in", EngineRegistry::builtin()), ("local", rendered("local")), ("production", rendered("prod"))]
}

/// A rule for a whole group must not decide on options that nobody has thought of: only a lock may.
#[test]
fn every_option_has_a_decision() {
    let engines = EngineRegistry::builtin();
    let EngineInfo { options, policy, .. } = info(&engines);
    for (path, _) in leaves(&options) {
        let group = path.split('.').next().unwrap();
        assert!(policy.decides(Authority::Operator, &path), "{path} has no rule for operators in policy.rs");
        assert!(policy.decides(Authority::Administrator, &path), "{path} has no rule for administrators in policy.rs");
        let by_group = path != group && policy.decides(Authority::Operator, group);
        assert!(!by_group || policy.rule(Authority::Operator, group) == &Rule::Locked, "{group} is open as a whole");
    }
}

/// Each option, tried with a value that is not its default, on each authority, in each installation.
#[test]
fn every_option_is_refused_or_accepted_as_its_rule_says() {
    let id = StoreId::parse(ID).unwrap();
    let store = NewStore::new(&id, DOMAIN);
    let mut table = String::new();
    for (installation, engines) in installations() {
        let EngineInfo { options: schema, policy, .. } = info(&engines);
        for (path, schema) in leaves(&schema) {
            let mut row = format!("{installation:<11} {path:<38}");
            for authority in Authority::ALL {
                let rule = policy.rule(authority, &path);
                let refused = |value: Value| {
                    let request = options(choosing(&path, value));
                    !engines.refusals("medusa", authority, &store, &request).is_empty()
                };
                let (right, wrong) = trials(rule, &schema);
                assert!(
                    right.iter().all(|value| !refused(value.clone())),
                    "{installation}: {authority}: {path}: {right:?}"
                );
                assert!(
                    wrong.iter().all(|value| refused(value.clone())),
                    "{installation}: {authority}: {path}: {wrong:?}"
                );
                assert!(!right.is_empty() || !wrong.is_empty(), "{path}");
                let rule = serde_json::to_string(rule).unwrap().replace('"', "");
                row.push_str(&format!(" {rule:<20}"));
            }
            table.push_str(row.trim_end());
            table.push('\n');
        }
    }
    insta::assert_snapshot!(table);
}

/// Values that a rule accepts and refuses, none of them a default.
fn trials(rule: &Rule, schema: &Value) -> (Vec<Value>, Vec<Value>) {
    let is = |name: &str| match &schema["type"] {
        Value::String(only) => only == name,
        types => types.as_array().into_iter().flatten().any(|one| one == name),
    };
    let entries = |count: usize| -> Value {
        (0..count).map(|n| (format!("K{n}"), json!("1"))).collect::<serde_json::Map<_, _>>().into()
    };
    let other = if is("boolean") {
        json!(schema["default"] != json!(true))
    } else if is("integer") {
        json!(1234)
    } else if is("array") {
        json!(["another"])
    } else if is("object") {
        entries(1)
    } else {
        json!("another")
    };
    match rule {
        Rule::Open => (vec![other], vec![]),
        Rule::Locked => (vec![], vec![other]),
        Rule::OneOf(values) => (values.clone(), vec![other]),
        Rule::Max(most @ Value::Number(_)) => (vec![most.clone()], vec![json!(most.as_u64().unwrap() + 1)]),
        Rule::Max(most) => (vec![most.clone()], vec![json!("1000Ti")]),
        Rule::Images(prefixes) => (
            prefixes.iter().map(|prefix| json!(format!("{}x:1", prefix.trim_end_matches(|c| c != '/')))).collect(),
            vec![other],
        ),
        Rule::Keys(keys) => (keys.iter().map(|key| json!({ key: "1" })).collect(), vec![json!({"another": "1"})]),
        Rule::Entries(most) => (vec![entries(1)], vec![entries(most + 1)]),
    }
}

/// The table of docs/POLICY.md; `UPDATE_DOCS=1` writes it.
#[test]
fn the_documented_policy_is_the_built_in_one() {
    let EngineInfo { options, policy, .. } = info(&EngineRegistry::builtin());
    let mut table = String::from("\n| option | operator | administrator |\n|---|---|---|\n");
    for (path, _) in leaves(&options) {
        let [operator, administrator] = [Authority::Operator, Authority::Administrator].map(|authority| {
            let rule = serde_json::to_string(policy.rule(authority, &path)).unwrap().replace('"', "");
            rule.replace(':', ": ").trim_matches(['{', '}']).to_owned()
        });
        table.push_str(&format!("| `{path}` | {operator} | {administrator} |\n"));
    }
    table.push('\n');
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/POLICY.md");
    let text = std::fs::read_to_string(file).unwrap();
    let (before, rest) = text.split_once(" policy -->\n").unwrap();
    let (committed, after) = rest.split_once("<!-- end of rules -->").unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(file, format!("{before} policy -->\n{table}<!-- end of rules -->{after}")).unwrap();
        return;
    }
    assert!(committed == table, "docs/POLICY.md is out of date: UPDATE_DOCS=1 cargo test -p urumi-core policy");
}

/// What an attacker with an operator's token asked for, option by option: isolation off, foreign hosts, foreign Secrets,
/// code of their own, and more than a cluster has.
#[test]
fn an_operator_cannot_undo_what_the_installation_decided() {
    let attacks = [
        json!({"networkPolicy": {"enabled": false}}),
        json!({"quota": null}),
        json!({"quota": {"pods": "1000"}}),
        json!({"limits": null}),
        json!({"proofOfLife": {"enabled": false}}),
        json!({"proofOfLife": {"resources": {"requests": {"cpu": "900"}}}}),
        json!({"api": {"image": "attacker.example/anything:1"}}),
        json!({"api": {"prepare": false}}),
        json!({"api": {"replicas": 20}}),
        json!({"api": {"resources": {"requests": {"cpu": "1000", "memory": "1Ti"}}}}),
        json!({"api": {"resources": {"limits": {"memory": "1Ti"}}}}),
        json!({"api": {"envSecrets": ["wildcard-tls"]}}),
        json!({"database": {"mode": "external", "secret": {"name": "wildcard-tls", "key": "tls.key"}}}),
        json!({"database": {"storage": {"size": "10Pi"}}}),
        json!({"database": {"storage": {"className": "expensive"}}}),
        json!({"database": {"image": "attacker.example/postgres"}}),
        json!({"database": {"server": {"host": "203.0.113.66", "namespace": "databases", "secretName": "administrator"}}}),
        json!({"redis": {"image": "attacker.example/redis"}}),
        json!({"domain": "corp.example.org"}),
        json!({"tls": {"clusterIssuer": "internal-ca"}}),
        json!({"tls": {"secretName": "of-another"}}),
        json!({"tls": null, "quota": null}),
        json!({"ingress": {"className": "internal-admin"}}),
        json!({"ingress": {"controllerNamespaces": ["default"]}}),
        json!({"ingress": {"controllerCidrs": ["0.0.0.0/0"]}}),
        json!({"networkPolicy": {"dns": {"cidrs": ["10.96.0.1/32"], "ports": [443]}}}),
        json!({"ingress": {"annotations": {"nginx.ingress.kubernetes.io/server-alias": "*.stores.example.com"}}}),
        json!({"ingress": {"annotations": {"external-dns.alpha.kubernetes.io/hostname": "login.example.com"}}}),
        json!({"ingress": {"annotations": {"cert-manager.io/subject-organizations": "system:masters"}}}),
        json!({"imagePullSecrets": ["wildcard-tls"]}),
    ];
    let id = StoreId::parse(ID).unwrap();
    let store = NewStore::new(&id, DOMAIN);
    let (_, production) = installations().pop().unwrap();
    for attack in attacks {
        let refused = production.refusals("medusa", Authority::Operator, &store, &options(attack.clone()));
        assert!(!refused.is_empty(), "{attack}");
    }
}

/// An object that completes itself with defaults is a choice even while it is empty.
#[test]
fn an_operator_cannot_add_limits_where_the_installation_has_none() {
    let id = StoreId::parse(ID).unwrap();
    let builtin = EngineRegistry::builtin();
    let store = NewStore::new(&id, DOMAIN);
    let refused = builtin.refusals("medusa", Authority::Operator, &store, &options(json!({"limits": {}})));
    assert_eq!(refused.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), ["limits"]);
}

/// Not even the installation may hand a container a Secret that is not for it.
#[test]
fn secrets_of_others_stay_others() {
    let engine = super::MedusaEngine::default();
    for name in
        ["wildcard-tls", "shops-cert", "medusa-admin", "postgres-credentials", "medusa-credentials", "store-secrets"]
    {
        for (field, request) in [
            (
                "database.secret.name",
                json!({"database": {"mode": "external", "secret": {"name": name, "key": "tls.key"}}}),
            ),
            ("api.envSecrets[0]", json!({"api": {"envSecrets": [name]}})),
            ("imagePullSecrets[0]", json!({"imagePullSecrets": [name]})),
        ] {
            let mut request = request;
            request["tls"] = json!({"secretName": "shops-cert"});
            let errors = super::resolve(&engine, request).unwrap_err();
            assert!(errors.iter().any(|error| error.field == field), "{field}: {name}: {errors:?}");
        }
    }
}
