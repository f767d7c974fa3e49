//! Whose turn it is.

use std::collections::BTreeSet;
use std::ops::Bound;

/// The namespaces to decide on. Each has its turn, also while events arrive faster than the monitor decides.
#[derive(Default)]
pub(super) struct Turns {
    waiting: BTreeSet<String>,
    /// The namespace whose turn was last.
    last: String,
}

impl Turns {
    pub(super) fn insert(&mut self, namespace: String) {
        self.waiting.insert(namespace);
    }

    pub(super) fn extend(&mut self, namespaces: impl IntoIterator<Item = String>) {
        self.waiting.extend(namespaces);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes the namespace that follows the last one by name; after the last name comes the first.
    pub(super) fn next(&mut self) -> Option<String> {
        let after = (Bound::Excluded(self.last.as_str()), Bound::Unbounded);
        let next = self.waiting.range::<str, _>(after).next().or_else(|| self.waiting.first())?.clone();
        self.waiting.remove(&next);
        self.last.clone_from(&next);
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_always_waits_again_keeps_nobody_waiting() {
        let mut turns = Turns::default();
        turns.extend(["a", "b", "c"].map(str::to_owned));
        let mut taken = String::new();
        for _ in 0..5 {
            taken += &turns.next().unwrap();
            turns.insert("a".to_owned());
            turns.insert("b".to_owned());
        }
        assert_eq!(taken, "abcab");
        assert!(!turns.is_empty());
    }
}
