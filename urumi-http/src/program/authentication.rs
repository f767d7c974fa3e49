//! Authentication, from the configuration.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use urumi_core::cluster::ClusterBackend;

use super::Failure;
use super::config::Callers;
use crate::auth::static_tokens::POLL;
use crate::auth::{
    Authentication, Authenticator, Bindings, Method, Oidc, OidcClient, OidcOptions, ReviewedTokens, SignInMethods,
    StaticTokens,
};

/// The sources of tokens in their order: the cheapest first, and last TokenReviews, which claim every token.
pub(super) fn sources(
    callers: &Callers,
    cluster: &Arc<dyn ClusterBackend>,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Result<Authentication, Failure> {
    let bindings = || Bindings::new(callers.role_binding.clone()).default_role(callers.default_role);
    let mut sources: Vec<Arc<dyn Authenticator>> = Vec::new();
    if let Some(file) = &callers.tokens_file {
        let tokens = Arc::new(StaticTokens::load(file)?);
        tracing::info!(tokens = tokens.len(), file = %file.display(), "tokens of a file are accepted");
        tasks.spawn(tokens.clone().run(POLL, stop.clone()));
        sources.push(tokens);
    }
    if let Some(issuer) = &callers.oidc_issuer {
        let mut options = OidcOptions::new(issuer, "").bindings(bindings());
        options.audiences.clone_from(&callers.oidc_audience);
        options.subject_claim.clone_from(&callers.oidc_subject_claim);
        options.teams_claim.clone_from(&callers.oidc_groups_claim);
        options.ca.clone_from(&callers.oidc_ca);
        let oidc = Arc::new(Oidc::new(options)?);
        tracing::info!(issuer, "tokens of an OpenID Connect issuer are accepted");
        let (keys, stop) = (oidc.clone(), stop.clone());
        tasks.spawn(async move { keys.run(stop).await });
        sources.push(oidc);
    }
    if callers.token_review {
        let audiences = callers.token_review_audience.clone();
        sources.push(Arc::new(ReviewedTokens::new(cluster.clone(), audiences, bindings())));
        tracing::info!("tokens that the cluster verifies are accepted");
    }
    if sources.is_empty() {
        return Ok(Authentication::Open);
    }
    Ok(Authentication::chain(sources))
}

/// What clients without a token are told.
pub(super) fn sign_in(callers: &Callers) -> SignInMethods {
    let methods = [
        (callers.tokens_file.is_some(), Method::StaticToken),
        (callers.oidc_issuer.is_some(), Method::Oidc),
        (callers.token_review, Method::TokenReview),
    ];
    let mut methods: Vec<Method> = methods.into_iter().filter(|(is_on, _)| *is_on).map(|(_, method)| method).collect();
    if methods.is_empty() {
        methods.push(Method::Local);
    }
    let oidc = callers.oidc_issuer.as_ref().map(|issuer| {
        let client = OidcClient::new(issuer);
        match callers.oidc_cli_client_id.as_ref().or(callers.oidc_client_id.as_ref()) {
            Some(id) => client.client(id, callers.oidc_scope.split_whitespace()),
            None => client,
        }
    });
    SignInMethods::new(methods).oidc(oidc)
}
