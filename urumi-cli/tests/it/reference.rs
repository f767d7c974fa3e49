//! Compares `docs/CLI.md` with the generated reference.

use std::path::Path;

#[test]
fn the_reference_is_up_to_date() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/CLI.md");
    let reference = urumi_cli::reference();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, &reference).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(committed == reference, "docs/CLI.md is out of date: UPDATE_DOCS=1 cargo test -p urumi-cli reference");
}

#[test]
fn every_command_has_examples() {
    let reference = urumi_cli::reference();
    for section in reference.split("\n## `urumi ").skip(1) {
        assert!(section.contains("Examples:\n  "), "no examples: {section}");
    }
}
