//! The store's first administrator, whose generated password is in a Secret of its own.
//!
//! It is the one Secret of a store that urumi reads, and only when somebody asks for it; its fixed name lets a role
//! permit just that.

use super::contract::admin::{PASSWORD_KEY, SECRET};
use super::resolved::ResolvedStore;
use super::{parts, workload};
use crate::engine::{Manifest, RenderError, SignIn};
use crate::kubernetes::{Object, ObjectRef};
use crate::secret::SecretSource;

const PASSWORD_LENGTH: usize = 20;

/// The Secret, made once: the API takes the password over at its first start and keeps it in its database.
pub(super) fn secret(
    store: &ResolvedStore<'_>,
    secrets: &dyn SecretSource,
    guards: Vec<ObjectRef>,
) -> Result<Manifest, RenderError> {
    let data = [(PASSWORD_KEY, secrets.password(PASSWORD_LENGTH)?)];
    Ok(Manifest::create_once(Object::from_typed(&workload::secret(&parts::api(store), SECRET, &data))?, guards))
}

/// Where to sign in, and where the password is.
pub(super) fn sign_in(store: &ResolvedStore<'_>) -> Result<SignIn, RenderError> {
    Ok(SignIn {
        address: format!("{}/app", store.api_url()),
        username: store.admin_email()?.to_owned(),
        secret: SECRET.to_owned(),
        password_key: PASSWORD_KEY.to_owned(),
    })
}
