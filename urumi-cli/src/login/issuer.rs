//! An OpenID Connect issuer: its endpoints, and the tokens that it issues.

use std::future::Future;
use std::pin::Pin;

use jiff::Timestamp;
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::url::Url;
use oauth2::{
    AsyncHttpClient, ClientId, EndpointNotSet, EndpointSet, ErrorResponse, ExtraTokenFields, HttpRequest, HttpResponse,
    RefreshToken, RequestTokenError, RevocationUrl, Scope, StandardRevocableToken, StandardTokenResponse,
    TokenResponse, TokenUrl,
};
use serde::{Deserialize, Serialize};
use urumi_core::secret::SecretString;

use super::http::{Http, HttpError, is_loopback};
use super::id_token::{self, Expected};
use super::saved::{Login, Renewal};
use super::token_text::TokenText;
use crate::exit::{CommandError, ExitStatus};

/// The maximum length of an issuer's text in a message, in characters.
const MAX_TEXT: usize = 300;
/// The scope for a refresh token that outlives the session in the browser.
const OFFLINE: &str = "offline_access";

/// An issuer's endpoints (OpenID Connect Discovery 1.0, RFC 8414).
#[derive(Debug, Deserialize)]
struct Metadata {
    issuer: String,
    token_endpoint: Option<String>,
    authorization_endpoint: Option<String>,
    device_authorization_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
    #[serde(default)]
    scopes_supported: Vec<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// An issuer, and this program's client there.
#[derive(Debug)]
pub(super) struct Issuer {
    /// The URL, exactly as in `iss` of its tokens.
    pub(super) url: String,
    pub(super) client_id: String,
    http: Http,
    metadata: Metadata,
    is_local: bool,
}

/// The issuer gave no tokens.
#[derive(Debug)]
pub(super) struct IssuerError {
    pub(super) code: ExitStatus,
    pub(super) text: String,
}

impl From<IssuerError> for CommandError {
    fn from(IssuerError { code, text }: IssuerError) -> Self {
        CommandError::new(code, text)
    }
}

/// The field of OpenID Connect in an answer with tokens.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct IdToken {
    id_token: Option<TokenText>,
}

impl ExtraTokenFields for IdToken {}

/// An answer with tokens.
pub(super) type Answer = StandardTokenResponse<IdToken, BasicTokenType>;

/// The client, with the token endpoint only. The flows add the endpoints that they need.
pub(super) type Client = oauth2::Client<
    BasicErrorResponse,
    Answer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// Sends the requests of the flows.
impl<'c> AsyncHttpClient<'c> for Issuer {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.http.send(request))
    }
}

/// Endpoints that not every issuer has.
#[derive(Clone, Copy, Debug)]
pub(super) enum Endpoint {
    Authorization,
    DeviceAuthorization,
    Revocation,
}

impl Issuer {
    /// Reads the issuer's metadata. `ca` has PEM certificates to trust in addition to the system's.
    pub(super) async fn discover(issuer: &str, client_id: &str, ca: Option<&[u8]>) -> Result<Issuer, IssuerError> {
        let unusable = |why: String| IssuerError {
            code: ExitStatus::Other,
            text: format!("cannot use the issuer {issuer}: {why}"),
        };
        let no_answer = |error: HttpError| IssuerError {
            code: ExitStatus::Unreachable,
            text: format!("the issuer {issuer} gave no answer: {error}"),
        };
        let metadata = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let metadata: Url = metadata.parse().map_err(|error| unusable(format!("its address is invalid: {error}")))?;
        let is_local = is_loopback(&metadata);
        check(&metadata, is_local).map_err(unusable)?;
        let http = Http::new(&metadata, ca).map_err(|error| unusable(error.to_string()))?;
        let metadata = http.get(&metadata).await.map_err(no_answer)?;
        // The error of serde_json would quote the answer.
        let metadata: Metadata = serde_json::from_slice(&metadata)
            .map_err(|_| unusable("its metadata is not that of an OpenID Connect issuer".to_owned()))?;
        if metadata.issuer != issuer {
            return Err(unusable(format!("its metadata names another issuer, {}", shortened(&metadata.issuer))));
        }
        Ok(Issuer { url: issuer.to_owned(), client_id: client_id.to_owned(), http, metadata, is_local })
    }

    /// The client of this program.
    pub(super) fn client(&self) -> Result<Client, IssuerError> {
        let endpoint = self.url_of("token_endpoint", self.metadata.token_endpoint.as_deref())?;
        let missing = || self.unusable("its metadata has no token_endpoint");
        let endpoint = TokenUrl::from_url(endpoint.ok_or_else(missing)?);
        Ok(oauth2::Client::new(ClientId::new(self.client_id.clone())).set_token_uri(endpoint))
    }

    /// The URL of an endpoint, if the issuer has it.
    pub(super) fn endpoint(&self, endpoint: Endpoint) -> Result<Option<Url>, IssuerError> {
        let (name, value) = match endpoint {
            Endpoint::Authorization => ("authorization_endpoint", &self.metadata.authorization_endpoint),
            Endpoint::DeviceAuthorization => {
                ("device_authorization_endpoint", &self.metadata.device_authorization_endpoint)
            }
            Endpoint::Revocation => ("revocation_endpoint", &self.metadata.revocation_endpoint),
        };
        self.url_of(name, value.as_deref())
    }

    fn url_of(&self, name: &str, value: Option<&str>) -> Result<Option<Url>, IssuerError> {
        let Some(value) = value else { return Ok(None) };
        let url = Url::parse(value).map_err(|error| error.to_string());
        let url = url.and_then(|url| check(&url, self.is_local).map(|()| url));
        url.map(Some).map_err(|why| self.unusable(&format!("its {name} is invalid: {why}")))
    }

    /// The scopes to request: those of the server, `openid`, and the one for refresh tokens if the issuer has it.
    pub(super) fn scopes(&self, wanted: &[String]) -> Vec<Scope> {
        let mut scopes: Vec<&str> = vec!["openid"];
        scopes.extend(wanted.iter().map(String::as_str));
        if self.metadata.scopes_supported.iter().any(|scope| scope == OFFLINE) {
            scopes.push(OFFLINE);
        }
        let mut unique: Vec<Scope> = Vec::new();
        for scope in scopes {
            if !unique.iter().any(|known| known.as_str() == scope) {
                unique.push(Scope::new(scope.to_owned()));
            }
        }
        unique
    }

    /// Whether every redirect must name the issuer (RFC 9207).
    pub(super) fn names_itself_in_redirects(&self) -> bool {
        self.metadata.authorization_response_iss_parameter_supported
    }

    /// The login at a server with the tokens of an answer, after a check of the ID token.
    pub(super) fn login(&self, server: &str, answer: &Answer, nonce: Option<&str>) -> Result<Login, IssuerError> {
        let token = self.id_token(answer, nonce, None)?;
        let renewal = answer.refresh_token().map(|refresh| Renewal {
            issuer: self.url.clone(),
            client_id: self.client_id.clone(),
            refresh_token: TokenText(SecretString::new(refresh.secret().as_str())),
        });
        Ok(Login { server: server.to_owned(), token: TokenText(token), renewal })
    }

    fn id_token(
        &self,
        answer: &Answer,
        nonce: Option<&str>,
        subject: Option<&str>,
    ) -> Result<SecretString, IssuerError> {
        let Some(TokenText(token)) = &answer.extra_fields().id_token else {
            return Err(self.unusable("its answer has no ID token"));
        };
        let claims = id_token::claims(token.reveal()).ok_or_else(|| self.unusable("its ID token is not a JWT"))?;
        let expected = Expected { issuer: &self.url, client_id: &self.client_id, nonce, subject };
        claims.check(&expected, Timestamp::now()).map_err(|why| self.unusable(&why))?;
        Ok(token.clone())
    }

    /// Renews the tokens of a login.
    pub(super) async fn renew(login: &Login, renewal: &Renewal, ca: Option<&[u8]>) -> Result<Login, IssuerError> {
        let issuer = Issuer::discover(&renewal.issuer, &renewal.client_id, ca).await?;
        let client = issuer.client()?;
        let refresh_token = RefreshToken::new(renewal.refresh_token.0.reveal().to_owned());
        let answer = client.exchange_refresh_token(&refresh_token).request_async(&issuer).await;
        let answer = answer.map_err(|error| issuer.failed(error))?;
        let before = login.claims();
        let token = issuer.id_token(&answer, None, before.as_ref().map(id_token::Claims::subject))?;
        let mut renewed = Login { token: TokenText(token), ..login.clone() };
        // Without a new refresh token, the old one stays valid (RFC 6749, section 6).
        if let (Some(refresh), Some(renewal)) = (answer.refresh_token(), &mut renewed.renewal) {
            renewal.refresh_token = TokenText(SecretString::new(refresh.secret().as_str()));
        }
        Ok(renewed)
    }

    /// Revokes a refresh token. Returns whether the issuer has an endpoint for that.
    pub(super) async fn revoke(renewal: &Renewal, ca: Option<&[u8]>) -> Result<bool, IssuerError> {
        let issuer = Issuer::discover(&renewal.issuer, &renewal.client_id, ca).await?;
        let Some(endpoint) = issuer.endpoint(Endpoint::Revocation)? else { return Ok(false) };
        let client = issuer.client()?.set_revocation_url(RevocationUrl::from_url(endpoint));
        let token =
            StandardRevocableToken::RefreshToken(RefreshToken::new(renewal.refresh_token.0.reveal().to_owned()));
        let request = client.revoke_token(token).map_err(|error| issuer.unusable(&error.to_string()))?;
        request.request_async(&issuer).await.map_err(|error| issuer.failed(error))?;
        Ok(true)
    }

    /// The error of a request for tokens.
    pub(super) fn failed<E: ErrorResponse + 'static>(&self, error: RequestTokenError<HttpError, E>) -> IssuerError {
        match error {
            RequestTokenError::ServerResponse(refusal) => self.refused(&refusal.to_string()),
            RequestTokenError::Request(error) => IssuerError {
                code: ExitStatus::Unreachable,
                text: format!("the issuer {} gave no answer: {error}", self.url),
            },
            // The cause quotes the answer, which may contain tokens.
            RequestTokenError::Parse(..) => self.unusable("its answer is not as OAuth 2.0 requires"),
            RequestTokenError::Other(why) => self.unusable(&why),
        }
    }

    /// The error of an issuer that refuses.
    pub(super) fn refused(&self, why: &str) -> IssuerError {
        let text = format!("the issuer {} refuses: {}", self.url, shortened(why));
        IssuerError { code: ExitStatus::NotPermitted, text }
    }

    /// The error of an issuer whose answers cannot be used.
    pub(super) fn unusable(&self, why: &str) -> IssuerError {
        let text = format!("cannot use the issuer {}: {}", self.url, shortened(why));
        IssuerError { code: ExitStatus::Other, text }
    }
}

/// Checks that tokens can be sent to this URL: over https, or on this computer if the issuer is there too.
fn check(url: &Url, is_local: bool) -> Result<(), String> {
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err("it must not contain credentials or a fragment".to_owned());
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_local && is_loopback(url) => Ok(()),
        _ => Err("it must begin with https://".to_owned()),
    }
}

/// An issuer's text, shortened.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_go_over_https_or_stay_on_this_computer() {
        let verdict = |url: &str, is_local: bool| check(&url.parse().unwrap(), is_local).is_ok();
        for url in ["https://login.example.com/token", "https://127.0.0.1/token"] {
            assert!(verdict(url, false) && verdict(url, true), "{url}");
        }
        for url in ["http://127.0.0.1:1/token", "http://localhost/token", "http://[::1]/token"] {
            assert!(verdict(url, true) && !verdict(url, false), "{url}");
        }
        for url in ["http://login.example.com", "http://127.0.0.1.example.com", "ftp://127.0.0.1", "file:///etc/passwd"]
        {
            assert!(!verdict(url, true), "{url}");
        }
        for url in ["https://me:secret@login.example.com", "https://me@login.example.com", "https://a/#b"] {
            assert!(!verdict(url, true), "{url}");
        }
    }

    #[test]
    fn texts_of_issuers_are_shortened() {
        assert_eq!(shortened("short"), "short");
        assert_eq!(shortened(&"ü".repeat(5000)).chars().count(), MAX_TEXT + 1);
    }

    #[test]
    fn the_id_token_is_not_in_debug() {
        let answer =
            r#"{"access_token": "s3cr3t", "token_type": "Bearer", "refresh_token": "s3cr3t", "id_token": "s3cr3t"}"#;
        let answer: Answer = serde_json::from_str(answer).unwrap();
        assert!(!format!("{answer:?}").contains("s3cr3t"), "{answer:?}");
        assert!(answer.extra_fields().id_token.is_some());
    }
}
