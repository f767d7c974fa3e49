//! The table of layers in docs/ARCHITECTURE.md.

/// A layer: what stands above may import it, it imports nothing that stands above.
pub(super) struct Layer {
    pub(super) name: String,
    /// Modules with all that is in them, unless another row names a part of them.
    pub(super) modules: Vec<String>,
}

/// The layers, the lowest first.
pub(super) fn table() -> Vec<Layer> {
    let document = include_str!("../../../../docs/ARCHITECTURE.md");
    let rows = document.lines().skip_while(|line| !line.starts_with("| layer |")).skip(2);
    let rows = rows.map_while(|line| line.strip_prefix("| "));
    let layers: Vec<Layer> = rows
        .map(|row| {
            let mut cells = row.split(" | ");
            let name = cells.next().unwrap().to_owned();
            let modules = without_remarks(cells.next().unwrap());
            let modules = modules.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            Layer { name, modules }
        })
        .collect();
    assert!(layers.len() > 3, "docs/ARCHITECTURE.md has no table of layers");
    layers
}

/// A cell without what stands in parentheses.
fn without_remarks(cell: &str) -> String {
    cell.split(')').filter_map(|part| part.split('(').next()).collect()
}

/// The layer of a module: that of the row which names the longest part of its path.
pub(super) fn layer_of(layers: &[Layer], module: &str) -> Option<usize> {
    let named = |part: &str| layers.iter().position(|layer| layer.modules.iter().any(|module| module == part));
    let ends = module.match_indices('/').map(|(at, _)| at).chain([module.len()]).collect::<Vec<_>>();
    ends.into_iter().rev().find_map(|end| named(&module[..end]))
}
