//! The imports of a source file: `use` items and paths in the code, outside of its tests.

use std::collections::BTreeSet;

use syn::visit::{self, Visit};

/// What a file imports.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Import {
    /// A path within the crate, from its root.
    Inside(Vec<String>),
    /// Another crate's name.
    Outside(String),
}

/// Everything that the module imports.
pub(super) fn imports(module: &str, source: &str) -> BTreeSet<Import> {
    let file = syn::parse_file(source).unwrap_or_else(|error| panic!("{module}: {error}"));
    let mut visitor = Visitor { module: module.split('/').map(str::to_owned).collect(), found: BTreeSet::new() };
    visitor.visit_file(&file);
    visitor.found
}

struct Visitor {
    /// Where the visited code is.
    module: Vec<String>,
    found: BTreeSet<Import>,
}

impl Visitor {
    fn note(&mut self, path: &[String]) {
        let import = match path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            [] => return,
            ["crate", ..] => Import::Inside(path[1..].to_vec()),
            ["self", ..] => Import::Inside([&self.module, &path[1..]].concat()),
            ["super", ..] => {
                let up = path.iter().take_while(|part| *part == "super").count();
                Import::Inside([&self.module[..self.module.len() - up], &path[up..]].concat())
            }
            [name, ..] => Import::Outside((*name).to_owned()),
        };
        self.found.insert(import);
    }

    fn note_tree(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.note_tree(&with(&path.ident), &path.tree),
            syn::UseTree::Name(name) => self.note(&with(&name.ident)),
            syn::UseTree::Rename(name) => self.note(&with(&name.ident)),
            syn::UseTree::Glob(_) => self.note(before),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.note_tree(before, tree)),
        }
    }
}

impl<'ast> Visit<'ast> for Visitor {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        // A module that shows what its children have does not depend on them.
        let shown = matches!(&item.tree, syn::UseTree::Path(path) if path.ident == "self");
        if shown && !matches!(item.vis, syn::Visibility::Inherited) {
            return;
        }
        self.note_tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if parts.len() > 1 {
            self.note(&parts);
        }
        visit::visit_path(self, path);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.content.is_none() || item.attrs.iter().any(is_for_tests) {
            return;
        }
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }
}

/// Whether an attribute is `#[cfg(test)]`.
fn is_for_tests(attribute: &syn::Attribute) -> bool {
    attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Ident>().is_ok_and(|condition| condition == "test")
}
