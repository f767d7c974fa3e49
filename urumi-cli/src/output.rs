//! All output: data on stdout, messages on stderr.

use std::io::{self, Write as _};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use unicode_width::UnicodeWidthStr;
use urumi_core::Store;
use urumi_core::store::status::{ConditionStatus, StoreStatus};

use crate::cli::Format;
use crate::exit::{CommandError, ExitStatus};
use crate::{terminal, yaml};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const RED: Style = AnsiColor::Red.on_default();
const GREEN: Style = AnsiColor::Green.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();

/// Prints output in the chosen format.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Out {
    format: Option<Format>,
    quiet: bool,
}

impl Out {
    pub(crate) fn new(format: Option<Format>, quiet: bool) -> Self {
        Out { format, quiet }
    }

    /// The chosen format, if any.
    pub(crate) fn format(&self) -> Option<Format> {
        self.format
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

    /// Prints data as JSON or YAML if the format is one of them. Otherwise returns `false`.
    pub(crate) fn structured(&self, value: &impl Serialize) -> Result<bool, CommandError> {
        match self.format {
            Some(Format::Json) => self.data(&json(value)?)?,
            Some(Format::Yaml) => self.data(&to_yaml(value)?)?,
            _ => return Ok(false),
        }
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

    /// Prints one store with all details.
    pub(crate) fn details(&self, store: &Store) -> Result<(), CommandError> {
        match self.format {
            None | Some(Format::Table | Format::Wide) => self.data(&details(store, Timestamp::now())),
            _ => self.store(store),
        }
    }

    fn rows(&self, stores: &[Store]) -> String {
        match self.format {
            Some(Format::Name) => stores.iter().map(|s| format!("{}\n", s.id)).collect(),
            format => store_table(stores, format == Some(Format::Wide), Timestamp::now()),
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
        match error.code {
            ExitStatus::Ok => ExitCode::SUCCESS,
            code => ExitCode::from(code as u8),
        }
    }
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

/// Formats stores as a table.
pub(crate) fn store_table(stores: &[Store], wide: bool, now: Timestamp) -> String {
    StoreTable::new(wide).rows(stores, now)
}

/// A table of stores that is printed in parts: one header, and columns that never get narrower.
pub(crate) struct StoreTable {
    wide: bool,
    begun: bool,
    widths: Vec<usize>,
}

impl StoreTable {
    pub(crate) fn new(wide: bool) -> Self {
        StoreTable { wide, begun: false, widths: Vec::new() }
    }

    /// Formats the next rows, and the header before the first ones.
    pub(crate) fn rows(&mut self, stores: &[Store], now: Timestamp) -> String {
        let mut rows = store_rows(stores, self.wide, now);
        if !self.begun {
            let mut head = vec!["ID", "NAME", "ENGINE", "STATUS", "AGE", "STOREFRONT"];
            if self.wide {
                head.extend(["API", "NAMESPACE", "OWNER", "REASON"]);
            }
            rows.insert(0, head.iter().map(|title| Cell::new(title).style(BOLD)).collect());
            self.begun = true;
        }
        columns_after(rows, &mut self.widths)
    }
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
                store.reason.as_deref().unwrap_or("").into(),
            ]);
        }
        row
    };
    stores.iter().map(row).collect()
}

/// Formats a store with all details.
fn details(store: &Store, now: Timestamp) -> String {
    let mut lines: Vec<(&str, Cell)> = vec![
        ("Id", store.id.as_str().into()),
        ("Name", (&store.name).into()),
        ("Engine", (&store.engine).into()),
        ("Status", Cell::status(store.status)),
    ];
    lines.extend(store.reason.as_deref().map(|reason| ("Reason", reason.into())));
    lines.extend(store.owner.as_deref().map(|owner| ("Owner", owner.into())));
    lines.push(("Namespace", (&store.namespace).into()));
    lines.extend(store.urls.storefront.as_deref().map(|url| ("Storefront", url.into())));
    lines.extend(store.urls.api.as_deref().map(|url| ("API", url.into())));
    let created = format!("{:.0} ({} ago)", store.created_at, age(store.created_at, now));
    lines.push(("Created", created.into()));
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
    use serde_json::json;
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
        insta::assert_snapshot!(plain(&store_table(&stores, false, at(90))));
        insta::assert_snapshot!(plain(&store_table(&stores, true, at(90))));
    }

    #[test]
    fn a_store_in_detail() {
        insta::assert_snapshot!(plain(&details(&store("a", "Shop", StoreStatus::Failed), at(7200))));
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
