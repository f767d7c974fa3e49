//! `urumi create`.

use serde::Serialize;
use urumi_core::error::{Error, Operation};
use urumi_core::kubernetes::Kind;
use urumi_core::kubernetes::{ClusterErrorKind, Query};
use urumi_core::store::preview::Preview;
use urumi_core::store::wait::Ready;
use urumi_core::store::{Options, StoreUrls};
use urumi_core::{CreateStore, Store, StoreId};

use crate::choice::{Choice, choose};
use crate::cli::{CreateArgs, GlobalArgs};
use crate::exit::{CommandError, LOST, Via};
use crate::format::Format;
use crate::output::Out;
use crate::request::{Address, assemble, object_table};
use crate::target::Target;
use crate::{follow, target};

pub(super) async fn run(global: &GlobalArgs, out: &Out, args: CreateArgs) -> Result<(), CommandError> {
    let choice = choose(global)?;
    let validator = target::validator(&choice, global, out)?;
    let mut request = assemble(&validator, out, &args.store).await?;
    request.idempotency_key = args.idempotency_key;
    if args.dry_run {
        return dry_run(global, out, &choice, &validator, request).await;
    }
    let target = match validator.as_cluster() {
        Some(offline) => {
            // Report an invalid request before connecting to the cluster.
            let invalid = |error: Error| CommandError::from(error).for_engine(&request.engine);
            let spec = offline.prepare(&request).map_err(invalid)?;
            // The id follows from the key, if there is one. Otherwise fix the random id now, so that messages can
            // contain it.
            if request.idempotency_key.is_none() {
                request.id = Some(spec.id.to_string());
            }
            target::connect_limited(&choice, global, out, (&args.limits).into()).await?
        }
        None => validator,
    };
    if !args.wait.wait {
        let engine = request.engine.clone();
        let failed = |error| target.explain(error).for_engine(&engine);
        let store = target.stores.create(request).await.map_err(failed)?.into_store();
        out.store(&store)?;
        follow::mention_monitor(&target, out, &store.id);
        return Ok(());
    }
    let consequence = interrupted(&target, request.id.as_deref(), "may exist already");
    let id = follow::unless_interrupted(&consequence, begin(&target, out, request)).await?;
    let timeout = args.wait.limit.timeout;
    let waiting = follow::wait_until(&target, out, &id, "creating", Ready.or_failed(), timeout);
    let work = follow::attended(&target, &id, timeout, waiting);
    finish(out, follow::unless_interrupted(&interrupted(&target, Some(id.as_str()), "exists"), work).await?)
}

/// Records a store, and creates its objects as far as possible.
async fn begin(target: &Target, out: &Out, request: CreateStore) -> Result<StoreId, CommandError> {
    let engine = request.engine.clone();
    match target.stores.create(request).await {
        Ok(creation) => Ok(creation.into_store().id),
        Err(error) => {
            let warning = match &error {
                Error::Unfinished { source, .. } => format!("{error}; continuing ({source})"),
                _ => String::new(),
            };
            // The store is recorded, so the monitor continues.
            let store = error.into_begun().map_err(|error| target.explain(error).for_engine(&engine))?;
            out.warn(&warning);
            Ok(store.id)
        }
    }
}

/// What happens to the store after an interruption. `state` says whether it exists.
fn interrupted(target: &Target, id: Option<&str>, state: &str) -> String {
    match (id, target.via()) {
        (_, Via::Memory) => LOST.to_owned(),
        (None, _) => format!("the store {state}: check with `urumi list`"),
        (Some(id), Via::Cluster) => format!(
            "store {id} {state}: `urumi retry {id} --wait` completes it, `urumi wait {id}` waits for it if a \
             monitor runs, `urumi delete {id}` removes it"
        ),
        (Some(id), Via::Server) => {
            format!("store {id} {state}: `urumi wait {id}` waits for it, `urumi delete {id}` removes it")
        }
    }
}

/// Prints a store that has become ready.
pub(super) fn finish(out: &Out, store: Option<Store>) -> Result<(), CommandError> {
    let Some(store) = store else { return Ok(()) };
    follow::announce(out, &store);
    out.store(&store)
}

/// The result of a dry run.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DryRun<'a> {
    dry_run: bool,
    id: &'a str,
    name: &'a str,
    engine: &'a str,
    namespace: &'a str,
    urls: &'a StoreUrls,
    /// The options, completed with the defaults.
    options: &'a Options,
    objects: Vec<String>,
}

async fn dry_run(
    global: &GlobalArgs,
    out: &Out,
    choice: &Choice,
    validator: &Target,
    request: CreateStore,
) -> Result<(), CommandError> {
    let engine = request.engine.clone();
    let preview =
        validator.stores.preview(request).await.map_err(|error| validator.explain(error).for_engine(&engine))?;
    // A server checks this in `preview`.
    if validator.as_cluster().is_some() {
        check_free(global, out, choice, &preview).await?;
    }
    let what = DryRun {
        dry_run: true,
        id: preview.id.as_str(),
        name: &preview.name,
        engine: &preview.engine,
        namespace: &preview.namespace,
        urls: &preview.urls,
        options: &preview.options,
        objects: preview.objects.iter().map(|object| Address::of(object).to_string()).collect(),
    };
    if out.structured(&what)? {
        return Ok(());
    }
    if out.format() == Some(Format::Name) {
        return out.data(&format!("{}\n", preview.id));
    }
    out.data(&object_table(&preview.objects))?;
    out.note(&format!("nothing was created; store {} would have these {} objects", preview.id, preview.objects.len()));
    if let Some(url) = &preview.urls.storefront {
        out.note(&format!("the storefront's URL would be {url}"));
    }
    Ok(())
}

/// Fails if the store's namespace already exists. If the cluster is unreachable, only prints a warning.
async fn check_free(global: &GlobalArgs, out: &Out, choice: &Choice, preview: &Preview) -> Result<(), CommandError> {
    let warn_unchecked = |why: &dyn std::fmt::Display| {
        out.warn(&format!("cannot check whether namespace {} exists: {why}", preview.namespace));
    };
    let target = match target::connect_to(choice, global, out).await {
        Ok(target) => target,
        Err(failure) => {
            warn_unchecked(&failure.errors.join("; "));
            return Ok(());
        }
    };
    let Some(orchestrator) = target.as_cluster() else { return Ok(()) };
    let kind = Kind::of::<k8s_openapi::api::core::v1::Namespace>();
    match orchestrator.cluster().list(&Query::all(kind).named(&preview.namespace)).await {
        Ok(found) if found.is_empty() => Ok(()),
        Ok(_) => {
            let message = format!("namespace {} already exists; choose another id", preview.namespace);
            Err(Error::AlreadyExists { id: preview.id.clone(), message }.into())
        }
        Err(error)
            if matches!(
                error.kind(),
                ClusterErrorKind::Unreachable | ClusterErrorKind::Timeout | ClusterErrorKind::Unavailable
            ) =>
        {
            warn_unchecked(&error);
            Ok(())
        }
        Err(source) => {
            Err(Error::Cluster { operation: Operation::Create, id: Some(preview.id.clone()), source }.into())
        }
    }
}
