//! The real API server to test on.

/// The kubeconfig in `URUMI_TEST_KUBECONFIG`. Without it, the calling test is skipped: it says so, or fails in CI.
pub fn kubeconfig() -> Option<String> {
    let found = std::env::var("URUMI_TEST_KUBECONFIG").ok();
    if found.is_none() {
        skip("a real API server; run it with dev/clusters/kubernetes/with -- cargo test");
    }
    found
}

/// Says what the calling test lacks, without which it is skipped.
///
/// # Panics
/// In CI, where no test may be skipped.
pub fn skip(needs: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let why = format!("skipped: {test} needs {needs}\n");
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}");
    say(&why);
}

/// Prints to stderr directly: the test harness hides the output of a test that passes.
pub fn say(text: &str) {
    std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes()).unwrap();
}
