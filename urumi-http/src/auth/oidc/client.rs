//! Fetches the issuer's configuration, and its keys from the URL there.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::{Url, redirect};
use rustls::ClientConfig;
use serde_json::Value;

use super::{OidcError, OidcOptions};
use crate::causes::in_one_line;
use crate::outgoing;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Short, because requests with a token wait for it.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Documents of issuers have a few kilobytes.
const MOST_BYTES: usize = 1 << 20;

/// The HTTP client for one issuer.
pub(super) struct Client {
    http: reqwest::Client,
    issuer: String,
    configuration: Url,
    /// The issuer is on loopback, so its keys may be too.
    local: bool,
}

impl Client {
    pub(super) fn new(options: &OidcOptions) -> Result<Self, OidcError> {
        let bad = |why: &str| OidcError::Issuer { issuer: options.issuer.clone(), why: why.to_owned() };
        let url = Url::parse(&options.issuer).map_err(|_| bad("is not a URL"))?;
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            return Err(bad("must have neither user, query nor fragment"));
        }
        let local = is_loopback(&url);
        if url.scheme() != "https" && !(url.scheme() == "http" && local) {
            return Err(bad("must begin with https://, because an attacker on the network could replace the keys"));
        }
        let configuration = format!("{}/.well-known/openid-configuration", options.issuer.trim_end_matches('/'));
        let configuration = Url::parse(&configuration).map_err(|_| bad("is not a URL"))?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(options, url.scheme() == "https")?)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            // A redirect would allow other sources for the keys.
            .redirect(redirect::Policy::none())
            .user_agent(concat!("urumi-http/", env!("CARGO_PKG_VERSION")));
        let http = if local { http.no_proxy() } else { http };
        let http = http.build().map_err(|error| OidcError::Tls(in_one_line(&error)))?;
        Ok(Client { http, issuer: options.issuer.clone(), configuration, local })
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Fetches the issuer's key set; the error is for the log.
    pub(super) async fn keys(&self) -> Result<Value, String> {
        let configuration = self.get(self.configuration.clone()).await?;
        let text = |name: &str| configuration.get(name).and_then(Value::as_str);
        // OpenID Connect Discovery 1.0, section 4.3.
        if text("issuer") != Some(&self.issuer) {
            return Err("its configuration names another issuer: the URL must be exactly the same".into());
        }
        let keys = text("jwks_uri").and_then(|uri| Url::parse(uri).ok()).ok_or("its configuration has no jwks_uri")?;
        let allowed = keys.scheme() == "https" || (keys.scheme() == "http" && self.local && is_loopback(&keys));
        if !allowed {
            return Err(format!("its keys are at {keys}, which does not begin with https://"));
        }
        self.get(keys).await
    }

    async fn get(&self, url: Url) -> Result<Value, String> {
        let failed = |error: reqwest::Error| in_one_line(&error);
        let mut response = self.http.get(url.clone()).send().await.map_err(failed)?;
        if !response.status().is_success() {
            return Err(format!("{url} answers {}", response.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > MOST_BYTES {
                return Err(format!("{url} answers with more than {MOST_BYTES} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        serde_json::from_slice(&body).map_err(|error| format!("{url} does not answer with JSON: {error}"))
    }
}

/// Whether a URL points to loopback.
fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn tls(options: &OidcOptions, needed: bool) -> Result<ClientConfig, OidcError> {
    let authorities = match &options.ca {
        Some(path) => outgoing::authorities(path).map_err(|why| OidcError::Ca { path: path.clone(), why })?,
        None => Vec::new(),
    };
    outgoing::tls(authorities, needed).map_err(|error| OidcError::Tls(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(issuer: &str) -> Result<Client, String> {
        Client::new(&OidcOptions::new(issuer, "urumi")).map_err(|error| error.to_string())
    }

    #[test]
    fn only_loopback_may_do_without_https() {
        for issuer in ["http://127.0.0.1:8080", "http://127.9.9.9/realm", "http://localhost:1/", "http://[::1]:9"] {
            assert!(client(issuer).is_ok(), "{issuer}");
        }
        for issuer in ["http://issuer.example.com", "http://127.0.0.1.example.com", "http://localhost.example.com"] {
            assert!(client(issuer).err().unwrap().contains("must begin with https://"), "{issuer}");
        }
        for issuer in
            ["", "issuer", "ftp://127.0.0.1", "file:///etc/passwd", "https://a:b@c", "https://a?b", "https://a#b"]
        {
            assert!(client(issuer).is_err(), "{issuer}");
        }
    }

    #[test]
    fn the_configuration_is_beneath_the_issuer() {
        for issuer in ["http://127.0.0.1/realm", "http://127.0.0.1/realm/"] {
            let address = client(issuer).unwrap().configuration;
            assert_eq!(address.as_str(), "http://127.0.0.1/realm/.well-known/openid-configuration");
        }
    }

    #[test]
    fn authorities_that_are_none_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut options = OidcOptions::new("https://issuer.example.com", "urumi");
        for text in ["", "nonsense"] {
            let path = folder.path().join("ca.pem");
            std::fs::write(&path, text).unwrap();
            options.ca = Some(path);
            assert!(matches!(Client::new(&options), Err(OidcError::Ca { .. })));
        }
        options.ca = Some(folder.path().join("missing.pem"));
        assert!(matches!(Client::new(&options), Err(OidcError::Ca { .. })));
    }
}
