//! Generates `docs/AUTHORIZATION.md`.

use super::owner::Owner;
use super::policy::{About, Action, Decision, Refusal, decide};
use super::principal::{Principal, Role};

const BEFORE: &str = "\
# Permissions

Generated from the code by `UPDATE_DOCS=1 cargo test -p urumi-http authorization`; do not edit.

Every caller has one role. Every store belongs to a user (`user:<subject>`), to a team (`team:<name>`), or, if it was
created without the HTTP API, to nobody. *Own* stores are those of the caller and of the caller's teams.

**404** is the same answer as for a store that does not exist. **403** names the missing role.

Callers learn nothing of others' stores, with one exception: ids are unique on the cluster. A creation or dry run with an id
that is in use answers `409`, also for a store of others. A caller who may create stores can thus find out whether an id that they guess is
in use, but neither the store's owner nor anything else. A creation without an id draws a random one.

";

const AFTER: &str = "
Lists and watches show only the stores that `view-store` allows.

A new store belongs to its creator. An operator may set one of their teams as the owner instead, an admin any owner.
";

/// The text of `docs/AUTHORIZATION.md`; a test compares it.
pub fn reference() -> String {
    let mut out = String::from(BEFORE);
    out.push_str("## Stores\n\n| action | store | viewer | operator | admin |\n| --- | --- | --- | --- | --- |\n");
    let own = Owner::User("me".to_owned());
    let foreign = Owner::User("somebody else".to_owned());
    for action in Action::ALL.iter().copied().filter(|action| action.about() == About::Store) {
        for (whose, owner) in [("own", Some(&own)), ("others'", Some(&foreign)), ("nobody's", None)] {
            row(&mut out, action, whose, owner);
        }
    }
    out.push_str("\n## New stores\n\n| action | for | viewer | operator | admin |\n| --- | --- | --- | --- | --- |\n");
    for action in Action::ALL.iter().copied().filter(|action| action.about() == About::NewStore) {
        for (whom, owner) in [("the caller, own teams", Some(&own)), ("others", Some(&foreign))] {
            row(&mut out, action, whom, owner);
        }
    }
    out.push_str("\n## Everything else\n\n| action | | viewer | operator | admin |\n| --- | --- | --- | --- | --- |\n");
    for action in Action::ALL.iter().copied().filter(|action| action.about() == About::Nothing) {
        row(&mut out, action, "", None);
    }
    out.push_str(AFTER);
    out
}

fn row(out: &mut String, action: Action, case: &str, owner: Option<&Owner>) {
    let [viewer, operator, admin] = Role::ALL.map(|role| match decide(&Principal::new("me", role), action, owner) {
        Decision::Allow => "yes",
        Decision::Deny(Refusal::NotFound) => "404",
        Decision::Deny(Refusal::Forbidden) => "403",
    });
    out.push_str(&format!("| {} | {case} | {viewer} | {operator} | {admin} |\n", action.as_str()));
}
