//! Reads files given as arguments.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::exit::CommandError;

/// The maximum size of a file with a token, certificates or defaults, in bytes.
pub(crate) const MAX_FILE: u64 = 1024 * 1024;

/// Reads a file, unless it exceeds [`MAX_FILE`]. `what` describes the content in error messages.
pub(crate) fn read(file: &Path, what: &str) -> Result<Vec<u8>, CommandError> {
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes));
    let place = file.display();
    match read {
        Ok(_) if bytes.len() as u64 > MAX_FILE => {
            Err(CommandError::usage(format!("{place} is too large to be {what}")))
        }
        Ok(_) => Ok(bytes),
        Err(error) => Err(CommandError::usage(format!("cannot read {what} from {place}: {error}"))),
    }
}
