//! The file of `--engine-defaults`: default options of new stores, by engine.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use urumi_core::engine::EngineRegistry;
use urumi_core::settings;
use urumi_core::store::Options;

use super::error::ConfigError;
use crate::yaml;

/// The maximum size of the file.
const MAX_FILE: u64 = 1 << 20;

/// Reads the file and creates the engines.
pub(super) fn read(path: &Path) -> Result<EngineRegistry, ConfigError> {
    let wrong = |wrong: Vec<String>| ConfigError::EngineDefaults { path: path.to_owned(), wrong };
    let mut text = String::new();
    let length = File::open(path)
        .and_then(|file| file.take(MAX_FILE + 1).read_to_string(&mut text))
        .map_err(|error| wrong(vec![format!("cannot be read: {error}")]))?;
    if length as u64 > MAX_FILE {
        return Err(wrong(vec!["is too large; at most 1 MiB is allowed".into()]));
    }
    let defaults: Option<Options> = yaml::from_str(&text).map_err(|error| wrong(vec![error]))?;
    settings::engines(defaults.unwrap_or_default())
        .map_err(|errors| wrong(errors.iter().map(ToString::to_string).collect()))
}
