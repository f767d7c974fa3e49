//! Sign-in with a browser on any device: device code (RFC 8628).

use std::time::Duration;

use oauth2::{
    AsyncHttpClient, DeviceAuthorizationUrl, DeviceCodeErrorResponse, DeviceCodeErrorResponseType, RequestTokenError,
    StandardDeviceAuthorizationResponse,
};

use super::issuer::{Answer, Client, Endpoint, Issuer, IssuerError};
use super::saved::Login;
use crate::exit::{CommandError, ExitStatus};
use crate::output::Out;

/// The shortest pause between two requests for the token, whatever the issuer says.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
/// How long the user may take, whatever the issuer says.
const PATIENCE: Duration = Duration::from_secs(1800);

/// Whether the issuer offers this sign-in.
pub(super) fn is_offered(issuer: &Issuer) -> Result<bool, IssuerError> {
    Ok(issuer.endpoint(Endpoint::DeviceAuthorization)?.is_some())
}

/// Signs the user in to a server.
pub(super) async fn sign_in(
    issuer: &Issuer,
    server: &str,
    scopes: &[String],
    out: &Out,
) -> Result<Login, CommandError> {
    let Some(endpoint) = issuer.endpoint(Endpoint::DeviceAuthorization)? else {
        let error = IssuerError {
            code: ExitStatus::Other,
            text: format!("the issuer {} offers no sign-in with a device code", issuer.url),
        };
        return Err(CommandError::from(error).hint("sign in with a browser on this computer: omit --device"));
    };
    let client = issuer.client()?.set_device_authorization_url(DeviceAuthorizationUrl::from_url(endpoint));
    let details: StandardDeviceAuthorizationResponse = client
        .exchange_device_code()
        .add_scopes(issuer.scopes(scopes))
        .request_async(issuer)
        .await
        .map_err(|error| issuer.failed(error))?;
    show(&details, server, issuer, out)?;
    let answer = poll(&issuer.client()?, &details, issuer).await.map_err(|error| failed(issuer, error))?;
    Ok(issuer.login(server, &answer, None)?)
}

/// Prints where to enter the code.
fn show(
    details: &StandardDeviceAuthorizationResponse,
    server: &str,
    issuer: &Issuer,
    out: &Out,
) -> Result<(), IssuerError> {
    let is_web = |url: &str| url.starts_with("https://") || url.starts_with("http://");
    if !is_web(details.verification_uri().as_str()) {
        return Err(issuer.unusable("its verification_uri is not an http or https URL"));
    }
    // The user needs the code even with --quiet.
    let asking = out.asking();
    let (url, code) = (details.verification_uri().as_str(), details.user_code().secret().as_str());
    asking.note(&format!("to sign in to {server}, open {url} in a browser on any device and enter the code {code}"));
    if let Some(complete) = details.verification_uri_complete().filter(|url| is_web(url.secret().as_str())) {
        asking.note(&format!("or open {}", complete.secret()));
    }
    Ok(())
}

/// Asks for the tokens until the user has signed in or the code has expired.
async fn poll<'c, H>(
    client: &'c Client,
    details: &'c StandardDeviceAuthorizationResponse,
    http: &'c H,
) -> Result<Answer, RequestTokenError<<H as AsyncHttpClient<'c>>::Error, DeviceCodeErrorResponse>>
where
    H: AsyncHttpClient<'c>,
{
    let pause = |interval: Duration| tokio::time::sleep(interval.max(SHORTEST_PAUSE));
    let patience = details.expires_in().min(PATIENCE);
    client.exchange_device_access_token(details).request_async(http, pause, Some(patience)).await
}

fn failed(issuer: &Issuer, error: RequestTokenError<super::http::HttpError, DeviceCodeErrorResponse>) -> CommandError {
    if let RequestTokenError::ServerResponse(refusal) = &error {
        match refusal.error() {
            DeviceCodeErrorResponseType::AccessDenied => {
                return CommandError::new(ExitStatus::NotPermitted, "the sign-in was denied");
            }
            DeviceCodeErrorResponseType::ExpiredToken => {
                return CommandError::new(
                    ExitStatus::TimedOut,
                    "the code has expired before anybody signed in with it",
                )
                .hint("run `urumi login` again for a new code");
            }
            _ => {}
        }
    }
    issuer.failed(error).into()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Mutex;

    use oauth2::{ClientId, HttpRequest, TokenUrl, http};
    use tokio::time::Instant;

    use super::*;

    /// Polls an issuer that gives these answers. Returns the outcome, and the seconds at which it was asked.
    async fn polled(interval: u64, answers: &[&str]) -> (Result<Answer, String>, Vec<u64>) {
        let details = format!(
            r#"{{"device_code": "d", "user_code": "u", "verification_uri": "https://i/device", "expires_in": 600,
                "interval": {interval}}}"#
        );
        let details: StandardDeviceAuthorizationResponse = serde_json::from_str(&details).unwrap();
        let endpoint = TokenUrl::new("https://i/token".to_owned()).unwrap();
        let client: Client = oauth2::Client::new(ClientId::new("cli".to_owned())).set_token_uri(endpoint);
        let (began, asked) = (Instant::now(), Mutex::new(Vec::new()));
        let http = |_request: HttpRequest| {
            let mut asked = asked.lock().unwrap();
            let answer = answers[asked.len()];
            asked.push(began.elapsed().as_secs());
            let (status, body) = match answer {
                "tokens" => (200, r#"{"access_token": "a", "token_type": "Bearer", "id_token": "i"}"#.to_owned()),
                error => (400, format!(r#"{{"error": "{error}"}}"#)),
            };
            let answer = http::Response::builder().status(status).body(body.into_bytes()).unwrap();
            std::future::ready(Ok::<_, Infallible>(answer))
        };
        let outcome = poll(&client, &details, &http).await.map_err(|error| error.to_string());
        (outcome, asked.into_inner().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn an_issuer_that_is_asked_too_often_is_asked_less_often() {
        let (outcome, asked) =
            polled(5, &["authorization_pending", "slow_down", "authorization_pending", "tokens"]).await;
        assert!(outcome.is_ok(), "{outcome:?}");
        assert_eq!(asked, [0, 5, 15, 25], "each slow_down adds five seconds");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_ends_the_questions() {
        for refusal in ["access_denied", "expired_token", "invalid_client"] {
            let (outcome, asked) = polled(1, &["authorization_pending", refusal]).await;
            assert!(outcome.unwrap_err().contains(refusal));
            assert_eq!(asked.len(), 2);
        }
    }
}
