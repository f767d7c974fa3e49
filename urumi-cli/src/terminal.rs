//! The terminal, shared by printed lines and progress bars.

use std::sync::LazyLock;

use indicatif::MultiProgress;

/// The progress bars. GlobalArgs, because there is only one terminal.
pub(crate) static LIVE: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Runs `f` while the progress bars are hidden.
pub(crate) fn suspended<R>(f: impl FnOnce() -> R) -> R {
    LIVE.suspend(f)
}
