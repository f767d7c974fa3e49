//! Authentication and authorisation.
//!
//! - An [`Authenticator`] verifies the tokens of one source; [`Authentication`] asks several in order.
//! - [`authenticate`], a middleware, reads the request's bearer token and inserts a
//!   [`Principal`] and a [`ClientKey`] into its extensions; handlers extract the former as [`Caller`].
//! - [`decide`] is the only place with the permissions. `docs/AUTHORIZATION.md` is generated from it.
//!
//! Subjects and teams of all sources share one namespace: a user who changes from a token of the server's file to a token
//! of an issuer keeps their stores. Do not configure a source that lets users choose names which another source assigns.
//!
//! # Embedding
//! A service that mounts this API and has authenticated its users already inserts a [`Principal`] into the request's
//! extensions, in a layer outside this API. The API then uses it unchanged: it reads no `Authorization` header and asks no
//! [`Authenticator`]. Extensions exist only within the process, so a client cannot send one.

mod bindings;
mod cache;
mod chain;
mod error;
mod middleware;
pub mod oidc;
pub(crate) mod owner;
pub(crate) mod policy;
mod principal;
mod reference;
mod sign_in;
pub mod static_tokens;
mod token_review;

pub use self::bindings::{Binding, Bindings, NoBinding, Whom};
pub use self::chain::{Authentication, Authenticator};
pub use self::error::AuthError;
pub use self::middleware::{Caller, ClientKey, authenticate};
pub use self::oidc::{Oidc, OidcOptions};
pub use self::owner::Owner;
pub use self::policy::{About, Action, Decision, Refusal, decide};
pub use self::principal::{Method, NoSuchRole, Principal, Role};
#[doc(hidden)]
pub use self::reference::reference;
pub use self::sign_in::{OidcClient, SignInMethods};
pub use self::static_tokens::StaticTokens;
pub use self::token_review::ReviewedTokens;
