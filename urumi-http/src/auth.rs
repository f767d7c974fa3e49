//! Who is asking, and what they may do.
//!
//! - An [`Authenticator`] knows one source of tokens; [`Authentication`] asks several in order.
//! - [`authenticate`], a middleware, reads the request's bearer token and leaves a
//!   [`Principal`] and a [`ClientKey`] in its extensions; handlers take the former as [`Caller`].
//! - [`decide`] is the one place that says who may do what. `docs/AUTHORIZATION.md` is made from it.
//!
//! Subjects and teams are the same whichever source vouches for them: somebody who changes from a token of the server's
//! file to one of an issuer keeps their stores. So trust no source that lets people choose names that another gives.
//!
//! # Embedding
//! A service that mounts this API inside its own and knows its users already inserts a [`Principal`] into the request's
//! extensions, in a layer outside of ours. It is then used as it is: no `Authorization` header is read, and no
//! [`Authenticator`] asked. Extensions exist only within the process, so nobody can send one.

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
pub use self::static_tokens::StaticTokens;
pub use self::token_review::ReviewedTokens;
