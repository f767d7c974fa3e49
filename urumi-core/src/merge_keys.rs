//! (placeholder)
pub(crate) fn merge_keys(path: &[&str]) -> Option<&'static [&'static str]> {
    match path.last().copied()? {
        "containers" | "initContainers" | "env" | "volumes" => Some(&["name"]),
        "volumeMounts" => Some(&["mountPath"]),
        _ => None,
    }
}
