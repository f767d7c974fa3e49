//! Opens web pages in the user's browser.

use std::io;

/// Whether the text is the address of a web page, and nothing that another program opens.
pub(crate) fn is_web_address(url: &str) -> bool {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    is_web && url.chars().all(|c| c.is_ascii_graphic())
}

/// Whether a browser can run on this computer, by the environment.
pub(crate) fn is_available() -> bool {
    by_environment(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

fn by_environment(is_set: impl Fn(&str) -> bool) -> bool {
    if is_set("BROWSER") {
        return true;
    }
    if is_set("SSH_CONNECTION") || is_set("SSH_TTY") {
        return false;
    }
    let needs_display = cfg!(unix) && !cfg!(target_os = "macos");
    !needs_display || ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"].into_iter().any(is_set)
}

/// Opens a web page in the browser in `$BROWSER`, or else the system's.
///
/// # Errors
/// When the address is not that of a web page, or no browser can be started.
pub(crate) fn open(url: &str) -> io::Result<()> {
    if !is_web_address(url) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not the address of a web page"));
    }
    let chosen = std::env::var_os("BROWSER").and_then(|list| std::env::split_paths(&list).next());
    match chosen.and_then(|path| path.into_os_string().into_string().ok()).filter(|name| !name.is_empty()) {
        Some(name) => open::with_detached(url, name),
        None => open::that_detached(url),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_needs_a_display_on_this_computer() {
        for (variables, expected) in [
            (&["DISPLAY"][..], true),
            (&["WAYLAND_DISPLAY"], true),
            (&["WSL_DISTRO_NAME"], true),
            (&["DISPLAY", "SSH_CONNECTION"], false),
            (&["SSH_TTY"], false),
            (&["SSH_TTY", "BROWSER"], true),
            (&["BROWSER"], true),
        ] {
            assert_eq!(by_environment(|name| variables.contains(&name)), expected, "{variables:?}");
        }
        assert_eq!(by_environment(|_| false), cfg!(any(not(unix), target_os = "macos")));
    }

    #[test]
    fn only_web_pages_are_opened() {
        assert!(is_web_address("http://store-a.localtest.me") && is_web_address("https://x/app"));
        for other in ["file:///etc/passwd", "-x", "javascript:alert(1)", "http://a b", "http://a\u{1b}", ""] {
            assert!(!is_web_address(other), "{other}");
        }
    }
}
