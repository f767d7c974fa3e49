//! Rebuilds the server when the built dashboard has changed.

fn main() {
    if std::env::var_os("CARGO_FEATURE_PROGRAM").is_none() {
        return println!("cargo:rerun-if-changed=build.rs");
    }
    // A folder that is missing would count as changed at every build.
    let _ = std::fs::create_dir_all("dashboard/dist");
    println!("cargo:rerun-if-changed=dashboard/dist");
}
