//! A Helm chart of a store's objects.

use std::path::Path;

use anyhow::Result;
use urumi_core::kubernetes::Object;

/// Writes a chart of the objects, except the first: Helm cannot install into a namespace of its own chart.
pub async fn write(folder: &Path, objects: &[Object]) -> Result<()> {
    tokio::fs::create_dir(folder.join("templates")).await?;
    tokio::fs::write(folder.join("Chart.yaml"), "apiVersion: v2\nname: store\nversion: 0.1.0\n").await?;
    for (index, object) in objects.iter().enumerate().skip(1) {
        let yaml = serde_saphyr::to_string(object)?.replace("{{", "{{ \"{{\" }}");
        tokio::fs::write(folder.join("templates").join(format!("{index:02}.yaml")), yaml).await?;
    }
    Ok(())
}
