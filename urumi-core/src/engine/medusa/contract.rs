//! The names, ports, Secret keys and reserved variables that the parts of a Medusa store share with each other and with
//! their images. Everything here is a constant, so that no part has to import another.

use crate::store::StoreId;

/// The commerce API.
pub(super) mod api {
    use super::credentials::SMOKE_TOKEN_KEY;

    pub(crate) const NAME: &str = "medusa-api";
    pub(crate) const COMPONENT: &str = "api";
    /// The container's port.
    pub(crate) const PORT: u16 = 9000;
    /// The Service's port.
    pub(crate) const SERVICE_PORT: u16 = 80;
    /// The variable with the address of Redis.
    pub(crate) const REDIS_URL: &str = "REDIS_URL";
    /// The variable with the authority, in PEM, that signs the database server's certificate.
    pub(crate) const DATABASE_CA: &str = "DATABASE_CA";

    /// The variables that urumi sets in the container, in the order of rendering. urumi needs the last five only in the
    /// init container.
    pub(crate) const RESERVED: [&str; 20] = [
        "DATABASE_URL",
        "JWT_SECRET",
        "COOKIE_SECRET",
        SMOKE_TOKEN_KEY,
        "STORE_CORS",
        "ADMIN_CORS",
        "AUTH_CORS",
        "MEDUSA_BACKEND_URL",
        "STOREFRONT_URL",
        "PORT",
        "NODE_ENV",
        "MEDUSA_DISABLE_TELEMETRY",
        "MEDUSA_WORKER_MODE",
        "HOME",
        "NODE_OPTIONS",
        "STORE_NAME",
        "MEDUSA_PUBLISHABLE_KEY",
        "STORE_ADMIN_EMAIL",
        "STORE_ADMIN_PASSWORD",
        "DATABASE_PATIENCE_SECONDS",
    ];
}

/// The storefront.
pub(super) mod storefront {
    pub(crate) const NAME: &str = "medusa-storefront";
    pub(crate) const COMPONENT: &str = "storefront";
    /// The container's port: above 1024, because the container does not run as root.
    pub(crate) const PORT: u16 = 8000;
    /// The Service's port.
    pub(crate) const SERVICE_PORT: u16 = 80;
    /// The variable with the path of the settings file.
    pub(crate) const SETTINGS: &str = "STOREFRONT_SETTINGS";
    /// The variable with Stripe's publishable key.
    pub(crate) const STRIPE_KEY: &str = "STRIPE_PUBLISHABLE_KEY";

    /// The variables that urumi sets in the container, in the order of rendering; the last one only in the first way of rendering.
    pub(crate) const RESERVED: [&str; 10] = [
        "MEDUSA_BACKEND_URL",
        "MEDUSA_PUBLIC_URL",
        "STOREFRONT_URL",
        "MEDUSA_PUBLISHABLE_KEY",
        "PORT",
        "NODE_ENV",
        "HOME",
        "NODE_OPTIONS",
        SETTINGS,
        "STORE_NAME",
    ];
}

/// PostgreSQL.
pub(super) mod database {
    pub(crate) const NAME: &str = "postgres";
    pub(crate) const COMPONENT: &str = "database";
}

/// Redis.
pub(super) mod redis {
    pub(crate) const NAME: &str = "redis";
    pub(crate) const COMPONENT: &str = "redis";
    pub(crate) const PORT: u16 = 6379;
}

/// The proof of life.
pub(super) mod proof_of_life {
    pub(crate) const NAME: &str = "proof-of-life";
    pub(crate) const COMPONENT: &str = "proof-of-life";
}

/// Smoke orders.
pub(super) mod smoke {
    pub(crate) const NAME: &str = "smoke";
    pub(crate) const COMPONENT: &str = "smoke";
}

/// The Secrets of generated values and their keys.
pub(super) mod credentials {
    /// The Secret of a store whose database urumi creates.
    pub(crate) const WITH_DATABASE: &str = "postgres-credentials";
    /// The Secret of a store with an external database. The user's own Secret holds the database's address.
    pub(crate) const WITHOUT_DATABASE: &str = "medusa-credentials";

    pub(crate) const DATABASE_PASSWORD_KEY: &str = "POSTGRES_PASSWORD";
    pub(crate) const DATABASE_URL_KEY: &str = "DATABASE_URL";
    pub(crate) const JWT_KEY: &str = "JWT_SECRET";
    pub(crate) const COOKIE_KEY: &str = "COOKIE_SECRET";
    /// The API tells smoke orders from customers' orders by this token.
    pub(crate) const SMOKE_TOKEN_KEY: &str = "SMOKE_TOKEN";
    pub(crate) const REDIS_PASSWORD_KEY: &str = "REDIS_PASSWORD";
    pub(crate) const REDIS_URL_KEY: &str = "REDIS_URL";
}

/// The first administrator's Secret.
pub(super) mod admin {
    pub(crate) const SECRET: &str = "medusa-admin";
    pub(crate) const PASSWORD_KEY: &str = "password";
}

/// The storefront's host name.
pub(super) fn storefront_host(id: &StoreId, domain: &str) -> String {
    format!("store-{id}.{domain}")
}

/// The API's host name.
pub(super) fn api_host(id: &StoreId, domain: &str) -> String {
    format!("api-{id}.{domain}")
}
