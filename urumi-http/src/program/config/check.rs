//! Checks that settings do not contradict each other.

use super::{Callers, ClusterChoice, Config, ConfigError, MetricsListen};

/// The clients that can call the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposure {
    /// All users of this computer, with all permissions: there is no authentication.
    Local,
    /// Authenticated clients.
    Authenticated,
}

/// Checks that other computers cannot reach an API without authentication.
///
/// # Errors
/// [`ConfigError::Exposed`].
pub fn check_exposure(config: &Config) -> Result<Exposure, ConfigError> {
    if has_authentication(&config.callers) {
        Ok(Exposure::Authenticated)
    } else if config.addresses.listen.ip().to_canonical().is_loopback() {
        Ok(Exposure::Local)
    } else {
        Err(ConfigError::Exposed { listen: config.addresses.listen })
    }
}

fn has_authentication(callers: &Callers) -> bool {
    callers.tokens_file.is_some() || callers.oidc_issuer.is_some() || callers.token_review
}

/// Finds settings that contradict each other, or that have no effect without another setting.
pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    let Config { addresses, callers, target, .. } = config;
    let vouched_for = callers.oidc_issuer.is_some() || callers.token_review;
    let rules = [
        (
            addresses.tls_cert.is_some() && addresses.tls_key.is_none(),
            "--tls-cert needs --tls-key, the certificate's private key",
        ),
        (
            addresses.tls_key.is_some() && addresses.tls_cert.is_none(),
            "--tls-key needs --tls-cert, the key's certificate",
        ),
        (
            callers.oidc_issuer.is_some() && callers.oidc_audience.is_empty(),
            "--oidc-issuer needs --oidc-audience: without it, tokens that the issuer made for other applications would be accepted",
        ),
        (callers.oidc_issuer.is_none() && !callers.oidc_audience.is_empty(), "--oidc-audience needs --oidc-issuer"),
        (callers.oidc_issuer.is_none() && callers.oidc_client_id.is_some(), "--oidc-client-id needs --oidc-issuer"),
        (
            callers.oidc_issuer.is_some()
                && callers.oidc_client_id.as_ref().is_some_and(|client| !callers.oidc_audience.contains(client)),
            "--oidc-client-id must be one of --oidc-audience: it is the audience of the ID tokens that the dashboard sends",
        ),
        (
            callers.oidc_issuer.is_none() && callers.oidc_cli_client_id.is_some(),
            "--oidc-cli-client-id needs --oidc-issuer",
        ),
        (
            callers.oidc_issuer.is_some()
                && callers.oidc_cli_client_id.as_ref().is_some_and(|client| !callers.oidc_audience.contains(client)),
            "--oidc-cli-client-id must be one of --oidc-audience: it is the audience of the ID tokens that `urumi login` gets",
        ),
        (callers.oidc_issuer.is_none() && callers.oidc_ca.is_some(), "--oidc-ca needs --oidc-issuer"),
        (
            callers.token_review && target.cluster == ClusterChoice::Memory,
            "--token-review needs --cluster kube: an in-memory cluster has no tokens",
        ),
        (
            !callers.token_review && !callers.token_review_audience.is_empty(),
            "--token-review-audience needs --token-review",
        ),
        (
            !vouched_for && (!callers.role_binding.is_empty() || callers.default_role.is_some()),
            "--role-binding and --default-role apply to tokens of --oidc-issuer and --token-review, but neither is \
             set; tokens of --tokens-file have their roles in the file",
        ),
        (
            vouched_for && callers.role_binding.is_empty() && callers.default_role.is_none(),
            "--oidc-issuer and --token-review need --role-binding or --default-role: without them, their users have \
             no role",
        ),
        (
            addresses.metrics_listen == MetricsListen::At(addresses.listen) && addresses.listen.port() != 0,
            "--listen and --metrics-listen are the same address; use another one for metrics, or `off`",
        ),
    ];
    if let Err(error) = config.replicas.timing().check() {
        return Err(ConfigError::Conflict(format!("the durations of --leader-elect-… are inconsistent: {error}")));
    }
    match rules.into_iter().find(|(is_broken, _)| *is_broken) {
        Some((_, text)) => Err(ConfigError::Conflict(text.to_owned())),
        None => check_exposure(config).map(|_| ()),
    }
}
