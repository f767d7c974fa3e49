//! Role bindings: an issuer or Kubernetes authenticates a user, and the bindings assign the role.

use std::fmt;
use std::str::FromStr;

use super::error::AuthError;
use super::owner::check_name;
use super::principal::{Method, Principal, Role};

/// One binding, written `ROLE=subject:NAME` or `ROLE=team:NAME`, e.g. `admin=team:platform`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The role.
    pub role: Role,
    /// The subject or team that gets it.
    pub whom: Whom,
}

/// The subject or team of a binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// The user with this subject.
    Subject(String),
    /// All members of this team.
    Team(String),
}

/// A text that is not a binding.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a role binding is ROLE=subject:NAME or ROLE=team:NAME, e.g. admin=team:platform: {0}")]
pub struct NoBinding(String);

impl FromStr for Binding {
    type Err = NoBinding;

    fn from_str(text: &str) -> Result<Self, NoBinding> {
        let bad = |why: &str| NoBinding(why.to_owned());
        let (role, whom) = text.split_once('=').ok_or_else(|| bad("there is no '='"))?;
        let role = role.parse().map_err(|e: super::principal::NoSuchRole| NoBinding(e.to_string()))?;
        let (kind, name) = whom.split_once(':').ok_or_else(|| bad("there is no ':'"))?;
        check_name(name).map_err(|why| NoBinding(format!("the name {why}")))?;
        let whom = match kind {
            "subject" => Whom::Subject(name.to_owned()),
            "team" => Whom::Team(name.to_owned()),
            _ => return Err(bad("it names neither a subject nor a team")),
        };
        Ok(Binding { role, whom })
    }
}

impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.whom {
            Whom::Subject(name) => write!(f, "{}=subject:{name}", self.role),
            Whom::Team(name) => write!(f, "{}=team:{name}", self.role),
        }
    }
}

/// All role bindings of a server. If several match a user, the highest role applies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bindings {
    bindings: Vec<Binding>,
    default: Option<Role>,
}

impl Bindings {
    /// These bindings. A user without a matching binding has no role and no access.
    pub fn new(bindings: impl IntoIterator<Item = Binding>) -> Self {
        Bindings { bindings: bindings.into_iter().collect(), default: None }
    }

    /// Sets the least role of every user with a valid token of the issuer or the cluster.
    #[must_use]
    pub fn default_role(mut self, role: Option<Role>) -> Self {
        self.default = role;
        self
    }

    /// The role of a user, if any.
    pub fn role(&self, subject: &str, teams: &[String]) -> Option<Role> {
        let fits = |binding: &&Binding| match &binding.whom {
            Whom::Subject(name) => name == subject,
            Whom::Team(name) => teams.contains(name),
        };
        self.bindings.iter().filter(fits).map(|binding| binding.role).max().max(self.default)
    }

    /// The principal with its role. Teams that are not valid owner names are omitted.
    ///
    /// # Errors
    /// If the user has no role, or the subject is not a valid owner name.
    pub(super) fn principal(
        &self,
        subject: String,
        mut teams: Vec<String>,
        how: Method,
    ) -> Result<Principal, AuthError> {
        check_name(&subject).map_err(|why| AuthError::Invalid(format!("its subject {why}")))?;
        teams.retain(|team| check_name(team).is_ok());
        teams.sort();
        teams.dedup();
        match self.role(&subject, &teams) {
            Some(role) => Ok(Principal { subject, teams, role, how }),
            None => Err(AuthError::NoRole { subject }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bindings(texts: &[&str]) -> Bindings {
        Bindings::new(texts.iter().map(|text| text.parse().unwrap()))
    }

    #[test]
    fn the_highest_role_wins_whatever_the_order() {
        for texts in [["viewer=team:all", "admin=subject:ann"], ["admin=subject:ann", "viewer=team:all"]] {
            let bindings = bindings(&texts).default_role(None);
            let all = ["all".to_owned()];
            assert_eq!(bindings.role("ann", &all), Some(Role::Admin));
            assert_eq!(bindings.role("bob", &all), Some(Role::Viewer));
            assert_eq!(bindings.role("bob", &[]), None);
            // A team with the name of a subject is not that subject.
            assert_eq!(bindings.role("all", &["ann".to_owned()]), None);
            let bindings = bindings.default_role(Some(Role::Operator));
            assert_eq!(bindings.role("bob", &all), Some(Role::Operator));
            assert_eq!(bindings.role("ann", &[]), Some(Role::Admin));
        }
    }

    #[test]
    fn names_may_have_colons_and_equals_signs() {
        let binding: Binding = "operator=subject:system:serviceaccount:shops:a=b".parse().unwrap();
        assert_eq!(binding.whom, Whom::Subject("system:serviceaccount:shops:a=b".into()));
    }

    #[test]
    fn what_is_no_binding_is_refused() {
        for text in ["", "admin", "admin=", "admin=ann", "admin=user:ann", "root=subject:ann", "admin=team:", "=team:a"]
        {
            assert!(text.parse::<Binding>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn without_a_role_there_is_no_principal() {
        let bindings = bindings(&["viewer=team:shop"]);
        let principal = |subject: &str, teams: &[&str]| {
            bindings.principal(subject.into(), teams.iter().map(|t| (*t).to_owned()).collect(), Method::Oidc)
        };
        assert_eq!(principal("ann", &["shop", "a\nb", "shop", ""]).unwrap().teams, ["shop"]);
        assert_eq!(principal("ann", &[]), Err(AuthError::NoRole { subject: "ann".into() }));
        assert!(matches!(principal("a\nb", &["shop"]), Err(AuthError::Invalid(_))));
    }

    proptest! {
        #[test]
        fn an_accepted_binding_is_written_as_it_was_read(text in "(viewer|admin|x)?=?(subject|team)?:?\\PC{0,10}") {
            if let Ok(binding) = text.parse::<Binding>() {
                prop_assert_eq!(binding.to_string(), text);
            }
        }
    }
}
