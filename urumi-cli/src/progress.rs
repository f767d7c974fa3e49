//! Progress output during a wait: updated in place on a terminal, otherwise line by line.

use std::collections::BTreeMap;
use std::fmt;
use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use urumi_core::store::status::{Condition, ConditionStatus, StoreStatus};
use urumi_core::store::wait::{Verdict, WaitCondition};
use urumi_core::{Store, StoreId};

use crate::output::{Out, safe};
use crate::terminal::LIVE;

/// Shows a store's progress until it is dropped.
pub(crate) struct Progress {
    out: Out,
    id: StoreId,
    shown: Mutex<Shown>,
}

enum Shown {
    /// On a terminal: a status line, and one line for each component.
    Live {
        summary: ProgressBar,
        components: BTreeMap<String, ProgressBar>,
    },
    /// Without a terminal: the last text printed for each line.
    Plain(BTreeMap<String, String>),
    Nothing,
}

impl Progress {
    /// Starts to show a store.
    pub(crate) fn new(out: &Out, id: &StoreId, doing: &str) -> Self {
        let shown = if out.quiet() {
            Shown::Nothing
        } else if std::io::stderr().is_terminal() {
            let summary = LIVE.add(ProgressBar::new_spinner());
            summary.set_style(style("{spinner:.cyan} {msg}  {elapsed:.dim}"));
            summary.set_message(format!("store {id}: {doing}"));
            summary.enable_steady_tick(Duration::from_millis(120));
            Shown::Live { summary, components: BTreeMap::new() }
        } else {
            Shown::Plain(BTreeMap::new())
        };
        Progress { out: out.clone(), id: id.clone(), shown: Mutex::new(shown) }
    }

    /// Shows the store's current state.
    pub(crate) fn show(&self, store: &Store) {
        let components: Vec<&Condition> = store.conditions.iter().filter(|c| is_shown(store, c)).collect();
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *shown {
            Shown::Live { summary, components: bars } => {
                summary.set_message(safe(&headline(store)));
                bars.retain(|type_, bar| {
                    let stays = components.iter().any(|c| c.type_ == *type_);
                    if !stays {
                        bar.finish_and_clear();
                        LIVE.remove(bar);
                    }
                    stays
                });
                for condition in components {
                    let bar = bars.entry(condition.type_.clone()).or_insert_with(|| {
                        let bar = LIVE.add(ProgressBar::new_spinner());
                        bar.set_style(style("  {msg}"));
                        bar
                    });
                    let mark = if condition.status == ConditionStatus::True { '✓' } else { '·' };
                    bar.set_message(format!("{mark} {}", describe(condition)));
                }
            }
            Shown::Plain(last) => {
                let mut lines = vec![(String::new(), headline(store))];
                lines.extend(components.iter().map(|c| (c.type_.clone(), format!("  {}", describe(c)))));
                for (key, line) in lines {
                    if last.get(&key) != Some(&line) {
                        self.out.note(&line);
                        last.insert(key, line);
                    }
                }
            }
            Shown::Nothing => {}
        }
    }

    /// Shows that the store is deleted.
    fn gone(&self) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *shown {
            Shown::Live { summary, .. } => summary.set_message(format!("store {}: deleted", self.id)),
            Shown::Plain(last) if last.get("").is_some_and(|line| line != "deleted") => {
                self.out.note(&format!("store {}: deleted", self.id));
                last.insert(String::new(), "deleted".into());
            }
            _ => {}
        }
    }

    /// Wraps a condition, and shows every state of the store that it checks.
    pub(crate) fn observing<C: WaitCondition>(&self, condition: C) -> impl WaitCondition {
        Observing { progress: self, condition }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Shown::Live { summary, components } = self.shown.get_mut().unwrap_or_else(PoisonError::into_inner) {
            components.values().for_each(ProgressBar::finish_and_clear);
            summary.finish_and_clear();
        }
    }
}

struct Observing<'a, C> {
    progress: &'a Progress,
    condition: C,
}

impl<C: WaitCondition> WaitCondition for Observing<'_, C> {
    fn check(&self, store: Option<&Store>) -> Verdict {
        match store {
            Some(store) => self.progress.show(store),
            None => self.progress.gone(),
        }
        self.condition.check(store)
    }
}

impl<C: WaitCondition> fmt::Display for Observing<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.condition.fmt(f)
    }
}

/// Components are shown until the store is being deleted; other conditions only while they are not true.
fn is_shown(store: &Store, condition: &Condition) -> bool {
    store.status != StoreStatus::Deleting
        && condition.type_ != Condition::READY
        && (condition.type_.ends_with(Condition::READY) || condition.status != ConditionStatus::True)
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn headline(store: &Store) -> String {
    match &store.reason {
        Some(reason) => format!("store {}: {} ({reason})", store.id, store.status),
        None => format!("store {}: {}", store.id, store.status),
    }
}

/// Formats a component on one line: `Database: ContainerCreating, pulling …`.
fn describe(condition: &Condition) -> String {
    let component = match condition.type_.strip_suffix(Condition::READY).unwrap_or(&condition.type_) {
        "Api" => "API",
        other => other,
    };
    let line = match (condition.status, condition.message.as_str()) {
        (ConditionStatus::True, _) => format!("{component}: ready"),
        (_, "") => format!("{component}: {}", condition.reason),
        (_, message) => format!("{component}: {}, {message}", condition.reason),
    };
    safe(&line)
}
