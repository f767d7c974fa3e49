//! `-o jsonpath=…` and `-o custom-columns=…`: parts of the data, chosen by JSONPath (RFC 9535).

use jsonpath_rust::parser::model::JpQuery;
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_process;
use serde_json::Value;

use crate::output::{Cell, safe, table};

/// What to print of the data.
#[derive(Clone, Debug)]
pub(crate) enum Extract {
    /// Text and paths, in this order.
    Template(Vec<Part>),
    /// A table, with a title and a path for each column.
    Columns(Vec<(String, Path)>),
}

/// A path.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    /// The path as the user wrote it.
    text: String,
    query: JpQuery,
}

/// A part of a template.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Text(String),
    Path(Path),
}

impl Extract {
    /// Parses a template such as `{.id}{"\t"}{.urls.api}{"\n"}`. A text without braces is one path.
    pub(crate) fn template(text: &str) -> Result<Self, String> {
        if !text.contains('{') {
            return Ok(Extract::Template(vec![Part::Path(path(text)?)]));
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let end = closing_brace(after).ok_or_else(|| format!("{text:?} has a '{{' without its '}}'"))?;
            let (inner, behind) = after.split_at(end);
            parts.push(part(inner.trim())?);
            rest = behind.get(1..).unwrap_or_default();
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Extract::Template(parts))
    }

    /// Parses columns such as `ID:.id,STOREFRONT:.urls.storefront`.
    pub(crate) fn columns(text: &str) -> Result<Self, String> {
        let column = |column: &str| match column.split_once(':') {
            Some((title, at)) if !title.is_empty() => Ok((title.to_owned(), path(at)?)),
            _ => Err(format!("{column:?} is not a column; write TITLE:PATH,TITLE:PATH")),
        };
        text.split(',').map(column).collect::<Result<_, String>>().map(Extract::Columns)
    }

    /// A note for each path of a template that selects nothing. A filter, and a list without elements, may select nothing.
    pub(crate) fn notes(&self, value: &Value) -> Vec<String> {
        let Extract::Template(parts) = self else { return Vec::new() };
        let paths = parts.iter().filter_map(|part| match part {
            Part::Path(path) => Some(path),
            Part::Text(_) => None,
        });
        let is_empty_list = value.as_array().is_some_and(Vec::is_empty);
        let selects_nothing = |path: &&Path| !path.text.contains('?') && path.select(value).is_empty();
        paths.filter(|_| !is_empty_list).filter(selects_nothing).map(|path| path.note(value)).collect()
    }

    /// Prints parts of a value. In a table, a list has a row for each of its elements.
    pub(crate) fn render(&self, value: &Value) -> String {
        match self {
            Extract::Template(parts) => {
                let part = |part: &Part| match part {
                    Part::Text(text) => text.clone(),
                    Part::Path(path) => found(path, value, " "),
                };
                let text: String = parts.iter().map(part).collect();
                if text.is_empty() || text.ends_with('\n') { text } else { text + "\n" }
            }
            Extract::Columns(columns) => {
                let rows = match value {
                    Value::Array(values) => values.as_slice(),
                    one => std::slice::from_ref(one),
                };
                let cell = |(_, path): &(String, Path), row: &Value| {
                    let text = found(path, row, ",");
                    Cell::new(if text.is_empty() { "<none>" } else { &text })
                };
                let row = |row: &Value| columns.iter().map(|column| cell(column, row)).collect();
                let titles: Vec<&str> = columns.iter().map(|(title, _)| title.as_str()).collect();
                table(&titles, rows.iter().map(row).collect())
            }
        }
    }
}

/// The position of the brace that ends an expression, outside quotes.
fn closing_brace(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '}') => return Some(at),
            (None, _) => {}
        }
    }
    None
}

fn part(text: &str) -> Result<Part, String> {
    if text.starts_with('"') {
        let text = serde_json::from_str(text).map_err(|error| format!("{text} is not a text in quotes: {error}"))?;
        return Ok(Part::Text(text));
    }
    if text == "end" || text.split_whitespace().next() == Some("range") {
        return Err("{range} and {end} are not supported; use [*], custom-columns, or -o json and jq".to_owned());
    }
    path(text).map(Part::Path)
}

impl Path {
    /// The values at the path.
    fn select<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        let found = js_path_process(&self.query, value).unwrap_or_default();
        found.into_iter().map(|found| found.val()).collect()
    }

    /// What to know about a path that selects nothing of the value.
    fn note(&self, value: &Value) -> String {
        let text = &self.text;
        // Lists of kubectl have `items`.
        let rest = text.trim_start_matches(['$', '@']);
        let rest = rest.strip_prefix(".items").or_else(|| rest.strip_prefix("items")).unwrap_or(rest);
        let dot = if rest.starts_with(['.', '[']) { "" } else { "." };
        let meant = [rest.to_owned(), format!("[*]{dot}{rest}")];
        let meant = meant.iter().find(|text| path(text).is_ok_and(|path| !path.select(value).is_empty()));
        match meant {
            Some(meant) if value.is_array() => {
                format!("note: the path {text} selects nothing; a list is an array: write {{{meant}}}")
            }
            _ => format!("note: the path {text} selects nothing"),
        }
    }
}

/// Parses a path. `.a.b` and `a.b`, as kubectl has them, mean `$.a.b`.
fn path(text: &str) -> Result<Path, String> {
    let text = text.trim();
    let full = match text.chars().next() {
        None => return Err("a path must not be empty".to_owned()),
        Some('$') => text.to_owned(),
        Some('@') => text.replacen('@', "$", 1),
        Some('.') if text == "." => "$".to_owned(),
        Some('.' | '[') => format!("${text}"),
        Some(_) => format!("$.{text}"),
    };
    parse_json_path(&full)
        .map(|query| Path { text: text.to_owned(), query })
        .map_err(|_| format!("{text:?} is not a JSONPath; e.g. .urls.api, [*].id or [?@.owner=='a'].id"))
}

/// The values at a path, as text.
fn found(path: &Path, value: &Value, separator: &str) -> String {
    let text = |value: &Value| match value {
        Value::String(text) => safe(text),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    path.select(value).into_iter().map(text).collect::<Vec<_>>().join(separator)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn template(text: &str, value: &Value) -> String {
        Extract::template(text).unwrap().render(value)
    }

    #[test]
    fn templates_as_kubectl_has_them() {
        let store = json!({"id": "shop", "urls": {"api": "http://x"}, "conditions": [{"type": "Ready"}, {"type": "Api"}],
            "labels": {"example.com/team": "web"}, "name": "a\u{1b}b"});
        for (text, expected) in [
            ("{.id}", "shop\n"),
            (".urls.api", "http://x\n"),
            ("urls.api", "http://x\n"),
            ("{.id}{\"\\t\"}{.urls.api}{\"\\n\"}", "shop\thttp://x\n"),
            ("id={.id} {$.conditions[*].type}", "id=shop Ready Api\n"),
            ("{.conditions[?(@.type=='Api')].type}", "Api\n"),
            ("{.labels['example.com/team']}", "web\n"),
            ("{.urls}", "{\"api\":\"http://x\"}\n"),
            ("{.nothing}", ""),
            ("{\"}\"}", "}\n"),
            ("{.name}", "a\\u{1b}b\n"),
        ] {
            assert_eq!(template(text, &store), expected, "{text}");
        }
        assert_eq!(template("{[*].id}", &json!([{"id": "a"}, {"id": "b"}])), "a b\n");
        for text in ["", "{", "{.id", "{}", "{range .items[*]}", "{.a[}", "{\"a}"] {
            assert!(Extract::template(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_path_that_selects_nothing_is_noted() {
        let note = |text: &str, value: &Value| Extract::template(text).unwrap().notes(value).join("\n");
        let stores = json!([{"id": "a", "labels": {}, "readyAt": null}, {"id": "b"}]);
        for text in ["{.items[*].id}", "{.id}", "id", "$.items[*].id", "{.items.id}"] {
            assert!(
                note(text, &stores).ends_with("a list is an array: write {[*].id}"),
                "{text}: {}",
                note(text, &stores)
            );
        }
        assert!(note("{.items[0].id}", &stores).ends_with("write {[0].id}"));
        assert_eq!(note("{[*].id} {.nope}", &stores), "note: the path .nope selects nothing");
        assert_eq!(note("{.nope}", &stores[0]), "note: the path .nope selects nothing");
        for text in ["{[*].id}", "{[0].readyAt}", "{[?@.id=='c'].id}", "text {\"x\"}"] {
            assert_eq!(note(text, &stores), "", "{text}");
        }
        assert_eq!(note("{[*].id}", &json!([])), "");
    }

    #[test]
    fn columns_have_a_row_for_each_element() {
        let columns = Extract::columns("ID:.id,URL:.urls.api").unwrap();
        let stores = json!([{"id": "a", "urls": {}}, {"id": "bcd", "urls": {"api": "http://x"}}]);
        let plain = |value: &Value| anstream::adapter::strip_str(&columns.render(value)).to_string();
        assert_eq!(plain(&stores), "ID   URL\na    <none>\nbcd  http://x\n");
        assert_eq!(plain(&stores[0]), "ID  URL\na   <none>\n");
        for text in ["", "id", ":.id", "ID:"] {
            assert!(Extract::columns(text).is_err(), "{text}");
        }
    }
}
