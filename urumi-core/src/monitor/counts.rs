//! How many stores there are of each status.

use crate::store::status::StoreStatus;

/// The number of stores of each status, kept up to date with each change instead of counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StatusCounts([u32; StoreStatus::ALL.len()]);

impl StatusCounts {
    /// Counts a store whose status changed; `None` if it was no store before, or is none any more.
    pub(crate) fn change(&mut self, from: Option<StoreStatus>, to: Option<StoreStatus>) {
        if let Some(count) = from.and_then(|status| self.of_mut(status)) {
            *count = count.saturating_sub(1);
        }
        if let Some(count) = to.and_then(|status| self.of_mut(status)) {
            *count = count.saturating_add(1);
        }
    }

    /// The number of all stores.
    pub(crate) fn total(self) -> usize {
        self.0.iter().map(|count| usize::try_from(*count).unwrap_or(usize::MAX)).sum()
    }

    /// Each status with its number of stores.
    pub(crate) fn iter(self) -> impl Iterator<Item = (StoreStatus, u32)> {
        StoreStatus::ALL.into_iter().zip(self.0)
    }

    fn of_mut(&mut self, status: StoreStatus) -> Option<&mut u32> {
        let index = StoreStatus::ALL.iter().position(|known| *known == status)?;
        self.0.get_mut(index)
    }
}
