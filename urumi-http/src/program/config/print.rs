//! Prints the effective options as a configuration file.

use std::fmt::Write as _;
use std::path::Path;

use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches};

use super::values::Endpoint;
use super::{command_line, file};

/// Whether a flag or a variable sets the option.
pub(super) fn is_given(matches: &ArgMatches, id: &str) -> bool {
    matches!(matches.value_source(id), Some(ValueSource::CommandLine | ValueSource::EnvVariable))
}

/// All settings with their sources, without secrets.
pub(super) fn print(matches: &ArgMatches, from_file: &[String], path: Option<&Path>) -> String {
    let command = command_line();
    let mut text = String::new();
    for (arg, key) in file::settings(&command) {
        let id = arg.get_id().as_str();
        let source = match matches.value_source(id) {
            _ if from_file.iter().any(|it| it == id) => {
                format!("file {}", path.map(|it| it.display().to_string()).unwrap_or_default())
            }
            Some(ValueSource::CommandLine) => format!("flag --{key}"),
            Some(ValueSource::EnvVariable) => {
                format!("variable {}", arg.get_env().unwrap_or_default().to_string_lossy())
            }
            Some(_) => "default".to_owned(),
            None => {
                // Writing to a String does not fail.
                let _ = writeln!(text, "# {key}:  # not set");
                continue;
            }
        };
        let raw = matches.get_raw(id).into_iter().flatten();
        let values: Vec<String> = raw.map(|value| scalar(key, &value.to_string_lossy())).collect();
        let value = match arg.get_action() {
            ArgAction::Append => format!("[{}]", values.join(", ")),
            _ => values.concat(),
        };
        let _ = writeln!(text, "{key}: {value}  # {source}");
    }
    text
}

/// A value as YAML that parses to the same text, number or boolean.
fn scalar(key: &str, value: &str) -> String {
    let value = if key == "otlp-endpoint" { Endpoint::redacted(value) } else { value.to_owned() };
    let is_plain = value.parse::<u64>().is_ok() || matches!(value.as_str(), "true" | "false");
    // JSON strings are valid YAML, also in a list.
    if is_plain { value } else { serde_json::Value::String(value).to_string() }
}
