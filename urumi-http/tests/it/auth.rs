//! Who is asking, and what they may do.

mod canary;
mod document;
mod oidc;
mod requests;
mod sign_in;
