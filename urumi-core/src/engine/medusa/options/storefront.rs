//! The options of the shop that customers see: what runs it, how it looks and what it says.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Replicas, Resources};

/// The shop that customers see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct Storefront {
    /// Its image. It listens on port 8000 and runs as user 1000.
    pub image: String,
    /// How many of it run.
    pub replicas: Replicas,
    /// The path that answers with status 200 while the shop can serve, its API included.
    pub readiness_path: String,
    /// The path that answers with status 200 unless the shop must be restarted.
    pub liveness_path: String,
    /// What each of its containers asks for and may use. Node's heap is capped at three quarters of limits.memory.
    pub resources: Resources,
    /// Further environment variables, by name. Those that urumi sets itself are refused.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// How the shop looks.
    #[serde(default, skip_serializing_if = "Theme::is_empty")]
    pub theme: Theme,
    /// The language of the shop's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<Locale>,
    /// The currency in which the shop shows its prices: a code of ISO 4217 in lower case, e.g. eur. The API must have
    /// a region with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Links at the bottom of each page, at most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub footer_links: Vec<FooterLink>,
    /// Whether search engines may show the shop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub robots: Option<Robots>,
    /// What the payment without a provider is called: a test, by invoice, or in cash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manual_payment: Option<ManualPayment>,
    /// Stripe's publishable key (pk_test_… or pk_live_…), with which the shop takes cards. The secret one belongs into a
    /// Secret that api.envSecrets names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stripe_publishable_key: Option<String>,
}

/// A shop's looks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct Theme {
    /// The picture at the top of each page, as a data URL: a PNG, JPEG, WebP or SVG image of at most 32 KiB. The
    /// command line makes one of a file: --set-file storefront.theme.logo=logo.svg.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "data-url"))]
    pub logo: Option<String>,
    /// The shop's colours.
    #[serde(default, skip_serializing_if = "Colors::is_empty")]
    pub colors: Colors,
}

impl Theme {
    /// Whether nothing is chosen.
    pub fn is_empty(&self) -> bool {
        *self == Theme::default()
    }
}

/// A shop's colours, as #rrggbb.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct Colors {
    /// The colour of buttons and links, as #rrggbb.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accent: Option<String>,
    /// The colour behind everything, as #rrggbb.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background: Option<String>,
    /// The colour of texts, as #rrggbb.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl Colors {
    /// Whether none is chosen.
    pub fn is_empty(&self) -> bool {
        *self == Colors::default()
    }
}

/// The language of a shop's own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Locale {
    /// English.
    En,
    /// German.
    De,
}

/// Whether search engines may show a shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Robots {
    /// They may.
    Index,
    /// They may not.
    Noindex,
}

/// What the payment without a provider is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum ManualPayment {
    /// A test, by which nobody pays.
    Test,
    /// By invoice.
    Invoice,
    /// In cash.
    Cash,
}

/// A link at the bottom of each page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct FooterLink {
    /// Its text, of 1 to 60 characters.
    pub label: String,
    /// Where it leads: an address that begins with https://, or a path of the shop that begins with a slash.
    pub href: String,
}
