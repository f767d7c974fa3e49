//! `urumi logs`.

use anstyle::{AnsiColor, Style};
use futures::StreamExt as _;
use urumi_core::StoreOrchestratorExt as _;
use urumi_core::error::{Error, ErrorKind};
use urumi_core::store::logs::LogLine;

use crate::cli::{GlobalArgs, LogsArgs};
use crate::exit::CommandError;
use crate::output::{Out, printable, safe};
use crate::target::Target;
use crate::{follow, target};

/// The colours of components, in the order of their first line.
const COLOURS: [Style; 6] = [
    AnsiColor::Cyan.on_default(),
    AnsiColor::Magenta.on_default(),
    AnsiColor::Yellow.on_default(),
    AnsiColor::Green.on_default(),
    AnsiColor::Blue.on_default(),
    AnsiColor::Red.on_default(),
];

pub(super) async fn run(global: &GlobalArgs, out: &Out, args: &LogsArgs) -> Result<(), CommandError> {
    let target = target::connect(global, out).await?;
    let printing = print(&target, out, args);
    if !args.period.follow {
        return printing.await;
    }
    tokio::select! {
        biased;
        // Ctrl-C is the normal end of following.
        () = follow::told_to_stop() => Ok(()),
        result = printing => result,
    }
}

async fn print(target: &Target, out: &Out, args: &LogsArgs) -> Result<(), CommandError> {
    let id = target.stores.find(&args.which.store).await.map_err(|error| target.explain(error))?.id;
    let mut lines = target.stores.logs(&id, &args.query()).await.map_err(|error| target.explain(error))?;
    let mut formatter =
        LineFormatter { prefixed: !args.no_prefix, timestamps: args.timestamps, components: Vec::new() };
    let mut any = false;
    // If more lines follow, the error concerned one container of several. Otherwise the error ended the stream.
    let mut failed: Option<Error> = None;
    while let Some(line) = lines.next().await {
        if let Some(error) = failed.take() {
            out.warn(&error.to_string());
        }
        match line {
            Ok(line) => {
                any = true;
                if !out.record(&line)? {
                    out.data(&formatter.line(&line))?;
                }
            }
            Err(error) => failed = Some(error),
        }
    }
    match failed {
        Some(error) if !any || error.kind() == ErrorKind::Unreachable => Err(target.explain(error)),
        Some(error) => {
            out.warn(&error.to_string());
            Ok(())
        }
        None => {
            if !any {
                out.note(&format!("the logs of store {id} are empty"));
            }
            Ok(())
        }
    }
}

/// Formats log lines.
struct LineFormatter {
    /// Whether lines start with their component and pod.
    prefixed: bool,
    /// Whether lines have their time.
    timestamps: bool,
    /// The components seen so far. The index determines the colour.
    components: Vec<String>,
}

impl LineFormatter {
    fn line(&mut self, line: &LogLine) -> String {
        let mut text = String::new();
        if self.prefixed {
            let style = self.style(&line.component);
            let origin = safe(&format!("[{} {}]", line.component, line.pod));
            text.push_str(&format!("{style}{origin}{style:#} "));
        }
        if let Some(time) = line.timestamp.filter(|_| self.timestamps) {
            text.push_str(&format!("{time} "));
        }
        text.push_str(&printable(&line.text));
        text.push('\n');
        text
    }

    fn style(&mut self, component: &str) -> Style {
        let known = self.components.iter().position(|c| c == component);
        let index = known.unwrap_or_else(|| {
            self.components.push(component.to_owned());
            self.components.len() - 1
        });
        COLOURS.get(index % COLOURS.len()).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_have_colours_of_their_own_and_lines_cannot_change_the_terminal() {
        let line = |component: &str, text: &str| LogLine::new(component, format!("{component}-0"), component, text);
        let mut lines = LineFormatter { prefixed: true, timestamps: false, components: Vec::new() };
        let api = lines.line(&line("api", "one"));
        let database = lines.line(&line("database", "two"));
        assert_eq!(lines.line(&line("api", "one")), api);
        assert_ne!(api.split('[').nth(1), database.split('[').nth(1), "the colours are the same");
        let plain = |text: &str| anstream::adapter::strip_str(text).to_string();
        assert_eq!(plain(&api), "[api api-0] one\n");
        let mut bare = LineFormatter { prefixed: false, timestamps: true, components: Vec::new() };
        let coloured = "\u{1b}[32minfo\u{1b}[0m:\tok\r\u{1b}]0;title\u{7} \u{9b}2J🛍";
        let mut line = line("api", coloured);
        assert_eq!(bare.line(&line), "info:\tok\\r \\u{9b}2J🛍\n");
        line.timestamp = Some(jiff::Timestamp::from_nanosecond(1_800_000_000_000_000_001).unwrap());
        assert!(bare.line(&line).starts_with("2027-01-15T08:00:00.000000001Z info:"));
    }
}
