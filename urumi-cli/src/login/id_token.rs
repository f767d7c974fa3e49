//! The claims of ID tokens.
//!
//! Signatures are not verified here: an ID token comes from the issuer's token endpoint over TLS, which OpenID Connect Core
//! 1.0, section 3.1.3.7, accepts in place of a signature. The server verifies the signature of every token that it gets.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

/// The tolerated difference between this computer's clock and the issuer's; the server tolerates the same.
const LEEWAY: SignedDuration = SignedDuration::from_secs(60);
/// How long before its expiry a token is renewed, at most. It has to be valid when the server reads it.
const EARLY: SignedDuration = SignedDuration::from_secs(60);

/// The claims that matter to a client.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Claims {
    #[serde(default)]
    iss: String,
    #[serde(default)]
    sub: String,
    #[serde(default)]
    aud: Audience,
    azp: Option<String>,
    nonce: Option<String>,
    exp: Option<f64>,
    iat: Option<f64>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Default for Audience {
    fn default() -> Self {
        Audience::Several(Vec::new())
    }
}

/// What an ID token must say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    /// The nonce of the request, if it had one.
    pub(super) nonce: Option<&'a str>,
    /// The subject of the token that is renewed.
    pub(super) subject: Option<&'a str>,
}

/// The claims of a JWT; `None` for any other token.
pub(crate) fn claims(token: &str) -> Option<Claims> {
    let mut parts = token.split('.');
    let (_header, claims, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

impl Claims {
    /// When the token expires.
    pub(crate) fn expires(&self) -> Option<Timestamp> {
        self.exp.and_then(time)
    }

    /// When to renew the token: a minute before it expires, but not before three quarters of its validity.
    pub(super) fn renew_at(&self) -> Option<Timestamp> {
        let expires = self.expires()?;
        let early = match self.iat.and_then(time) {
            Some(issued) => (expires.duration_since(issued) / 4).clamp(SignedDuration::ZERO, EARLY),
            None => EARLY,
        };
        expires.checked_sub(early).ok()
    }

    /// The subject.
    pub(super) fn subject(&self) -> &str {
        &self.sub
    }

    /// Checks the claims of an ID token (OpenID Connect Core 1.0, section 3.1.3.7).
    ///
    /// # Errors
    /// The text says what is wrong.
    pub(super) fn check(&self, expected: &Expected<'_>, now: Timestamp) -> Result<(), String> {
        if self.iss != expected.issuer {
            return Err(format!("its ID token names the issuer {:?}", self.iss));
        }
        let is_ours = match &self.aud {
            Audience::One(audience) => audience == expected.client_id,
            Audience::Several(audiences) => audiences.iter().any(|audience| audience == expected.client_id),
        };
        if !is_ours || self.azp.as_ref().is_some_and(|party| party != expected.client_id) {
            return Err("its ID token is for another client".to_owned());
        }
        if expected.nonce.is_some() && self.nonce.as_deref() != expected.nonce {
            return Err("its ID token belongs to another sign-in (the nonce differs)".to_owned());
        }
        if expected.subject.is_some_and(|subject| subject != self.sub) {
            return Err("its ID token is for another user".to_owned());
        }
        let (Some(expires), Some(issued)) = (self.expires(), self.iat.and_then(time)) else {
            return Err("its ID token does not say when it was issued and when it expires".to_owned());
        };
        let ahead = "its new ID token has already expired: this computer's clock may be ahead; synchronize it with NTP";
        let behind =
            "its ID token was issued in the future: this computer's clock may be behind; synchronize it with NTP";
        if expires.duration_since(now) <= -LEEWAY {
            return Err(format!("{ahead} (the clock says {now:.0}, the token expired at {expires:.0})"));
        }
        if issued.duration_since(now) > LEEWAY {
            return Err(format!("{behind} (the clock says {now:.0}, the token was issued at {issued:.0})"));
        }
        Ok(())
    }
}

/// A time in seconds since 1970, possibly with a fraction.
fn time(seconds: f64) -> Option<Timestamp> {
    // The fraction is cut off, and `as` saturates.
    Timestamp::from_second(seconds as i64).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const NOW: i64 = 1_800_000_000;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn jwt(claims: &Value) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    /// The verdict on good claims with one change; `null` removes a claim.
    fn with(name: &str, value: Value) -> Result<(), String> {
        let mut good = json!({
            "iss": "https://i", "sub": "ann", "aud": ["other", "cli"], "azp": "cli", "nonce": "n", "exp": NOW + 300, "iat": NOW,
        });
        match value {
            Value::Null => drop(good.as_object_mut().unwrap().remove(name)),
            value => good[name] = value,
        }
        let expected = Expected { issuer: "https://i", client_id: "cli", nonce: Some("n"), subject: Some("ann") };
        claims(&jwt(&good)).unwrap().check(&expected, at(NOW))
    }

    #[test]
    fn an_id_token_is_for_this_client_user_and_sign_in() {
        assert_eq!(with("aud", json!("cli")), Ok(()));
        assert_eq!(with("azp", Value::Null), Ok(()));
        for (name, value, said) in [
            ("iss", json!("https://evil"), "names the issuer"),
            ("iss", json!("https://i/"), "names the issuer"),
            ("iss", Value::Null, "names the issuer"),
            ("aud", json!("other"), "another client"),
            ("aud", json!([]), "another client"),
            ("aud", Value::Null, "another client"),
            ("azp", json!("other"), "another client"),
            ("nonce", json!("m"), "another sign-in"),
            ("nonce", Value::Null, "another sign-in"),
            ("sub", json!("bob"), "another user"),
            ("exp", Value::Null, "does not say when"),
            ("iat", Value::Null, "does not say when"),
        ] {
            let error = with(name, value.clone()).unwrap_err();
            assert!(error.contains(said), "{name}={value}: {error}");
        }
    }

    #[test]
    fn clocks_may_differ_by_a_minute() {
        assert_eq!(with("exp", json!(NOW - 59)), Ok(()));
        assert!(with("exp", json!(NOW - 60)).unwrap_err().contains("clock may be ahead"));
        assert_eq!(with("iat", json!(NOW + 60)), Ok(()));
        assert!(with("iat", json!(NOW + 61)).unwrap_err().contains("clock may be behind"));
        assert!(with("exp", json!(1e300)).unwrap_err().contains("does not say when"));
    }

    #[test]
    fn a_token_is_renewed_a_minute_before_its_expiry_or_later() {
        let renew = |times: Value| claims(&jwt(&times)).unwrap().renew_at();
        assert_eq!(renew(json!({"exp": NOW + 3600, "iat": NOW})), Some(at(NOW + 3540)));
        assert_eq!(renew(json!({"exp": NOW + 40, "iat": NOW})), Some(at(NOW + 30)));
        assert_eq!(renew(json!({"exp": NOW + 3600})), Some(at(NOW + 3540)));
        assert_eq!(renew(json!({"exp": NOW, "iat": NOW + 5})), Some(at(NOW)));
        assert_eq!(renew(json!({"iat": NOW})), None);
    }

    #[test]
    fn other_tokens_have_no_claims() {
        for token in ["", "token", "a.b", "a.b.c.d", "..", "a.e30", "a.!!.c", &format!("{}.x", jwt(&json!({})))] {
            assert!(claims(token).is_none(), "{token}");
        }
        assert_eq!(claims(&jwt(&json!({}))).unwrap().expires(), None);
        assert_eq!(claims(&jwt(&json!({"exp": NOW}))).unwrap().expires(), Some(at(NOW)));
    }
}
