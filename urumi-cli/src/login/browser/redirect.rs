//! The redirect from the issuer: a request of the browser to this program.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use oauth2::url::form_urlencoded;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use urumi_core::secret::SecretString;

/// The path of the redirect.
pub(super) const PATH: &str = "/callback";

/// What the redirect of this sign-in contains.
pub(super) struct Expected {
    pub(super) state: SecretString,
    pub(super) issuer: String,
    /// Whether the redirect must name the issuer (RFC 9207).
    pub(super) must_name_issuer: bool,
}

/// The code of a redirect, or what is wrong.
type Outcome = Result<SecretString, String>;

/// Answers one connection. Sends the outcome after the browser has its page.
pub(super) async fn serve(stream: TcpStream, expected: Arc<Expected>, outcomes: mpsc::Sender<Outcome>) {
    let arrived = OnceLock::new();
    let service = service_fn(|request: Request<Incoming>| {
        let outcome = read(request.method(), request.uri(), &expected);
        let response = page(outcome.as_ref());
        if let Some(outcome) = outcome {
            // There is one request in a connection.
            let _ = arrived.set(outcome);
        }
        std::future::ready(Ok::<_, Infallible>(response))
    });
    // A browser that has gone away has sent its request nevertheless.
    let _ = http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service).await;
    if let Some(outcome) = arrived.into_inner() {
        let _ = outcomes.send(outcome).await;
    }
}

/// Reads a request; `None` if it is not a redirect, e.g. for the page's icon.
fn read(method: &Method, uri: &Uri, expected: &Expected) -> Option<Outcome> {
    if method != Method::GET || uri.path() != PATH {
        return None;
    }
    let query = uri.query().unwrap_or_default();
    let of = |wanted: &str| -> Result<Option<String>, String> {
        let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == wanted);
        match (values.next(), values.next()) {
            (value, None) => Ok(value.map(|(_, value)| value.into_owned())),
            (_, Some(_)) => Err(format!("the redirect has several values of {wanted:?}")),
        }
    };
    let code = || {
        if of("state")?.map(SecretString::new).as_ref() != Some(&expected.state) {
            return Err("the redirect belongs to another sign-in (its state differs)".to_owned());
        }
        match of("iss")? {
            Some(issuer) if issuer != expected.issuer => {
                return Err("the redirect comes from another issuer".to_owned());
            }
            None if expected.must_name_issuer => return Err("the redirect does not name its issuer".to_owned()),
            _ => {}
        }
        match (of("error")?, of("code")?) {
            (Some(error), _) => {
                let description = of("error_description")?.map(|text| format!(": {text}")).unwrap_or_default();
                Err(format!("the issuer answers {error}{description}").chars().take(300).collect())
            }
            (None, Some(code)) => Ok(SecretString::new(code)),
            (None, None) => Err("the redirect has no code".to_owned()),
        }
    };
    Some(code())
}

/// The page for the user. It contains nothing of the request.
fn page(outcome: Option<&Outcome>) -> Response<Full<Bytes>> {
    let (status, text) = match outcome {
        Some(Ok(_)) => (StatusCode::OK, "<h1>Signed in</h1><p>You may close this window and return to the terminal."),
        Some(Err(_)) => (
            StatusCode::BAD_REQUEST,
            "<h1>Not signed in</h1><p>The terminal shows the reason. You may close this window.",
        ),
        None => (StatusCode::NOT_FOUND, "<h1>Not found</h1>"),
    };
    let page = format!("<!doctype html><html lang=en><meta charset=utf-8><title>urumi</title>{text}\n");
    let mut response = Response::new(Full::from(page));
    *response.status_mut() = status;
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (REFERRER_POLICY, "no-referrer"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(uri: &str, must_name_issuer: bool) -> Option<Result<String, String>> {
        let expected = Expected { state: SecretString::new("st"), issuer: "https://i".into(), must_name_issuer };
        let outcome = read(&Method::GET, &uri.parse().unwrap(), &expected)?;
        Some(outcome.map(|code| code.reveal().to_owned()))
    }

    #[test]
    fn a_redirect_of_this_sign_in_has_a_code() {
        let code = |uri: &str| outcome(uri, false);
        assert_eq!(code("/callback?code=c%2F1&state=st"), Some(Ok("c/1".into())));
        assert_eq!(code("/callback?code=c&state=st&iss=https%3A%2F%2Fi&session_state=x"), Some(Ok("c".into())));
        assert_eq!(outcome("/callback?code=c&state=st&iss=https://i", true), Some(Ok("c".into())));
        for uri in ["/", "/favicon.ico", "/callback/", "/other?code=c&state=st"] {
            assert_eq!(code(uri), None, "{uri}");
        }
        let expected = Expected { state: SecretString::new("st"), issuer: String::new(), must_name_issuer: false };
        assert!(read(&Method::POST, &Uri::from_static("/callback?code=c&state=st"), &expected).is_none());
    }

    #[test]
    fn any_other_redirect_is_refused() {
        for (uri, said) in [
            ("/callback?code=c", "state differs"),
            ("/callback?code=c&state=", "state differs"),
            ("/callback?code=c&state=other", "state differs"),
            ("/callback?error=access_denied", "state differs"),
            ("/callback?code=c&state=st&state=st", "several values"),
            ("/callback?code=c&code=d&state=st", "several values"),
            ("/callback?code=c&state=st&iss=https://evil", "another issuer"),
            ("/callback?state=st", "no code"),
            ("/callback?state=st&error=access_denied&error_description=not%20you", "access_denied: not you"),
            ("/callback?state=st&error=access_denied&code=c", "access_denied"),
        ] {
            let error = outcome(uri, false).unwrap().unwrap_err();
            assert!(error.contains(said), "{uri}: {error}");
        }
        assert!(outcome("/callback?code=c&state=st", true).unwrap().unwrap_err().contains("does not name its issuer"));
        let long = format!("/callback?state=st&error={}", "x".repeat(5000));
        assert!(outcome(&long, false).unwrap().unwrap_err().len() <= 300);
    }
}
