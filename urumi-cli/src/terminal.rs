//! The terminal, which is shared by what is printed and what changes in place.

use std::sync::LazyLock;

use indicatif::MultiProgress;

/// The lines that change in place. There is one terminal, so there is one of these.
pub(crate) static LIVE: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Does something to the terminal while nothing changes in place.
pub(crate) fn suspended<R>(f: impl FnOnce() -> R) -> R {
    LIVE.suspend(f)
}
