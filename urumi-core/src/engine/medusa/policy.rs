//! What the requests of operators and administrators may choose, unless the installation's policy says otherwise:
//! what isolates a store from others or costs without limit is the installation's.

use serde_json::json;

use crate::engine::{OptionPolicy, Rule};

/// The most replicas of each part.
const REPLICAS: u8 = 3;
/// The most entries of a map.
const ENTRIES: usize = 64;

/// Amounts of CPU and memory: open to operators up to these.
fn resources(path: &str) -> [(String, Rule); 4] {
    let most = |kind: &str, resource: &str, most: &str| (format!("{path}.{kind}.{resource}"), Rule::Max(json!(most)));
    [
        most("requests", "cpu", "2"),
        most("requests", "memory", "4Gi"),
        most("limits", "cpu", "4"),
        most("limits", "memory", "4Gi"),
    ]
}

/// The built-in policy. Every option is named: a test fails for an option without a decision.
pub(super) fn builtin() -> OptionPolicy {
    let amounts: Vec<(String, Rule)> =
        ["api.resources", "storefront.resources", "redis.resources", "database.resources"]
            .into_iter()
            .flat_map(resources)
            .collect();
    let operator = [
        // Hosts of others are within reach of who chooses a domain.
        ("domain", Rule::Locked),
        ("database.mode", Rule::Locked),
        ("database.image", Rule::Locked),
        ("database.storage.size", Rule::Max(json!("20Gi"))),
        ("database.storage.className", Rule::Locked),
        ("database.secret", Rule::Locked),
        ("database.port", Rule::Locked),
        ("database.server", Rule::Locked),
        ("database.formerServers", Rule::Locked),
        // An image is code in the cluster's network.
        ("api.image", Rule::Locked),
        ("api.replicas", Rule::Max(json!(REPLICAS))),
        ("api.autoscaling.cpu", Rule::Open),
        ("api.prepare", Rule::Locked),
        ("api.readinessPath", Rule::Locked),
        ("api.livenessPath", Rule::Locked),
        ("api.env", Rule::Entries(ENTRIES)),
        ("api.secretEnv", Rule::Entries(ENTRIES)),
        ("api.envSecrets", Rule::Locked),
        ("storefront.image", Rule::Locked),
        ("storefront.replicas", Rule::Max(json!(REPLICAS))),
        ("storefront.autoscaling.cpu", Rule::Open),
        ("storefront.readinessPath", Rule::Locked),
        ("storefront.livenessPath", Rule::Locked),
        ("storefront.env", Rule::Entries(ENTRIES)),
        ("storefront.theme", Rule::Open),
        ("storefront.locale", Rule::Open),
        ("storefront.currency", Rule::Open),
        ("storefront.footerLinks", Rule::Open),
        ("storefront.robots", Rule::Open),
        ("storefront.manualPayment", Rule::Open),
        ("storefront.stripePublishableKey", Rule::Open),
        ("redis.enabled", Rule::Open),
        ("redis.image", Rule::Locked),
        ("admin.email", Rule::Open),
        // The proof that a store works is what `ready` means.
        ("proofOfLife", Rule::Locked),
        ("smoke.schedule", Rule::Open),
        ("smoke.deadlineSeconds", Rule::Max(json!(300))),
        ("ingress", Rule::Locked),
        ("tls", Rule::Locked),
        ("quota", Rule::Locked),
        ("limits", Rule::Locked),
        ("imagePullSecrets", Rule::Locked),
        ("networkPolicy", Rule::Locked),
    ];
    let administrator = [
        ("domain", Rule::Open),
        ("database", Rule::Open),
        // Jobs with an administrator's password run on it.
        ("database.server", Rule::Locked),
        ("database.formerServers", Rule::Locked),
        ("api", Rule::Open),
        ("storefront", Rule::Open),
        ("redis", Rule::Open),
        ("admin", Rule::Open),
        ("proofOfLife", Rule::Open),
        ("smoke", Rule::Open),
        ("ingress", Rule::Open),
        ("tls", Rule::Open),
        ("quota", Rule::Open),
        ("limits", Rule::Open),
        ("imagePullSecrets", Rule::Open),
        ("networkPolicy", Rule::Open),
    ];
    let operator = operator.into_iter().chain(amounts.iter().map(|(path, rule)| (path.as_str(), rule.clone())));
    // The numbers of replicas between which an autoscaler chooses.
    let follows = [("api.autoscaling", "api.replicas"), ("storefront.autoscaling", "storefront.replicas")];
    OptionPolicy::locked(operator, administrator).following(follows)
}
