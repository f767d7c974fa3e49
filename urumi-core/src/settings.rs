//! The values of settings that more than one frontend has, read from text.

use std::time::Duration;

use jiff::SignedDuration;

use crate::names;

/// The longest domain under which every store's hosts fit into DNS' 253 characters, whatever its id.
const LONGEST_DOMAIN: usize = 190;
/// The longest duration. Deadlines and delays beyond it are mistakes.
const LONGEST_DURATION: Duration = Duration::from_secs(7 * 24 * 3600);

/// A duration like `90s`, `10m`, `1h30m`; from a moment to 7 days.
///
/// # Errors
/// What would be right.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = "write a duration with its unit, e.g. 90s, 10m or 1h30m";
    let parsed: SignedDuration = text.parse().map_err(|_| wrong.to_owned())?;
    let duration = Duration::try_from(parsed).map_err(|_| "a duration must not be negative".to_owned())?;
    match duration {
        Duration::ZERO => Err("a duration must be longer than zero".into()),
        longer if longer > LONGEST_DURATION => Err("a duration must not be longer than 7 days".into()),
        duration => Ok(duration),
    }
}

/// A domain under which stores are reachable, checked as far as it is not the engine's business.
///
/// # Errors
/// What would be right.
pub fn domain(text: &str) -> Result<String, String> {
    if text.len() <= LONGEST_DOMAIN && names::dns_subdomain(text).is_ok() {
        return Ok(text.to_owned());
    }
    Err("write a domain in lower case without wildcard, scheme or port, e.g. stores.example.com".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, seconds) in
            [("90s", 90.0), ("10m", 600.0), ("1h30m", 5400.0), ("1h 30m", 5400.0), ("500ms", 0.5), ("PT2M", 120.0)]
        {
            assert_eq!(duration(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in ["", "10", "-5m", "5m ago", "0s", "8d", "1y", "ten minutes", "999999999999h", "1.5.5s", "∞"] {
            assert!(duration(text).is_err(), "{text} is accepted");
        }
    }

    #[test]
    fn domains() {
        for text in ["localtest.me", "localhost", "127.0.0.1.nip.io", "stores.example.com"] {
            assert_eq!(domain(text).as_deref(), Ok(text));
        }
        let long = ["a"; 100].join(".");
        for text in
            ["", ".", "a..b", "*.example.com", "https://x.com", "x.com:80", "X.com", "x.com.", "-x.com", "ü.de", &long]
        {
            assert!(domain(text).is_err(), "{text} is accepted");
        }
    }
}
