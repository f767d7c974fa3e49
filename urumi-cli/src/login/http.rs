//! The HTTP client for an issuer.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use oauth2::url::{Host, Url};
use oauth2::{HttpRequest, HttpResponse, http};
use reqwest::{Certificate, Client, Request, redirect};
use urumi_core::cluster::KubeCluster;

use crate::target::PROGRAM;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const TIMEOUT: Duration = Duration::from_secs(30);
/// The maximum size of an answer; issuers' answers have a few kilobytes.
const MAX_BODY: usize = 1 << 20;

/// The client for one issuer.
#[derive(Debug)]
pub(super) struct Http {
    client: Client,
}

/// A request without a usable answer.
#[derive(Debug)]
pub(super) struct HttpError(String);

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for HttpError {}

impl From<reqwest::Error> for HttpError {
    /// The innermost cause says most.
    fn from(error: reqwest::Error) -> Self {
        let mut cause: &(dyn Error + 'static) = &error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        if cause.is::<reqwest::Error>() {
            // It would print the URL again.
            return HttpError(error.without_url().to_string());
        }
        HttpError(cause.to_string())
    }
}

impl Http {
    /// Sets up the client; sends no request yet. `ca` has PEM certificates to trust in addition to the system's.
    pub(super) fn new(issuer: &Url, ca: Option<&[u8]>) -> Result<Self, HttpError> {
        // Without a process-wide provider, reqwest panics.
        KubeCluster::install_crypto_provider();
        let client = Client::builder()
            .user_agent(PROGRAM)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            // A redirect would send codes and tokens to an address that the issuer's metadata does not name.
            .redirect(redirect::Policy::none());
        let client = match (issuer.scheme(), ca) {
            // Works on a computer without certificate authorities.
            ("http", _) => client.tls_certs_only([]),
            (_, Some(pem)) => client.tls_certs_merge(Certificate::from_pem_bundle(pem)?),
            (_, None) => client,
        };
        // A proxy has a loopback of its own.
        let client = if is_loopback(issuer) { client.no_proxy() } else { client };
        Ok(Http { client: client.build()? })
    }

    /// Sends a request of an OAuth 2.0 flow.
    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let mut response = self.client.execute(Request::try_from(request)?).await?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(HttpError(format!("the answer has more than {MAX_BODY} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        let mut answer = http::Response::new(body);
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        Ok(answer)
    }

    /// Gets a document.
    pub(super) async fn get(&self, url: &Url) -> Result<Vec<u8>, HttpError> {
        let failed = |error: http::Error| HttpError(error.to_string());
        let answer = self.send(http::Request::get(url.as_str()).body(Vec::new()).map_err(failed)?).await?;
        match answer.status().is_success() {
            true => Ok(answer.into_body()),
            false => Err(HttpError(format!("{url} answers {}", answer.status()))),
        }
    }
}

/// Whether the URL leads to this computer.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
