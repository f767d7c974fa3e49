//! Formats the causes of an error.

use std::error::Error;

/// An error and all its sources, in one line.
pub(crate) fn in_one_line(error: &dyn Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", in_one_line(cause)),
        None => error.to_string(),
    }
}
