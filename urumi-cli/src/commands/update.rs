//! `urumi update`.

use serde_json::{Map, Value};
use urumi_core::store::preview::Repair;
use urumi_core::store::update::{UpdatePreview, UpdateStore};
use urumi_core::store::{Authority, Options};
use urumi_core::{Precondition, Store, StoreId, StoreOrchestrator as _};

use super::rollout;
use crate::cli::{GlobalArgs, UpdateArgs};
use crate::exit::CommandError;
use crate::options;
use crate::output::{Out, counted, json, safe};
use crate::target::Target;
use crate::{lookup, target};

pub(super) async fn run(global: &GlobalArgs, out: &Out, args: &UpdateArgs) -> Result<(), CommandError> {
    let target = target::connect(global, out).await?;
    let store = lookup::exact(&target, out, &args.which.store).await?;
    let update = assemble(&target, &store, args).await?;
    let expected = args.if_version.clone().map_or(Precondition::NONE, Precondition::version);
    if args.dry_run {
        let preview = target.stores.preview_update(&store.id, update, &expected).await;
        return show(out, &store.id, &preview.map_err(|error| target.explain(error).for_engine(&store.engine))?);
    }
    let updated = target.stores.update_if(&store.id, update, &expected).await;
    let updated = updated.map_err(|error| target.explain(error).for_engine(&store.engine))?;
    if updated.revision == store.revision {
        out.note(&format!("store {} has these options already; nothing was changed", store.id));
        return out.store(&updated);
    }
    rollout::follow(&target, out, updated, &args.wait).await
}

/// The change that the arguments describe. Options get their types from the schema of the store's engine.
async fn assemble(target: &Target, store: &Store, args: &UpdateArgs) -> Result<UpdateStore, CommandError> {
    let engines = target.stores.engines().await.map_err(|error| target.explain(error))?;
    let schema = engines.into_iter().find(|engine| engine.name == store.engine).map(|engine| engine.options);
    let (mut patch, mut wrong) =
        options::assemble(Options::new(), schema.as_ref(), &args.values, &args.sets, &args.set_files);
    for path in &args.unsets {
        match options::path_of(path, "--unset") {
            Ok(path) => take_back(&mut patch, &path),
            Err(error) => wrong.push(error),
        }
    }
    if !wrong.is_empty() {
        return Err(CommandError::from(wrong).for_engine(&store.engine));
    }
    let mut update = UpdateStore::new().options(patch);
    update.name.clone_from(&args.name);
    update.reason.clone_from(&args.reason);
    update.refresh = args.refresh;
    // Direct access to a cluster is the installation's authority. A server uses the authority of the caller's role.
    update.authority = Authority::Installation;
    Ok(update)
}

/// Sets an option to `null`, which takes it back.
fn take_back(patch: &mut Options, path: &[String]) {
    let Some((first, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        patch.insert(first.clone(), Value::Null);
        return;
    }
    let entry = patch.entry(first.clone()).or_insert_with(|| Map::new().into());
    if !entry.is_object() {
        *entry = Map::new().into();
    }
    if let Value::Object(inner) = entry {
        take_back(inner, rest);
    }
}

/// Prints what a change would do.
pub(super) fn show(out: &Out, id: &StoreId, preview: &UpdatePreview) -> Result<(), CommandError> {
    preview.warnings.iter().for_each(|warning| out.warn(&warning.to_string()));
    if out.structured(preview)? {
        return Ok(());
    }
    let mut text = String::new();
    for change in &preview.options {
        text.push_str(&format!("{}\n", described(&change.option, change.from.as_ref(), change.to.as_ref())?));
    }
    for object in &preview.objects {
        let action = match object.action {
            Repair::Create => "create",
            Repair::Delete => "delete",
            _ => "change",
        };
        text.push_str(&format!("{action} {}\n", safe(&object.object)));
    }
    out.data(&text)?;
    if preview.options.is_empty() && preview.objects.is_empty() {
        out.note(&format!("store {id} would stay as it is"));
        return Ok(());
    }
    let restarts = match preview.restarts.as_slice() {
        [] => "nothing would be restarted".to_owned(),
        restarts => format!("{} would be restarted, new pods first where no data is kept", restarts.join(", ")),
    };
    let objects = counted(preview.objects.len(), "object", "objects");
    out.note(&format!("nothing was changed; revision {} would change {objects}, and {restarts}", preview.revision));
    Ok(())
}

/// A changed option in one line.
pub(super) fn described(option: &str, from: Option<&Value>, to: Option<&Value>) -> Result<String, CommandError> {
    let shown = |value: Option<&Value>| -> Result<String, CommandError> {
        let Some(value) = value else { return Ok("none".to_owned()) };
        let text = match value {
            Value::Object(_) | Value::Array(_) => json(value)?.split_whitespace().collect::<Vec<_>>().join(" "),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        // A picture, for example.
        Ok(match text.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
            None => text,
        })
    };
    Ok(safe(&format!("{option}: {} -> {}", shown(from)?, shown(to)?)))
}

/// The longest value that is shown, in characters.
const LONGEST: usize = 60;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn options_are_taken_back_by_null() {
        let mut patch = json!({"api": {"replicas": 2}}).as_object().cloned().unwrap();
        for path in [&["api", "image"][..], &["tls"], &["quota", "requests.cpu"]] {
            take_back(&mut patch, &path.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        }
        let expected = json!({"api": {"replicas": 2, "image": null}, "tls": null, "quota": {"requests.cpu": null}});
        assert_eq!(Value::Object(patch), expected);
    }

    #[test]
    fn a_changed_option_is_one_line() {
        let line = |from: Option<Value>, to: Option<Value>| described("o", from.as_ref(), to.as_ref()).unwrap();
        assert_eq!(line(Some(json!(1)), Some(json!("two"))), "o: 1 -> two");
        assert_eq!(line(None, Some(json!(["a", "b"]))), r#"o: none -> [ "a", "b" ]"#);
        let long = line(Some(json!("x".repeat(99))), None);
        assert_eq!(long, format!("o: {}… -> none", "x".repeat(LONGEST)));
    }
}
