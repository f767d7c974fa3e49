//! Checks the claims of a verified token: issuer, audience, validity, subject and teams.

use std::time::Duration;

use serde_json::{Map, Value};

use super::super::bindings::Bindings;
use super::super::error::AuthError;
use super::{LEEWAY, OidcOptions};

/// The maximum number of groups; more are ignored, because each is compared with every role binding.
const MOST_TEAMS: usize = 1_000;

/// The prefix of Kubernetes' own users and groups. An issuer must not assign them: it could make a user a ServiceAccount or
/// a member of `system:masters`.
const KUBERNETES: &str = "system:";

/// The required claims.
#[derive(Debug)]
pub(super) struct Claims {
    options: OidcOptions,
}

/// The subject and teams of a token.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bearer {
    pub(super) subject: String,
    pub(super) teams: Vec<String>,
    /// The remaining validity of the token.
    pub(super) remaining: Duration,
}

impl Claims {
    pub(super) fn new(options: OidcOptions) -> Self {
        Claims { options }
    }

    pub(super) fn bindings(&self) -> &Bindings {
        &self.options.bindings
    }

    /// Checks the claims of a token with a verified signature; `now` in seconds since 1970.
    pub(super) fn bearer(&self, claims: &Map<String, Value>, now: i64) -> Result<Bearer, AuthError> {
        let bad = |why: &str| AuthError::Invalid(why.to_owned());
        if claims.get("iss").and_then(Value::as_str) != Some(&self.options.issuer) {
            return Err(bad("it was issued by another issuer"));
        }
        let ours = |audience: &Value| audience.as_str().is_some_and(|a| self.options.audiences.iter().any(|b| a == b));
        let meant = match claims.get("aud") {
            Some(Value::Array(audiences)) => audiences.iter().any(ours),
            Some(audience) => ours(audience),
            None => false,
        };
        if !meant {
            return Err(bad("it was issued for another audience"));
        }
        let leeway = i64::try_from(LEEWAY.as_secs()).unwrap_or_default();
        let expiry = seconds(claims, "exp")?.ok_or_else(|| bad("it has no expiry"))?;
        let remaining = expiry.saturating_add(leeway).saturating_sub(now);
        let Some(remaining) = u64::try_from(remaining).ok().filter(|remaining| *remaining > 0) else {
            return Err(bad("it has expired"));
        };
        if seconds(claims, "nbf")?.is_some_and(|begin| begin.saturating_sub(leeway) > now) {
            return Err(bad("it is not valid yet"));
        }
        let mut teams = texts(find(claims, &self.options.teams_claim));
        teams.retain(|team| !team.starts_with(KUBERNETES));
        Ok(Bearer { subject: self.subject(claims)?, teams, remaining: Duration::from_secs(remaining) })
    }

    fn subject(&self, claims: &Map<String, Value>) -> Result<String, AuthError> {
        let name = &self.options.subject_claim;
        let bad = |why: &str| AuthError::Invalid(why.replace('#', name));
        let subject = find(claims, name).and_then(Value::as_str).ok_or_else(|| bad("it has no # claim"))?;
        // A user could have entered the address of another user. The name may also be a pointer to that claim.
        let is_email = claims.get("email").and_then(Value::as_str).is_some_and(|email| std::ptr::eq(email, subject));
        if is_email && claims.get("email_verified") != Some(&Value::Bool(true)) {
            return Err(bad("its # is not verified"));
        }
        if subject.starts_with(KUBERNETES) {
            return Err(bad("its # begins with system:"));
        }
        Ok(subject.to_owned())
    }
}

/// Finds a claim by name or JSON pointer.
fn find<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let Some(path) = name.strip_prefix('/') else { return claims.get(name) };
    let (first, rest) = path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let first = claims.get(&first.replace("~1", "/").replace("~0", "~"))?;
    match rest {
        None => Some(first),
        Some(rest) => first.pointer(&format!("/{rest}")),
    }
}

fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).take(MOST_TEAMS).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// A time in seconds since 1970, possibly with a fraction; `None` if the claim is missing.
fn seconds(claims: &Map<String, Value>, name: &str) -> Result<Option<i64>, AuthError> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let whole = |number: f64| {
        #[expect(clippy::cast_possible_truncation, reason = "the fraction is cut off on purpose, and `as` saturates")]
        let whole = number as i64;
        whole
    };
    let number = value.as_i64().or_else(|| value.as_f64().filter(|number| number.is_finite()).map(whole));
    number.map(Some).ok_or_else(|| AuthError::Invalid(format!("its {name} is not a time")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const NOW: i64 = 1_800_000_000;

    fn good() -> Map<String, Value> {
        let claims =
            json!({"iss": "https://issuer", "aud": "urumi", "exp": NOW + 600, "sub": "ann", "groups": ["shop"]});
        claims.as_object().unwrap().clone()
    }

    fn bearer(change: impl FnOnce(&mut Map<String, Value>, &mut OidcOptions)) -> Result<Bearer, String> {
        let (mut claims, mut options) = (good(), OidcOptions::new("https://issuer", "urumi"));
        change(&mut claims, &mut options);
        Claims::new(options).bearer(&claims, NOW).map_err(|error| match error {
            AuthError::Invalid(why) => why,
            other => other.to_string(),
        })
    }

    fn with(name: &str, value: Value) -> Result<Bearer, String> {
        bearer(|claims, _| drop(claims.insert(name.into(), value)))
    }

    fn without(name: &str) -> Result<Bearer, String> {
        bearer(|claims, _| drop(claims.remove(name)))
    }

    #[test]
    fn a_good_token_is_its_bearers() {
        let remaining = Duration::from_secs(660);
        let ann = Bearer { subject: "ann".into(), teams: vec!["shop".into()], remaining };
        assert_eq!(bearer(|_, _| ()), Ok(ann));
        assert!(with("aud", json!(["other", "urumi"])).is_ok());
        assert_eq!(with("groups", json!("one")).unwrap().teams, ["one"]);
        assert_eq!(with("groups", json!({"a": 1})).unwrap().teams, Vec::<String>::new());
        assert_eq!(with("groups", json!(["a", 1, null, "b", "system:masters"])).unwrap().teams, ["a", "b"]);
        assert!(with("exp", json!(NOW as f64 + 0.5)).is_ok());
    }

    #[test]
    fn a_token_of_another_or_for_another_is_refused() {
        for issuer in [json!("https://issuer/"), json!(["https://issuer"]), json!(null)] {
            assert_eq!(with("iss", issuer).unwrap_err(), "it was issued by another issuer");
        }
        for audience in [json!("urum"), json!([]), json!(["other"]), json!({"urumi": 1}), json!(null)] {
            assert_eq!(with("aud", audience).unwrap_err(), "it was issued for another audience");
        }
        assert_eq!(without("iss").unwrap_err(), "it was issued by another issuer");
        assert_eq!(without("aud").unwrap_err(), "it was issued for another audience");
    }

    #[test]
    fn times_count_to_the_second_with_their_leeway() {
        assert!(with("exp", json!(NOW - 59)).is_ok());
        assert_eq!(with("exp", json!(NOW - 60)).unwrap_err(), "it has expired");
        assert_eq!(with("exp", json!(i64::MIN)).unwrap_err(), "it has expired");
        assert!(with("exp", json!(i64::MAX)).is_ok() && with("exp", json!(u64::MAX)).is_ok());
        assert!(with("nbf", json!(NOW + 60)).is_ok());
        assert_eq!(with("nbf", json!(NOW + 61)).unwrap_err(), "it is not valid yet");
        assert_eq!(without("exp").unwrap_err(), "it has no expiry");
        assert_eq!(with("exp", json!("never")).unwrap_err(), "its exp is not a time");
        assert_eq!(with("nbf", json!(null)).unwrap_err(), "its nbf is not a time");
    }

    #[test]
    fn the_subject_is_in_the_claim_that_was_named() {
        assert_eq!(without("sub").unwrap_err(), "it has no sub claim");
        assert_eq!(with("sub", json!(7)).unwrap_err(), "it has no sub claim");
        assert_eq!(with("sub", json!("system:admin")).unwrap_err(), "its sub begins with system:");
        let by_email = |name: &str, verified: Value| {
            bearer(|claims, options| {
                options.subject_claim = name.into();
                claims.insert("email".into(), json!("ann@example.com"));
                claims.insert("email_verified".into(), verified);
            })
        };
        for name in ["email", "/email"] {
            assert_eq!(by_email(name, json!(true)).unwrap().subject, "ann@example.com");
            for verified in [json!(false), json!(null), json!("true"), json!(1)] {
                assert_eq!(by_email(name, verified).unwrap_err(), format!("its {name} is not verified"));
            }
        }
    }

    #[test]
    fn teams_may_lie_deeper() {
        let teams = |name: &str| {
            let found = bearer(|claims, options| {
                options.teams_claim = name.into();
                claims.insert("realm".into(), json!({"roles": ["a"]}));
                claims.insert("https://example.com/groups".into(), json!(["b"]));
            });
            found.unwrap().teams
        };
        assert_eq!(teams("/realm/roles"), ["a"]);
        assert_eq!(teams("https://example.com/groups"), ["b"]);
        assert_eq!(teams("/https:~1~1example.com~1groups"), ["b"]);
        assert_eq!(teams("/realm/nothing"), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn no_time_makes_it_panic(exp: i64, nbf: f64, now: i64) {
            let (mut claims, options) = (good(), OidcOptions::new("https://issuer", "urumi"));
            claims.insert("exp".into(), json!(exp));
            claims.insert("nbf".into(), json!(nbf));
            if Claims::new(options).bearer(&claims, now).is_ok() {
                prop_assert!(i128::from(exp) + 60 > i128::from(now));
            }
        }
    }
}
