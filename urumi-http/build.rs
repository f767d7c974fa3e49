//! Sees to it that the server has the dashboard as it was built last.

fn main() {
    // A folder that is missing would count as changed at every build.
    let _ = std::fs::create_dir_all("dashboard/dist");
    println!("cargo:rerun-if-changed=dashboard/dist");
}
