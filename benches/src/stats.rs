//! Statistics and the table of results.

use std::time::Duration;

/// The median of durations, or zero if there are none.
pub fn median(samples: &[Duration]) -> Duration {
    quantile(samples, 0.5)
}

/// A quantile of durations, or zero if there are none.
pub fn quantile(samples: &[Duration], q: f64) -> Duration {
    let mut sorted = samples.to_vec();
    sorted.sort();
    let index = (sorted.len().saturating_sub(1) as f64 * q).round() as usize;
    sorted.get(index).copied().unwrap_or_default()
}

/// The ratio of two durations.
pub fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64().max(f64::MIN_POSITIVE)
}

/// A row of the table.
pub struct Row {
    /// The measured quantity.
    pub what: String,
    /// The result of urumi.
    pub urumi: String,
    /// The result of the floor.
    pub floor: String,
    /// The ratio, or another comparison.
    pub ratio: String,
    /// The goal for the ratio.
    pub goal: String,
}

impl Row {
    /// Compares two durations.
    pub fn compared(what: impl Into<String>, urumi: Duration, floor: Duration, goal: impl Into<String>) -> Self {
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
pub fn table(rows: &[Row]) -> String {
    let mut out = String::from("| what | urumi | compared with | ratio | goal |\n|---|---|---|---|---|\n");
    for row in rows {
        out.push_str(&format!("| {} | {} | {} | {} | {} |\n", row.what, row.urumi, row.floor, row.ratio, row.goal));
    }
    out
}
