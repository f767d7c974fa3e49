//! Callers and their roles.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use urumi_core::store::Authority;
use utoipa::ToSchema;

use super::owner::Owner;

/// The role of a caller, from least to most: each role includes the permissions of those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sees their own stores and the stores of their teams.
    Viewer,
    /// Also creates, deletes, retries and restarts stores, and reads their logs.
    Operator,
    /// Has all permissions on all stores.
    Admin,
}

impl Role {
    /// Every role, in order.
    pub const ALL: [Role; 3] = [Role::Viewer, Role::Operator, Role::Admin];

    /// The role as written in configuration and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Admin => "admin",
        }
    }

    /// The authority on which callers of this role choose the options of stores.
    pub fn authority(self) -> Authority {
        match self {
            Role::Viewer | Role::Operator => Authority::Operator,
            Role::Admin => Authority::Administrator,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is not a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such role; the roles are viewer, operator and admin")]
pub struct NoSuchRole;

impl FromStr for Role {
    type Err = NoSuchRole;
    fn from_str(text: &str) -> Result<Self, NoSuchRole> {
        Role::ALL.into_iter().find(|role| role.as_str() == text).ok_or(NoSuchRole)
    }
}

/// How a caller was authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Method {
    /// Not at all: the server has no authentication and listens on loopback only.
    Local,
    /// By a token of the server's file.
    StaticToken,
    /// By a token of an OpenID Connect issuer.
    Oidc,
    /// By a token of Kubernetes, e.g. of a ServiceAccount.
    TokenReview,
    /// By the service that mounts this API.
    Embedded,
}

/// An authenticated caller and their role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Principal {
    /// The stable name of the caller: their stores belong to `user:<subject>`.
    pub subject: String,
    /// The teams of the caller.
    pub teams: Vec<String>,
    /// The role.
    pub role: Role,
    /// How the caller was authenticated.
    pub how: Method,
}

impl Principal {
    /// A caller that an embedding service has authenticated, without teams.
    pub fn new(subject: impl Into<String>, role: Role) -> Self {
        Principal { subject: subject.into(), teams: Vec::new(), role, how: Method::Embedded }
    }

    /// Adds teams.
    #[must_use]
    pub fn teams<T: Into<String>>(mut self, teams: impl IntoIterator<Item = T>) -> Self {
        self.teams.extend(teams.into_iter().map(Into::into));
        self
    }

    /// Every caller of a server without authentication.
    pub fn local() -> Self {
        Principal { how: Method::Local, ..Principal::new("local", Role::Admin) }
    }

    /// Whether `owner` is the caller or one of their teams.
    pub fn is(&self, owner: &Owner) -> bool {
        match owner {
            Owner::User(subject) => *subject == self.subject,
            Owner::Team(team) => self.teams.contains(team),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_ordered_and_written_as_they_serialize() {
        assert!(Role::Viewer < Role::Operator && Role::Operator < Role::Admin);
        for role in Role::ALL {
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
            assert_eq!(role.to_string().parse(), Ok(role));
        }
        assert_eq!("Admin".parse::<Role>(), Err(NoSuchRole));
    }

    #[test]
    fn a_team_of_ones_own_name_is_not_oneself() {
        let ann = Principal::new("ann", Role::Viewer).teams(["shop"]);
        assert!(ann.is(&Owner::User("ann".into())) && ann.is(&Owner::Team("shop".into())));
        assert!(!ann.is(&Owner::Team("ann".into())) && !ann.is(&Owner::User("shop".into())));
    }
}
