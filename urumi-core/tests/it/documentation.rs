//! The README and the first page of the documentation name the minimum supported Rust version and every feature.

#[test]
fn the_documentation_names_the_rust_version_and_the_features() {
    let manifest = include_str!("../../Cargo.toml");
    let features = manifest.split_once("\n[features]\n").unwrap().1.split_once("\n\n").unwrap().0;
    let features = features.lines().filter(|line| !line.starts_with('#'));
    let features: Vec<&str> = features.filter_map(|line| Some(line.split_once(" =")?.0)).collect();
    assert!(features.contains(&"kube"), "{features:?}");
    let version = format!("minimum supported Rust version is {}.", env!("CARGO_PKG_RUST_VERSION"));
    for document in [include_str!("../../README.md"), include_str!("../../src/lib.rs")] {
        assert!(document.contains(&version), "{version}");
        for feature in features.iter().filter(|feature| **feature != "default") {
            assert!(document.contains(&format!("| `{feature}` |")), "{feature} is missing");
        }
    }
}
