//! `urumi create`.

use serde::Serialize;
use urumi_core::error::{Error, Operation};
use urumi_core::kubernetes::Kind;
use urumi_core::kubernetes::{ClusterErrorKind, Query};
use urumi_core::store::StoreUrls;
use urumi_core::store::preview::Preview;
use urumi_core::store::wait::Ready;
use urumi_core::{CreateStore, Store, StoreId};

use crate::choice::{Choice, choose};
use crate::cli::{Create, Format, Global};
use crate::exit::Failure;
use crate::output::Out;
use crate::request::{Address, assemble, object_table};
use crate::target::Target;
use crate::{follow, target};

pub(super) async fn run(global: &Global, out: &Out, args: Create) -> Result<(), Failure> {
    let choice = choose(global)?;
    let judge = target::judge(&choice, global, out)?;
    let mut request = assemble(&judge, &args.store).await?;
    request.idempotency_key = args.idempotency_key;
    if args.dry_run {
        return dry_run(global, out, &choice, &judge, request).await;
    }
    let target = match judge.as_cluster() {
        Some(offline) => {
            // What is wrong with the request is found out before any cluster is asked.
            let spec = offline.prepare(&request)?;
            // A key stands for an id of its own. Otherwise the one that was drawn is used, so that it can be named.
            if request.idempotency_key.is_none() {
                request.id = Some(spec.id.to_string());
            }
            target::connect_to(&choice, global, out).await?
        }
        None => judge,
    };
    if !args.wait.wait {
        let store = target.stores.create(request).await?;
        out.store(&store)?;
        follow::mention_monitor(&target, out, &store.id);
        return Ok(());
    }
    let left = left(&target, request.id.as_deref());
    let id = follow::unless_interrupted(&left, begin(&target, out, request)).await?;
    let timeout = args.wait.timeout;
    let waiting = follow::wait_until(&target, out, &id, "creating", Ready.or_failed(), timeout);
    let work = follow::attended(&target, &id, timeout, waiting);
    finish(out, follow::unless_interrupted(&self::left(&target, Some(id.as_str())), work).await?)
}

/// Puts a store on record, and makes its objects as far as that is possible now.
async fn begin(target: &Target, out: &Out, request: CreateStore) -> Result<StoreId, Failure> {
    match target.stores.create(request).await {
        Ok(store) => Ok(store.id),
        Err(error) => match &error {
            // It is on record: the monitor goes on with it.
            Error::Unfinished { store, source } if source.is_retryable() => {
                out.warn(&format!("{error}; going on with it ({source})"));
                Ok(store.id.clone())
            }
            _ => Err(target.explain(error)),
        },
    }
}

/// What becomes of a store that is not waited for any longer.
fn left(target: &Target, id: Option<&str>) -> String {
    match (id, target.as_cluster()) {
        (None, _) => "the store may be on record already: `urumi list` shows it".to_owned(),
        (Some(id), Some(_)) => format!(
            "store {id} goes on existing once it is on record: `urumi wait {id}` follows it where a monitor runs, \
             `urumi retry {id} --wait` finishes it, `urumi delete {id}` removes it"
        ),
        (Some(id), None) => format!(
            "store {id} goes on existing once it is on record: `urumi wait {id}` follows it, \
             `urumi delete {id}` removes it"
        ),
    }
}

/// Shows a store that became ready.
pub(super) fn finish(out: &Out, store: Option<Store>) -> Result<(), Failure> {
    let Some(store) = store else { return Ok(()) };
    follow::announce(out, &store);
    out.store(&store)
}

/// What a store would consist of.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DryRun<'a> {
    dry_run: bool,
    id: &'a str,
    name: &'a str,
    engine: &'a str,
    namespace: &'a str,
    urls: &'a StoreUrls,
    objects: Vec<String>,
}

async fn dry_run(
    global: &Global,
    out: &Out,
    choice: &Choice,
    judge: &Target,
    request: CreateStore,
) -> Result<(), Failure> {
    let preview = judge.stores.preview(request).await?;
    // A server has looked already.
    if judge.as_cluster().is_some() {
        check_free(global, out, choice, &preview).await?;
    }
    let what = DryRun {
        dry_run: true,
        id: preview.id.as_str(),
        name: &preview.name,
        engine: &preview.engine,
        namespace: &preview.namespace,
        urls: &preview.urls,
        objects: preview.objects.iter().map(|object| Address::of(object).to_string()).collect(),
    };
    if out.structured(&what)? {
        return Ok(());
    }
    if out.format() == Some(Format::Name) {
        return out.data(&format!("{}\n", preview.id));
    }
    out.data(&object_table(&preview.objects))?;
    out.note(&format!("nothing was created: store {} would have these {} objects", preview.id, preview.objects.len()));
    if let Some(url) = &preview.urls.storefront {
        out.note(&format!("its storefront would be {url}"));
    }
    Ok(())
}

/// Fails if the cluster has the store's namespace already. A cluster that cannot be asked is only remarked on.
async fn check_free(global: &Global, out: &Out, choice: &Choice, preview: &Preview) -> Result<(), Failure> {
    let unasked = |why: &dyn std::fmt::Display| {
        out.warn(&format!("whether namespace {} is free was not checked: {why}", preview.namespace));
    };
    let target = match target::connect_to(choice, global, out).await {
        Ok(target) => target,
        Err(failure) => {
            unasked(&failure.errors.join("; "));
            return Ok(());
        }
    };
    let Some(orchestrator) = target.as_cluster() else { return Ok(()) };
    let kind = Kind::of::<k8s_openapi::api::core::v1::Namespace>();
    match orchestrator.cluster().list(&Query::all(kind).named(&preview.namespace)).await {
        Ok(found) if found.is_empty() => Ok(()),
        Ok(_) => {
            let message = format!("namespace {} exists already; choose another id", preview.namespace);
            Err(Error::AlreadyExists { id: preview.id.clone(), message }.into())
        }
        Err(error)
            if matches!(
                error.kind(),
                ClusterErrorKind::Unreachable | ClusterErrorKind::Timeout | ClusterErrorKind::Unavailable
            ) =>
        {
            unasked(&error);
            Ok(())
        }
        Err(source) => {
            Err(Error::Cluster { operation: Operation::Create, id: Some(preview.id.clone()), source }.into())
        }
    }
}
