//! The options of the shop that customers see.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Autoscaling, Replicas, Resources, autoscaling};

/// The shop that customers see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct Storefront {
    /// The shop's image. It must listen on port 8000 and run as user 1000.
    #[schemars(extend("examples" = ["registry.example.com/shop/medusa-storefront:1.4.0"]))]
    pub image: String,
    /// The number of replicas. Ignored while autoscaling is set.
    #[schemars(extend("examples" = [2]))]
    pub replicas: Replicas,
    /// Lets the number of replicas follow the load, by a HorizontalPodAutoscaler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoscaling: Option<Autoscaling>,
    /// The path of the readiness probe: status 200 if the shop and its API can serve.
    #[schemars(extend("examples" = ["/ready"]))]
    pub readiness_path: String,
    /// The path of the liveness probe: status 200 unless the shop must be restarted.
    #[schemars(extend("examples" = ["/live"]))]
    pub liveness_path: String,
    /// CPU and memory of each container. Node's heap is limited to three quarters of limits.memory.
    pub resources: Resources,
    /// Additional environment variables by name. Variables that urumi sets are rejected.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("examples" = [{"GREETING": "Welcome"}]))]
    pub env: BTreeMap<String, String>,
    /// The shop's logo and colours.
    #[serde(default, skip_serializing_if = "Theme::is_empty")]
    pub theme: Theme,
    /// The language of the shop's own texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<Locale>,
    /// The currency of the shop's prices: an ISO 4217 code in lower case, e.g. eur. The API must have a region with this
    /// currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["eur"]))]
    pub currency: Option<String>,
    /// Up to 20 links at the bottom of each page.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("examples" = [[{"label": "Imprint", "href": "/imprint"}]]))]
    pub footer_links: Vec<FooterLink>,
    /// Whether search engines may index the shop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub robots: Option<Robots>,
    /// How the shop presents the payment without a provider: as a test, by invoice, or in cash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manual_payment: Option<ManualPayment>,
    /// Stripe's publishable key (pk_test_… or pk_live_…) for card payments. The secret key belongs in
    /// api.secretEnv, as STRIPE_API_KEY.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["pk_test_51Abc"]))]
    pub stripe_publishable_key: Option<String>,
}

impl Storefront {
    /// The most replicas that there may be.
    pub(in crate::engine::medusa) fn most_replicas(&self) -> Replicas {
        autoscaling::most(self.replicas, self.autoscaling.as_ref())
    }

    /// The number of replicas, unless an autoscaler sets it.
    pub(in crate::engine::medusa) fn fixed_replicas(&self) -> Option<Replicas> {
        self.autoscaling.is_none().then_some(self.replicas)
    }
}

/// A shop's logo and colours.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct Theme {
    /// The logo at the top of each page, as a data URL: a PNG, JPEG, WebP or SVG image of at most 32 KiB. The command
    /// line converts a file: --set-file storefront.theme.logo=logo.svg.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "data-url", "examples" = ["data:image/svg+xml;base64,PHN2Zy8+"]))]
    pub logo: Option<String>,
    /// The shop's colours.
    #[serde(default, skip_serializing_if = "Colors::is_empty")]
    pub colors: Colors,
}

impl Theme {
    /// Whether nothing is set.
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
    #[schemars(extend("examples" = ["#0a7d4f"]))]
    pub accent: Option<String>,
    /// The background colour, as #rrggbb.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["#ffffff"]))]
    pub background: Option<String>,
    /// The text colour, as #rrggbb.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["#111111"]))]
    pub text: Option<String>,
}

impl Colors {
    /// Whether no colour is set.
    pub fn is_empty(&self) -> bool {
        *self == Colors::default()
    }
}

/// The language of a shop's own texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Locale {
    /// English.
    En,
    /// German.
    De,
}

/// Whether search engines may index a shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Robots {
    /// They may index it.
    Index,
    /// They must not index it.
    Noindex,
}

/// How a shop presents the payment without a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum ManualPayment {
    /// As a test without a payment.
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
    /// The link's text, of 1 to 60 characters.
    pub label: String,
    /// The link's target: a URL that begins with https://, or a path of the shop that begins with a slash.
    pub href: String,
}
