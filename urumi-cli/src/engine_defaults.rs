//! `--engine-defaults`: a file with default options for new stores, by engine.

use std::path::Path;

use urumi_core::engine::EngineRegistry;
use urumi_core::settings;
use urumi_core::store::Options;

use crate::cli::GlobalArgs;
use crate::exit::{CommandError, ExitStatus};
use crate::file::read;
use crate::yaml;

/// The engines with the defaults of `--engine-defaults` applied.
///
/// # Errors
/// All errors in the file.
pub(crate) fn engines(global: &GlobalArgs) -> Result<&EngineRegistry, CommandError> {
    if let Some(engines) = global.engines.get() {
        return Ok(engines);
    }
    let engines = match &global.engine_defaults {
        Some(file) => load(file)?,
        None => EngineRegistry::builtin(),
    };
    Ok(global.engines.get_or_init(|| engines))
}

fn load(file: &Path) -> Result<EngineRegistry, CommandError> {
    let bytes = read(file, "the engine defaults")?;
    let defaults: Option<Options> =
        yaml::parse(&bytes).map_err(|error| CommandError::usage(format!("{}: {error}", file.display())))?;
    settings::engines(defaults.unwrap_or_default()).map_err(|wrong| {
        let mut failure = CommandError::shown(ExitStatus::Usage)
            .hint("`urumi engines NAME`, without --engine-defaults, lists the options of an engine");
        failure.errors = wrong.iter().map(|error| format!("{}: {error}", file.display())).collect();
        failure
    })
}
