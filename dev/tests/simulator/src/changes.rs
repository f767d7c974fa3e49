//! Changes of stores: which of them a seed stands for, and what is wanted after them.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::engine::StallEngine;
use crate::look::Look;
use crate::scenario::{Action, Scenario, ms, within};

/// Drawn apart from everything else of a seed, which is as it was when stores could not be changed.
const APART: u64 = 0x6368_616e_6765;
/// How many changes make revisions go that are too old.
const MANY: u32 = 12;

/// Adds the changes that the seed of a scenario stands for.
pub(crate) fn draw(scenario: &mut Scenario) {
    let mut rng = StdRng::seed_from_u64(scenario.seed ^ APART);
    let rng = &mut rng;
    let until = scenario.heals_at;
    let mut last = Duration::ZERO;
    for (number, wanted) in scenario.stores.iter().enumerate() {
        if wanted.request.engine != StallEngine::NAME || rng.random_bool(0.3) {
            continue;
        }
        let mut at = within(rng, until / 2);
        for colour in 1..=if rng.random_bool(0.05) { MANY } else { rng.random_range(1..=4) } {
            at += if rng.random_bool(0.4) { ms(rng, 0, 300) } else { within(rng, until / 4) };
            let broken = rng.random_bool(0.25);
            let back = colour > 1 && rng.random_bool(0.25);
            let look = Look { colour, extra: rng.random_bool(0.5), broken };
            scenario.actions.push((at, if back { Action::RollBack(number) } else { Action::Change(number, look) }));
            // Long enough for urumi to go back by itself.
            if broken && rng.random_bool(0.6) {
                at += ms(rng, 20_000, 40_000);
            }
        }
        last = last.max(at);
    }
    if last > Duration::ZERO {
        scenario.heals_at = until.max(last + ms(rng, 0, 5_000));
        scenario.actions.sort_by_key(|(at, _)| *at);
        for _ in 0..rng.random_range(0..=2) {
            scenario.crashes.push(crate::scenario::crash(rng, 80));
        }
    }
}

/// What somebody has wanted a store to look like, one wish after the other.
#[derive(Clone, Debug)]
pub(crate) struct Looks(Vec<Look>);

impl Default for Looks {
    fn default() -> Self {
        Looks(vec![Look::default()])
    }
}

impl Looks {
    /// Something is done to the store of this number; says what is wanted after it, if that is a change of its look.
    pub(crate) fn wish(&mut self, number: usize, action: &Action) -> Option<Look> {
        match action {
            Action::Change(store, look) if *store == number => self.0.push(*look),
            Action::RollBack(store) if *store == number => {
                self.0.pop();
                self.forget_broken();
            }
            _ => return None,
        }
        self.0.last().copied()
    }

    /// Nobody goes back to what has never worked.
    fn forget_broken(&mut self) {
        while self.0.last().is_some_and(|look| look.broken) {
            self.0.pop();
        }
        if self.0.is_empty() {
            self.0.push(Look::default());
        }
    }

    /// What somebody wants in the end of the store of this number; `None` if nobody ever changes it.
    pub(crate) fn last(number: usize, scenario: &Scenario) -> Option<Look> {
        let mut looks = Looks::default();
        let wishes = scenario.actions.iter().filter_map(|(_, action)| looks.wish(number, action)).count();
        looks.forget_broken();
        looks.0.last().copied().filter(|_| wishes > 0)
    }
}
