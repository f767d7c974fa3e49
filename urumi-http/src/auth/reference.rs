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

Callers learn nothing of others' stores, with one exception: ids are unique on the cluster. A creation or preview with an id
that is in use answers `409`, also for a store of others. A caller who may create stores can thus find out whether an id that they guess is
in use, but neither the store's owner nor anything else. A creation without an id gets a random one.

";

const AFTER: &str = "
Lists and watches show only the stores that `view-store` allows.

A new store belongs to its creator. An operator may set one of their teams as the owner instead, an admin any owner.

## Sign-in from the command line

`urumi login https://urumi.example.com` asks `GET /authentication` how the server authenticates callers, gets a token and saves
it for this address. `urumi logout` deletes it.

- OpenID Connect (`--oidc-issuer`): the user signs in with a browser (authorization code with PKCE, redirect to
  `http://127.0.0.1:PORT/callback`), or with `--device` on any other device (device code, RFC 8628). Over SSH and without a display,
  `--device` is the default. The bearer token is the ID token. Commands renew it with the refresh token before it expires.
- Tokens of `--tokens-file` and of Kubernetes: `urumi login https://urumi.example.com --with-token < FILE`.

Register a public client at the issuer:

| setting | value |
| --- | --- |
| client secret | none |
| redirect URI | `http://127.0.0.1/callback`, any port (RFC 8252, section 7.3). If the issuer compares ports, register one port and pass `urumi login --port PORT` |
| grants | authorization code with PKCE (S256), refresh token, and device code for `--device` |
| scopes | `--oidc-scope`, and `offline_access` if the issuer offers it: many issuers give refresh tokens only with this scope |

Add the client id to `--oidc-audience` and set it as `--oidc-cli-client-id`; in the chart, these are `auth.oidc.audiences` and
`auth.oidc.cliClientId`. Without `--oidc-cli-client-id`, the command line uses the dashboard's client (`--oidc-client-id`).

Every server receives the ID tokens of the users who sign in to it, and client ids are public. Sign in only to servers that you
trust. `urumi logout` revokes the refresh token if the issuer has a revocation endpoint; an ID token stays valid until it expires, so
let the issuer make it valid for minutes, not days.
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
