//! Tokens that Kubernetes verifies: tokens of ServiceAccounts, and of users if the cluster has any.
//!
//! Each verification is a request to the API server. To bound them during a flood of tokens, answers are cached for a minute, equal tokens cause one request, and at most 16 requests run at a time.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Mutex;
use tokio::time::timeout;
use urumi_core::cluster::ClusterBackend;
use urumi_core::kubernetes::{ClusterErrorKind, TokenReview};
use urumi_core::secret::SecretString;

use super::bindings::Bindings;
use super::cache::{Cache, Fingerprint, Verdict, fingerprint};
use super::chain::Authenticator;
use super::error::AuthError;
use super::principal::Method;
use super::static_tokens::PREFIX;

/// How long an answer is cached. A deleted ServiceAccount keeps its access for this time.
const KEEP: Duration = Duration::from_secs(60);
/// How long the refusal of a token is cached.
const KEEP_REFUSED: Duration = Duration::from_secs(10);
/// The maximum number of concurrent reviews.
const LANES: usize = 16;
/// The time limit of a review, including the wait for a slot.
const PATIENCE: Duration = Duration::from_secs(5);

/// Verifies tokens by TokenReviews of the cluster. Must be the last in a chain, because it claims every token.
pub struct ReviewedTokens {
    cluster: Arc<dyn ClusterBackend>,
    audiences: Vec<String>,
    bindings: Bindings,
    cache: Cache,
    /// Each token has a lane by its fingerprint, so that a second request with an equal token waits for the first and then
    /// finds its answer in the cache.
    lanes: Vec<Mutex<()>>,
}

impl ReviewedTokens {
    /// Accepts tokens for one of these audiences. Without an audience, it accepts tokens for the API server itself. Whoever
    /// steals such a token has access to the cluster, so set an audience if possible.
    pub fn new(cluster: Arc<dyn ClusterBackend>, audiences: Vec<String>, bindings: Bindings) -> Self {
        let lanes = (0..LANES).map(|_| Mutex::new(())).collect();
        ReviewedTokens { cluster, audiences, bindings, cache: Cache::new(), lanes }
    }

    async fn ask(&self, token: &SecretString, mark: Fingerprint) -> Verdict {
        let [first, ..] = mark;
        let lane = self.lanes.get(usize::from(first) % LANES);
        let _turn = match lane {
            Some(lane) => Some(lane.lock().await),
            None => None,
        };
        if let Some(verdict) = self.cache.get(&mark) {
            return verdict;
        }
        let verdict = match self.cluster.review_token(token, &self.audiences).await {
            Ok(review) => self.judge(review),
            Err(error) => {
                tracing::warn!(%error, "a TokenReview failed");
                Err(AuthError::Unavailable(match error.kind() {
                    ClusterErrorKind::Forbidden => "the server has no permission to create TokenReviews".to_owned(),
                    _ => "Kubernetes does not answer the TokenReview".to_owned(),
                }))
            }
        };
        let keep = if matches!(verdict, Ok(Some(_))) { KEEP } else { KEEP_REFUSED };
        self.cache.put(mark, &verdict, keep);
        verdict
    }

    fn judge(&self, review: TokenReview) -> Verdict {
        // A cluster that ignores audiences answers without any: then the token is for the API server only.
        let meant = self.audiences.is_empty() || review.audiences.iter().any(|a| self.audiences.contains(a));
        if !review.authenticated || !meant {
            return Ok(None);
        }
        self.bindings.principal(review.username, review.groups, Method::TokenReview).map(Some)
    }
}

#[async_trait]
impl Authenticator for ReviewedTokens {
    async fn authenticate(&self, token: &SecretString) -> Verdict {
        if token.reveal().starts_with(PREFIX) {
            // One of the server's own tokens, possibly invalid: never send it to the cluster.
            return Ok(None);
        }
        let mark = fingerprint(token);
        if let Some(verdict) = self.cache.get(&mark) {
            return verdict;
        }
        let answer = timeout(PATIENCE, self.ask(token, mark)).await;
        answer.unwrap_or_else(|_| Err(AuthError::Unavailable("Kubernetes does not answer the TokenReview".to_owned())))
    }
}

impl fmt::Debug for ReviewedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = f.debug_struct("ReviewedTokens");
        f.field("audiences", &self.audiences).field("bindings", &self.bindings).field("cache", &self.cache);
        f.finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;
    use urumi_core::cluster::{InMemoryCluster, Outage};

    use super::*;
    use crate::auth::Role;

    fn setting() -> (InMemoryCluster, ReviewedTokens) {
        let cluster = InMemoryCluster::builder()
            .token(SecretString::new("known"), "system:serviceaccount:shops:deployer", ["deployers"])
            .token(SecretString::new("roleless"), "eve", ["others"])
            .latency(Duration::from_millis(20))
            .build();
        let bindings = Bindings::new(["operator=team:deployers".parse().unwrap()]);
        let tokens = ReviewedTokens::new(Arc::new(cluster.clone()), vec!["urumi".into()], bindings);
        (cluster, tokens)
    }

    async fn ask(tokens: &ReviewedTokens, token: &str) -> Verdict {
        tokens.authenticate(&SecretString::new(token)).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_known_token_is_its_bearers() {
        let (_, tokens) = setting();
        let principal = ask(&tokens, "known").await.unwrap().unwrap();
        assert_eq!(principal.subject, "system:serviceaccount:shops:deployer");
        assert_eq!((principal.role, principal.how), (Role::Operator, Method::TokenReview));
        assert_eq!(principal.teams, ["deployers", "system:authenticated"]);
        assert_eq!(ask(&tokens, "roleless").await, Err(AuthError::NoRole { subject: "eve".into() }));
        assert_eq!(ask(&tokens, "unknown").await, Ok(None));
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_one_token_is_one_question_a_minute() {
        let (cluster, tokens) = setting();
        for round in 1..=3 {
            join_all((0..100).map(|_| ask(&tokens, "known"))).await;
            join_all((0..100).map(|_| ask(&tokens, "unknown"))).await;
            assert_eq!(cluster.request_count(), 2 * round);
            tokio::time::advance(KEEP).await;
        }
        cluster.revoke_token(&SecretString::new("known"));
        assert_eq!(ask(&tokens, "known").await, Ok(None), "a revoked token is found out within a minute");
    }

    #[tokio::test(start_paused = true)]
    async fn a_cluster_that_does_not_answer_is_no_verdict() {
        let (cluster, tokens) = setting();
        let outage = cluster.begin_outage(Outage::new(ClusterErrorKind::Unreachable));
        assert!(matches!(ask(&tokens, "known").await, Err(AuthError::Unavailable(_))));
        cluster.end_outage(outage);
        assert!(ask(&tokens, "known").await.unwrap().is_some(), "a failure to ask is not remembered");

        cluster.begin_outage(Outage::new(ClusterErrorKind::Timeout).taking(Duration::from_secs(600)));
        let begun = tokio::time::Instant::now();
        assert!(matches!(ask(&tokens, "slow").await, Err(AuthError::Unavailable(_))));
        assert!(begun.elapsed() <= PATIENCE * 2);
    }

    #[tokio::test(start_paused = true)]
    async fn our_own_tokens_are_not_sent_to_the_cluster() {
        let (cluster, tokens) = setting();
        assert_eq!(ask(&tokens, &format!("{PREFIX}anything")).await, Ok(None));
        assert_eq!(cluster.request_count(), 0);
    }

    #[test]
    fn a_cluster_that_ignores_audiences_is_not_believed() {
        let (_, tokens) = setting();
        let review = |audiences: &[&str]| {
            let audiences = audiences.iter().map(|a| (*a).to_owned()).collect();
            TokenReview::authenticated("ann").groups(vec!["deployers".into()]).audiences(audiences)
        };
        assert_eq!(tokens.judge(review(&[])), Ok(None));
        assert_eq!(tokens.judge(review(&["other"])), Ok(None));
        assert!(tokens.judge(review(&["other", "urumi"])).unwrap().is_some());
    }
}
