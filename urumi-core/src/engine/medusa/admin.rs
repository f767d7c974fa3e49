//! The store's first administrator, whose generated password is in a Secret of its own.
//!
//! It is the one Secret of a store that urumi reads, and only when somebody asks for it; its fixed name lets a role
//! permit just that.

use super::shop::Shop;
use super::{api, workload};
use crate::engine::{Manifest, RenderError, SignIn};
use crate::kubernetes::{Object, ObjectRef};
use crate::secret::SecretSource;

pub(super) const SECRET: &str = "medusa-admin";
pub(super) const PASSWORD_KEY: &str = "password";

const PASSWORD_LENGTH: usize = 20;

/// The Secret, made once: the API takes the password over at its first start and keeps it in its database.
pub(super) fn secret(
    shop: &Shop<'_>,
    secrets: &dyn SecretSource,
    guards: Vec<ObjectRef>,
) -> Result<Manifest, RenderError> {
    let data = [(PASSWORD_KEY, secrets.password(PASSWORD_LENGTH)?)];
    Ok(Manifest::create_once(Object::from_typed(&workload::secret(&api::part(shop), SECRET, &data))?, guards))
}

/// Where to sign in, and where the password is.
pub(super) fn sign_in(shop: &Shop<'_>) -> Result<SignIn, RenderError> {
    Ok(SignIn {
        address: format!("{}/app", shop.api_url()),
        username: shop.admin_email()?.to_owned(),
        secret: SECRET.to_owned(),
        password_key: PASSWORD_KEY.to_owned(),
    })
}
