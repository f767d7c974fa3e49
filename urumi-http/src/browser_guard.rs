//! Protects a server without authentication from web pages.
//!
//! Such a server listens on loopback and treats every caller as an admin. A web page can reach it through a browser on that
//! computer in two ways: by a cross-site request, which does its harm without a readable answer, and by DNS rebinding, where
//! the host name of the page resolves to 127.0.0.1, so that page and server have the same origin. `Sec-Fetch-Site` or
//! `Origin` reveals the former, `Host` the latter. Clients other than browsers are not affected.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

use crate::problem::{Code, Problem};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Which hosts and origins browsers may use for a server without authentication. Loopback names and addresses are
/// accepted always: `localhost`, names below it, `127.0.0.0/8` and `[::1]`.
#[derive(Clone, Debug, Default)]
pub struct BrowserGuard {
    hosts: Arc<[String]>,
    origins: Arc<[HeaderValue]>,
}

impl BrowserGuard {
    /// Accepts these host names (without port) besides loopback, e.g. that of a proxy in front.
    #[must_use]
    pub fn hosts(mut self, hosts: impl IntoIterator<Item = String>) -> Self {
        self.hosts = hosts.into_iter().collect();
        self
    }

    /// Accepts requests of pages of these origins, which CORS allows too.
    #[must_use]
    pub fn origins(mut self, origins: impl IntoIterator<Item = HeaderValue>) -> Self {
        self.origins = origins.into_iter().collect();
        self
    }

    /// Refuses a request that is addressed to a foreign host name, or that a page of another origin sends to change
    /// something.
    ///
    /// # Errors
    /// The refusal: [`Code::Misdirected`] or [`Code::CrossSite`].
    pub(crate) fn check(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        let host = addressed(uri, headers);
        if !host.as_ref().is_none_or(|host| self.accepts(host.host())) {
            let detail = "this server has no authentication, so it accepts only loopback names; send the request to \
                          localhost, or start the server with --accept-host and the name that you use";
            return Err(Problem::new(Code::Misdirected, detail));
        }
        let is_safe = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
        if is_safe || self.is_same_origin(host.as_ref(), headers) {
            return Ok(());
        }
        let detail = "this server has no authentication, so pages of other origins may not change anything; use the \
                      server's own pages, or start it with --cors-origin and the page's origin";
        Err(Problem::new(Code::CrossSite, detail))
    }

    fn accepts(&self, host: &str) -> bool {
        is_loopback(host) || self.hosts.iter().any(|accepted| accepted.eq_ignore_ascii_case(host))
    }

    /// Whether a request comes from a page of the server's own origin or of a configured one, or from no page at all.
    fn is_same_origin(&self, host: Option<&Authority>, headers: &HeaderMap) -> bool {
        let origin = headers.get(ORIGIN);
        if origin.is_some_and(|origin| self.origins.contains(origin)) {
            return true;
        }
        match (headers.get(SEC_FETCH_SITE), origin) {
            (Some(site), _) => site == "same-origin" || site == "none",
            // Browsers of before 2023, and those on plain HTTP beyond loopback, send `Origin` alone.
            (None, Some(origin)) => authority_of(origin).is_some_and(|origin| host == Some(&origin)),
            (None, None) => true,
        }
    }
}

/// A middleware that applies a [`BrowserGuard`].
pub(crate) async fn guard(State(guard): State<BrowserGuard>, request: Request, next: Next) -> Response {
    match guard.check(request.method(), request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => {
            tracing::debug!(code = problem.code.as_str(), "the browser guard refused a request");
            problem.into_response()
        }
    }
}

/// The host that a request is addressed to: HTTP/1 has it in `Host`, HTTP/2 in `:authority`. Every browser sends one.
pub(crate) fn addressed(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    let unreadable = || Authority::from_static("unreadable.invalid");
    match headers.get(HOST) {
        Some(host) => Some(Authority::try_from(host.as_bytes()).unwrap_or_else(|_| unreadable())),
        None => uri.authority().cloned(),
    }
}

/// The host and port of an origin; none of `null`.
pub(crate) fn authority_of(origin: &HeaderValue) -> Option<Authority> {
    let origin = Uri::try_from(origin.as_bytes()).ok()?.into_parts();
    origin.scheme.and(origin.authority)
}

fn is_loopback(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&name);
    name == "localhost"
        || name.ends_with(".localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(guard: &BrowserGuard, method: Method, sent: &[(&'static str, &'static str)]) -> Option<Code> {
        let headers =
            sent.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect();
        guard.check(&method, &Uri::from_static("/stores"), &headers).err().map(|problem| problem.code)
    }

    #[test]
    fn only_loopback_and_configured_hosts_are_answered() {
        let guard = BrowserGuard::default().hosts(["urumi.test".to_owned()]);
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "urumi.localhost",
            "localhost.",
            "127.0.0.1:1",
            "127.9.9.9",
            "[::1]:80",
            "URUMI.test:9",
        ] {
            assert_eq!(verdict(&guard, Method::POST, &[("host", host)]), None, "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "10.0.0.1",
            "[::]",
            "urumi.test.evil.example",
            "",
            "a b",
            "0.0.0.0",
        ] {
            let refused = Some(Code::Misdirected);
            assert_eq!(verdict(&guard, Method::GET, &[("host", host)]), refused, "{host}");
        }
    }

    #[test]
    fn pages_of_other_origins_change_nothing() {
        let guard = BrowserGuard::default().origins([HeaderValue::from_static("https://shop.example")]);
        let to_us = ("host", "localhost:8080");
        for sent in [
            &[][..],
            &[("sec-fetch-site", "same-origin"), ("origin", "http://localhost:5173")],
            &[("sec-fetch-site", "none")],
            &[("origin", "http://localhost:8080")],
            &[("origin", "https://shop.example"), ("sec-fetch-site", "cross-site")],
        ] {
            assert_eq!(verdict(&guard, Method::POST, &[&[to_us], sent].concat()), None, "{sent:?}");
        }
        for sent in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site"), ("origin", "http://localhost:3000")],
            &[("origin", "http://localhost:3000")],
            &[("origin", "http://evil.example")],
            &[("origin", "null")],
            &[("origin", "localhost:8080")],
        ] {
            let sent = [&[to_us], sent].concat();
            assert_eq!(verdict(&guard, Method::DELETE, &sent), Some(Code::CrossSite), "{sent:?}");
            // A page of another origin cannot see the answer of a read.
            assert_eq!(verdict(&guard, Method::GET, &sent), None, "{sent:?}");
        }
    }
}
