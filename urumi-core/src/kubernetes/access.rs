//! Permissions and tokens: questions to the API server about callers.

/// A question about the caller's own permissions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Kubernetes' verb, e.g. `create`.
    pub verb: String,
    /// API group, empty for core.
    pub group: String,
    /// Plural of the resource, e.g. `namespaces`.
    pub resource: String,
    /// Where; `None` asks about the whole cluster.
    pub namespace: Option<String>,
    /// The one object that it is done to, e.g. a Secret of which only this one may be read; `None` asks about all.
    pub name: Option<String>,
}

/// What the cluster knows of a token's bearer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenReview {
    /// Whether the token is valid. If not, nothing else is known.
    pub authenticated: bool,
    /// Who it is, e.g. `system:serviceaccount:shops:deployer`.
    pub username: String,
    /// The groups that they belong to.
    pub groups: Vec<String>,
    /// Those of the audiences asked for that the token is meant for. Empty where the cluster did not look at audiences:
    /// the token is then meant for the API server itself, and for nobody else.
    pub audiences: Vec<String>,
}
