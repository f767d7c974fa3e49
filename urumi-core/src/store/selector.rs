//! Label selectors: which stores, by their labels.

use std::fmt;
use std::str::FromStr;

use super::labels::Labels;
use crate::kubernetes::syntax::{label_key, label_value};

/// A selection of stores by their labels, in the syntax of `kubectl --selector`: requirements separated by commas, all of
/// which must hold.
///
/// | requirement | stores |
/// |---|---|
/// | `team=web` or `team==web` | with the label `team` of the value `web` |
/// | `env!=prod` | whose label `env` has another value than `prod`, or that do not have it |
/// | `tier` | with the label `tier`, whatever its value |
/// | `!old` | without the label `old` |
/// | `env in (dev,test)` | whose label `env` has one of these values |
/// | `env notin (dev,test)` | whose label `env` has none of these values, or that do not have it |
///
/// ```
/// use urumi_core::store::selector::LabelSelector;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let selector: LabelSelector = "team=web,!old".parse()?;
/// assert!(selector.matches(&[("team".to_owned(), "web".to_owned())].into()));
/// # Ok(())
/// # }
/// ```
///
/// [`LabelSelector::default`] has no requirements and selects every store. An empty text is no selector.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSelector {
    requirements: Vec<Requirement>,
}

/// A text that is not a label selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SelectorError(String);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

/// What a requirement asks of the value.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Exists,
    Missing,
    In(Vec<String>),
    NotIn(Vec<String>),
}

const FORMS: &str = "write key=value, key!=value, key, !key, key in (a,b) or key notin (a,b)";

impl LabelSelector {
    /// Whether labels meet every requirement.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.requirements.iter().all(|requirement| requirement.holds(labels))
    }
}

impl Requirement {
    fn holds(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key);
        match &self.test {
            Test::Exists => value.is_some(),
            Test::Missing => value.is_none(),
            Test::In(values) => value.is_some_and(|value| values.contains(value)),
            Test::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
        }
    }

    fn parse(text: &str) -> Result<Self, SelectorError> {
        let wrong = |why: String| SelectorError(format!("{text:?} is not a requirement on a label: {why}; {FORMS}"));
        let (key, test) = if let Some((head, values)) = text.split_once('(') {
            let values = values.trim_end().strip_suffix(')').ok_or_else(|| wrong("it must end with ')'".into()))?;
            let values = values.split(',').map(|value| value.trim().to_owned()).collect();
            match head.split_whitespace().collect::<Vec<_>>().as_slice() {
                [key, "in"] => (*key, Test::In(values)),
                [key, "notin"] => (*key, Test::NotIn(values)),
                _ => return Err(wrong("values in parentheses follow a key and \"in\" or \"notin\"".into())),
            }
        } else if let Some((key, value)) = text.split_once("!=") {
            (key, Test::NotIn(vec![value.trim().to_owned()]))
        } else if let Some((key, value)) = text.split_once('=') {
            (key, Test::In(vec![value.strip_prefix('=').unwrap_or(value).trim().to_owned()]))
        } else if let Some(key) = text.strip_prefix('!') {
            (key, Test::Missing)
        } else {
            (text, Test::Exists)
        };
        let key = key.trim();
        label_key(key).map_err(|why| wrong(format!("the key {why}")))?;
        if let Test::In(values) | Test::NotIn(values) = &test {
            for value in values {
                label_value(value).map_err(|why| wrong(format!("the value {why}")))?;
            }
        }
        Ok(Requirement { key: key.to_owned(), test })
    }
}

impl FromStr for LabelSelector {
    type Err = SelectorError;

    /// Reads a selector.
    ///
    /// # Errors
    /// The first part that is wrong, and what would be right. An empty text is refused, so that a variable that is not set
    /// does not select every store.
    fn from_str(text: &str) -> Result<Self, SelectorError> {
        if text.trim().is_empty() {
            return Err(SelectorError(format!("a label selector must not be empty; {FORMS}")));
        }
        let mut requirements = Vec::new();
        for part in split(text) {
            let part = part.trim();
            if part.is_empty() {
                let message = format!("{text:?} has an empty requirement; write one comma between two requirements");
                return Err(SelectorError(message));
            }
            requirements.push(Requirement::parse(part)?);
        }
        Ok(LabelSelector { requirements })
    }
}

/// The parts between commas that are not in parentheses.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    text.split(move |c| {
        match c {
            '(' => inside = true,
            ')' => inside = false,
            _ => {}
        }
        c == ',' && !inside
    })
}

impl fmt::Display for LabelSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, Requirement { key, test }) in self.requirements.iter().enumerate() {
            if n > 0 {
                f.write_str(",")?;
            }
            match test {
                Test::Exists => f.write_str(key)?,
                Test::Missing => write!(f, "!{key}")?,
                Test::In(values) => match values.as_slice() {
                    [value] => write!(f, "{key}={value}")?,
                    values => write!(f, "{key} in ({})", values.join(","))?,
                },
                Test::NotIn(values) => match values.as_slice() {
                    [value] => write!(f, "{key}!={value}")?,
                    values => write!(f, "{key} notin ({})", values.join(","))?,
                },
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(text: &str) -> Labels {
        let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
        pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn requirements_are_those_of_kubernetes() {
        let stores = ["team=web,env=prod", "team=web,env=dev,old=", "team=api", ""];
        for (selector, selected) in [
            ("team=web", vec![0, 1]),
            (" team == web , env != prod ", vec![1]),
            ("env!=prod", vec![1, 2, 3]),
            ("env", vec![0, 1]),
            ("!env", vec![2, 3]),
            ("! old,team", vec![0, 2]),
            ("old=", vec![1]),
            ("env in (dev, test)", vec![1]),
            ("env notin(dev,prod),team", vec![2]),
            ("team in (web,api),env in (prod)", vec![0]),
        ] {
            let parsed: LabelSelector = selector.parse().unwrap();
            let found: Vec<usize> = (0..stores.len()).filter(|n| parsed.matches(&labels(stores[*n]))).collect();
            assert_eq!(found, selected, "{selector}");
        }
        assert!(LabelSelector::default().matches(&Labels::new()));
    }

    #[test]
    fn what_is_wrong_is_said_with_what_is_right() {
        for (text, why) in [
            ("", "must not be empty; write key=value"),
            (" ", "must not be empty"),
            ("team=web,", "one comma between two requirements"),
            (",", "one comma between two requirements"),
            ("=web", "the key must not be empty"),
            ("!", "the key must not be empty"),
            ("te am", "the key contains ' '"),
            ("team=a b", "the value contains ' '"),
            ("team=a=b", "the value contains '='"),
            ("team>1", "the key contains '>'"),
            ("env in (a", "must end with ')'"),
            ("env in (a))", "the value contains ')'"),
            ("env on (a)", "\"in\" or \"notin\""),
            ("in (a)", "\"in\" or \"notin\""),
            ("team=\u{1b}[31m", r"\u{1b}"),
        ] {
            let said = text.parse::<LabelSelector>().unwrap_err().to_string();
            assert!(said.contains(why), "{text:?}: {said}");
            assert!(!said.chars().any(char::is_control), "{said:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_what_is_read_is_written_the_same(text in "[a-z!=(), ]{0,20}|.*") {
            if let Ok(selector) = text.parse::<LabelSelector>() {
                prop_assert_eq!(selector.to_string().parse::<LabelSelector>(), Ok(selector));
            }
        }

        #[test]
        fn a_requirement_and_its_opposite_share_all_stores(
            key in "[ab]", values in prop::collection::vec("[xy]?", 1..3), labels in prop::collection::btree_map("[ab]", "[xy]?", 0..3),
        ) {
            let values = values.join(",");
            for (one, other) in [
                (key.clone(), format!("!{key}")),
                (format!("{key} in ({values})"), format!("{key} notin ({values})")),
            ] {
                let matches = |text: &str| text.parse::<LabelSelector>().unwrap().matches(&labels);
                prop_assert!(matches(&one) != matches(&other), "{one} {other}");
            }
        }

        #[test]
        fn a_stores_own_labels_select_it(labels in prop::collection::btree_map("[a-z]([a-z./-]{0,3}[a-z])?", "[a-z]?", 1..4)) {
            let text = labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",");
            if let Ok(selector) = text.parse::<LabelSelector>() {
                prop_assert!(selector.matches(&labels));
            }
        }
    }
}
