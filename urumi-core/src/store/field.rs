//! A field of a request that cannot be accepted, or that its caller should know something about.

use std::fmt;

/// The most bytes of a field's path and of a message. Both may quote the request, which may be large.
const MAX_FIELD: usize = 200;
const MAX_MESSAGE: usize = 600;
/// The most errors that a text lists.
const MAX_LISTED: usize = 50;

/// One field of a request and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[error("{field}: {message}")]
pub struct FieldError {
    /// The field's path, e.g. `options.api.replicas`.
    pub field: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl FieldError {
    /// A complaint about a field. The middle of a path or message that is too long is left out.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        FieldError { field: shortened(field.into(), MAX_FIELD), message: shortened(message.into(), MAX_MESSAGE) }
    }
}

/// An option of a request that is accepted, and what its caller should know about it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct OptionWarning {
    /// The option's path, e.g. `options.api.env.API_KEY`.
    pub field: String,
    /// What to know about it, without its value. The path and this text are a sentence.
    pub message: String,
}

impl OptionWarning {
    /// A warning about an option. The middle of a path or message that is too long is left out.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        let FieldError { field, message } = FieldError::new(field, message);
        OptionWarning { field, message }
    }
}

impl fmt::Display for OptionWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.message)
    }
}

/// The errors in one text: the first 50, and how many there are besides.
pub(crate) fn join(errors: &[FieldError]) -> String {
    let mut text = errors.iter().take(MAX_LISTED).map(ToString::to_string).collect::<Vec<_>>().join("; ");
    if let Some(more) = errors.len().checked_sub(MAX_LISTED).filter(|more| *more > 0) {
        text.push_str(&format!("; … and {more} more"));
    }
    text
}

/// The text without its middle, if it has more than `most` bytes.
fn shortened(text: String, most: usize) -> String {
    if text.len() <= most {
        return text;
    }
    let half = most / 2;
    let head: String =
        text.char_indices().take_while(|(at, char)| at + char.len_utf8() <= half).map(|(_, c)| c).collect();
    let tail: String = text.char_indices().skip_while(|(at, _)| *at < text.len() - half).map(|(_, c)| c).collect();
    format!("{head}…{tail}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_long_value_keeps_the_words_around_it() {
        let message = format!("{:?} is not known; there is medusa", "é".repeat(100_000));
        let error = FieldError::new("é".repeat(100_000), message);
        assert!(error.message.starts_with("\"é") && error.message.ends_with("there is medusa"), "{error}");
        assert!(error.field.len() <= MAX_FIELD + 3 && error.message.len() <= MAX_MESSAGE + 3, "{error}");
        assert_eq!(FieldError::new("id", "is taken").to_string(), "id: is taken");
    }

    #[test]
    fn a_text_lists_the_first_errors_and_counts_the_others() {
        let errors = |count| vec![FieldError::new("id", "is taken"); count];
        assert_eq!(join(&errors(50)).matches("id: is taken").count(), 50);
        assert!(!join(&errors(50)).contains("more"));
        assert!(join(&errors(52)).ends_with("; id: is taken; … and 2 more"), "{}", join(&errors(52)));
        assert_eq!(join(&errors(52)).matches("id: is taken").count(), 50);
    }

    proptest! {
        #[test]
        fn no_text_is_longer_than_its_limit(text: String, most in 4..100_usize) {
            let short = shortened(text.clone(), most);
            prop_assert!(short == text || short.len() <= most + '…'.len_utf8());
        }
    }
}
