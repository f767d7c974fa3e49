//! What the caller of a request should know about options that are accepted.

use serde_json::Value;

use crate::store::{OptionWarning, Options};

/// The last word of a secret's name, e.g. of `STRIPE_API_KEY`.
const SECRET: [&str; 6] = ["KEY", "SECRET", "TOKEN", "PASSWORD", "PASS", "CREDENTIALS"];
/// A name with one of these words says that its value is public, e.g. `STRIPE_PUBLISHABLE_KEY`.
const PUBLIC: [&str; 2] = ["PUBLIC", "PUBLISHABLE"];
/// The parts with variables that are shown, and where their secrets belong instead.
const PARTS: [(&str, &str); 2] = [
    ("api", "put it into api.secretEnv"),
    ("storefront", "the storefront has no secret variables: use it in the API only, with api.secretEnv"),
];

/// Numbers of replicas that are ignored, and values that are shown and whose names look like those of secrets. A warning has the
/// name, never the value.
pub(super) fn of(options: &Options) -> Vec<OptionWarning> {
    let mut warnings = Vec::new();
    for (part, _) in PARTS {
        let sets = |name: &str| options.get(part).and_then(|part| part.get(name)).is_some_and(|value| !value.is_null());
        if sets("replicas") && sets("autoscaling") {
            let message = format!("is ignored while {part}.autoscaling is set");
            warnings.push(OptionWarning::new(format!("{part}.replicas"), message));
        }
    }
    for (part, instead) in PARTS {
        let env = options.get(part).and_then(|part| part.get("env")).and_then(Value::as_object);
        let is_set = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
        for (name, _) in env.into_iter().flatten().filter(|(name, value)| is_set(value) && looks_secret(name)) {
            let message = format!(
                "looks like a secret, and values of {part}.env are shown to everybody who can read the store; {instead}"
            );
            warnings.push(OptionWarning::new(format!("{part}.env.{name}"), message));
        }
    }
    warnings
}

fn looks_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let last = name.rsplit('_').next().unwrap_or_default();
    SECRET.contains(&last) && !PUBLIC.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_of_secrets_are_known_by_their_last_word() {
        for name in [
            "STRIPE_API_KEY",
            "STRIPE_WEBHOOK_SECRET",
            "SENTRY_AUTH_TOKEN",
            "SMTP_PASSWORD",
            "SMTP_PASS",
            "GCP_CREDENTIALS",
            "stripe_api_key",
            "Api_Token",
            "PASSWORD",
        ] {
            assert!(looks_secret(name), "{name}");
        }
        for name in [
            "GREETING",
            "STRIPE_PUBLISHABLE_KEY",
            "NEXT_PUBLIC_API_KEY",
            "public_token",
            "MONKEY",
            "BYPASS",
            "KEY_COUNT",
            "TOKEN_URL",
            "",
        ] {
            assert!(!looks_secret(name), "{name}");
        }
    }

    #[test]
    fn a_warning_names_the_option_and_never_the_value() {
        let options = json!({
            "api": {
                "env": {"STRIPE_API_KEY": "canary", "MODE": "canary", "OLD_TOKEN": null, "NEW_TOKEN": ""},
                "secretEnv": {"SMTP_PASSWORD": "canary"},
            },
            "storefront": {"env": {"CMS_TOKEN": "canary", "STRIPE_PUBLISHABLE_KEY": "canary"}},
        });
        let warnings: Vec<String> = of(options.as_object().unwrap()).iter().map(ToString::to_string).collect();
        assert_eq!(
            warnings,
            [
                "api.env.STRIPE_API_KEY looks like a secret, and values of api.env are shown to everybody who can read \
                 the store; put it into api.secretEnv",
                "storefront.env.CMS_TOKEN looks like a secret, and values of storefront.env are shown to everybody who \
                 can read the store; the storefront has no secret variables: use it in the API only, with api.secretEnv",
            ]
        );
    }

    #[test]
    fn a_number_of_replicas_that_is_ignored_is_told() {
        let options = json!({
            "api": {"replicas": 2, "autoscaling": {"max": 3}},
            "storefront": {"replicas": 2, "autoscaling": null},
        });
        let warnings: Vec<String> = of(options.as_object().unwrap()).iter().map(ToString::to_string).collect();
        assert_eq!(warnings, ["api.replicas is ignored while api.autoscaling is set"]);
    }

    #[test]
    fn options_of_any_shape_are_read() {
        for options in [json!({}), json!({"api": 1}), json!({"api": {"env": ["A_KEY"]}}), json!({"api": {"env": null}})]
        {
            assert_eq!(of(options.as_object().unwrap()), [], "{options}");
        }
    }
}
