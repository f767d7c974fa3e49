//! Prints the public items in a file that rustdoc has written as JSON, one a line.
#![allow(clippy::print_stdout, reason = "the program prints a list")]

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use public_api::Builder;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args_os().nth(1).map(PathBuf::from).ok_or("usage: urumi-public-api FILE")?;
    let written: HashSet<String> = items(&file, true)?.into_iter().collect();
    // The first line of a derived implementation is enough.
    for item in items(&file, false)?.iter().filter(|item| item.starts_with("impl") || written.contains(*item)) {
        println!("{item}");
    }
    Ok(())
}

/// The items, without implementations that the compiler adds to every type, and with or without derived ones.
fn items(file: &Path, omit_derived: bool) -> public_api::Result<Vec<String>> {
    let api = Builder::from_rustdoc_json(file)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(omit_derived)
        .build()?;
    Ok(api.items().map(ToString::to_string).collect())
}
