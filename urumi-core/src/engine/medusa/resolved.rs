//! A store whose options are resolved: its spec, the typed options, and the values that several parts derive from them.

use sha2::{Digest, Sha256};

use super::contract::{self, credentials};
use super::options::{Database, DatabaseMode, DatabaseSecret, DatabaseServer, MedusaOptions, Resources, Storage};
use super::resolve;
use crate::engine::RenderError;
use crate::store::StoreSpec;

/// The newest way of rendering.
///
/// | | what differs from the one before |
/// |---|---|
/// | 2 | the shop's name and looks are settings that the storefront reads anew, and no restart |
pub(super) const RENDERER: u32 = 2;
/// The first way in which the name and the looks change without a restart.
const LIVE: u32 = 2;

/// A store whose options are resolved. Rendering reads everything from it.
pub(super) struct ResolvedStore<'a> {
    pub(super) spec: &'a StoreSpec,
    pub(super) options: MedusaOptions,
    domain: String,
    server: Option<&'a DatabaseServer>,
}

/// The database of a store, with the options of its mode.
pub(super) enum DatabasePlan<'a> {
    /// A PostgreSQL in the store's namespace.
    Embedded { image: &'a str, storage: &'a Storage, resources: &'a Resources },
    /// A database on a server that many stores share, as the installation describes the server.
    Managed(&'a DatabaseServer),
    /// A database that somebody else runs.
    External { secret: &'a DatabaseSecret, port: u16 },
}

/// The TLS of a store's addresses.
pub(super) enum TlsPlan<'a> {
    /// None: plain HTTP.
    Off,
    /// The certificate in this Secret.
    Secret(&'a str),
    /// A certificate for each host, issued by cert-manager: the annotation that requests it.
    Issuer { annotation: &'static str, name: &'a str },
}

impl<'a> ResolvedStore<'a> {
    /// Reads a spec that `resolve` made and checks that it has every value that rendering needs. `servers` are the
    /// installation's database servers.
    pub(super) fn read(spec: &'a StoreSpec, servers: &'a [DatabaseServer]) -> Result<Self, RenderError> {
        let options = resolve::read(&spec.options).map_err(RenderError::Options)?;
        let domain = options.domain.clone().ok_or_else(|| missing("domain"))?;
        let server = match options.database.mode {
            DatabaseMode::Managed => Some(installed(&options.database, servers)?),
            DatabaseMode::Embedded | DatabaseMode::External => None,
        };
        let store = ResolvedStore { spec, options, domain, server };
        store.database()?;
        store.admin_email()?;
        // An empty list of peers or ports admits all traffic. An edited record must not cause that.
        let MedusaOptions { ingress, network_policy, .. } = &store.options;
        if network_policy.enabled && ingress.controller_namespaces.is_empty() && ingress.controller_cidrs.is_empty() {
            return Err(missing("ingress.controllerNamespaces"));
        }
        let dns = &network_policy.dns;
        if network_policy.enabled && (dns.ports.is_empty() || dns.namespaces.is_empty() && dns.cidrs.is_empty()) {
            return Err(missing("networkPolicy.dns"));
        }
        Ok(store)
    }

    /// The database of the store's mode.
    pub(super) fn database(&self) -> Result<DatabasePlan<'_>, RenderError> {
        let Database { mode, image, storage, resources, secret, port, .. } = &self.options.database;
        Ok(match mode {
            DatabaseMode::Embedded => DatabasePlan::Embedded {
                image: image.as_deref().ok_or_else(|| missing("database.image"))?,
                storage: storage.as_ref().ok_or_else(|| missing("database.storage"))?,
                resources: resources.as_ref().ok_or_else(|| missing("database.resources"))?,
            },
            DatabaseMode::Managed => DatabasePlan::Managed(self.server.ok_or_else(|| missing("database.server"))?),
            DatabaseMode::External => DatabasePlan::External {
                secret: secret.as_ref().ok_or_else(|| missing("database.secret"))?,
                port: port.ok_or_else(|| missing("database.port"))?,
            },
        })
    }

    /// The Secret with the store's generated values.
    pub(super) fn credentials(&self) -> Result<&'static str, RenderError> {
        Ok(match self.database()? {
            DatabasePlan::Embedded { .. } => credentials::WITH_DATABASE,
            DatabasePlan::Managed(_) | DatabasePlan::External { .. } => credentials::WITHOUT_DATABASE,
        })
    }

    /// The TLS of the addresses.
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

    /// Whether the storefront reads the shop's name and looks anew when they change.
    pub(super) fn is_live(&self) -> bool {
        self.spec.renderer >= LIVE
    }

    pub(super) fn storefront_host(&self) -> String {
        contract::storefront_host(&self.spec.id, &self.domain)
    }

    pub(super) fn api_host(&self) -> String {
        contract::api_host(&self.spec.id, &self.domain)
    }

    pub(super) fn storefront_url(&self) -> String {
        self.url(&self.storefront_host())
    }

    pub(super) fn api_url(&self) -> String {
        self.url(&self.api_host())
    }

    /// The publishable API key, which storefronts send with each request. It is public: every customer's browser sees
    /// it. It is derived from the id, so every part of the store knows it from the start.
    pub(super) fn publishable_key(&self) -> String {
        format!("pk_{}", digest(&format!("store.urumi.ai/publishable-key/{}", self.spec.id)))
    }

    /// The e-mail address of the first administrator.
    pub(super) fn admin_email(&self) -> Result<&str, RenderError> {
        self.options.admin.email.as_deref().ok_or_else(|| missing("admin.email"))
    }

    fn url(&self, host: &str) -> String {
        let scheme = if self.options.tls.is_off() { "http" } else { "https" };
        format!("{scheme}://{host}")
    }
}

/// The installation's server that a record names by host, port and namespace. Everything else about the server is the
/// installation's to say: an account that may create namespaces can forge a record, which must choose neither where the
/// administrator's password is sent nor the image that gets it.
fn installed<'a>(database: &Database, servers: &'a [DatabaseServer]) -> Result<&'a DatabaseServer, RenderError> {
    let named = database.server.as_ref().ok_or_else(|| missing("database.server"))?;
    let places = |server: &DatabaseServer| {
        [("host", server.host.clone()), ("port", server.port.to_string()), ("namespace", server.namespace.clone())]
    };
    if let Some(server) = servers.iter().find(|server| places(server) == places(named)) {
        return Ok(server);
    }
    let message = match servers.first() {
        None => "database.mode is managed, and the installation names no server for it: set database.server in its \
                 defaults of the engine"
            .to_owned(),
        Some(current) => {
            let differing = places(named).into_iter().zip(places(current)).filter(|(theirs, ours)| theirs != ours);
            let differing = differing.map(|((field, theirs), (_, ours))| {
                format!("database.server.{field} is {theirs} in the record and {ours} in the installation's defaults")
            });
            format!(
                "{}; correct the record, or name the server in database.formerServers of the installation's defaults",
                differing.collect::<Vec<_>>().join(", ")
            )
        }
    };
    Err(RenderError::Options(message))
}

/// The SHA-256 of a text, in hexadecimal.
pub(super) fn digest(text: &str) -> String {
    base16ct::lower::encode_string(&Sha256::digest(text))
}

fn missing(field: &str) -> RenderError {
    RenderError::Options(format!("{field} is missing"))
}
