//! The parts of a store: the names of their objects, their components and the images they run.

use super::contract::{api, database, proof_of_life, redis, smoke, storefront};
use super::options::{DatabaseServer, Redis};
use super::resolved::ResolvedStore;
use super::workload::Part;

pub(super) fn api<'a>(store: &'a ResolvedStore<'_>) -> Part<'a> {
    Part { name: api::NAME, component: api::COMPONENT, image: &store.options.api.image }
}

pub(super) fn storefront<'a>(store: &'a ResolvedStore<'_>) -> Part<'a> {
    Part { name: storefront::NAME, component: storefront::COMPONENT, image: &store.options.storefront.image }
}

pub(super) fn database(image: &str) -> Part<'_> {
    Part { name: database::NAME, component: database::COMPONENT, image }
}

/// The Jobs that create and remove a database on a shared server.
pub(super) fn managed_database(server: &DatabaseServer) -> Part<'_> {
    Part { name: "store-database", component: database::COMPONENT, image: &server.image }
}

pub(super) fn redis(redis: &Redis) -> Part<'_> {
    Part { name: redis::NAME, component: redis::COMPONENT, image: &redis.image }
}

pub(super) fn proof_of_life<'a>(store: &'a ResolvedStore<'_>) -> Part<'a> {
    let image = &store.options.proof_of_life.image;
    Part { name: proof_of_life::NAME, component: proof_of_life::COMPONENT, image }
}

pub(super) fn smoke<'a>(store: &'a ResolvedStore<'_>) -> Part<'a> {
    Part { name: smoke::NAME, component: smoke::COMPONENT, image: &store.options.storefront.image }
}

/// The objects that belong to the store as a whole: policies and quota.
pub(super) fn isolation<'a>(store: &'a ResolvedStore<'_>) -> Part<'a> {
    Part { name: "medusa", component: "isolation", image: &store.options.api.image }
}
