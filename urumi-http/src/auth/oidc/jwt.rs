//! Parses a JWT in compact form, and lists the accepted signature algorithms.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::error::AuthError;

/// The accepted signature algorithms. `none` is missing on purpose, and so are HMACs, where an attacker could use a public
/// key as the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
pub(super) enum Algorithm {
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    EdDSA,
}

/// The header of a token. It is not trustworthy: it only selects one of the accepted algorithms.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) alg: Algorithm,
    pub(super) kid: Option<String>,
}

#[derive(Deserialize)]
struct RawHeader {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
}

/// A parsed token, not verified yet.
pub(super) struct Jwt<'a> {
    header: Vec<u8>,
    pub(super) claims: Map<String, Value>,
    /// The signed part.
    pub(super) message: &'a str,
    pub(super) signature: Vec<u8>,
}

impl<'a> Jwt<'a> {
    /// Parses a token; `None` if it is not a JWT.
    pub(super) fn read(token: &'a str) -> Option<Self> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        // Further dots (an encrypted token has four) are not valid base64.
        let claims = serde_json::from_slice(&decode(claims)?).ok()?;
        Some(Jwt { header: decode(header)?, claims, message, signature: decode(signature)? })
    }

    /// The claimed issuer.
    pub(super) fn issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(Value::as_str)
    }

    /// The parsed header.
    pub(super) fn header(&self) -> Result<Header, AuthError> {
        let bad = |why: &str| AuthError::Invalid(why.to_owned());
        let raw: RawHeader = serde_json::from_slice(&self.header).map_err(|_| bad("its header is malformed"))?;
        // Critical extensions must be understood, and this server implements none.
        if raw.crit.is_some() {
            return Err(bad("its header has critical extensions"));
        }
        // Issuers sign other documents with the same keys, e.g. logout tokens.
        let typ = raw.typ.map(|typ| typ.to_ascii_lowercase());
        let typ = typ.as_deref().map(|typ| typ.strip_prefix("application/").unwrap_or(typ));
        if !matches!(typ, None | Some("jwt" | "at+jwt")) {
            return Err(bad("its type is not that of an ID or access token"));
        }
        let alg = Algorithm::deserialize(serde_json::Value::String(raw.alg))
            .map_err(|_| bad("its algorithm is not accepted; use RS*, PS*, ES256, ES384 or EdDSA"))?;
        Ok(Header { alg, kid: raw.kid })
    }
}

/// Base64url without padding.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn token(header: &str, claims: &str) -> String {
        format!("{}.{}.AAAA", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
    }

    fn header(json: &str) -> Result<Algorithm, String> {
        let token = token(json, "{}");
        Jwt::read(&token).unwrap().header().map(|header| header.alg).map_err(|error| error.to_string())
    }

    #[test]
    fn headers() {
        assert_eq!(header(r#"{"alg":"RS256"}"#), Ok(Algorithm::RS256));
        assert_eq!(header(r#"{"alg":"EdDSA","typ":"at+JWT","kid":"x"}"#), Ok(Algorithm::EdDSA));
        assert_eq!(header(r#"{"alg":"PS512","typ":"application/at+jwt"}"#), Ok(Algorithm::PS512));
        for (json, why) in [
            (r#"{"alg":"none"}"#, "algorithm"),
            (r#"{"alg":"None"}"#, "algorithm"),
            (r#"{"alg":"HS256"}"#, "algorithm"),
            (r#"{"alg":"rs256"}"#, "algorithm"),
            (r#"{"alg":"ES512"}"#, "algorithm"),
            (r#"{"alg":""}"#, "algorithm"),
            (r#"{}"#, "malformed"),
            (r#"{"alg":null}"#, "malformed"),
            (r#"{"alg":"RS256","alg":"none"}"#, "malformed"),
            (r#"[]"#, "malformed"),
            (r#"{"alg":"RS256","crit":["b64"],"b64":false}"#, "critical"),
            (r#"{"alg":"RS256","typ":"logout+jwt"}"#, "its type is not"),
        ] {
            assert!(header(json).unwrap_err().contains(why), "{json}: {:?}", header(json));
        }
    }

    #[test]
    fn what_is_no_jwt_is_none() {
        for token in ["", ".", "..", "a.b.c", "a.b.c.d.e", "e30.e30", "e30.e30.=", "e30.W10.", "e30=.e30.", "e30.e3 0."]
        {
            assert!(Jwt::read(token).is_none(), "{token}");
        }
        assert!(Jwt::read("e30.e30.").is_some(), "a signature of nothing is one; it will not verify");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[a-zA-Z0-9._=-]{0,80}", head in "\\PC{0,40}", claims in "\\PC{0,40}") {
            for token in [text, token(&head, &claims)] {
                if let Some(jwt) = Jwt::read(&token) {
                    let _ = (jwt.issuer(), jwt.header());
                }
            }
        }
    }
}
