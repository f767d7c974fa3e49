//! The file of `--engine-defaults`: what new stores get of each engine where their requests say nothing.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde_norway::Value;
use urumi_core::engine::EngineRegistry;
use urumi_core::settings;
use urumi_core::store::Options;

use super::error::ConfigError;

/// More than this is no file of defaults.
const MAX_FILE: u64 = 1 << 20;

/// Reads the file and makes the engines.
pub(super) fn read(path: &Path) -> Result<EngineRegistry, ConfigError> {
    let wrong = |wrong: Vec<String>| ConfigError::EngineDefaults { path: path.to_owned(), wrong };
    let mut text = Vec::new();
    let length = File::open(path)
        .and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut text))
        .map_err(|error| wrong(vec![format!("cannot be read: {error}")]))?;
    if length as u64 > MAX_FILE {
        return Err(wrong(vec!["is too large: defaults of engines have 1 MiB at most".into()]));
    }
    // First as YAML's own value, which refuses keys that occur twice.
    let defaults = serde_norway::from_slice::<Value>(&text)
        .and_then(serde_norway::from_value::<Option<Options>>)
        .map_err(|error| wrong(vec![error.to_string()]))?;
    settings::engines(defaults.unwrap_or_default())
        .map_err(|errors| wrong(errors.iter().map(ToString::to_string).collect()))
}
