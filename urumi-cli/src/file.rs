//! The files that a run is told to read.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::exit::Failure;

/// The most bytes that a token, certificates or defaults may have.
const MAX_FILE: u64 = 1024 * 1024;

/// The bytes of a file, unless there are too many for what it should be.
pub(crate) fn read(file: &Path, what: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes));
    let place = file.display();
    match read {
        Ok(_) if bytes.len() as u64 > MAX_FILE => Err(Failure::usage(format!("{place} is too large to be {what}"))),
        Ok(_) => Ok(bytes),
        Err(error) => Err(Failure::usage(format!("{what} cannot be read from {place}: {error}"))),
    }
}
