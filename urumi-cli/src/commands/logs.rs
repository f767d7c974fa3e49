//! `urumi logs`.

use anstyle::{AnsiColor, Style};
use futures::StreamExt as _;
use urumi_core::StoreOrchestratorExt as _;
use urumi_core::error::{Error, ErrorKind};
use urumi_core::store::logs::{LogLine, LogQuery};

use crate::cli::{Format, GlobalArgs};
use crate::exit::CommandError;
use crate::output::{Out, json_line, printable, safe, to_yaml};
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

pub(super) async fn run(global: &GlobalArgs, out: &Out, which: &str, query: &LogQuery) -> Result<(), CommandError> {
    let target = target::connect(global, out).await?;
    let printing = print(&target, out, which, query);
    if !query.follow {
        return printing.await;
    }
    tokio::select! {
        biased;
        // Ctrl-C is the normal end of following.
        () = follow::told_to_stop() => Ok(()),
        result = printing => result,
    }
}

async fn print(target: &Target, out: &Out, which: &str, query: &LogQuery) -> Result<(), CommandError> {
    let id = target.stores.find(which).await?.id;
    let mut lines = target.stores.logs(&id, query).await?;
    let mut formatter =
        LineFormatter { format: out.format(), prefixed: query.component.is_none(), components: Vec::new() };
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
                out.data(&formatter.line(&line)?)?;
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
    format: Option<Format>,
    /// Whether lines start with their component and pod.
    prefixed: bool,
    /// The components seen so far. The index determines the colour.
    components: Vec<String>,
}

impl LineFormatter {
    fn line(&mut self, line: &LogLine) -> Result<String, CommandError> {
        match self.format {
            Some(Format::Json) => json_line(line),
            Some(Format::Yaml) => Ok(format!("---\n{}", to_yaml(line)?)),
            _ if self.prefixed => {
                let style = self.style(&line.component);
                let origin = safe(&format!("[{} {}]", line.component, line.pod));
                Ok(format!("{style}{origin}{style:#} {}\n", printable(&line.text)))
            }
            _ => Ok(format!("{}\n", printable(&line.text))),
        }
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
        let mut lines = LineFormatter { format: None, prefixed: true, components: Vec::new() };
        let api = lines.line(&line("api", "one")).unwrap();
        let database = lines.line(&line("database", "two")).unwrap();
        assert_eq!(lines.line(&line("api", "one")).unwrap(), api);
        assert_ne!(api.split('[').nth(1), database.split('[').nth(1), "the colours are the same");
        let plain = |text: &str| anstream::adapter::strip_str(text).to_string();
        assert_eq!(plain(&api), "[api api-0] one\n");
        let mut bare = LineFormatter { format: None, prefixed: false, components: Vec::new() };
        let coloured = "\u{1b}[32minfo\u{1b}[0m:\tok\r\u{1b}]0;title\u{7} \u{9b}2J🛍";
        assert_eq!(bare.line(&line("api", coloured)).unwrap(), "info:\tok\\r \\u{9b}2J🛍\n");
        let mut json = LineFormatter { format: Some(Format::Json), prefixed: true, components: Vec::new() };
        let object: LogLine = serde_json::from_str(&json.line(&line("api", coloured)).unwrap()).unwrap();
        assert_eq!(object.text, coloured);
    }
}
