//! The layers of docs/ARCHITECTURE.md hold: this reads the imports of every source file and compares them with the
//! table there. No two files import each other, directly or through others.

mod graph;
mod imports;
mod table;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use self::graph::circles;
use self::imports::{Import, imports};
use self::table::{Layer, layer_of, table};

/// The modules that a client of a cluster or of a server may appear in.
const CLIENTS: [(&str, &str); 2] = [("kube", "cluster/kube"), ("reqwest", "http_client")];

/// The sources of this crate by module path, e.g. `cluster/memory`.
fn sources() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let module = module_of(path.strip_prefix(&root).unwrap());
                // Tests may import whatever they test.
                if !module.split('/').any(|part| part == "tests") {
                    found.insert(module, std::fs::read_to_string(&path).unwrap());
                }
            }
        }
    }
    found
}

/// `cluster/memory.rs` and `cluster/memory/mod.rs` are the module `cluster/memory`; `lib.rs` is the empty one.
fn module_of(file: &Path) -> String {
    let stem: PathBuf = file.with_extension("");
    let module = stem.to_string_lossy().into_owned();
    match module.strip_suffix("/mod").unwrap_or(&module) {
        "lib" => String::new(),
        module => module.to_owned(),
    }
}

/// The arrows that go up a layer, and imports of a client outside of its module.
fn violations(layers: &[Layer], sources: &BTreeMap<String, String>) -> Vec<String> {
    let mut found = Vec::new();
    for (module, source) in sources.iter().filter(|(module, _)| !module.is_empty()) {
        let Some(from) = layer_of(layers, module) else {
            found.push(format!("{module} is in no layer of the table"));
            continue;
        };
        for import in imports(module, source) {
            match import {
                Import::Inside(path) => {
                    let target = path.join("/");
                    let to = layer_of(layers, &target);
                    if let Some(to) = to.filter(|to| *to > from) {
                        let (from, to) = (&layers[from].name, &layers[to].name);
                        found.push(format!("{module} ({from}) imports {target} ({to})"));
                    }
                }
                Import::Outside(name) => {
                    let allowed = CLIENTS.iter().find(|(client, _)| *client == name).map(|(_, home)| *home);
                    if let Some(home) = allowed.filter(|home| !within(module, home)) {
                        found.push(format!("{module} imports the crate {name}, which belongs to {home}"));
                    }
                }
            }
        }
    }
    found
}

fn within(module: &str, home: &str) -> bool {
    module.strip_prefix(home).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Which file imports which.
fn arrows(sources: &BTreeMap<String, String>) -> BTreeMap<String, Vec<String>> {
    let file = |path: &[String]| {
        (1..=path.len()).rev().map(|length| path[..length].join("/")).find(|module| sources.contains_key(module))
    };
    let of = |module: &String, source: &String| {
        let targets = imports(module, source).into_iter().filter_map(|import| match import {
            Import::Inside(path) => file(&path).filter(|target| target != module),
            Import::Outside(_) => None,
        });
        (module.clone(), targets.collect())
    };
    sources.iter().filter(|(module, _)| !module.is_empty()).map(|(module, source)| of(module, source)).collect()
}

#[test]
fn every_import_goes_down_or_stays_in_its_layer() {
    let found = violations(&table(), &sources());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_two_files_import_each_other() {
    let found: Vec<String> = circles(&arrows(&sources())).iter().map(|circle| circle.join(", ")).collect();
    assert!(found.is_empty(), "{} circles:\n{}", found.len(), found.join("\n"));
}

#[test]
fn every_module_of_the_table_exists() {
    let sources = sources();
    let listed = table().into_iter().flat_map(|layer| layer.modules);
    let gone: Vec<String> = listed.filter(|module| !sources.contains_key(module)).collect();
    assert!(gone.is_empty(), "docs/ARCHITECTURE.md lists modules that do not exist: {gone:?}");
}

#[test]
fn an_arrow_that_goes_up_is_found() {
    let sources = |module: &str, source: &str| BTreeMap::from([(module.to_owned(), source.to_owned())]);
    let up = [
        ("store/id", "use crate::monitor::ReadinessMonitor;"),
        ("store/id", "use super::super::{error, monitor::{leader::Leadership}};"),
        ("plan/drift", "fn f() { let _ = crate::cluster::FIELD; }"),
        ("cluster/memory/state", "mod inner { use super::super::super::super::orchestrator::local::Orchestrator; }"),
        ("orchestrator/local", "use crate::http_client::HttpOrchestrator;"),
        ("plan", "use kube::Client;"),
        ("orchestrator", "use reqwest::Client;"),
        ("nowhere", ""),
    ];
    for (module, source) in up {
        assert_eq!(violations(&table(), &sources(module, source)).len(), 1, "{module}: {source}");
    }
    let fine = [
        ("monitor/task", "use crate::store::StoreId;"),
        ("store/id", "#[cfg(test)] mod tests { use crate::monitor::ReadinessMonitor; }"),
        ("cluster/kube/watch", "use kube::Client;"),
        ("http_client", "use reqwest::Client; use crate::orchestrator::StoreOrchestrator;"),
    ];
    for (module, source) in fine {
        assert_eq!(violations(&table(), &sources(module, source)), Vec::<String>::new(), "{module}: {source}");
    }
}
