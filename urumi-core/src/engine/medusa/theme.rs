//! How a shop looks and what it says: what of its options the storefront reads from a file, `settings.json`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::core::v1::{ConfigMap, ConfigMapVolumeSource, Volume};
use serde::Serialize;

use super::options::{Colors, FooterLink, Locale, ManualPayment, Robots, Storefront, Theme};
use super::workload::Part;
use crate::engine::RenderError;
use crate::error::FieldError;

/// The directory in which the storefront's container finds its settings.
pub(super) const DIRECTORY: &str = "/etc/storefront";
/// The file in it.
pub(super) const FILE: &str = "settings.json";
/// The key of the ConfigMap with the shop's name, which the API reads when it sets up the database.
pub(super) const NAME_KEY: &str = "name";
/// The annotation of pods by which changed settings replace them, in the first way of rendering.
pub(super) const CHECKSUM: &str = "store.urumi.ai/settings-checksum";

/// The most bytes of a logo: as base64, it leaves a third of what all options together may have to the others.
const MAX_LOGO: usize = 32 * 1024;
const MAX_LINKS: usize = 20;
const MAX_LABEL: usize = 60;
const MAX_HREF: usize = 2048;
const LOGO_TYPES: [&str; 4] = ["image/png", "image/jpeg", "image/webp", "image/svg+xml"];

/// What `settings.json` holds: what is chosen, and nothing else.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Settings<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Theme::is_empty")]
    theme: &'a Theme,
    #[serde(skip_serializing_if = "Option::is_none")]
    locale: Option<Locale>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    footer_links: &'a [FooterLink],
    #[serde(skip_serializing_if = "Option::is_none")]
    robots: Option<Robots>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manual_payment: Option<ManualPayment>,
}

/// The text of `settings.json`; none where it says nothing.
pub(super) fn settings(name: Option<&str>, storefront: &Storefront) -> Result<Option<String>, RenderError> {
    let settings = Settings {
        name,
        theme: &storefront.theme,
        locale: storefront.locale,
        currency: storefront.currency.as_deref(),
        footer_links: &storefront.footer_links,
        robots: storefront.robots,
        manual_payment: storefront.manual_payment,
    };
    let text = serde_json::to_string(&settings).map_err(|e| RenderError::Options(e.to_string()))?;
    Ok((text != "{}").then_some(text))
}

/// The ConfigMap that holds them, and the shop's name by itself.
pub(super) fn config_map(part: &Part<'_>, settings: &str, name: Option<&str>) -> ConfigMap {
    let mut data = BTreeMap::from([(FILE.to_owned(), settings.to_owned())]);
    data.extend(name.map(|name| (NAME_KEY.to_owned(), name.to_owned())));
    ConfigMap { metadata: part.metadata(), data: Some(data), ..Default::default() }
}

/// The ConfigMap as a volume.
pub(super) fn volume(name: &str, config_map: &str) -> Volume {
    let source = ConfigMapVolumeSource { name: config_map.to_owned(), ..Default::default() };
    Volume { name: name.to_owned(), config_map: Some(source), ..Default::default() }
}

/// Checks what is chosen.
pub(super) fn check(storefront: &Storefront) -> Vec<FieldError> {
    let Colors { accent, background, text } = &storefront.theme.colors;
    let mut errors = Vec::new();
    let mut that = |field: String, result: Result<(), String>| {
        errors.extend(result.err().map(|message| FieldError::new(format!("storefront.{field}"), message)));
    };
    if let Some(url) = &storefront.theme.logo {
        that("theme.logo".into(), logo(url));
    }
    for (name, given) in [("accent", accent), ("background", background), ("text", text)] {
        if let Some(given) = given {
            that(format!("theme.colors.{name}"), color(given));
        }
    }
    if let Some(code) = &storefront.currency {
        let right = code.len() == 3 && code.bytes().all(|b| b.is_ascii_lowercase());
        that("currency".into(), must(right, "must be a code of ISO 4217 in lower case, e.g. eur"));
    }
    let links = &storefront.footer_links;
    let many = || format!("must be at most {MAX_LINKS} links, not {}", links.len());
    that("footerLinks".into(), if links.len() > MAX_LINKS { Err(many()) } else { Ok(()) });
    for (index, link) in links.iter().take(MAX_LINKS).enumerate() {
        that(format!("footerLinks[{index}].label"), label(&link.label));
        that(format!("footerLinks[{index}].href"), href(&link.href));
    }
    if let Some(key) = &storefront.stripe_publishable_key {
        that("stripePublishableKey".into(), stripe_key(key));
    }
    errors
}

fn must(holds: bool, message: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(message.to_owned()) }
}

fn logo(url: &str) -> Result<(), String> {
    let form = || format!("must be a data URL, data:TYPE;base64,DATA, where TYPE is {}", LOGO_TYPES.join(", "));
    let (media_type, data) = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")).ok_or_else(form)?;
    must(LOGO_TYPES.contains(&media_type), &form())?;
    let bytes = STANDARD.decode(data).map_err(|e| format!("is no base64: {e}"))?;
    match bytes.len() {
        0 => Err("must not be empty".to_owned()),
        1..=MAX_LOGO => Ok(()),
        many => Err(format!("has {many} bytes; an image of at most {MAX_LOGO} bytes is allowed")),
    }
}

fn color(text: &str) -> Result<(), String> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
    let right = digits.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    must(right, "must be # and six hexadecimal digits, e.g. #0a7d4f")
}

fn label(text: &str) -> Result<(), String> {
    let length = text.chars().count();
    must((1..=MAX_LABEL).contains(&length) && !text.trim().is_empty(), "must have 1 to 60 characters")?;
    must(!text.chars().any(char::is_control), "must not contain control characters")
}

fn href(text: &str) -> Result<(), String> {
    // Browsers read // and /\ at the beginning as the address of another site.
    let path = text.starts_with('/') && !text.starts_with("//") && !text.starts_with("/\\");
    let address = text.strip_prefix("https://").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
    must(path || address, "must begin with https:// and a host, or be a path that begins with one slash")?;
    must(text.len() <= MAX_HREF, "must have at most 2048 bytes")?;
    must(!text.chars().any(|c| c.is_control() || c.is_whitespace()), "must not contain spaces or control characters")
}

fn stripe_key(key: &str) -> Result<(), String> {
    let rest = ["pk_test_", "pk_live_"].iter().find_map(|prefix| key.strip_prefix(prefix));
    let right = rest.is_some_and(|rest| {
        (1..=200).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    });
    must(right, "must begin with pk_test_ or pk_live_, followed by letters and digits; never give a secret key here")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logo_is_an_image_as_a_data_url() {
        let url =
            |media_type: &str, bytes: usize| format!("data:{media_type};base64,{}", STANDARD.encode(vec![0; bytes]));
        for media_type in LOGO_TYPES {
            assert_eq!(logo(&url(media_type, MAX_LOGO)), Ok(()));
        }
        assert!(logo(&url("image/png", MAX_LOGO + 1)).unwrap_err().contains("32769 bytes"));
        assert!(logo(&url("image/png", 0)).unwrap_err().contains("empty"));
        for wrong in ["", "data:", "https://x/y.png", "data:text/html;base64,AAAA", "data:image/png,AAAA"] {
            assert!(logo(wrong).unwrap_err().contains("data URL"), "{wrong}");
        }
        assert!(logo("data:image/png;base64,A*").unwrap_err().contains("base64"));
    }

    #[test]
    fn colours_links_and_keys_are_told_from_others() {
        for right in ["#0a7d4f", "#FFFFFF"] {
            assert_eq!(color(right), Ok(()));
        }
        for wrong in ["", "#fff", "0a7d4f", "#0a7d4g", "red", "#0a7d4f;"] {
            assert!(color(wrong).is_err(), "{wrong}");
        }
        for right in ["/", "/imprint", "https://example.com/imprint?a=b"] {
            assert_eq!(href(right), Ok(()));
        }
        for wrong in ["", "imprint", "//example.com", "/\\example.com", "http://x", "https://", "javascript:x", "/a b"]
        {
            assert!(href(wrong).is_err(), "{wrong}");
        }
        assert!(label("").is_err() && label(" ").is_err() && label(&"x".repeat(61)).is_err() && label("a\nb").is_err());
        assert_eq!(label(&"ü".repeat(60)), Ok(()));
        assert_eq!(stripe_key("pk_test_51Abc"), Ok(()));
        for wrong in ["", "pk_test_", "sk_test_51Abc", "pk_live_a b"] {
            assert!(stripe_key(wrong).is_err(), "{wrong}");
        }
    }
}
