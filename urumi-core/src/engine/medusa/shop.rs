//! One store while it is rendered: its spec with the options read, and what follows from them everywhere.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::options::{Database, DatabaseMode, DatabaseSecret, DatabaseServer, MedusaOptions, Resources, Storage};
use super::{database, resolve};
use crate::engine::RenderError;
use crate::store::{StoreId, StoreSpec};

/// One store while it is rendered.
pub(super) struct Shop<'a> {
    pub(super) spec: &'a StoreSpec,
    pub(super) options: MedusaOptions,
    domain: String,
}

/// The database a store uses, with all that its mode needs.
pub(super) enum DatabasePlan<'a> {
    /// A PostgreSQL of the store's own.
    Embedded { image: &'a str, storage: &'a Storage, resources: &'a Resources },
    /// One on a server that many stores share.
    Managed(&'a DatabaseServer),
    /// One that exists elsewhere.
    External { secret: &'a DatabaseSecret, port: u16 },
}

/// How a store's addresses are encrypted.
pub(super) enum TlsPlan<'a> {
    /// Not at all.
    Off,
    /// With the certificate in this Secret.
    Secret(&'a str),
    /// With certificates that cert-manager puts into a Secret for each host: the annotation that asks it to.
    Issuer { annotation: &'static str, name: &'a str },
}

/// The host of a store's shop.
pub(super) fn storefront_host(id: &StoreId, domain: &str) -> String {
    format!("store-{id}.{domain}")
}

impl<'a> Shop<'a> {
    /// Reads a spec that `resolve` made, and makes sure that rendering finds all it needs.
    pub(super) fn read(spec: &'a StoreSpec) -> Result<Self, RenderError> {
        let options = resolve::read(&spec.options).map_err(RenderError::Options)?;
        let domain = options.domain.clone().ok_or_else(|| missing("domain"))?;
        let shop = Shop { spec, options, domain };
        shop.database()?;
        shop.admin_email()?;
        // An empty list of peers would let everyone in, which must not come of a record that someone has edited.
        if shop.options.network_policy.enabled && shop.options.ingress.controller_namespaces.is_empty() {
            return Err(missing("ingress.controllerNamespaces"));
        }
        Ok(shop)
    }

    /// The database, by its mode.
    pub(super) fn database(&self) -> Result<DatabasePlan<'_>, RenderError> {
        let Database { mode, image, storage, resources, secret, port, server } = &self.options.database;
        Ok(match mode {
            DatabaseMode::Embedded => DatabasePlan::Embedded {
                image: image.as_deref().ok_or_else(|| missing("database.image"))?,
                storage: storage.as_ref().ok_or_else(|| missing("database.storage"))?,
                resources: resources.as_ref().ok_or_else(|| missing("database.resources"))?,
            },
            DatabaseMode::Managed => DatabasePlan::Managed(server.as_ref().ok_or_else(|| missing("database.server"))?),
            DatabaseMode::External => DatabasePlan::External {
                secret: secret.as_ref().ok_or_else(|| missing("database.secret"))?,
                port: port.ok_or_else(|| missing("database.port"))?,
            },
        })
    }

    /// The Secret of what is generated for the store.
    pub(super) fn credentials(&self) -> Result<&'static str, RenderError> {
        Ok(match self.database()? {
            DatabasePlan::Embedded { .. } => database::CREDENTIALS,
            DatabasePlan::Managed(_) | DatabasePlan::External { .. } => database::MEDUSA_CREDENTIALS,
        })
    }

    /// How the addresses are encrypted.
    pub(super) fn tls(&self) -> TlsPlan<'_> {
        let tls = &self.options.tls;
        if let Some(name) = &tls.secret_name {
            TlsPlan::Secret(name)
        } else if let Some(name) = &tls.issuer {
            TlsPlan::Issuer { annotation: "cert-manager.io/issuer", name }
        } else if let Some(name) = &tls.cluster_issuer {
            TlsPlan::Issuer { annotation: "cert-manager.io/cluster-issuer", name }
        } else {
            TlsPlan::Off
        }
    }

    pub(super) fn storefront_host(&self) -> String {
        storefront_host(&self.spec.id, &self.domain)
    }

    pub(super) fn api_host(&self) -> String {
        format!("api-{}.{}", self.spec.id, self.domain)
    }

    pub(super) fn storefront_url(&self) -> String {
        self.url(&self.storefront_host())
    }

    pub(super) fn api_url(&self) -> String {
        self.url(&self.api_host())
    }

    /// The key that shops send with each request to the API. It is no secret, every customer's browser may know it;
    /// that it follows from the id lets every part of the store have it from the beginning.
    pub(super) fn publishable_key(&self) -> String {
        format!("pk_{}", digest(&format!("store.urumi.ai/publishable-key/{}", self.spec.id)))
    }

    /// Who signs in first.
    pub(super) fn admin_email(&self) -> Result<&str, RenderError> {
        self.options.admin.email.as_deref().ok_or_else(|| missing("admin.email"))
    }

    fn url(&self, host: &str) -> String {
        let scheme = if self.options.tls.is_off() { "http" } else { "https" };
        format!("{scheme}://{host}")
    }
}

/// The SHA-256 of a text, in hexadecimal.
pub(super) fn digest(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |mut digest, byte| {
        // Writing to a string never fails.
        let _ = write!(digest, "{byte:02x}");
        digest
    })
}

fn missing(field: &str) -> RenderError {
    RenderError::Options(format!("{field} is missing"))
}
