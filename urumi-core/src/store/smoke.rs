//! Smoke orders: a store is tried by placing an order as a customer would, and this is how such a run went.

use serde::{Deserialize, Serialize};

/// The label, with value `true`, of the Jobs that place smoke orders, and of their pods. An engine sets it.
pub const LABEL: &str = "store.urumi.ai/smoke";

/// The most bytes of a report: what Kubernetes keeps of a container's last words.
const MAX_BYTES: usize = 4096;
const MAX_STEPS: usize = 50;
const MAX_NAME: usize = 100;
const MAX_ERROR: usize = 500;
/// No run takes longer than a day.
const MAX_MILLISECONDS: u64 = 86_400_000;

/// How a smoke order went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct SmokeReport {
    /// The steps in the order in which they were taken. One that failed is the last.
    pub steps: Vec<SmokeStep>,
    /// The order that was placed; none where a step failed before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
}

impl SmokeReport {
    /// The steps of a run, and the order that it placed.
    pub fn new(steps: Vec<SmokeStep>, order: Option<String>) -> Self {
        SmokeReport { steps, order }
    }
}

/// A step of a smoke order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct SmokeStep {
    /// What was done, e.g. `add to cart`.
    pub name: String,
    /// How long it took.
    pub milliseconds: u64,
    /// Why it failed; none where it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl SmokeStep {
    /// A step that took so long; `error` says why it failed.
    pub fn new(name: impl Into<String>, milliseconds: u64, error: Option<String>) -> Self {
        SmokeStep { name: name.into(), milliseconds, error }
    }
}

impl SmokeReport {
    /// The step that failed, and why; `None` where all went well.
    pub fn failure(&self) -> Option<(&str, &str)> {
        self.steps.iter().find_map(|step| Some((step.name.as_str(), step.error.as_deref()?)))
    }

    /// Reads what a container wrote. It is a store's image that wrote it, so nothing of it is taken on trust.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_BYTES {
            return Err(format!("its report has {} bytes, at most {MAX_BYTES} are read", text.len()));
        }
        let read: SmokeReport = serde_json::from_str(text).map_err(|e| format!("its report cannot be read: {e}"))?;
        let failed = read.steps.iter().position(|step| step.error.is_some());
        match read.steps.len() {
            0 => return Err("its report has no steps".to_owned()),
            many if many > MAX_STEPS => return Err(format!("its report has {many} steps")),
            many if failed.is_some_and(|index| index + 1 < many) => {
                return Err("its report goes on after a step that failed".to_owned());
            }
            _ => {}
        }
        let step = |step: SmokeStep| SmokeStep {
            name: plain(&step.name, MAX_NAME),
            milliseconds: step.milliseconds.min(MAX_MILLISECONDS),
            error: step.error.map(|error| plain(&error, MAX_ERROR)),
        };
        let order = read.order.filter(|_| failed.is_none()).map(|order| plain(&order, MAX_NAME));
        Ok(SmokeReport { steps: read.steps.into_iter().map(step).collect(), order })
    }
}

/// A text in one line, without control characters, and not longer than `most` characters.
fn plain(text: &str, most: usize) -> String {
    let spaced = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    spaced.take(most).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_report_is_read() {
        let text = r#"{"steps":[{"name":"open the shop","milliseconds":12},{"name":"pay","milliseconds":80}],"order":"order_1"}"#;
        let report = SmokeReport::parse(text).unwrap();
        assert_eq!((report.steps.len(), report.order.as_deref(), report.failure()), (2, Some("order_1"), None));
        let text =
            r#"{"steps":[{"name":"add to\u001b[2J cart","milliseconds":80,"error":"answers\n503"}],"order":"x"}"#;
        let report = SmokeReport::parse(text).unwrap();
        assert_eq!((report.failure(), report.order.clone()), (Some(("add to [2J cart", "answers 503")), None));
    }

    #[test]
    fn what_is_no_report_is_refused() {
        let goes_on = r#"{"steps":[{"name":"a","milliseconds":1,"error":"x"},{"name":"b","milliseconds":1}]}"#;
        for text in ["", "{}", "[]", r#"{"steps":[]}"#, r#"{"steps":[{"name":"a","milliseconds":-1}]}"#, goes_on] {
            assert!(SmokeReport::parse(text).is_err(), "{text}");
        }
        assert!(SmokeReport::parse(&" ".repeat(MAX_BYTES + 1)).unwrap_err().contains("4097 bytes"));
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in any::<String>()) {
            let _ = SmokeReport::parse(&text);
        }

        #[test]
        fn no_text_of_a_report_moves_the_cursor(name in any::<String>(), error in any::<String>()) {
            let step = SmokeStep { name, milliseconds: u64::MAX, error: Some(error) };
            let text = serde_json::to_string(&SmokeReport { steps: vec![step], order: None }).unwrap();
            if let Ok(report) = SmokeReport::parse(&text) {
                let (name, error) = report.failure().unwrap();
                prop_assert!(!name.chars().chain(error.chars()).any(char::is_control));
            }
        }
    }
}
