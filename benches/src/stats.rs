//! Medians and the table.

use std::time::Duration;

/// The median of some durations; zero of none.
pub(crate) fn median(samples: &[Duration]) -> Duration {
    quantile(samples, 0.5)
}

/// A quantile of some durations; zero of none.
pub(crate) fn quantile(samples: &[Duration], q: f64) -> Duration {
    let mut sorted = samples.to_vec();
    sorted.sort();
    let index = (sorted.len().saturating_sub(1) as f64 * q).round() as usize;
    sorted.get(index).copied().unwrap_or_default()
}

/// How many times longer one duration is than another.
pub(crate) fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64().max(f64::MIN_POSITIVE)
}

/// One line of the table.
pub(crate) struct Row {
    /// What was measured.
    pub(crate) what: String,
    /// The figure of urumi.
    pub(crate) urumi: String,
    /// The figure of what it is compared with.
    pub(crate) floor: String,
    /// The ratio, or what stands for it.
    pub(crate) ratio: String,
    /// What we hold ourselves to.
    pub(crate) goal: String,
}

impl Row {
    /// A comparison of two durations.
    pub(crate) fn compared(what: impl Into<String>, urumi: Duration, floor: Duration, goal: impl Into<String>) -> Self {
        Row {
            what: what.into(),
            urumi: format!("{urumi:.1?}"),
            floor: format!("{floor:.1?}"),
            ratio: format!("{:.2}", ratio(urumi, floor)),
            goal: goal.into(),
        }
    }
}

/// The table as Markdown.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut out = String::from("| what | urumi | compared with | ratio | goal |\n|---|---|---|---|---|\n");
    for row in rows {
        out.push_str(&format!("| {} | {} | {} | {} | {} |\n", row.what, row.urumi, row.floor, row.ratio, row.goal));
    }
    out
}
