//! Prints the public items in a file that rustdoc has written as JSON, one a line, sorted.
#![allow(clippy::print_stdout, reason = "the list is what it is for")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use public_api::Builder;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args_os().nth(1).map(PathBuf::from).ok_or("usage: urumi-public-api FILE")?;
    let written = items(&file, true)?;
    // Of a derived implementation the first line says all.
    let derived = items(&file, false)?.into_iter().filter(|item| item.starts_with("impl"));
    let all: BTreeSet<String> = written.into_iter().chain(derived).collect();
    for item in all {
        println!("{item}");
    }
    Ok(())
}

/// The items without what the compiler implements for every type, and without or with what is derived.
fn items(file: &Path, omit_derived: bool) -> public_api::Result<Vec<String>> {
    let api = Builder::from_rustdoc_json(file)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(omit_derived)
        .build()?;
    Ok(api.items().map(ToString::to_string).collect())
}
