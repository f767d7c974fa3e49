//! Permissions and tokens: questions to the API server about callers.

/// A question about the caller's own permissions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
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

impl Access {
    /// The permission to do `verb` to all objects of a resource, in the whole cluster.
    pub fn new(verb: impl Into<String>, group: impl Into<String>, resource: impl Into<String>) -> Self {
        Access { verb: verb.into(), group: group.into(), resource: resource.into(), namespace: None, name: None }
    }

    /// Only in this namespace.
    #[must_use]
    pub fn in_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Only to the object of this name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

/// What the cluster knows of a token's bearer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
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

impl TokenReview {
    /// A valid token of this user.
    pub fn authenticated(username: impl Into<String>) -> Self {
        TokenReview { authenticated: true, username: username.into(), ..TokenReview::default() }
    }

    /// The groups of the user.
    #[must_use]
    pub fn groups(mut self, groups: Vec<String>) -> Self {
        self.groups = groups;
        self
    }

    /// The audiences asked for that the token is meant for.
    #[must_use]
    pub fn audiences(mut self, audiences: Vec<String>) -> Self {
        self.audiences = audiences;
        self
    }
}
