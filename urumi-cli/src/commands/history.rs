//! `urumi history`.

use urumi_core::StoreOrchestrator as _;
use urumi_core::StoreOrchestratorExt as _;
use urumi_core::store::revision::Revision;

use super::update::described;
use crate::cli::{GlobalArgs, StoreArg};
use crate::exit::CommandError;
use crate::output::{Cell, Out, table};
use crate::target;

/// How many characters of a failure are shown.
const LONGEST: usize = 100;

pub(super) async fn run(global: &GlobalArgs, out: &Out, which: &StoreArg) -> Result<(), CommandError> {
    let target = target::connect(global, out).await?;
    let id = target.stores.find(&which.store).await.map_err(|error| target.explain(error))?.id;
    let revisions = target.stores.history(&id).await.map_err(|error| target.explain(error))?;
    if out.structured(&revisions)? {
        return Ok(());
    }
    let mut rows = Vec::new();
    for revision in &revisions {
        rows.extend(lines(revision)?);
    }
    out.data(&table(&["REVISION", "TIME", "BY", "WHY", "CHANGE"], rows))
}

/// The beginning of a long message; `-o json` has all of it.
fn shortened(message: &str) -> String {
    match message.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}

/// The lines of a revision: one for each changed option.
fn lines(revision: &Revision) -> Result<Vec<Vec<Cell>>, CommandError> {
    let number = match revision.current {
        true => format!("{} (present)", revision.number),
        false => revision.number.to_string(),
    };
    let why = match (&revision.reason, revision.restores) {
        (Some(reason), _) => reason.clone(),
        (None, Some(to)) => format!("back to revision {to}"),
        (None, None) => "-".to_owned(),
    };
    let mut changes: Vec<String> =
        revision.failure.iter().map(|failure| format!("failed: {}", shortened(failure))).collect();
    for change in &revision.changes {
        changes.push(described(&change.option, change.from.as_ref(), change.to.as_ref())?);
    }
    let first = changes.first().cloned().unwrap_or_else(|| "-".to_owned());
    let by = revision.by.as_deref().unwrap_or("-");
    let head = vec![number.into(), format!("{:.0}", revision.at).into(), by.into(), why.into(), first.into()];
    let more = changes.into_iter().skip(1);
    let more = more.map(|change| vec!["".into(), "".into(), "".into(), "".into(), change.into()]);
    Ok(std::iter::once(head).chain(more).collect())
}
