//! `urumi create`.

use serde::Serialize;
use serde_json::Value;
use urumi_core::cluster::{ClusterErrorKind, Query};
use urumi_core::error::{Error, Operation};
use urumi_core::object::{Kind, Object};
use urumi_core::readiness::condition::Ready;
use urumi_core::store::{StoreSpec, StoreUrls};
use urumi_core::{CreateStore, Orchestrator, Store, StoreOrchestrator as _};

use crate::cli::{Create, Format, Global, NewStore};
use crate::exit::{Code, Failure};
use crate::output::{Out, table};
use crate::{follow, options, target};

pub(super) async fn run(global: &Global, out: &Out, args: Create) -> Result<(), Failure> {
    // What is wrong with the request is found out before any cluster is asked.
    let (request, spec) = prepare(&target::offline(global), &args.store)?;
    if args.dry_run {
        return dry_run(global, out, &spec).await;
    }
    let orchestrator = target::connect(global, out).await?;
    if !args.wait.wait {
        let store = orchestrator.create(request).await?;
        out.store(&store)?;
        follow::mention_monitor(out, &store.id);
        return Ok(());
    }
    // The monitor must know its store before there is one, so the id that was drawn is the one that is used.
    let id = spec.id.clone();
    let request = request.id(id.as_str());
    let timeout = args.wait.timeout;
    let work = follow::with_monitor(&orchestrator, &id, timeout, async {
        match orchestrator.create(request).await {
            Ok(_) => {}
            // It is on record: the monitor goes on with it.
            Err(error @ Error::Unfinished { .. }) if error.is_retryable() => {
                out.warn(&format!("{error}; going on with it ({})", cause(&error)));
            }
            Err(error) => return Err(error.into()),
        }
        follow::wait_until(&orchestrator, out, &id, "creating", Ready.or_failed(), timeout).await
    });
    let left = format!(
        "store {id} goes on existing once it is on record: `urumi wait {id}` follows it where a monitor runs, \
         `urumi retry {id} --wait` finishes it, `urumi delete {id}` removes it"
    );
    let store = follow::unless_interrupted(&left, work).await?;
    finish(out, store)
}

/// Shows a store that became ready.
pub(super) fn finish(out: &Out, store: Option<Store>) -> Result<(), Failure> {
    let Some(store) = store else { return Ok(()) };
    follow::announce(out, &store);
    out.store(&store)
}

fn cause(error: &Error) -> String {
    std::error::Error::source(error).map(ToString::to_string).unwrap_or_default()
}

/// The request that the arguments describe, and what becomes of it; or everything that is wrong with them.
pub(super) fn prepare(orchestrator: &Orchestrator, args: &NewStore) -> Result<(CreateStore, StoreSpec), Failure> {
    let schema: Option<Value> = orchestrator.engines().find(&args.engine).map(|e| e.info().options.to_value());
    let (options, mut wrong) = options::assemble(schema.as_ref(), &args.values, &args.sets);
    let mut request = CreateStore::new(&args.name, &args.engine).options(options);
    request.id.clone_from(&args.id);
    match orchestrator.prepare(&request) {
        Ok(spec) if wrong.is_empty() => return Ok((request, spec)),
        Ok(_) => {}
        Err(Error::Invalid(errors)) => wrong.extend(errors),
        Err(other) => return Err(other.into()),
    }
    Err(wrong.into())
}

/// What a store would consist of.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DryRun<'a> {
    dry_run: bool,
    id: &'a str,
    name: &'a str,
    engine: &'a str,
    namespace: String,
    urls: StoreUrls,
    objects: Vec<String>,
}

async fn dry_run(global: &Global, out: &Out, spec: &StoreSpec) -> Result<(), Failure> {
    let offline = target::offline(global);
    let objects = offline.render(spec)?;
    let urls = match offline.engines().require(&spec.engine)?.urls(spec) {
        Ok(urls) => urls,
        Err(error) => {
            return Err(Failure::new(Code::Other, format!("engine {} has no addresses: {error}", spec.engine)));
        }
    };
    check_free(global, out, spec).await?;
    let what = DryRun {
        dry_run: true,
        id: spec.id.as_str(),
        name: spec.name.as_str(),
        engine: &spec.engine,
        namespace: spec.namespace(),
        urls,
        objects: objects.iter().map(|o| o.reference().to_string()).collect(),
    };
    if out.structured(&what)? {
        return Ok(());
    }
    if out.format() == Some(Format::Name) {
        return out.data(&format!("{}\n", spec.id));
    }
    out.data(&object_table(&objects))?;
    out.note(&format!("nothing was created: store {} would have these {} objects", spec.id, objects.len()));
    if let Some(url) = &what.urls.storefront {
        out.note(&format!("its storefront would be {url}"));
    }
    Ok(())
}

/// Objects as a table of their addresses.
pub(super) fn object_table(objects: &[Object]) -> String {
    let row = |o: &Object| vec![o.kind().to_string().into(), o.namespace().unwrap_or("-").into(), o.name().into()];
    table(&["KIND", "NAMESPACE", "NAME"], objects.iter().map(row).collect())
}

/// Fails if the cluster has the store's namespace already. A cluster that cannot be asked is only remarked on.
async fn check_free(global: &Global, out: &Out, spec: &StoreSpec) -> Result<(), Failure> {
    let unasked = |why: &dyn std::fmt::Display| {
        out.warn(&format!("whether namespace {} is free was not checked: {why}", spec.namespace()));
    };
    let orchestrator = match target::connect(global, out).await {
        Ok(orchestrator) => orchestrator,
        Err(failure) => {
            unasked(&failure.errors.join("; "));
            return Ok(());
        }
    };
    let kind = Kind::of::<k8s_openapi::api::core::v1::Namespace>();
    match orchestrator.cluster().list(&Query::all(kind).named(spec.namespace())).await {
        Ok(found) if found.is_empty() => Ok(()),
        Ok(_) => {
            let message = format!("namespace {} exists already; choose another id", spec.namespace());
            Err(Error::AlreadyExists { id: spec.id.clone(), message }.into())
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
        Err(source) => Err(Error::Cluster { operation: Operation::Create, id: Some(spec.id.clone()), source }.into()),
    }
}
