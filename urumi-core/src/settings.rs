//! The values of settings that more than one frontend has, read from what was given for them.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::Value;

use crate::engine::EngineRegistry;
use crate::error::FieldError;
use crate::kubernetes::syntax;
use crate::store::Options;

/// The longest domain under which every store's hosts fit into DNS' 253 characters, whatever its id.
const LONGEST_DOMAIN: usize = 190;
/// The longest duration. Deadlines and delays beyond it are mistakes.
const LONGEST_DURATION: Duration = Duration::from_secs(7 * 24 * 3600);

/// A duration like `90s`, `10m`, `1h30m`; from a moment to 7 days.
///
/// # Errors
/// What would be right.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = "write a duration with its unit, e.g. 90s, 10m or 1h30m";
    let parsed: SignedDuration = text.parse().map_err(|_| wrong.to_owned())?;
    let duration = Duration::try_from(parsed).map_err(|_| "a duration must not be negative".to_owned())?;
    match duration {
        Duration::ZERO => Err("a duration must be longer than zero".into()),
        longer if longer > LONGEST_DURATION => Err("a duration must not be longer than 7 days".into()),
        duration => Ok(duration),
    }
}

/// A domain under which stores are reachable: as [`syntax::domain`] says of one that a store's options name, and short
/// enough for a store's hosts below it.
///
/// # Errors
/// What is wrong with it.
pub fn domain(text: &str) -> Result<String, String> {
    syntax::domain(text)?;
    if text.len() > LONGEST_DOMAIN {
        return Err(format!("has {} characters, at most {LONGEST_DOMAIN} are allowed", text.len()));
    }
    Ok(text.to_owned())
}

/// The member of an installation's file with its policy. No engine has this name.
const POLICY: &str = "policy";

/// The engines that come with urumi, as an installation's file has them: default options by an engine's name, and under
/// `policy`, by an engine's name, what requests may choose (see [`OptionPolicy`](crate::engine::OptionPolicy)). What the
/// file leaves out is as built in.
///
/// # Errors
/// Every name, option and rule that is wrong, by its path, e.g. `medusa.database.storage.size`.
pub fn engines(mut installation: Options) -> Result<EngineRegistry, Vec<FieldError>> {
    let policy = match installation.remove(POLICY) {
        None | Some(Value::Null) => Options::new(),
        Some(Value::Object(policy)) => policy,
        Some(_) => return Err(vec![FieldError::new(POLICY, "must hold rules by the names of engines")]),
    };
    let inside = |error: FieldError| FieldError::new(format!("{POLICY}.{}", error.field), error.message);
    let engines = EngineRegistry::builtin().with_defaults(installation)?;
    engines.with_policy(policy).map_err(|errors| errors.into_iter().map(inside).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn engines_of(defaults: Value) -> Result<EngineRegistry, Vec<FieldError>> {
        engines(serde_json::from_value(defaults).unwrap())
    }

    #[test]
    fn engines_start_from_an_installations_defaults() {
        let defaults = json!({ "medusa": { "database": { "storage": { "size": "10Gi" } } } });
        let default = |engines: EngineRegistry, option: &str| {
            engines.infos()[0].options.pointer(option).and_then(|option| option.get("default")).cloned()
        };
        let size = "/properties/database/properties/storage/properties/size";
        let replicas = "/properties/api/properties/replicas";
        assert_eq!(default(engines_of(defaults.clone()).unwrap(), size), Some(json!("10Gi")));
        assert_eq!(default(engines_of(defaults).unwrap(), replicas), Some(json!(1)));
        for nothing in [json!({}), json!({ "medusa": null }), json!({ "medusa": {} })] {
            assert_eq!(default(engines_of(nothing).unwrap(), size), Some(json!("5Gi")));
        }
    }

    #[test]
    fn every_wrong_default_is_named_by_its_path() {
        let wrong = engines_of(json!({
            "medusa": { "database": { "storage": { "size": "5GB" } }, "api": { "replicas": 0, "colour": "red" } },
            "shopware": { "api": {} },
            "": null,
        }));
        let said: Vec<String> = wrong.unwrap_err().iter().map(ToString::to_string).collect();
        for path in
            ["medusa.database.storage.size: ", "medusa.api.replicas: ", "medusa.api.colour: there is no such option"]
        {
            assert!(said.iter().any(|line| line.starts_with(path)), "{path} is not in {said:#?}");
        }
        assert!(said.contains(&"shopware: is no engine; there is medusa".to_owned()), "{said:#?}");
        assert_eq!(said.len(), 5, "{said:#?}");
        for no_options in [json!(1), json!("x"), json!([]), json!(true)] {
            let wrong = engines_of(json!({ "medusa": no_options })).unwrap_err();
            assert_eq!((wrong.len(), wrong[0].field.as_str()), (1, "medusa"));
        }
    }

    #[test]
    fn durations() {
        for (text, seconds) in
            [("90s", 90.0), ("10m", 600.0), ("1h30m", 5400.0), ("1h 30m", 5400.0), ("500ms", 0.5), ("PT2M", 120.0)]
        {
            assert_eq!(duration(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in ["", "10", "-5m", "5m ago", "0s", "8d", "1y", "ten minutes", "999999999999h", "1.5.5s", "∞"] {
            assert!(duration(text).is_err(), "{text} is accepted");
        }
    }

    #[test]
    fn domains() {
        for text in ["localtest.me", "localhost", "127.0.0.1.nip.io", "stores.example.com"] {
            assert_eq!(domain(text).as_deref(), Ok(text));
        }
        let long = ["a"; 100].join(".");
        for text in
            ["", ".", "a..b", "*.example.com", "https://x.com", "x.com:80", "X.com", "x.com.", "-x.com", "ü.de", &long]
        {
            assert!(domain(text).is_err(), "{text} is accepted");
        }
        // Browsers take these for addresses, so that every store below them would be refused.
        for text in ["10.0.0.1", "stores.1"] {
            assert_eq!(domain(text), Err(syntax::domain(text).unwrap_err()));
        }
    }
}
