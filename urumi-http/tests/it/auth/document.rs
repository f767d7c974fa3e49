//! `docs/AUTHORIZATION.md` is what the code says of itself.

use std::path::Path;

#[test]
fn the_authorization_document_is_up_to_date() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/AUTHORIZATION.md");
    let reference = urumi_http::auth::reference();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, &reference).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == reference,
        "docs/AUTHORIZATION.md is out of date: UPDATE_DOCS=1 cargo test -p urumi-http authorization"
    );
}
