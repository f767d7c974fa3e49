//! Reads a store's initial password: the only Secret of a store that urumi reads, and only on request.

use k8s_openapi::api::core::v1::Secret;

use super::{Orchestrator, readable_spec, render_error};
use crate::error::{Error, Operation, Result};
use crate::kubernetes::{Kind, ObjectRef};
use crate::secret::SecretString;
use crate::store::StoreId;
use crate::store::credentials::Credentials;

const OPERATION: Operation = Operation::Credentials;

impl Orchestrator {
    pub(super) async fn credentials_of(&self, id: &StoreId, reveal: bool) -> Result<Credentials> {
        let record = self.record(OPERATION, id).await?;
        let spec = readable_spec(OPERATION, &record)?;
        let engine = self.inner.engines.require(&spec.engine)?;
        let Some(sign_in) = engine.sign_in(spec).map_err(|e| render_error(spec, &e))? else {
            let message = format!("stores of the engine {} have no sign-in", spec.engine);
            return Err(Error::WrongState { operation: OPERATION, id: id.clone(), message });
        };
        let mut credentials = Credentials { address: sign_in.address, username: sign_in.username, password: None };
        if reveal {
            // Always in the store's own namespace, whatever the engine returns.
            let secret = ObjectRef::namespaced(Kind::of::<Secret>(), id.namespace(), sign_in.secret);
            credentials.password = Some(self.password(id, &secret, &sign_in.password_key).await?);
        }
        Ok(credentials)
    }

    async fn password(&self, id: &StoreId, secret: &ObjectRef, key: &str) -> Result<SecretString> {
        let found = self.inner.cluster.get(secret).await;
        let found = found.map_err(|e| Error::cluster(OPERATION, Some(id), e))?;
        let missing = |message: String| Error::WrongState { operation: OPERATION, id: id.clone(), message };
        let Some(object) = found else {
            return Err(missing(format!("its {secret} does not exist (yet); check the store's status")));
        };
        // Do not quote a value that cannot be read: it may be part of a secret.
        let typed: Option<Secret> = object.to_typed().ok();
        let value = typed.and_then(|secret| secret.data?.remove(key)).and_then(|bytes| String::from_utf8(bytes.0).ok());
        value.map(SecretString::new).ok_or_else(|| missing(format!("its {secret} has no readable {key}")))
    }
}
