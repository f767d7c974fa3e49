//! All output: data on stdout, messages on stderr.

use std::io::{self, Write as _};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;
use urumi_core::Store;
use urumi_core::store::status::{ConditionStatus, StoreStatus};

use crate::exit::{CommandError, ExitStatus};
use crate::format::{Format, Output};
use crate::{terminal, yaml};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const RED: Style = AnsiColor::Red.on_default();
const GREEN: Style = AnsiColor::Green.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();

/// Prints output in the chosen format.
#[derive(Clone, Debug)]
pub(crate) struct Out {
    output: Option<Output>,
    quiet: bool,
}

impl Out {
    pub(crate) fn new(output: Option<Output>, quiet: bool) -> Self {
        Out { output, quiet }
    }

    /// The same output with all notes, for questions.
    pub(crate) fn asking(&self) -> Self {
        Out { quiet: false, ..self.clone() }
    }

    /// The chosen format, if any.
    pub(crate) fn format(&self) -> Option<Format> {
        self.output.as_ref().map(|output| output.format)
    }

    /// Whether the output is for people: a table, or text.
    pub(crate) fn is_for_people(&self) -> bool {
        matches!(self.format(), None | Some(Format::Table | Format::Wide))
    }

    /// Whether the output has more columns.
    pub(crate) fn is_wide(&self) -> bool {
        self.format() == Some(Format::Wide)
    }

    /// Whether to print only errors.
    pub(crate) fn quiet(&self) -> bool {
        self.quiet
    }

    /// Prints data to stdout.
    pub(crate) fn data(&self, text: &str) -> Result<(), CommandError> {
        let mut stdout = anstream::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()?;
        Ok(())
    }

    /// Prints data as JSON or YAML, or parts of it, if the format is one of these. Otherwise returns `false`.
    pub(crate) fn structured(&self, value: &impl Serialize) -> Result<bool, CommandError> {
        self.structured_as(value, false)
    }

    /// Like [`structured`](Self::structured), for one of several values: JSON on one line, YAML as a document of a stream.
    pub(crate) fn record(&self, value: &impl Serialize) -> Result<bool, CommandError> {
        if self.format() == Some(Format::Yaml) {
            self.data("---\n")?;
        }
        self.structured_as(value, true)
    }

    fn structured_as(&self, value: &impl Serialize, is_stream: bool) -> Result<bool, CommandError> {
        let Some(output) = &self.output else { return Ok(false) };
        let text = match (output.format, &output.extract) {
            (Format::Json, _) if is_stream => json_line(value)?,
            (Format::Json, _) => json(value)?,
            (Format::Yaml, _) => to_yaml(value)?,
            (Format::Extract, Some(extract)) => {
                let value = to_value(value)?;
                // The values of a stream have different fields.
                if !is_stream {
                    extract.notes(&value).iter().for_each(|note| self.note(note));
                }
                extract.render(&value)
            }
            _ => return Ok(false),
        };
        self.data(&text)?;
        Ok(true)
    }

    /// Prints one store as a row.
    pub(crate) fn store(&self, store: &Store) -> Result<(), CommandError> {
        if self.structured(store)? {
            return Ok(());
        }
        self.data(&self.rows(std::slice::from_ref(store)))
    }

    /// Prints stores as rows.
    pub(crate) fn stores(&self, stores: &[Store]) -> Result<(), CommandError> {
        if self.structured(&stores)? {
            return Ok(());
        }
        self.data(&self.rows(stores))
    }

    /// Prints stores whose operation is complete: their ids or JSON for programs, nothing for people, who have read the notes.
    pub(crate) fn done(&self, stores: &[Store], is_list: bool) -> Result<(), CommandError> {
        match stores {
            _ if self.is_for_people() => Ok(()),
            [store] if !is_list => self.store(store),
            stores => self.stores(stores),
        }
    }

    fn rows(&self, stores: &[Store]) -> String {
        match self.format() {
            Some(Format::Name) => stores.iter().map(|s| format!("{}\n", s.id)).collect(),
            _ => StoreTable::new(self.is_wide(), true).rows(stores, Timestamp::now()),
        }
    }

    /// Prints a note to stderr.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            print_message(&format!("{}\n", safe(text)));
        }
    }

    /// Prints a warning to stderr.
    pub(crate) fn warn(&self, text: &str) {
        if !self.quiet {
            print_message(&format!("{YELLOW}warning:{YELLOW:#} {}\n", safe(text)));
        }
    }

    /// Prints errors, causes and hints, and returns the exit code.
    pub(crate) fn error(&self, error: &CommandError) -> ExitCode {
        let mut text = String::new();
        if self.format() == Some(Format::Json) && !error.errors.is_empty() {
            // Nothing can be done about an error that cannot be printed.
            print_message(&json_line(&json_error(error)).unwrap_or_default());
            return exit_code(error.code);
        }
        for line in &error.errors {
            text.push_str(&format!("{RED}error:{RED:#} {}\n", safe(line)));
        }
        for cause in &error.causes {
            text.push_str(&format!("  cause: {}\n", safe(cause)));
        }
        for hint in &error.hints {
            text.push_str(&format!("  {DIM}hint:{DIM:#} {}\n", safe(hint)));
        }
        print_message(&text);
        exit_code(error.code)
    }
}

fn exit_code(status: ExitStatus) -> ExitCode {
    ExitCode::from(status as u8)
}

/// An error for programs.
fn json_error(error: &CommandError) -> Value {
    let CommandError { code, errors, causes, hints } = error;
    let clean = |lines: &[String]| lines.iter().map(|line| safe(line)).collect::<Vec<_>>();
    json!({
        "exitCode": *code as u8, "errors": clean(errors), "causes": clean(causes), "hints": clean(hints),
    })
}

/// Writes to stderr. Ignores errors: there is no other place to report them.
fn print_message(text: &str) {
    terminal::suspended(|| drop(anstream::stderr().write_all(text.as_bytes())));
}

/// Formats a value as indented JSON, with a newline.
pub(crate) fn json(value: &impl Serialize) -> Result<String, CommandError> {
    serde_json::to_string_pretty(value).map(|text| text + "\n").map_err(|e| io::Error::from(e).into())
}

/// Formats a value as JSON on one line.
pub(crate) fn json_line(value: &impl Serialize) -> Result<String, CommandError> {
    serde_json::to_string(value).map(|text| text + "\n").map_err(|e| io::Error::from(e).into())
}

fn to_value(value: &impl Serialize) -> Result<Value, CommandError> {
    serde_json::to_value(value).map_err(|error| io::Error::from(error).into())
}

/// Formats a value as YAML.
pub(crate) fn to_yaml(value: &impl Serialize) -> Result<String, CommandError> {
    yaml::to_string(value).map_err(|e| io::Error::other(e).into())
}

/// Escapes control characters, so that the text stays on one line and cannot control the terminal.
pub(crate) fn safe(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() }).collect()
}

/// Removes colours from a program's log line and escapes all other control characters except tabs.
pub(crate) fn printable(line: &str) -> String {
    let plain = anstream::adapter::strip_str(line).to_string();
    plain.split('\t').map(safe).collect::<Vec<_>>().join("\t")
}

/// The width of the terminal; 80 columns without one.
pub(crate) fn width() -> usize {
    terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0).clamp(40, 120))
}

/// Breaks a text into indented lines that fit a width.
pub(crate) fn wrapped(text: &str, indent: usize, width: usize) -> String {
    let mut out = String::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let word = safe(word);
        let fits = used + 1 + word.width() <= width;
        match (used, fits) {
            (0, _) => {}
            (_, true) => {
                out.push(' ');
                used += 1;
            }
            (_, false) => {
                out.push('\n');
                used = 0;
            }
        }
        if used == 0 {
            out.extend(std::iter::repeat_n(' ', indent));
            used = indent;
        }
        used += word.width();
        out.push_str(&word);
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

/// A number with its noun, e.g. `1 store`, `2 stores`.
pub(crate) fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Formats values with their titles, one per line.
pub(crate) fn facts(facts: Vec<(&str, Cell)>) -> String {
    columns(facts.into_iter().map(|(title, value)| vec![Cell::new(title).style(BOLD), value]).collect())
}

/// A cell of a table.
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub(crate) fn new(text: impl AsRef<str>) -> Self {
        Cell { text: safe(text.as_ref()), style: Style::new() }
    }

    pub(crate) fn style(mut self, style: Style) -> Self {
        self.style = style;
        self
    }

    /// A status, in its colour.
    pub(crate) fn status(status: StoreStatus) -> Self {
        Cell::status_like(status.as_str(), status)
    }

    /// A word in the colour of a status.
    pub(crate) fn status_like(word: &str, status: StoreStatus) -> Self {
        Cell::new(word).style(match status {
            StoreStatus::Ready => GREEN,
            StoreStatus::Failed => RED,
            StoreStatus::Deleting => DIM,
            _ => YELLOW,
        })
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Cell::new(text)
    }
}

/// Formats a table with a header.
pub(crate) fn table(head: &[&str], rows: Vec<Vec<Cell>>) -> String {
    let head = head.iter().map(|title| Cell::new(title).style(BOLD)).collect();
    columns(std::iter::once(head).chain(rows).collect())
}

/// Aligns columns, separated by two spaces.
pub(crate) fn columns(rows: Vec<Vec<Cell>>) -> String {
    columns_after(rows, &mut Vec::new())
}

/// Like [`columns`], starting with these widths. Widens them where necessary.
fn columns_after(rows: Vec<Vec<Cell>>, widths: &mut Vec<usize>) -> String {
    for row in &rows {
        for (column, cell) in row.iter().enumerate() {
            let width = cell.text.width();
            match widths.get_mut(column) {
                Some(widest) => *widest = width.max(*widest),
                None => widths.push(width),
            }
        }
    }
    let mut out = String::new();
    for row in rows {
        // No padding before empty cells at the end of a line.
        let filled = row.iter().rposition(|cell| !cell.text.is_empty()).map_or(0, |last| last + 1);
        for (column, (cell, width)) in row.iter().zip(widths.iter()).take(filled).enumerate() {
            let style = cell.style;
            out.push_str(&format!("{style}{}{style:#}", cell.text));
            if column + 1 < filled {
                out.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.text.width()) + 2));
            }
        }
        out.push('\n');
    }
    out
}

/// A table that is printed in parts: one header, and columns that never get narrower.
pub(crate) struct GrowingTable {
    /// The titles, until they are printed.
    head: Vec<&'static str>,
    widths: Vec<usize>,
}

impl GrowingTable {
    /// With the titles of the columns; without a header, none.
    pub(crate) fn new(head: Vec<&'static str>) -> Self {
        GrowingTable { head, widths: Vec::new() }
    }

    /// With at least these widths of the first columns, so that later rows are aligned with the first ones.
    pub(crate) fn at_least(mut self, widths: Vec<usize>) -> Self {
        self.widths = widths;
        self
    }

    /// Formats the next rows, and the header before the first ones.
    pub(crate) fn rows(&mut self, mut rows: Vec<Vec<Cell>>) -> String {
        let head = std::mem::take(&mut self.head);
        if !head.is_empty() {
            rows.insert(0, head.into_iter().map(|title| Cell::new(title).style(BOLD)).collect());
        }
        columns_after(rows, &mut self.widths)
    }
}

/// A table of stores that is printed in parts.
pub(crate) struct StoreTable {
    wide: bool,
    table: GrowingTable,
}

impl StoreTable {
    pub(crate) fn new(wide: bool, headers: bool) -> Self {
        let mut head = vec!["ID", "NAME", "ENGINE", "STATUS", "AGE", "STOREFRONT"];
        if wide {
            head.extend(["API", "NAMESPACE", "OWNER", "LABELS", "REASON"]);
        }
        StoreTable { wide, table: GrowingTable::new(if headers { head } else { Vec::new() }) }
    }

    /// For stores that change and are added: with room for a random id, a name, every engine, status and age.
    pub(crate) fn growing(wide: bool, headers: bool) -> Self {
        let StoreTable { table, .. } = StoreTable::new(wide, headers);
        StoreTable { wide, table: table.at_least(vec![12, 16, 6, 12, 6]) }
    }

    /// Formats the next stores.
    pub(crate) fn rows(&mut self, stores: &[Store], now: Timestamp) -> String {
        self.table.rows(store_rows(stores, self.wide, now))
    }
}

/// Labels in the notation of `--label`.
fn labels(store: &Store) -> String {
    store.labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

fn store_rows(stores: &[Store], wide: bool, now: Timestamp) -> Vec<Vec<Cell>> {
    let row = |store: &Store| {
        let url = |url: &Option<String>| Cell::new(url.as_deref().unwrap_or("-"));
        let mut row: Vec<Cell> = vec![
            store.id.as_str().into(),
            (&store.name).into(),
            (&store.engine).into(),
            Cell::status(store.status),
            age(store.created_at, now).into(),
            url(&store.urls.storefront),
        ];
        if wide {
            row.extend([
                url(&store.urls.api),
                (&store.namespace).into(),
                store.owner.as_deref().unwrap_or("-").into(),
                if store.labels.is_empty() { "-".into() } else { labels(store).into() },
                store.reason.as_deref().unwrap_or("").into(),
            ]);
        }
        row
    };
    stores.iter().map(row).collect()
}

/// Formats a store with the state of each component.
pub(crate) fn details(store: &Store, wide: bool, now: Timestamp) -> String {
    let mut lines: Vec<(&str, Cell)> = vec![
        ("Id", store.id.as_str().into()),
        ("Name", (&store.name).into()),
        ("Engine", (&store.engine).into()),
        ("Status", Cell::status(store.status)),
    ];
    lines.extend(store.reason.as_deref().map(|reason| ("Reason", reason.into())));
    lines.extend(store.owner.as_deref().map(|owner| ("Owner", owner.into())));
    if !store.labels.is_empty() {
        lines.push(("Labels", labels(store).into()));
    }
    lines.push(("Namespace", (&store.namespace).into()));
    lines.extend(store.urls.storefront.as_deref().map(|url| ("Storefront", url.into())));
    lines.extend(store.urls.api.as_deref().map(|url| ("API", url.into())));
    let created = format!("{:.0} ({} ago)", store.created_at, age(store.created_at, now));
    lines.push(("Created", created.into()));
    if wide {
        let ready = store.ready_at.map(|at| format!("{at:.0} ({} ago)", age(at, now)));
        lines.push(("Ready", ready.as_deref().unwrap_or("-").into()));
        lines.push(("Version", (&store.resource_version).into()));
    }
    let mut out = facts(lines);
    if !store.conditions.is_empty() {
        let row = |c: &urumi_core::store::status::Condition| {
            let (word, style) = match c.status {
                ConditionStatus::True => ("True", GREEN),
                ConditionStatus::False => ("False", YELLOW),
                ConditionStatus::Unknown => ("Unknown", DIM),
            };
            vec![
                (&c.type_).into(),
                Cell::new(word).style(style),
                age(c.last_transition_time, now).into(),
                (&c.reason).into(),
                (&c.message).into(),
            ]
        };
        out.push('\n');
        out.push_str(&table(
            &["CONDITION", "STATUS", "SINCE", "REASON", "MESSAGE"],
            store.conditions.iter().map(row).collect(),
        ));
    }
    out
}

/// The time since `then`, in one or two units.
pub(crate) fn age(then: Timestamp, now: Timestamp) -> String {
    short(now.duration_since(then).max(SignedDuration::ZERO))
}

/// A duration in one or two units.
pub(crate) fn short(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match seconds {
        ..60 => format!("{seconds}s"),
        60..3600 if seconds % 60 == 0 || minutes >= 10 => format!("{minutes}m"),
        60..3600 => format!("{minutes}m{}s", seconds % 60),
        3600..86_400 if minutes == 0 => format!("{hours}h"),
        3600..86_400 => format!("{hours}h{minutes}m"),
        _ if hours == 0 || days >= 10 => format!("{days}d"),
        _ => format!("{days}d{hours}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_store::test_store;
    use urumi_core::store::status::Condition;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn store(id: &str, name: &str, status: StoreStatus) -> Store {
        let reason = (status != StoreStatus::Ready).then_some("ImagePullBackOff no such image");
        test_store(
            id,
            json!({
                "name": name, "status": status, "reason": reason, "createdAt": at(0),
                "urls": {"storefront": format!("http://store-{id}.localtest.me")},
                "conditions": [
                    Condition::new("Ready", ConditionStatus::False, "ImagePullBackOff", "no such\nimage", at(60)),
                    Condition::new("DatabaseReady", ConditionStatus::True, "Available", "", at(30)),
                ],
            }),
        )
    }

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn stores_are_aligned_whatever_their_names() {
        let stores = [
            store("a", "Shop", StoreStatus::Ready),
            store("abcdefghijkl", "日本の店 🛍", StoreStatus::Failed),
            store("b", "evil\u{1b}[31m\nname", StoreStatus::Deleting),
        ];
        for wide in [false, true] {
            insta::assert_snapshot!(plain(&StoreTable::new(wide, true).rows(&stores, at(90))));
        }
        assert!(!StoreTable::new(false, false).rows(&stores, at(90)).contains("STATUS"));
    }

    #[test]
    fn stores_that_change_stay_aligned() {
        let mut table = StoreTable::growing(false, true);
        let first = table.rows(&[store("a", "Shop", StoreStatus::Ready)], at(1));
        let later = [
            store("abcdefghijkl", "Flowers & more", StoreStatus::Provisioning),
            store("b", "Shop", StoreStatus::Deleting),
        ];
        let text = plain(&(first + &table.rows(&later, at(86_399))));
        let column = |line: &str| line.find("STOREFRONT").or_else(|| line.find("http://"));
        let columns: Vec<_> = text.lines().map(column).collect();
        assert!(columns.iter().all(|at| at.is_some() && *at == columns[0]), "{text}");
    }

    #[test]
    fn a_store_in_detail() {
        for wide in [false, true] {
            insta::assert_snapshot!(plain(&details(&store("a", "Shop", StoreStatus::Failed), wide, at(7200))));
        }
    }

    #[test]
    fn an_error_for_programs_cannot_change_the_terminal() {
        let mut error = CommandError::new(ExitStatus::NotFound, "no store \u{1b}[31m").hint("look");
        error.causes.push("gone".into());
        let expected =
            json!({"exitCode": 3, "errors": ["no store \\u{1b}[31m"], "causes": ["gone"], "hints": ["look"]});
        assert_eq!(json_error(&error), expected);
    }

    #[test]
    fn ages() {
        for (seconds, text) in [
            (-5, "0s"),
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (61, "1m1s"),
            (601, "10m"),
            (3600, "1h"),
            (5400, "1h30m"),
            (86_400, "1d"),
            (90_000, "1d1h"),
            (864_000, "10d"),
            (99 * 86_400 + 5000, "99d"),
        ] {
            assert_eq!(age(at(0), at(seconds)), text);
        }
    }
}
