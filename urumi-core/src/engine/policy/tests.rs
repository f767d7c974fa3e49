use serde_json::{Value, json};

use super::*;

fn schema() -> Value {
    json!({"type": "object", "properties": {
        "size": {"type": "string", "default": "5Gi"},
        "count": {"type": "integer", "default": 1},
        "image": {"type": "string", "default": "ghcr.io/acme/shop:1"},
        "colour": {"type": ["string", "null"]},
        "hosts": {"type": "object", "properties": {"domain": {"type": "string"}, "alias": {"type": ["string", "null"]}}},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}, "default": {"a": "1"}},
    }})
}

fn map(value: Value) -> Options {
    value.as_object().cloned().unwrap()
}

fn defaults() -> Options {
    map(json!({"size": "5Gi", "count": 1, "image": "ghcr.io/acme/shop:1", "hosts": {"domain": "a.example"},
        "labels": {"a": "1"}}))
}

fn policy(operator: Value) -> OptionPolicy {
    OptionPolicy::locked([], [("size", Rule::Open)]).with(&map(json!({ "operator": operator })), &schema()).unwrap()
}

/// What an operator's request is refused, as `field: message`.
fn refused(policy: &OptionPolicy, request: Value) -> Vec<String> {
    let refused = policy.check(Authority::Operator, &map(request), &defaults(), &schema());
    refused.iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_locked_keeps_its_default_in_whatever_way_it_is_written() {
    let policy = policy(json!({}));
    for same in [
        json!({}),
        json!({"size": "5Gi", "hosts": {"domain": "a.example"}, "colour": null}),
        json!({"hosts": {}, "labels": {}}),
        json!({"labels": {"a": "1", "b": null}}),
    ] {
        assert_eq!(refused(&policy, same.clone()), Vec::<String>::new(), "{same}");
    }
    for (other, field) in [
        (json!({"size": "6Gi"}), "size"),
        (json!({"colour": "red"}), "colour"),
        (json!({"hosts": {"domain": "b.example"}}), "hosts.domain"),
        (json!({"hosts": {"alias": "b.example"}}), "hosts.alias"),
        (json!({"hosts": {"domain": null}}), "hosts.domain"),
        (json!({"hosts": null}), "hosts.domain"),
        (json!({"labels": {"b": "2"}}), "labels"),
        (json!({"labels": {"a": null}}), "labels"),
        (json!({"labels": null}), "labels"),
    ] {
        let said = refused(&policy, other.clone());
        assert!(said.len() == 1 && said[0].starts_with(&format!("{field}: ")), "{other}: {said:?}");
    }
}

#[test]
fn an_object_that_is_merely_there_is_a_choice_where_the_default_has_none() {
    let policy = policy(json!({}));
    let none = policy.check(Authority::Operator, &map(json!({"hosts": {}})), &Options::new(), &schema());
    assert_eq!(none[0].field, "hosts");
}

#[test]
fn each_rule_refuses_what_it_says_and_nothing_else() {
    let policy = policy(json!({
        "size": {"max": "10Gi"},
        "count": {"max": 3},
        "image": {"images": ["ghcr.io/acme/", "registry.example.com:5000/shop", "redis"]},
        "colour": {"oneOf": ["red", "blue"]},
        "labels": {"keys": ["team"]},
        "hosts": "open",
    }));
    for (option, right, wrong) in [
        ("size", vec![json!("10Gi"), json!("10240Mi"), json!(1)], vec![json!("10.5Gi"), json!("1Pi"), json!(null)]),
        ("count", vec![json!(3), json!(0)], vec![json!(4), json!(1e9)]),
        (
            "image",
            vec![
                json!("ghcr.io/acme/any:2"),
                json!("ghcr.io/acme/deep/er@sha256:00"),
                json!("registry.example.com:5000/shop:1"),
                json!("redis:7"),
                json!("docker.io/library/redis"),
            ],
            vec![
                json!("ghcr.io/acme"),
                json!("ghcr.io/acmes/any:2"),
                json!("registry.example.com:5000/shopping"),
                json!("registry.example.com/shop"),
                json!("acme/redis"),
                json!("evil.example/ghcr.io/acme/any"),
            ],
        ),
        ("colour", vec![json!("red")], vec![json!("green")]),
        (
            "labels",
            vec![json!({"team": "web"}), json!({"a": "1"})],
            vec![json!({"b": "2"}), json!({"a": "2"}), json!(null)],
        ),
        ("hosts", vec![json!(null), json!({"alias": "x"})], vec![]),
    ] {
        for value in right {
            assert_eq!(refused(&policy, json!({ option: value })), Vec::<String>::new(), "{option}: {value}");
        }
        for value in wrong {
            assert_eq!(refused(&policy, json!({ option: value })).len(), 1, "{option}: {value}");
        }
    }
}

#[test]
fn an_option_that_follows_another_has_its_rule_unless_it_has_its_own() {
    let followed = |given: Value| {
        let policy = OptionPolicy::locked([("count", Rule::Max(json!(3)))], []).following([("hosts", "count")]);
        let policy = policy.with(&map(json!({ "operator": given })), &schema()).unwrap();
        ["hosts", "hosts.alias"].map(|path| policy.rule(Authority::Operator, path).clone())
    };
    let max = |most: u32| Rule::Max(json!(most));
    assert_eq!(followed(json!({})), [max(3), max(3)]);
    assert_eq!(followed(json!({"count": {"max": 2}})), [max(2), max(2)]);
    assert_eq!(followed(json!({"count": "locked"})), [Rule::Locked, Rule::Locked]);
    assert_eq!(followed(json!({"hosts": "open"})), [Rule::Open, Rule::Open]);
    assert_eq!(followed(json!({"hosts.alias": "open"})), [max(3), Rule::Open]);
}

#[test]
fn entries_are_counted_with_those_of_the_default() {
    let policy = policy(json!({"labels": {"entries": 2}}));
    assert!(refused(&policy, json!({"labels": {"b": "2"}})).is_empty());
    assert!(refused(&policy, json!({"labels": {"a": "2", "b": "2"}})).is_empty());
    assert!(refused(&policy, json!({"labels": {"a": null, "b": "2", "c": "3"}})).is_empty());
    assert_eq!(
        refused(&policy, json!({"labels": {"b": "2", "c": "3"}})),
        ["labels: must have at most 2 entries, not 3; the policy of the installation can allow it (operator: labels)"]
    );
}

#[test]
fn a_refusal_says_who_may_lift_it() {
    let policy = policy(json!({}));
    assert_eq!(
        refused(&policy, json!({"size": "6Gi", "count": 2})),
        [
            "count: is set to 1 by the installation; the policy of the installation can allow it (operator: count)",
            "size: is set to \"5Gi\" by the installation; an administrator may choose another value",
        ]
    );
    let administrators = policy.check(Authority::Administrator, &map(json!({"size": "6Gi"})), &defaults(), &schema());
    assert!(administrators.is_empty());
    let installations = policy.check(Authority::Installation, &map(json!({"count": 99})), &defaults(), &schema());
    assert!(installations.is_empty());
}

#[test]
fn a_given_rule_replaces_those_of_everything_in_it() {
    let builtin = || OptionPolicy::locked([("hosts.domain", Rule::Locked), ("size", Rule::Open)], []);
    let policy = builtin().with(&map(json!({"operator": {"hosts": "open"}})), &schema()).unwrap();
    assert_eq!(policy.rule(Authority::Operator, "hosts.domain"), &Rule::Open);
    assert_eq!(policy.rule(Authority::Operator, "size"), &Rule::Open);
    assert_eq!(policy.rule(Authority::Operator, "count"), &Rule::Locked);
    let rules = json!({"operator": {"hosts": "open", "hosts.domain": "locked"}, "administrator": null});
    let policy = builtin().with(&map(rules), &schema()).unwrap();
    assert_eq!(policy.rule(Authority::Operator, "hosts.domain"), &Rule::Locked);
    assert_eq!(policy.rule(Authority::Operator, "hosts.alias"), &Rule::Open);
}

#[test]
fn wrong_rules_are_named_by_their_paths() {
    let said = |given: Value| -> Vec<String> {
        let wrong = OptionPolicy::open().with(&map(given), &schema()).unwrap_err();
        wrong.iter().map(ToString::to_string).collect()
    };
    assert_eq!(said(json!({"root": {}})), ["root: is no authority; there is operator, administrator"]);
    assert_eq!(said(json!({"operator": []})), ["operator: must hold rules by the paths of options"]);
    assert_eq!(said(json!({"operator": {"sise": "open"}})), ["operator.sise: is no option of this engine"]);
    assert!(
        said(json!({"operator": {"size": "shut"}}))[0].starts_with("operator.size: is no rule; write open, locked")
    );
    for (option, rule) in [
        ("size", json!({"max": "much"})),
        ("size", json!({"max": 3})),
        ("size", json!({"keys": ["a"]})),
        ("count", json!({"max": "3Gi"})),
        ("count", json!({"images": ["ghcr.io/acme/"]})),
        ("image", json!({"images": []})),
        ("image", json!({"images": ["https://ghcr.io"]})),
        ("colour", json!({"oneOf": []})),
        ("hosts", json!({"oneOf": [{}]})),
        ("hosts", json!({"entries": 1})),
        ("labels", json!({"max": 1})),
    ] {
        let wrong = said(json!({"operator": {option: rule}}));
        assert!(wrong[0].ends_with("does not fit this option"), "{option}: {rule}: {wrong:?}");
    }
}

#[test]
fn the_schema_of_a_caller_says_what_they_may_choose() {
    let policy = policy(json!({
        "size": {"max": "10Gi"}, "count": {"max": 3}, "colour": {"oneOf": ["red"]}, "labels": {"keys": ["team"]},
    }));
    let described = policy.describe(Authority::Operator, &schema());
    insta::assert_json_snapshot!(described);
    assert_eq!(policy.describe(Authority::Installation, &schema()), schema());
}
