//! Checks of `version`, `may` and `review_token`.

use super::context::{Context, Stop, ensure};
use crate::kubernetes::{Access, ClusterErrorKind};
use crate::secret::SecretString;

pub(super) async fn the_version_is_known(context: &Context) -> Result<(), Stop> {
    let version = context.cluster.version().await?;
    ensure!(version.starts_with("v1."), "the version is {version:?}");
    Ok(())
}

pub(super) async fn permissions_can_be_asked_for(context: &Context) -> Result<(), Stop> {
    // Created first, to prove that the caller has the permission.
    let ns = context.namespace().await?;
    let access = |resource: &str, namespace: Option<&str>| Access {
        verb: "create".into(),
        group: String::new(),
        resource: resource.into(),
        namespace: namespace.map(str::to_owned),
        name: None,
    };
    ensure!(context.cluster.may(&access("namespaces", None)).await?, "namespaces may not be created, but were");
    ensure!(context.cluster.may(&access("configmaps", Some(&ns))).await?, "ConfigMaps may not be created");
    Ok(())
}

/// Valid tokens differ between backends; the tests of each backend check them.
pub(super) async fn an_invalid_token_is_nobodys(context: &Context) -> Result<(), Stop> {
    let token = SecretString::new(format!("urumi-conformance-{}", context.tag));
    for audiences in [vec![], vec!["urumi".to_owned()]] {
        match context.cluster.review_token(&token, &audiences).await {
            Ok(review) => {
                ensure!(!review.authenticated, "an invalid token is {:?}", review.username);
                ensure!(review.username.is_empty() && review.groups.is_empty(), "an invalid token has a bearer");
            }
            Err(error) if error.kind() == ClusterErrorKind::Forbidden => {
                return Err(Stop::Skipped("TokenReviews may not be created here".into()));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
