//! Kubernetes' rules for names, labels, quantities and the like, as checks with messages for people.
//!
//! What passes here is accepted by the API server; a request is refused with a precise message before anything of it
//! exists, instead of halfway through a store's creation. Every check returns what is wrong and what would be right,
//! worded so that it reads well behind a field's path: `api.image: must not be empty`.

mod cron;
mod quantity;

use ipnet::IpNet;

pub use self::cron::cron;
pub use self::quantity::Quantity;

/// A DNS label (RFC 1123): 1 to 63 characters of `[a-z0-9-]`, beginning and ending with a letter or digit. Names of
/// namespaces and Services follow it.
///
/// # Errors
/// What is wrong with it.
pub fn dns_label(name: &str) -> Result<(), String> {
    length(name, 63)?;
    if let Some(c) = name.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '-')) {
        return Err(format!("contains {c:?}; only lower-case letters a-z, digits and '-' are allowed"));
    }
    ends(name)
}

/// A DNS subdomain (RFC 1123): DNS labels joined by dots, at most 253 characters. Names of most objects follow it,
/// such as Secrets, StorageClasses and IngressClasses.
///
/// # Errors
/// What is wrong with it.
pub fn dns_subdomain(name: &str) -> Result<(), String> {
    length(name, 253)?;
    if let Some(c) = name.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '-' | '.')) {
        return Err(format!("contains {c:?}; only lower-case letters a-z, digits, '-' and '.' are allowed"));
    }
    for label in name.split('.') {
        if label.is_empty() {
            return Err("must not begin or end with a dot, or have two in a row".into());
        }
        dns_label(label).map_err(|why| format!("has the part {label:?}, which {why}"))?;
    }
    Ok(())
}

/// A domain or a host that can be put into an Ingress and into a URL: a DNS subdomain that is neither a wildcard nor
/// an address.
///
/// # Errors
/// What is wrong with it.
pub fn domain(name: &str) -> Result<(), String> {
    if name.contains('*') {
        return Err("must not be a wildcard; give the domain itself, e.g. stores.example.com".into());
    }
    if let Some(c) = name.chars().find(|c| matches!(c, ':' | '/' | '@')) {
        return Err(format!("contains {c:?}; give the bare domain, without scheme, port or path"));
    }
    if name.len() > 1 && name.ends_with('.') {
        return Err("must not end with a dot".into());
    }
    if !name.is_ascii() {
        return Err("has characters outside of ASCII; give its Punycode form (xn--…)".into());
    }
    dns_subdomain(name)?;
    // Browsers take a host whose last part is a number for an IPv4 address, and refuse it.
    if name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit())) {
        return Err("must not end in a number, as an address does; give a domain, e.g. 192-0-2-1.nip.io".into());
    }
    Ok(())
}

/// A path that a probe asks for: it begins with a slash and holds no white space, control or non-ASCII characters.
///
/// # Errors
/// What is wrong with it.
pub fn probe_path(path: &str) -> Result<(), String> {
    if !path.starts_with('/') {
        return Err("must begin with '/', e.g. /health".into());
    }
    if path.len() > 200 {
        return Err(format!("has {} characters, at most 200 are allowed", path.len()));
    }
    match path.chars().find(|c| !c.is_ascii_graphic()) {
        Some(c) => Err(format!("contains {c:?}; only visible ASCII characters are allowed")),
        None => Ok(()),
    }
}

/// An e-mail address to sign in with: `name@domain`.
///
/// # Errors
/// What is wrong with it.
pub fn email(address: &str) -> Result<(), String> {
    let Some((name, host)) = address.rsplit_once('@') else {
        return Err("must be an e-mail address, e.g. owner@example.com".into());
    };
    if address.len() > 320 {
        return Err(format!("has {} characters, at most 320 are allowed", address.len()));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "!#%&'*+-/=?^_`{|}~.".contains(c);
    if name.is_empty() || name.starts_with('.') || name.ends_with('.') || name.contains("..") {
        return Err(format!("has {name:?} before the '@', which is no name of a mailbox"));
    }
    if let Some(c) = name.chars().find(|c| !allowed(*c)) {
        return Err(format!("contains {c:?} before the '@', which is not allowed there"));
    }
    if host.chars().any(|c| c.is_ascii_uppercase()) {
        return email(&format!("{name}@{}", host.to_ascii_lowercase()));
    }
    domain(host).map_err(|why| format!("has {host:?} behind the '@', which {why}"))
}

/// A label's key: a name of 1 to 63 characters, optionally behind a DNS subdomain and a slash.
///
/// # Errors
/// What is wrong with it.
pub fn label_key(key: &str) -> Result<(), String> {
    let name = match key.split_once('/') {
        Some((prefix, name)) => {
            dns_subdomain(prefix).map_err(|why| format!("has the prefix {prefix:?}, which {why}"))?;
            name
        }
        None => key,
    };
    qualified(name).map_err(|why| if name == key { why } else { format!("has the name {name:?}, which {why}") })
}

/// A label's value: empty, or up to 63 characters of `[A-Za-z0-9._-]`, beginning and ending with a letter or digit.
///
/// # Errors
/// What is wrong with it.
pub fn label_value(value: &str) -> Result<(), String> {
    if value.is_empty() { Ok(()) } else { qualified(value) }
}

/// An annotation's key, which is that of a label except that its prefix may have upper-case letters.
///
/// # Errors
/// What is wrong with it.
pub fn annotation_key(key: &str) -> Result<(), String> {
    match key.split_once('/') {
        Some((prefix, name)) => label_key(&format!("{}/{name}", prefix.to_ascii_lowercase())),
        None => label_key(key),
    }
}

/// An environment variable's name in the strict sense, which every shell and language understands:
/// `[A-Za-z_][A-Za-z0-9_]*`.
///
/// # Errors
/// What is wrong with it.
pub fn env_name(name: &str) -> Result<(), String> {
    length(name, 253)?;
    if let Some(c) = name.chars().find(|c| !(c.is_ascii_alphanumeric() || *c == '_')) {
        return Err(format!("contains {c:?}; only letters, digits and '_' are allowed"));
    }
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("must not begin with a digit".into());
    }
    Ok(())
}

/// A key within a Secret or ConfigMap: 1 to 253 characters of `[A-Za-z0-9._-]`, and no relative path.
///
/// # Errors
/// What is wrong with it.
pub fn secret_key(key: &str) -> Result<(), String> {
    length(key, 253)?;
    if let Some(c) = key.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))) {
        return Err(format!("contains {c:?}; only letters, digits, '-', '_' and '.' are allowed"));
    }
    if key == "." || key.starts_with("..") {
        return Err("must not be \".\" or begin with \"..\"".into());
    }
    Ok(())
}

/// A TCP or UDP port.
///
/// # Errors
/// When it is 0.
pub fn port(port: u16) -> Result<(), String> {
    if port == 0 { Err("must be 1 to 65535, not 0".into()) } else { Ok(()) }
}

/// A network in CIDR notation, such as `10.0.0.0/16` or `fd00::/8`, written as the API server stores it.
///
/// # Errors
/// What is wrong with it.
pub fn cidr(network: &str) -> Result<(), String> {
    match network.parse::<IpNet>().map(|parsed| parsed.trunc().to_string()) {
        Ok(canonical) if canonical == network => Ok(()),
        Ok(canonical) => Err(format!("must be written {canonical}")),
        Err(_) => Err("must be a network such as 10.0.0.0/16 or fd00::/8".to_owned()),
    }
}

/// An image reference: `[registry[:port]/]path[:tag][@algorithm:hex]`.
///
/// # Errors
/// What is wrong with it.
pub fn image_reference(image: &str) -> Result<(), String> {
    if image.is_empty() {
        return Err("must not be empty; give an image, e.g. registry.example.com/team/medusa:1.2.3".into());
    }
    if image.len() > 512 {
        return Err(format!("has {} characters, at most 512 are allowed", image.len()));
    }
    if let Some(c) = image.chars().find(|c| c.is_whitespace() || !c.is_ascii() || c.is_control()) {
        return Err(format!("contains {c:?}; an image reference has no white space and only ASCII"));
    }
    if image.contains("://") {
        return Err("must not begin with a scheme such as https://".into());
    }
    let (rest, digest) = match image.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (image, None),
    };
    if let Some(digest) = digest {
        let hex = digest.split_once(':').map_or("", |(_, hex)| hex);
        if hex.len() < 32 || !hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(format!("has the digest {digest:?}; a digest looks like sha256:<64 hexadecimal digits>"));
        }
    }
    let (name, tag) = split_tag(rest);
    if let Some(tag) = tag {
        let first = tag.bytes().next();
        let fits = tag.len() <= 128 && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
        if !fits || !first.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(format!(
                "has the tag {tag:?}; a tag is 1 to 128 letters, digits, '_', '.' or '-', and begins with none of the last two"
            ));
        }
    }
    let path = match name.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => {
            registry(host).map_err(|why| format!("has the registry {host:?}, which {why}"))?;
            path
        }
        _ => name,
    };
    for part in path.split('/') {
        if part.is_empty() {
            return Err("must not have an empty part between slashes, or end with a slash".into());
        }
        if let Some(c) = part.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '.' | '_' | '-')) {
            return Err(format!(
                "has the part {part:?} with {c:?}; only lower-case letters, digits, '.', '_' and '-' are allowed there"
            ));
        }
        let alnum = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
        if !alnum(part.bytes().next()) || !alnum(part.bytes().next_back()) {
            return Err(format!("has the part {part:?}, which must begin and end with a letter or digit"));
        }
        if part.contains("..") || part.contains("___") || part.contains("._") || part.contains("_.") {
            return Err(format!("has the part {part:?} with separators in a row"));
        }
    }
    Ok(())
}

/// The tag of an image reference, where it has one.
pub fn image_tag(image: &str) -> Option<&str> {
    split_tag(image.split_once('@').map_or(image, |(rest, _)| rest)).1
}

/// A colon behind the last slash begins a tag; one before it, a registry's port.
pub(crate) fn split_tag(image: &str) -> (&str, Option<&str>) {
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (image, None),
    }
}

fn registry(host: &str) -> Result<(), String> {
    let name = match host.rsplit_once(':') {
        Some((name, digits)) => {
            digits.parse().map_err(|_| "has no valid port".to_owned()).and_then(port)?;
            name
        }
        None => host,
    };
    dns_subdomain(&name.to_ascii_lowercase())
}

/// What labels and annotations call a name: 1 to 63 characters of `[A-Za-z0-9._-]`, alphanumeric at both ends.
fn qualified(name: &str) -> Result<(), String> {
    length(name, 63)?;
    if let Some(c) = name.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))) {
        return Err(format!("contains {c:?}; only letters, digits, '-', '_' and '.' are allowed"));
    }
    ends(name)
}

fn length(text: &str, most: usize) -> Result<(), String> {
    if text.is_empty() {
        return Err("must not be empty".into());
    }
    if text.len() > most {
        return Err(format!("has {} characters, at most {most} are allowed", text.len()));
    }
    Ok(())
}

fn ends(text: &str) -> Result<(), String> {
    let alnum = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
    if alnum(text.bytes().next()) && alnum(text.bytes().next_back()) {
        Ok(())
    } else {
        Err("must begin and end with a letter or digit".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Check = fn(&str) -> Result<(), String>;

    /// Each text with the words its refusal must contain; none where it must pass.
    fn table(check: Check, cases: &[(&str, Option<&str>)]) {
        for (text, expected) in cases {
            match (check(text), expected) {
                (Ok(()), None) => {}
                (Err(message), Some(words)) if message.contains(words) => {}
                (result, _) => panic!("{text:?} gave {result:?}, expected {expected:?}"),
            }
        }
    }

    #[test]
    fn labels_of_dns() {
        let long = "a".repeat(64);
        table(
            dns_label,
            &[
                ("a", None),
                ("0-a", None),
                (&"a".repeat(63), None),
                ("", Some("empty")),
                (&long, Some("64 characters, at most 63")),
                ("A", Some("'A'")),
                ("a.b", Some("'.'")),
                ("-a", Some("begin and end")),
                ("a-", Some("begin and end")),
                ("ä", Some("'ä'")),
            ],
        );
    }

    #[test]
    fn networks() {
        table(
            cidr,
            &[
                ("10.0.0.0/16", None),
                ("0.0.0.0/0", None),
                ("192.0.2.1/32", None),
                ("fd00::/8", None),
                ("10.0.0.1", Some("10.0.0.0/16")),
                ("10.0.0.0/33", Some("10.0.0.0/16")),
                ("10.0.0.1/16", Some("written 10.0.0.0/16")),
                ("FD00::/8", Some("written fd00::/8")),
                ("stores.example.com/24", Some("network")),
                ("", Some("network")),
            ],
        );
    }

    #[test]
    fn probe_paths() {
        table(
            probe_path,
            &[
                ("/", None),
                ("/health/ready?deep=1", None),
                ("", Some("begin with '/'")),
                ("health", Some("begin with '/'")),
                ("/a b", Some("' '")),
                ("/\u{e9}", Some("visible ASCII")),
                (&format!("/{}", "a".repeat(200)), Some("201 characters")),
            ],
        );
    }

    #[test]
    fn emails() {
        table(
            email,
            &[
                ("a@b.example", None),
                ("Alice.O'Hara+shop@Example.COM", None),
                ("admin@store-abc.localhost", None),
                ("alice", Some("e-mail address")),
                ("@example.com", Some("mailbox")),
                ("a..b@example.com", Some("mailbox")),
                ("a b@example.com", Some("' '")),
                ("a@", Some("empty")),
                ("a@ex ample.com", Some("' '")),
                ("a@127.0.0.1", Some("end in a number")),
                (&format!("{}@example.com", "a".repeat(310)), Some("322 characters")),
            ],
        );
    }

    #[test]
    fn domains() {
        let label = "a".repeat(63);
        let longest = [label.as_str(), &label, &label, &"a".repeat(61)].join(".");
        table(
            domain,
            &[
                ("localhost", None),
                ("localtest.me", None),
                ("stores.example.com", None),
                ("192-0-2-1.nip.io", None),
                ("xn--bcher-kva.example", None),
                (&longest, None),
                (&format!("{longest}a"), Some("254 characters, at most 253")),
                (&format!("{label}a.example"), Some("64 characters, at most 63")),
                ("", Some("empty")),
                ("*.example.com", Some("wildcard")),
                ("example.com.", Some("end with a dot")),
                (".example.com", Some("dot")),
                ("a..b", Some("two in a row")),
                ("Example.com", Some("'E'")),
                ("bücher.example", Some("xn--")),
                ("https://example.com", Some("bare domain")),
                ("example.com:8080", Some("bare domain")),
                ("example.com/shop", Some("bare domain")),
                ("exa mple.com", Some("' '")),
                ("-a.com", Some("begin and end")),
                ("127.0.0.1", Some("must not end in a number")),
                ("a_b.com", Some("'_'")),
            ],
        );
    }

    #[test]
    fn keys_and_values() {
        table(
            label_key,
            &[
                ("app", None),
                ("app.kubernetes.io/name", None),
                ("A_b.c-D", None),
                ("", Some("empty")),
                ("/a", Some("prefix")),
                ("a/", Some("empty")),
                ("a/b/c", Some("'/'")),
                ("A.b/c", Some("prefix")),
                ("-a", Some("begin and end")),
            ],
        );
        table(label_value, &[("", None), ("1.2.3", None), ("a b", Some("' '")), ("_a", Some("begin and end"))]);
        table(annotation_key, &[("Example.com/Key", None), ("a b", Some("' '")), ("a:b/c", Some("':'"))]);
        table(
            env_name,
            &[
                ("A", None),
                ("_a1", None),
                ("", Some("empty")),
                ("1A", Some("digit")),
                ("A-B", Some("'-'")),
                ("A.B", Some("'.'")),
                ("A=B", Some("'='")),
            ],
        );
        table(
            secret_key,
            &[
                ("DATABASE_URL", None),
                (".env", None),
                ("..a", Some("begin with")),
                (".", Some("\".\"")),
                ("a/b", Some("'/'")),
                ("", Some("empty")),
            ],
        );
        assert!(port(0).is_err());
        assert!(port(65535).is_ok());
    }

    #[test]
    fn images() {
        let digest = format!("a@sha256:{}", "0".repeat(64));
        table(
            image_reference,
            &[
                ("postgres:15-alpine", None),
                ("ghcr.io/urumi/medusa-api:0.1.0", None),
                ("localhost:5000/a/b:1", None),
                ("Registry.example.com:443/a__b/c.d-e", None),
                ("localhost/a", None),
                (&digest, None),
                (&format!("{digest}f"), None),
                ("", Some("must not be empty")),
                ("a b", Some("white space")),
                ("a\n", Some("white space")),
                ("https://a/b", Some("scheme")),
                ("Team/Image", Some("'T'")),
                ("a:", Some("tag")),
                ("a:-x", Some("tag")),
                ("a@sha256:xyz", Some("digest")),
                ("a@", Some("digest")),
                ("/a", Some("empty part")),
                ("a/", Some("empty part")),
                ("a//b", Some("empty part")),
                ("a.example:99999/b", Some("port")),
                ("-a", Some("begin and end")),
                ("a..b", Some("in a row")),
                ("ä", Some("ASCII")),
            ],
        );
        assert_eq!(image_tag("localhost:5000/a"), None);
        assert_eq!(image_tag("localhost:5000/a:1@sha256:0"), Some("1"));
    }

    proptest! {
        #[test]
        fn no_text_makes_a_check_panic(text in any::<String>()) {
            for check in [dns_label, dns_subdomain, domain, label_key, label_value, annotation_key, env_name,
                          secret_key, image_reference] as [Check; 9] {
                if let Err(message) = check(&text) {
                    prop_assert!(!message.is_empty());
                }
            }
        }

        #[test]
        fn what_passes_has_the_shape_that_kubernetes_asks_for(text in "[a-z0-9.-]{0,70}") {
            if dns_label(&text).is_ok() {
                prop_assert!(dns_subdomain(&text).is_ok());
            }
            if dns_subdomain(&text).is_ok() {
                prop_assert!(text.split('.').all(|l| dns_label(l).is_ok()));
                let prefixed = format!("{text}/name");
                prop_assert!(label_key(&prefixed).is_ok());
            }
        }
    }
}
