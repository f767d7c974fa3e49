//! Parsers of option values.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use http::uri::Authority;
use http::{HeaderValue, Uri};
use ipnet::IpNet;
use reqwest::Url;
use tracing_subscriber::EnvFilter;

/// The address of the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricsListen {
    /// No metrics.
    Off,
    /// This address.
    At(SocketAddr),
}

/// The URL of a trace collector, which may contain a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(String);

impl Endpoint {
    /// The URL as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the URL is `https`.
    pub(in crate::program) fn is_https(&self) -> bool {
        self.0.parse::<Uri>().is_ok_and(|uri| uri.scheme_str() == Some("https"))
    }

    /// The URL without its credentials and query.
    pub(super) fn redacted(text: &str) -> String {
        let text = text.split('?').next().unwrap_or_default();
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        match authority.rsplit_once('@') {
            Some((_, host)) => format!("{scheme}://REDACTED@{host}{path}"),
            None => text.to_owned(),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({:?})", Endpoint::redacted(&self.0))
    }
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let uri: Option<Uri> = text.parse().ok();
        let is_http = |uri: &Uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some();
        if uri.as_ref().is_some_and(is_http) {
            return Ok(Endpoint(text.to_owned()));
        }
        Err("write an http or https URL, e.g. http://localhost:4318/v1/traces".into())
    }
}

/// An address and port, e.g. `127.0.0.1:8080`, `[::1]:8080` or `localhost:8080`.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    // `localhost` means 127.0.0.1, whatever it resolves to.
    let text = text.strip_prefix("localhost:").map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
    text.parse().map_err(|_| "write an IP address and a port, e.g. 0.0.0.0:8080 or [::1]:8080".to_owned())
}

pub(super) fn metrics_address(text: &str) -> Result<MetricsListen, String> {
    match text {
        "" | "off" => Ok(MetricsListen::Off),
        text => address(text).map(MetricsListen::At),
    }
}

/// A network, or a single address.
pub(super) fn network(text: &str) -> Result<IpNet, String> {
    let network = text.parse().or_else(|_| text.parse().map(|address: std::net::IpAddr| IpNet::from(address)));
    network.map_err(|_| "write a network or an address, e.g. 10.0.0.0/8 or 2001:db8::1".to_owned())
}

/// An origin as browsers send it.
pub(super) fn origin(text: &str) -> Result<HeaderValue, String> {
    let wrong = "write an origin with its scheme and without a path, e.g. https://dashboard.example.com";
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).ok_or(wrong)?;
    let is_host = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._:[]".contains(c);
    if rest.is_empty() || !rest.chars().all(is_host) {
        return Err(wrong.into());
    }
    HeaderValue::from_str(text).map_err(|_| wrong.to_owned())
}

/// A host name or address as browsers send it, without port.
pub(super) fn host(text: &str) -> Result<String, String> {
    let is_host = |it: &Authority| it.host() == text && !text.contains('*');
    if text.parse().is_ok_and(|it| is_host(&it)) {
        return Ok(text.to_owned());
    }
    Err("write a host name without scheme and port, e.g. urumi.test".into())
}

/// The URL of a server, without a path.
pub(super) fn server(text: &str) -> Result<Url, String> {
    let wrong = "write an http or https URL without a path, e.g. http://backend.urumi.svc:8080";
    let url = Url::parse(text).map_err(|_| wrong.to_owned())?;
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if is_bare && url.password().is_none() && matches!(url.scheme(), "http" | "https") && url.has_host() {
        return Ok(url);
    }
    Err(wrong.to_owned())
}

/// A size in bytes like `262144`, `256KiB` or `1MiB`, at most 64 MiB, because bodies are buffered in memory.
pub(super) fn bytes(text: &str) -> Result<usize, String> {
    let wrong = "write a size of up to 64MiB, e.g. 256KiB";
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.strip_prefix(digits).unwrap_or_default() {
        "" | "B" => 1,
        "KiB" => 1024,
        "MiB" => 1024 * 1024,
        _ => return Err(wrong.into()),
    };
    let number: usize = digits.parse().map_err(|_| wrong.to_owned())?;
    let bytes = number.checked_mul(unit).filter(|bytes| (1..=64 * 1024 * 1024).contains(bytes));
    bytes.ok_or_else(|| wrong.to_owned())
}

/// A number from one to a million.
pub(super) fn count(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|it| (1..=1_000_000).contains(it));
    number.ok_or_else(|| "write a number from 1 to 1000000".to_owned())
}

pub(super) fn log_filter(text: &str) -> Result<String, String> {
    match EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(format!("{error}; write e.g. info,urumi_core=debug")),
    }
}

/// The name of a namespace.
pub(super) fn namespace(text: &str) -> Result<String, String> {
    urumi_core::kubernetes::syntax::dns_label(text).map(|()| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, size) in [("1", 1), ("10B", 10), ("256KiB", 262_144), ("64MiB", 67_108_864)] {
            assert_eq!(bytes(text), Ok(size));
        }
        for text in ["", "0", "-1", "1KB", "1kib", "65MiB", "99999999999999999999MiB", "KiB", "1 KiB"] {
            assert!(bytes(text).is_err(), "{text} is accepted");
        }
    }

    #[test]
    fn origins() {
        for text in ["https://a.example", "http://localhost:3000", "http://[::1]:8080"] {
            assert!(origin(text).is_ok(), "{text}");
        }
        for text in ["*", "null", "a.example", "https://", "https://a.example/", "https://a.example/x", "https://A"] {
            assert!(origin(text).is_err(), "{text} is accepted");
        }
    }

    #[test]
    fn hosts() {
        for text in ["urumi.test", "10.0.0.1", "[2001:db8::1]", "Host-1"] {
            assert_eq!(host(text).as_deref(), Ok(text));
        }
        for text in ["", "*", "a:80", "http://a", "a/b", "me@a", "2001:db8::1", "a b"] {
            assert!(host(text).is_err(), "{text} is accepted");
        }
    }

    #[test]
    fn passwords_of_endpoints_are_not_shown() {
        for (text, shown) in [
            ("http://a:4318/v1/traces", "http://a:4318/v1/traces"),
            ("https://me:secret@a/v1?key=secret", "https://REDACTED@a/v1"),
            ("https://sec@ret@a", "https://REDACTED@a"),
        ] {
            assert_eq!(Endpoint::redacted(text), shown);
            assert!(!format!("{:?}", Endpoint(text.into())).contains("secret"));
        }
    }
}
