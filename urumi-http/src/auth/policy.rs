//! The table of permissions: pure, and complete for every action, role and owner.
//!
//! A request for another owner's store gets the same answer as for a store that does not exist. Only a creation shows whether
//! an id is in use, since ids are unique. Only for the caller's own stores does the answer name the missing role.

use super::owner::Owner;
use super::principal::{Principal, Role};
use crate::problem::{Code, Problem};

macro_rules! actions {
    ($($(#[doc = $doc:literal])* $name:ident = $word:literal, $about:ident, $role:ident;)*) => {
        /// Every action of the API.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action {
            $($(#[doc = $doc])* $name,)*
        }

        impl Action {
            /// Every action.
            pub const ALL: &'static [Action] = &[$(Action::$name,)*];

            /// Its name in logs, problems and documentation.
            pub fn as_str(self) -> &'static str {
                match self { $(Action::$name => $word,)* }
            }

            /// Its object.
            pub fn about(self) -> About {
                match self { $(Action::$name => About::$about,)* }
            }

            /// The least role that may do it to its own stores.
            pub fn role(self) -> Role {
                match self { $(Action::$name => Role::$role,)* }
            }
        }
    };
}

/// The object of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum About {
    /// No particular store: the role alone decides. Lists and watches show the stores that `ViewStore` allows.
    Nothing,
    /// A new store; its owner is the requested one.
    NewStore,
    /// An existing store.
    Store,
}

actions! {
    /// See the own identity and role.
    WhoAmI = "who-am-i", Nothing, Viewer;
    /// List the engines and their options.
    ListEngines = "list-engines", Nothing, Viewer;
    /// List the stores that `ViewStore` allows.
    ListStores = "list-stores", Nothing, Viewer;
    /// Watch the stores that `ViewStore` allows.
    WatchStores = "watch-stores", Nothing, Viewer;
    /// See a store, its status and addresses.
    ViewStore = "view-store", Store, Viewer;
    /// See the history of a store.
    ViewEvents = "view-events", Store, Viewer;
    /// See the manifests of a store, without secrets.
    ViewManifests = "view-manifests", Store, Viewer;
    /// See the options of a store, without secrets.
    ViewOptions = "view-options", Store, Viewer;
    /// See the differences between a store's objects and its manifests.
    ViewDiff = "view-diff", Store, Viewer;
    /// See the revisions of a store, without secrets.
    ViewHistory = "view-history", Store, Viewer;
    /// Read the logs of a store's containers, which may be confidential.
    ViewLogs = "view-logs", Store, Operator;
    /// Read the first password of a store; audited.
    ViewCredentials = "view-credentials", Store, Operator;
    /// Place a test order in a store; audited.
    SmokeStore = "smoke-store", Store, Operator;
    /// See the objects that a creation would make.
    PreviewStore = "preview-store", NewStore, Operator;
    /// Create a store.
    CreateStore = "create-store", NewStore, Operator;
    /// Retry a failed store.
    RetryStore = "retry-store", Store, Operator;
    /// Restart the components of a store.
    RestartStore = "restart-store", Store, Operator;
    /// Change the name or the options of a store.
    UpdateStore = "update-store", Store, Operator;
    /// Return to an earlier revision of a store.
    RollBackStore = "roll-back-store", Store, Operator;
    /// Delete a store and all its data.
    DeleteStore = "delete-store", Store, Operator;
}

/// Whether an action is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// It is allowed.
    Allow,
    /// It is refused, in this way.
    Deny(Refusal),
}

/// How an action is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The caller may not know of the store: answer exactly as for a store that does not exist.
    NotFound,
    /// The role is too low, or the caller may not set this owner.
    Forbidden,
}

/// Whether `principal` may do `action`. `owner` is the owner of the store, or the requested owner of a new one (`None`: the
/// principal itself). Actions without a store ignore it.
pub fn decide(principal: &Principal, action: Action, owner: Option<&Owner>) -> Decision {
    if principal.role == Role::Admin {
        return Decision::Allow;
    }
    let enough = principal.role >= action.role();
    let theirs = owner.is_some_and(|owner| principal.is(owner));
    match action.about() {
        About::Store if !theirs => Decision::Deny(Refusal::NotFound),
        About::NewStore if !theirs && owner.is_some() => Decision::Deny(Refusal::Forbidden),
        _ if !enough => Decision::Deny(Refusal::Forbidden),
        _ => Decision::Allow,
    }
}

/// The owner of a new store: `asked` if the principal may set it, by default the principal.
///
/// # Errors
/// `forbidden`, if the principal may not do `action` (a creation or its preview) or may not set this owner.
pub(crate) fn owner_of_new(principal: &Principal, action: Action, asked: Option<Owner>) -> Result<Owner, Problem> {
    let owner = asked.unwrap_or_else(|| Owner::User(principal.subject.clone()));
    decide(principal, action, Some(&owner)).or_refuse(principal, action, || forbidden(principal, action))?;
    Ok(owner)
}

impl Decision {
    /// Whether the action is allowed.
    pub fn is_allowed(self) -> bool {
        self == Decision::Allow
    }

    /// Returns the problem of a refusal. `missing` makes the problem for a store that does not exist: the answer for a store
    /// that the caller may not know of must be exactly the same.
    ///
    /// # Errors
    /// If the action is refused.
    pub fn or_refuse(
        self,
        principal: &Principal,
        action: Action,
        missing: impl FnOnce() -> Problem,
    ) -> Result<(), Problem> {
        let Decision::Deny(refusal) = self else { return Ok(()) };
        let (subject, role) = (&principal.subject, principal.role);
        tracing::info!(subject, %role, action = action.as_str(), ?refusal, "refused");
        Err(match refusal {
            Refusal::NotFound => missing(),
            Refusal::Forbidden => forbidden(principal, action),
        })
    }
}

fn forbidden(principal: &Principal, action: Action) -> Problem {
    let (role, needed) = (principal.role, action.role());
    let detail = if role < needed {
        format!("{} needs the role {needed}, but your role is {role}; ask the operator of this server", action.as_str())
    } else {
        "the owner must be yourself or one of your teams; only an admin may set another owner".to_owned()
    };
    Problem::new(Code::Forbidden, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ann(role: Role) -> Principal {
        Principal::new("ann", role).teams(["shop", "press"])
    }

    fn owners() -> [(Option<Owner>, bool); 6] {
        [
            (Some(Owner::User("ann".into())), true),
            (Some(Owner::Team("press".into())), true),
            (Some(Owner::User("bob".into())), false),
            (Some(Owner::Team("ann".into())), false),
            (Some(Owner::User("shop".into())), false),
            (None, false),
        ]
    }

    /// Said a second time and otherwise, so that a slip in either place is noticed.
    #[test]
    fn who_may_do_what() {
        use Action::*;
        for &action in Action::ALL {
            for role in Role::ALL {
                for (owner, theirs) in owners() {
                    let reads =
                        matches!(action, ViewStore | ViewEvents | ViewManifests | ViewOptions | ViewDiff | ViewHistory);
                    let changes = matches!(action, UpdateStore | RollBackStore);
                    let acts = changes || matches!(action, SmokeStore | RetryStore | RestartStore | DeleteStore);
                    let operates = acts || matches!(action, ViewLogs | ViewCredentials);
                    let expected = match (action, role) {
                        (_, Role::Admin) => Decision::Allow,
                        (WhoAmI | ListEngines | ListStores | WatchStores, _) => Decision::Allow,
                        (CreateStore | PreviewStore, Role::Operator) if theirs || owner.is_none() => Decision::Allow,
                        (CreateStore | PreviewStore, _) => Decision::Deny(Refusal::Forbidden),
                        _ if !theirs => Decision::Deny(Refusal::NotFound),
                        _ if reads || (operates && role == Role::Operator) => Decision::Allow,
                        _ => Decision::Deny(Refusal::Forbidden),
                    };
                    let decision = decide(&ann(role), action, owner.as_ref());
                    assert_eq!(decision, expected, "{role} {action:?} {owner:?}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn a_higher_role_never_may_less(action in 0..Action::ALL.len(), owner in 0..6_usize) {
            let (action, owner) = (Action::ALL[action], owners()[owner].0.clone());
            let may = Role::ALL.map(|role| decide(&ann(role), action, owner.as_ref()).is_allowed());
            prop_assert!(may.is_sorted(), "{:?} {:?}: {:?}", action, owner, may);
        }

        #[test]
        fn whoever_is_no_admin_learns_nothing_of_foreign_stores(
            subject in "[a-c]{1,2}", owner in "(user|team):[a-c]{1,2}", action in 0..Action::ALL.len(), operator: bool,
        ) {
            let role = if operator { Role::Operator } else { Role::Viewer };
            let (principal, owner) = (Principal::new(subject, role), Owner::parse(&owner).unwrap());
            let action = Action::ALL[action];
            if action.about() == About::Store && !principal.is(&owner) {
                prop_assert_eq!(decide(&principal, action, Some(&owner)), Decision::Deny(Refusal::NotFound));
            }
        }
    }

    #[test]
    fn the_owner_of_a_new_store() {
        let of = |role, asked: Option<&str>| {
            let asked = asked.map(|owner| Owner::parse(owner).unwrap());
            owner_of_new(&ann(role), Action::CreateStore, asked).map(|owner| owner.to_string()).map_err(|p| p.detail)
        };
        assert_eq!(of(Role::Operator, None).as_deref(), Ok("user:ann"));
        assert_eq!(of(Role::Operator, Some("team:shop")).as_deref(), Ok("team:shop"));
        assert!(of(Role::Operator, Some("team:other")).unwrap_err().contains("only an admin may set another owner"));
        assert!(of(Role::Operator, Some("user:bob")).unwrap_err().contains("only an admin may set another owner"));
        assert_eq!(of(Role::Admin, Some("user:bob")).as_deref(), Ok("user:bob"));
        assert_eq!(of(Role::Admin, None).as_deref(), Ok("user:ann"));
        assert!(of(Role::Viewer, None).unwrap_err().contains("needs the role operator, but your role is viewer"));
    }

    #[test]
    fn a_foreign_store_is_answered_as_a_missing_one() {
        let missing = || Problem::new(Code::NotFound, "there is no store x");
        let foreign = Owner::User("bob".into());
        for action in [Action::ViewStore, Action::DeleteStore, Action::ViewLogs] {
            let problem =
                decide(&ann(Role::Viewer), action, Some(&foreign)).or_refuse(&ann(Role::Viewer), action, missing);
            assert_eq!(problem.unwrap_err(), missing());
        }
    }
}
