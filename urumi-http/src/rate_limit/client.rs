//! The address of a client behind proxies.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use http::header::FORWARDED;
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The maximum number of proxies. A client may prepend any number of entries.
const MAX_HOPS: usize = 16;

/// The address of the client: the peer of the connection or, if that is a trusted proxy, the last address in `Forwarded` or
/// `X-Forwarded-For` that is not a trusted proxy.
///
/// Each proxy appends the address of its client to these headers, so only the entries at the right, from trusted proxies,
/// are reliable. A proxy that writes one of the headers may forward the other one as a client sent it: if the two disagree,
/// both are ignored.
pub fn client_address(request: &Request, trusted: &[IpNet]) -> Option<IpAddr> {
    let ConnectInfo(peer) = request.extensions().get::<ConnectInfo<SocketAddr>>()?;
    Some(behind(peer.ip().to_canonical(), request.headers(), trusted))
}

fn behind(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    if !is_trusted(&peer) {
        return peer;
    }
    let last_untrusted = |hops: &mut dyn Iterator<Item = Option<IpAddr>>| {
        let mut last = peer;
        for hop in hops.take(MAX_HOPS) {
            // An invalid entry makes all entries before it unreliable.
            let Some(hop) = hop else { return last };
            last = hop.to_canonical();
            if !is_trusted(&last) {
                return last;
            }
        }
        last
    };
    let plain = || headers.get_all(X_FORWARDED_FOR).into_iter().rev();
    let structured = || headers.get_all(FORWARDED).into_iter().rev();
    let by_plain = last_untrusted(&mut plain().flat_map(|value| {
        let text = value.to_str().unwrap_or("?");
        text.rsplit(',').map(|hop| node(hop.trim()))
    }));
    let by_structured = last_untrusted(&mut structured().flat_map(|value| {
        let elements = value.to_str().ok().and_then(elements);
        elements.unwrap_or_else(|| vec![None]).into_iter().rev()
    }));
    match (headers.contains_key(X_FORWARDED_FOR), headers.contains_key(FORWARDED)) {
        (true, false) => by_plain,
        (false, true) => by_structured,
        (true, true) if by_plain == by_structured => by_plain,
        _ => peer,
    }
}

/// The `for` of each element of a `Forwarded` line; `None` if the line is malformed.
///
/// A malformed line is ignored as a whole: a client could leave a quote open, so that the entry of a proxy would become part
/// of the quoted text.
fn elements(line: &str) -> Option<Vec<Option<IpAddr>>> {
    let (mut elements, mut client, mut rest) = (Vec::new(), None, line);
    loop {
        let (name, value) = rest.split_once('=')?;
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => end_of_quoted(quoted)?,
            None => value.split_at(value.find([',', ';']).unwrap_or(value.len())),
        };
        if name.contains([',', ';', '"']) || value.contains('"') {
            return None;
        }
        if name.trim().eq_ignore_ascii_case("for") {
            client = node(value.trim());
        }
        let after = after.trim_start();
        rest = match after.strip_prefix(';') {
            Some(next) => next,
            None => {
                elements.push(client.take());
                match after.strip_prefix(',') {
                    Some(next) => next,
                    None if after.is_empty() => return Some(elements),
                    None => return None,
                }
            }
        };
    }
}

/// Splits a text at its closing quote.
fn end_of_quoted(text: &str) -> Option<(&str, &str)> {
    let mut is_escaped = false;
    let end = text.find(|c: char| {
        let ends = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        ends
    })?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

/// Parses an address with or without port; IPv6 with or without brackets.
fn node(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(address.ip());
    }
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    inner.parse().ok().map(IpAddr::V6)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    const PROXY: &str = "10.0.0.1";

    fn found(peer: &str, headers: &[(&HeaderName, &str)]) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        behind(peer.parse().unwrap(), &map, &trusted).to_string()
    }

    #[test]
    fn the_last_address_that_is_no_proxy() {
        for (value, expected) in [
            ("192.0.2.1", "192.0.2.1"),
            ("6.6.6.6, 192.0.2.1", "192.0.2.1"),
            ("6.6.6.6, 192.0.2.1, 10.1.1.1", "192.0.2.1"),
            ("192.0.2.1:4711", "192.0.2.1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("10.2.2.2, 10.1.1.1", "10.2.2.2"),
            ("192.0.2.1, unknown", PROXY),
            ("192.0.2.1, unknown, 10.1.1.1", "10.1.1.1"),
            ("192.0.2.1, ", PROXY),
            ("", PROXY),
        ] {
            assert_eq!(found(PROXY, &[(&X_FORWARDED_FOR, value)]), expected, "{value}");
        }
        assert_eq!(found(PROXY, &[(&X_FORWARDED_FOR, "6.6.6.6"), (&X_FORWARDED_FOR, "192.0.2.1")]), "192.0.2.1");
        assert_eq!(found(PROXY, &[]), PROXY);
    }

    #[test]
    fn forwarded_as_in_rfc_7239() {
        for (value, expected) in [
            ("for=192.0.2.1", "192.0.2.1"),
            ("For=\"[2001:db8::1]:4711\";proto=https", "2001:db8::1"),
            ("proto=http; by=203.0.113.43 ;for=192.0.2.1", "192.0.2.1"),
            ("for=6.6.6.6, for=192.0.2.1, for=10.1.1.1", "192.0.2.1"),
            ("for=192.0.2.1, for=_hidden", PROXY),
            ("for=192.0.2.1, proto=https", PROXY),
            ("host=\"a, for=6.6.6.6\";for=192.0.2.1", "192.0.2.1"),
            ("for=6.6.6.6;x=\", for=\"[2001:db8::1]:4711\"", PROXY),
            ("for=6.6.6.6;x=\", for=192.0.2.1", PROXY),
            ("for=6.6.6.6\", for=192.0.2.1", PROXY),
            ("for=6.6.6.6,, for=192.0.2.1", PROXY),
        ] {
            assert_eq!(found(PROXY, &[(&FORWARDED, value)]), expected, "{value}");
        }
    }

    #[test]
    fn headers_that_disagree_are_not_believed() {
        let both = |plain, structured| found(PROXY, &[(&X_FORWARDED_FOR, plain), (&FORWARDED, structured)]);
        assert_eq!(both("192.0.2.1", "for=192.0.2.1"), "192.0.2.1");
        assert_eq!(both("192.0.2.1", "for=6.6.6.6"), PROXY);
        assert_eq!(both("6.6.6.6", "for=192.0.2.1"), PROXY);
    }

    proptest! {
        #[test]
        fn what_strangers_say_about_themselves_does_not_count(peer: [u8; 4], plain in "[ -~]{0,60}", other in "[ -~]{0,60}") {
            prop_assume!(peer[0] != 10);
            let peer = IpAddr::from(peer).to_string();
            prop_assert_eq!(found(&peer, &[(&X_FORWARDED_FOR, &plain), (&FORWARDED, &other)]), peer);
        }

        #[test]
        fn what_a_client_puts_in_front_changes_nothing(junk in "(for=6\\.6\\.6\\.6[;,])?[ -~]{0,30}([;,]x=\")?", client: [u8; 4]) {
            prop_assume!(client[0] != 10);
            let client = IpAddr::from(client).to_string();
            let honest = format!("{junk}, {client}, 10.9.9.9");
            prop_assert_eq!(found(PROXY, &[(&X_FORWARDED_FOR, &honest)]), client.clone());
            let quoted = format!("{junk}, for=\"{client}:4711\"");
            let by_quoted = found(PROXY, &[(&FORWARDED, &quoted)]);
            prop_assert!(by_quoted == client || by_quoted == PROXY, "{}", by_quoted);
            // In lines of its own, quotes that are never closed cannot swallow what a proxy adds.
            let lines = [(&FORWARDED, junk.as_str()), (&FORWARDED, &format!("for={client}"))];
            prop_assert_eq!(found(PROXY, &lines), client);
        }
    }
}
