//! `--output`: the formats.

use std::sync::Arc;

use crate::extract::Extract;

/// The kind of output format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// For people, with more columns.
    Wide,
    /// For programs.
    Json,
    /// For programs.
    Yaml,
    /// Ids only, one a line.
    Name,
    /// Parts of the data, chosen by paths.
    Extract,
}

/// The formats in `--output`, with their meanings.
pub(crate) const FORMATS: [(&str, &str); 7] = [
    ("table", "for people"),
    ("wide", "for people, with more columns"),
    ("json", "for programs"),
    ("yaml", "for programs"),
    ("name", "ids only, one a line"),
    ("jsonpath=", "parts of the data, e.g. jsonpath='{.urls.storefront}'"),
    ("custom-columns=", "a table, e.g. custom-columns=ID:.id,URL:.urls.api"),
];

/// The output format.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    pub(crate) format: Format,
    /// What [`Format::Extract`] prints.
    pub(crate) extract: Option<Arc<Extract>>,
}

impl Output {
    /// Parses a value of `--output`.
    ///
    /// # Errors
    /// When there is no such format, or its paths are invalid.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (word, paths) = match text.split_once('=') {
            Some((word, paths)) => (word, Some(paths)),
            None => (text, None),
        };
        let format = match (word, paths) {
            ("table", None) => Format::Table,
            ("wide", None) => Format::Wide,
            ("json", None) => Format::Json,
            ("yaml", None) => Format::Yaml,
            ("name", None) => Format::Name,
            ("jsonpath", Some(paths)) => return Extract::template(paths).map(Output::extract),
            ("custom-columns", Some(paths)) => return Extract::columns(paths).map(Output::extract),
            _ => {
                let known: Vec<&str> = FORMATS.iter().map(|(format, _)| *format).collect();
                return Err(format!("there is no such format; the formats are {}", known.join(", ")));
            }
        };
        Ok(Output { format, extract: None })
    }

    fn extract(extract: Extract) -> Self {
        Output { format: Format::Extract, extract: Some(Arc::new(extract)) }
    }
}
