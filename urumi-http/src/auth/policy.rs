//! The one table of who may do what: pure, and complete for every action, role and owner.
//!
//! A store of somebody else is answered as one that does not exist, so that ids and names cannot be probed for. That
//! one lacks the role is said only about one's own stores, where there is nothing to hide.

use super::owner::Owner;
use super::principal::{Principal, Role};
use crate::problem::{Code, Problem};

macro_rules! actions {
    ($($(#[doc = $doc:literal])* $name:ident = $word:literal, $about:ident, $role:ident;)*) => {
        /// Everything that can be asked of the API.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action {
            $($(#[doc = $doc])* $name,)*
        }

        impl Action {
            /// Every action.
            pub const ALL: &'static [Action] = &[$(Action::$name,)*];

            /// What it is called in logs, problems and the documentation.
            pub fn as_str(self) -> &'static str {
                match self { $(Action::$name => $word,)* }
            }

            /// What it is done to.
            pub fn about(self) -> About {
                match self { $(Action::$name => About::$about,)* }
            }

            /// The least role that may do it, to what is one's own.
            pub fn role(self) -> Role {
                match self { $(Action::$name => Role::$role,)* }
            }
        }
    };
}

/// What an action is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum About {
    /// No store in particular: everybody of the role may. What a list or a watch shows is what `ViewStore` allows.
    Nothing,
    /// A store that is to be; its owner is the one that it would have.
    NewStore,
    /// A store that there is.
    Store,
}

actions! {
    /// See who one is.
    WhoAmI = "who-am-i", Nothing, Viewer;
    /// List the engines and their options.
    ListEngines = "list-engines", Nothing, Viewer;
    /// List stores, as far as one may view them.
    ListStores = "list-stores", Nothing, Viewer;
    /// Be told of changes of stores, as far as one may view them.
    WatchStores = "watch-stores", Nothing, Viewer;
    /// See a store, its status and addresses.
    ViewStore = "view-store", Store, Viewer;
    /// See what happened to a store.
    ViewEvents = "view-events", Store, Viewer;
    /// See the objects that a store is made of, without their secrets.
    ViewManifests = "view-manifests", Store, Viewer;
    /// See how a store's objects differ from what they should be.
    ViewDiff = "view-diff", Store, Viewer;
    /// Read what a store's containers print, which may be confidential.
    ViewLogs = "view-logs", Store, Operator;
    /// Sign in to a store with its first password, which is noted.
    ViewCredentials = "view-credentials", Store, Operator;
    /// Place an order in a store to see whether that works, which is noted.
    SmokeStore = "smoke-store", Store, Operator;
    /// See what a creation would make.
    PreviewStore = "preview-store", NewStore, Operator;
    /// Create a store.
    CreateStore = "create-store", NewStore, Operator;
    /// Try again to make a store that failed.
    RetryStore = "retry-store", Store, Operator;
    /// Delete a store and all its data.
    DeleteStore = "delete-store", Store, Operator;
}

/// Whether something may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// It may.
    Allow,
    /// It may not, and this is what is said.
    Deny(Refusal),
}

/// What somebody is told who may not do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The store is not theirs to know of: answer exactly as for a store that does not exist.
    NotFound,
    /// Their role is too low, or the owner is none that they may name.
    Forbidden,
}

/// Whether `principal` may do `action`. `owner` is whom the store belongs to, or would belong to if it is to be created
/// (none: the principal's own subject); it does not matter to actions that are about no store.
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

/// Whom a new store is to belong to: `asked`, where the principal may name it, and otherwise the principal.
///
/// # Errors
/// `forbidden`, when they may not do `action` (a creation or its preview) or may not name this owner.
pub(crate) fn owner_of_new(principal: &Principal, action: Action, asked: Option<Owner>) -> Result<Owner, Problem> {
    let owner = asked.unwrap_or_else(|| Owner::User(principal.subject.clone()));
    decide(principal, action, Some(&owner)).or_refuse(principal, action, || forbidden(principal, action))?;
    Ok(owner)
}

impl Decision {
    /// Whether it may be done.
    pub fn is_allowed(self) -> bool {
        self == Decision::Allow
    }

    /// Nothing if it may be done, otherwise the problem to answer with. `missing` makes the one that is answered for a
    /// store that does not exist: the two must not differ in a letter.
    ///
    /// # Errors
    /// When it may not be done.
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
        format!("{} needs the role {needed}, and yours is {role}; ask whoever runs this server", action.as_str())
    } else {
        "the owner must be yourself or a team that you belong to; only an admin may name others".to_owned()
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
                    let reads = matches!(action, ViewStore | ViewEvents | ViewManifests | ViewDiff);
                    let operates = matches!(action, ViewLogs | ViewCredentials | SmokeStore | RetryStore | DeleteStore);
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
        assert!(of(Role::Operator, Some("team:other")).unwrap_err().contains("only an admin may name others"));
        assert!(of(Role::Operator, Some("user:bob")).unwrap_err().contains("only an admin may name others"));
        assert_eq!(of(Role::Admin, Some("user:bob")).as_deref(), Ok("user:bob"));
        assert_eq!(of(Role::Admin, None).as_deref(), Ok("user:ann"));
        assert!(of(Role::Viewer, None).unwrap_err().contains("needs the role operator, and yours is viewer"));
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
