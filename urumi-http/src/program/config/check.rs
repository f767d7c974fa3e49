//! What settings must have to do with each other.

use super::{ClusterChoice, Config, ConfigError, MetricsListen};

/// Who can call the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposure {
    /// Everybody on this computer, with every right: nobody is asked who they are.
    Local,
    /// Those who are recognised.
    Authenticated,
}

/// Makes sure that an API which asks nobody who they are cannot be reached from another computer.
///
/// # Errors
/// [`ConfigError::Exposed`], which says what to do.
pub fn check_exposure(config: &Config) -> Result<Exposure, ConfigError> {
    if has_authentication(config) {
        Ok(Exposure::Authenticated)
    } else if config.listen.ip().to_canonical().is_loopback() {
        Ok(Exposure::Local)
    } else {
        Err(ConfigError::Exposed { listen: config.listen })
    }
}

fn has_authentication(config: &Config) -> bool {
    config.tokens_file.is_some() || config.oidc_issuer.is_some() || config.token_review
}

/// Finds settings that contradict each other or would have no effect where one is surely meant.
pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    let vouched_for = config.oidc_issuer.is_some() || config.token_review;
    let rules = [
        (
            config.tls_cert.is_some() && config.tls_key.is_none(),
            "--tls-cert needs --tls-key, the certificate's private key",
        ),
        (config.tls_key.is_some() && config.tls_cert.is_none(), "--tls-key needs --tls-cert, the key's certificate"),
        (
            config.oidc_issuer.is_some() && config.oidc_audience.is_empty(),
            "--oidc-issuer needs --oidc-audience: without one, tokens that the issuer made for others would be accepted",
        ),
        (
            config.oidc_issuer.is_none() && !config.oidc_audience.is_empty(),
            "--oidc-audience needs --oidc-issuer, whose tokens it is about",
        ),
        (
            config.oidc_issuer.is_none() && config.oidc_client_id.is_some(),
            "--oidc-client-id needs --oidc-issuer, where people sign in",
        ),
        (
            config.oidc_issuer.is_some()
                && config.oidc_client_id.as_ref().is_some_and(|client| !config.oidc_audience.contains(client)),
            "--oidc-client-id must be one of --oidc-audience: the dashboard sends ID tokens, which are meant for its client",
        ),
        (config.oidc_issuer.is_none() && config.oidc_ca.is_some(), "--oidc-ca needs --oidc-issuer, whom it is for"),
        (
            config.token_review && config.cluster == ClusterChoice::Memory,
            "--token-review needs --cluster kube: a cluster in memory vouches for nobody",
        ),
        (
            !config.token_review && !config.token_review_audience.is_empty(),
            "--token-review-audience needs --token-review, whose tokens it is about",
        ),
        (
            !vouched_for && (!config.role_binding.is_empty() || config.default_role.is_some()),
            "--role-binding and --default-role are about tokens of --oidc-issuer and --token-review, but neither is \
             given; tokens of --tokens-file have their roles in the file",
        ),
        (
            vouched_for && config.role_binding.is_empty() && config.default_role.is_none(),
            "--oidc-issuer and --token-review need --role-binding or --default-role: without one, nobody whom they \
             vouch for may do anything",
        ),
        (
            config.metrics_listen == MetricsListen::At(config.listen) && config.listen.port() != 0,
            "--listen and --metrics-listen are the same address; metrics need one of their own, or `off`",
        ),
        (config.resync >= config.deadline, "--resync must be shorter than --deadline"),
    ];
    if let Err(error) = config.leader_election_timing().check() {
        return Err(ConfigError::Conflict(format!("the times of --leader-elect-… do not go together: {error}")));
    }
    match rules.into_iter().find(|(is_broken, _)| *is_broken) {
        Some((_, text)) => Err(ConfigError::Conflict(text.to_owned())),
        None => check_exposure(config).map(|_| ()),
    }
}
