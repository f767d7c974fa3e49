//! The configuration file: the options of the command line as YAML, with the same parsers.

use std::ffi::OsString;
use std::path::Path;

use clap::{Arg, ArgAction};
use serde_json::Value;

use super::error::ConfigError;
use super::{command_line, takes_value};
use crate::yaml;

/// A setting in the file.
pub(super) struct Setting {
    /// Its id in clap.
    pub(super) id: String,
    key: String,
    values: Vec<String>,
}

impl Setting {
    /// The setting as arguments.
    pub(super) fn args(&self) -> impl Iterator<Item = OsString> {
        self.values.iter().map(|value| format!("--{}={value}", self.key).into())
    }
}

/// All options that a file may contain, in the order of `--help`.
pub(super) fn settings(command: &clap::Command) -> impl Iterator<Item = (&Arg, &str)> {
    command
        .get_arguments()
        .filter(|arg| takes_value(arg))
        .filter_map(|arg| Some((arg, arg.get_long()?)))
        .filter(|(_, key)| *key != "config")
}

/// Reads a file and checks all values, including those that a flag or variable overrides.
pub(super) fn read(path: &Path) -> Result<Vec<Setting>, ConfigError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    parse(path, &text)
}

fn parse(path: &Path, text: &str) -> Result<Vec<Setting>, ConfigError> {
    let bad = |why: String| ConfigError::File { path: path.to_owned(), why };
    let document: Value = yaml::from_str(text).map_err(bad)?;
    let entries = match document {
        Value::Null => return Ok(Vec::new()),
        Value::Object(entries) => entries,
        _ => return Err(bad("write settings as `name: value`, one per line".into())),
    };
    let command = command_line();
    let mut read = Vec::new();
    for (key, value) in entries {
        let Some((arg, _)) = settings(&command).find(|(_, it)| *it == key) else {
            return Err(ConfigError::UnknownKey { path: path.to_owned(), nearest: nearest(&command, &key), key });
        };
        let wrong = |why: String| ConfigError::Value { path: path.to_owned(), key: key.clone(), why };
        let values = texts(value, matches!(arg.get_action(), ArgAction::Append)).map_err(wrong)?;
        let setting = Setting { id: arg.get_id().to_string(), key: key.clone(), values };
        try_alone(&setting).map_err(wrong)?;
        read.push(setting);
    }
    Ok(read)
}

/// The values as text, as for a flag.
fn texts(value: Value, repeatable: bool) -> Result<Vec<String>, String> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::String(text) => Ok(vec![text]),
        Value::Bool(flag) => Ok(vec![flag.to_string()]),
        Value::Number(number) => Ok(vec![number.to_string()]),
        Value::Array(values) if repeatable => {
            let each: Result<Vec<_>, _> = values.into_iter().map(|value| texts(value, false)).collect();
            Ok(each?.concat())
        }
        Value::Array(_) => Err("only one value is allowed".into()),
        _ => Err("write a scalar value".into()),
    }
}

/// Checks one value with clap, without the other settings.
fn try_alone(setting: &Setting) -> Result<(), String> {
    // Without variables: their errors are reported when all settings are parsed.
    let command = command_line().mut_args(|arg| arg.env(None::<&str>));
    let args = std::iter::once(OsString::from("urumi-http")).chain(setting.args());
    let Err(error) = command.try_get_matches_from(args) else { return Ok(()) };
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    let why = first.strip_prefix("error: ").unwrap_or(first).replace(&format!(" for '--{}", setting.key), " for '");
    Err(why)
}

fn nearest(command: &clap::Command, key: &str) -> Option<String> {
    let wanted = key.to_lowercase().replace('_', "-");
    settings(command)
        .map(|(_, it)| (strsim::jaro_winkler(&wanted, it), it))
        .filter(|(alike, _)| *alike > 0.7)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, it)| it.to_owned())
}
