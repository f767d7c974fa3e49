//! `Orchestrator`: creates, shows and deletes stores on a cluster.

mod change;
mod create;
mod credentials;
mod delete;
mod execute;
mod explain;
mod history;
mod limits;
mod logs;
mod prune;
mod restart;
mod retry;
mod rollback;
mod smoke;
mod under_way;
mod update;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::future::try_join_all;
use futures::{StreamExt, stream};
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::Semaphore;

pub(crate) use self::execute::Failure;
use self::limits::OwnerCounts;
pub use self::limits::OwnerLimits;
pub(crate) use self::under_way::{Ended, PlanEnd, PlanUnderWay, PlansUnderWay};
use crate::cluster::ClusterBackend;
use crate::engine::{Component, Engine, EngineInfo, EngineRegistry, Manifest, NewStore, Policy, RenderError, Stage};
use crate::error::{Error, FieldError, Operation, Result};
use crate::kubernetes::{Object, ObjectRef, WatchEvent};
use crate::orchestrator::LogLines;
use crate::orchestrator::{Action, Precondition, StoreEvent, StoreOrchestrator, StoreStream};
use crate::plan::differences::differences;
use crate::plan::manifests::{manifests, teardown};
use crate::plan::{Observed, Plan, plan_for};
use crate::record::{self, Origin, Record, namespace_ref};
use crate::secret::{OsSecrets, RedactedSecrets, SecretSource};
use crate::store::credentials::Credentials;
use crate::store::idempotency::check_key;
use crate::store::logs::LogQuery;
use crate::store::preview::{Difference, Preview};
use crate::store::revision::Revision;
use crate::store::smoke::SmokeReport;
use crate::store::timeline::TimelineEntry;
use crate::store::update::{UpdatePreview, UpdateStore};
use crate::store::{
    Authority, CreateStore, Creation, OptionWarning, Options, Store, StoreId, StoreName, StoreOptions, StoreSpec,
    check_labels, check_owner,
};

/// A domain that resolves to 127.0.0.1, for stores on the user's own computer.
pub const LOCAL_DOMAIN: &str = "localtest.me";

/// The default maximum of concurrent writes.
const IN_FLIGHT: usize = 32;

/// The source of the current time.
type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Creates, shows and deletes stores on a cluster. Clones are cheap and share everything.
///
/// Its only state is its settings, and what is under way in it: creations for [owners'
/// limits](OrchestratorBuilder::owner_limits), and plans, which a [monitor](crate::ReadinessMonitor) of this orchestrator does not
/// begin again. Every answer comes from the cluster.
#[derive(Clone)]
pub struct Orchestrator {
    inner: Arc<Inner>,
}

struct Inner {
    cluster: Arc<dyn ClusterBackend>,
    engines: EngineRegistry,
    domain: String,
    created_by: String,
    secrets: Arc<dyn SecretSource>,
    in_flight: Semaphore,
    clock: Clock,
    owners: OwnerCounts,
    under_way: Arc<PlansUnderWay>,
}

impl fmt::Debug for Orchestrator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Orchestrator")
            .field("engines", &self.inner.engines)
            .field("domain", &self.inner.domain)
            .finish_non_exhaustive()
    }
}

/// Builds an [`Orchestrator`]; every setting has a default.
pub struct OrchestratorBuilder {
    inner: Inner,
}

impl fmt::Debug for OrchestratorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrchestratorBuilder").field("engines", &self.inner.engines).finish_non_exhaustive()
    }
}

impl OrchestratorBuilder {
    /// Adds an engine, or replaces the one with its name. By default there is `medusa` with its defaults.
    #[must_use]
    pub fn engine(mut self, engine: impl Engine) -> Self {
        self.inner.engines.register(Arc::new(engine));
        self
    }

    /// Sets the engines; [`EngineRegistry::builtin`] by default.
    #[must_use]
    pub fn engines(mut self, engines: EngineRegistry) -> Self {
        self.inner.engines = engines;
        self
    }

    /// Sets the domain of stores whose options set none; [`LOCAL_DOMAIN`] by default.
    #[must_use]
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.inner.domain = domain.into();
        self
    }

    /// Sets the annotation `store.urumi.ai/created-by` of new stores; `urumi-core/<version>` by default.
    #[must_use]
    pub fn created_by(mut self, program: impl Into<String>) -> Self {
        self.inner.created_by = program.into();
        self
    }

    /// Sets the source of new secrets; the operating system's generator by default.
    #[must_use]
    pub fn secrets(mut self, source: impl SecretSource + 'static) -> Self {
        self.inner.secrets = Arc::new(source);
        self
    }

    /// Sets the maximum of concurrent writes for all stores; 32 by default.
    #[must_use]
    pub fn max_in_flight(mut self, writes: usize) -> Self {
        self.inner.in_flight = Semaphore::new(writes.clamp(1, Semaphore::MAX_PERMITS));
        self
    }

    /// Sets how many stores an owner may have; unlimited by default. With limits, each creation lists the owner's
    /// stores. Several processes together may exceed a limit by the creations that they begin at the same time.
    #[must_use]
    pub fn owner_limits(mut self, limits: OwnerLimits) -> Self {
        self.inner.owners.limits = limits;
        self
    }

    /// Sets the clock, for simulations; the system's clock by default.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.inner.clock = Arc::new(clock);
        self
    }

    /// Builds the orchestrator.
    pub fn build(self) -> Orchestrator {
        Orchestrator { inner: Arc::new(self.inner) }
    }
}

impl Orchestrator {
    /// A builder for an orchestrator on a cluster.
    pub fn builder(cluster: impl ClusterBackend) -> OrchestratorBuilder {
        OrchestratorBuilder {
            inner: Inner {
                cluster: Arc::new(cluster),
                engines: EngineRegistry::builtin(),
                domain: LOCAL_DOMAIN.to_owned(),
                created_by: concat!("urumi-core/", env!("CARGO_PKG_VERSION")).to_owned(),
                secrets: Arc::new(OsSecrets),
                in_flight: Semaphore::new(IN_FLIGHT),
                clock: Arc::new(Timestamp::now),
                owners: OwnerCounts::default(),
                under_way: PlansUnderWay::new(),
            },
        }
    }

    /// The cluster.
    pub fn cluster(&self) -> &Arc<dyn ClusterBackend> {
        &self.inner.cluster
    }

    /// The engines.
    pub fn engines(&self) -> &EngineRegistry {
        &self.inner.engines
    }

    /// The domain of stores whose options set none.
    pub fn domain(&self) -> &str {
        &self.inner.domain
    }

    /// The plans that are under way in this process.
    pub(crate) fn plans_under_way(&self) -> &Arc<PlansUnderWay> {
        &self.inner.under_way
    }

    /// The current time.
    pub(crate) fn now(&self) -> Timestamp {
        (self.inner.clock)()
    }

    /// Checks a request and completes it to a spec, with a random id if it has none. Sends no requests to the cluster.
    ///
    /// # Errors
    /// `Invalid` with every invalid field.
    pub fn prepare(&self, request: &CreateStore) -> Result<StoreSpec> {
        let mut wrong: Vec<FieldError> = Vec::new();
        let mut note = |error: FieldError| wrong.push(error);
        let name = StoreName::parse(&request.name).map_err(&mut note).ok();
        let id = match &request.id {
            Some(id) => StoreId::parse(id).map_err(&mut note).ok(),
            None => Some(StoreId::random()),
        };
        let engine = match self.inner.engines.require(&request.engine) {
            Ok(engine) => Some(engine),
            Err(Error::Invalid(errors)) => {
                wrong.extend(errors);
                None
            }
            Err(other) => return Err(other),
        };
        if let Some(owner) = &request.owner {
            wrong.extend(check_owner(owner).err());
        }
        wrong.extend(check_labels(&request.labels));
        if let Some(key) = &request.idempotency_key {
            wrong.extend(check_key(key).err());
        }
        // Check the options even if the id is invalid, so that all errors are reported at once.
        let stand_in = StoreId::random();
        let (mut chosen, mut handed) = (request.options.clone(), request.handed.clone());
        let renderer = engine.as_ref().map_or(1, |engine| engine.renderer());
        let options = engine.and_then(|engine| {
            let store = NewStore { id: id.as_ref().unwrap_or(&stand_in), default_domain: &self.inner.domain };
            let lists = self.inner.engines.refuse_lists(engine.name(), &mut chosen);
            wrong.extend(lists.into_iter().map(in_request));
            wrong.extend(
                self.inner.engines.take_secrets(engine.name(), &mut chosen, &mut handed).into_iter().map(in_request),
            );
            let refused = self.refusals(engine.name(), request.authority, store.id, &chosen);
            wrong.extend(refused.into_iter().map(in_request));
            engine.resolve(&store, &chosen).map_err(|errors| wrong.extend(errors.into_iter().map(in_request))).ok()
        });
        match (id, name, options) {
            (Some(id), Some(name), Some(options)) if wrong.is_empty() => {
                Ok(StoreSpec { id, name, engine: request.engine.clone(), options, renderer })
            }
            _ => Err(Error::Invalid(wrong)),
        }
    }

    /// What the policy refuses today of options that were chosen for a store on this authority.
    pub(crate) fn refusals(
        &self,
        engine: &str,
        authority: Authority,
        id: &StoreId,
        chosen: &Options,
    ) -> Vec<FieldError> {
        let store = NewStore { id, default_domain: &self.inner.domain };
        self.inner.engines.refusals(engine, authority, &store, chosen)
    }

    /// All manifests of a store, its namespace first, with redacted secrets. Sends no requests to the cluster.
    ///
    /// # Errors
    /// If the engine is unknown or cannot render the spec.
    pub fn render(&self, spec: &StoreSpec) -> Result<Vec<Object>> {
        self.with_namespace(spec, self.manifests_of(spec, &RedactedSecrets)?)
    }

    /// The namespace of a spec, followed by its objects.
    fn with_namespace(&self, spec: &StoreSpec, manifests: Vec<Manifest>) -> Result<Vec<Object>> {
        let origin = Origin { created_by: &self.inner.created_by, ..Origin::default() };
        let namespace = self.namespace_of(spec, &origin)?;
        Ok(std::iter::once(namespace).chain(manifests.into_iter().map(|m| m.object)).collect())
    }

    /// The plan of a repair of the store.
    ///
    /// # Errors
    /// `NotFound` if there is no such store; other errors if its record or the cluster cannot be read.
    pub async fn diff(&self, id: &StoreId) -> Result<Plan> {
        let record = self.record(Operation::Diff, id).await?;
        let spec = readable_spec(Operation::Diff, &record)?;
        self.outstanding(Operation::Diff, spec, &record).await
    }

    pub(crate) fn manifests_of(&self, spec: &StoreSpec, secrets: &dyn SecretSource) -> Result<Vec<Manifest>> {
        let engine = self.inner.engines.require(&spec.engine)?;
        manifests(engine.as_ref(), spec, secrets).map_err(|e| render_error(spec, &e))
    }

    /// The manifests of a store as its record asks for them, with redacted secrets.
    pub(crate) fn recorded_manifests(&self, record: &Record, spec: &StoreSpec) -> Result<Vec<Manifest>> {
        let mut manifests = self.manifests_of(spec, &RedactedSecrets)?;
        if !record.restarts.is_empty() {
            record.mark_restarts(&mut manifests, &self.components_of(spec)?);
        }
        record.mark_changes(&mut manifests);
        Ok(manifests)
    }

    /// The components of a store, with the namespaces of their workloads.
    pub(crate) fn components_of(&self, spec: &StoreSpec) -> Result<Vec<Component>> {
        let engine = self.inner.engines.require(&spec.engine)?;
        let mut components = engine.components(spec).map_err(|e| render_error(spec, &e))?;
        for component in &mut components {
            component.workload.namespace.get_or_insert_with(|| spec.namespace());
        }
        Ok(components)
    }

    /// The namespace of a new store.
    fn namespace_of(&self, spec: &StoreSpec, origin: &Origin<'_>) -> Result<Object> {
        let engine = self.inner.engines.require(&spec.engine)?;
        let teardown = !self.teardown_of(spec, &RedactedSecrets)?.is_empty();
        let namespace = record::new_namespace(spec, engine.pod_security(spec), teardown, origin);
        namespace.map_err(|e| render_error(spec, &e.into()))
    }

    /// The stages that undo what the store has outside of its namespace.
    pub(crate) fn teardown_of(&self, spec: &StoreSpec, secrets: &dyn SecretSource) -> Result<Vec<Stage>> {
        let engine = self.inner.engines.require(&spec.engine)?;
        teardown(engine.as_ref(), spec, secrets).map_err(|e| render_error(spec, &e))
    }

    /// The plan from the current objects in the cluster, read one by one.
    async fn outstanding(&self, operation: Operation, spec: &StoreSpec, record: &Record) -> Result<Plan> {
        let desired = self.recorded_manifests(record, spec)?;
        let wanted: Vec<&ObjectRef> = desired.iter().filter_map(|m| m.policy.guards()).flatten().collect();
        let own: Vec<ObjectRef> =
            desired.iter().filter(|m| m.policy == Policy::Managed).map(|m| m.object.reference()).collect();
        let mut references: Vec<&ObjectRef> = own.iter().chain(wanted).collect();
        references.sort();
        references.dedup();
        let reads = references.iter().map(|reference| async {
            let _permit = self.inner.in_flight.acquire().await;
            self.inner.cluster.get(reference).await.map(|found| found.map(|object| (*reference, object)))
        });
        let found = try_join_all(reads).await.map_err(|e| Error::cluster(operation, Some(&spec.id), e))?;
        let found: Vec<(&ObjectRef, Object)> = found.into_iter().flatten().collect();
        let belonging = found.iter().filter(|(_, object)| record::belongs(object, &spec.id, &record.uid));
        let observed: Observed<'_> = belonging.map(|(reference, object)| (*reference, object)).collect();
        Ok(plan_for(&desired, &observed, record.life()))
    }

    /// Reads a store's record.
    async fn record(&self, operation: Operation, id: &StoreId) -> Result<Record> {
        let found = self.inner.cluster.get(&namespace_ref(id)).await;
        let namespace = found.map_err(|e| Error::cluster(operation, Some(id), e))?;
        namespace.as_ref().and_then(Record::read).ok_or_else(|| Error::NotFound { id: id.clone() })
    }

    /// Reads a store's record; `NotFound` if the id belongs to another store than the expected one.
    async fn expected_record(&self, operation: Operation, id: &StoreId, expected: &Precondition) -> Result<Record> {
        let record = self.record(operation, id).await?;
        match expected.expected_uid() {
            Some(uid) if uid != record.uid => Err(Error::NotFound { id: id.clone() }),
            _ => Ok(record),
        }
    }
}

/// The error of an option, by its path within the request.
fn in_request(error: FieldError) -> FieldError {
    match error.field.as_str() {
        "" => FieldError::new("options", error.message),
        field => FieldError::new(format!("options.{field}"), error.message),
    }
}

pub(crate) fn render_error(spec: &StoreSpec, error: &RenderError) -> Error {
    Error::Render { engine: spec.engine.clone(), id: spec.id.clone(), message: error.to_string() }
}

fn readable_spec(operation: Operation, record: &Record) -> Result<&StoreSpec> {
    let unreadable = |message: &String| Error::Record { operation, id: record.id.clone(), message: message.clone() };
    record.spec.as_ref().map_err(unreadable)
}

#[async_trait]
impl StoreOrchestrator for Orchestrator {
    async fn create(&self, request: CreateStore) -> Result<Creation> {
        self.create_store(request).await
    }

    async fn preview(&self, request: CreateStore) -> Result<Preview> {
        self.preview_store(request).await
    }

    fn warnings(&self, request: &CreateStore) -> Vec<OptionWarning> {
        let Some(engine) = self.inner.engines.find(&request.engine) else { return Vec::new() };
        let in_request = |w: OptionWarning| OptionWarning::new(format!("options.{}", w.field), w.message);
        engine.warnings(&request.options).into_iter().map(in_request).collect()
    }

    async fn get(&self, id: &StoreId) -> Result<Store> {
        Ok(self.record(Operation::Get, id).await?.store(&self.inner.engines))
    }

    async fn list(&self) -> Result<Vec<Store>> {
        let namespaces = self.inner.cluster.list(&record::query(None)).await;
        let namespaces = namespaces.map_err(|e| Error::cluster(Operation::List, None, e))?;
        Ok(stores(namespaces, &self.inner.engines))
    }

    fn watch(&self, id: Option<&StoreId>) -> StoreStream {
        let engines = self.inner.engines.clone();
        let watched = id.cloned();
        let events = self.inner.cluster.watch(&record::query(id));
        events
            .flat_map(move |event| {
                let event = match event {
                    Ok(WatchEvent::Snapshot(namespaces)) => Some(Ok(StoreEvent::Listed(stores(namespaces, &engines)))),
                    Ok(WatchEvent::Applied(namespace)) => {
                        Record::read(&namespace).map(|record| Ok(StoreEvent::Changed(record.store(&engines))))
                    }
                    Ok(WatchEvent::Deleted(namespace)) => {
                        StoreId::from_namespace(namespace.name()).map(|id| Ok(StoreEvent::Gone(id)))
                    }
                    Err(error) => Some(Err(Error::cluster(Operation::Watch, watched.as_ref(), error))),
                };
                stream::iter(event)
            })
            .boxed()
    }

    async fn delete_if(&self, id: &StoreId, expected: &Precondition) -> Result<Store> {
        self.delete_store(id, expected).await
    }

    async fn act_if(&self, id: &StoreId, action: Action, expected: &Precondition) -> Result<Store> {
        match action {
            Action::Retry => self.retry_store(id, expected).await,
            Action::Restart { component } => self.restart_store(id, component.as_deref(), expected).await,
            Action::Rollback { to, by } => self.roll_back_store(id, to, by, expected).await,
        }
    }

    async fn update_if(&self, id: &StoreId, update: UpdateStore, expected: &Precondition) -> Result<Store> {
        self.update_store(id, update, expected).await
    }

    async fn preview_update(
        &self,
        id: &StoreId,
        update: UpdateStore,
        expected: &Precondition,
    ) -> Result<UpdatePreview> {
        self.preview_change(id, update, expected).await
    }

    async fn preview_rollback(&self, id: &StoreId, to: Option<u64>, expected: &Precondition) -> Result<UpdatePreview> {
        self.preview_way_back(id, to, expected).await
    }

    async fn history(&self, id: &StoreId) -> Result<Vec<Revision>> {
        self.store_history(id).await
    }

    async fn engines(&self) -> Result<Vec<EngineInfo>> {
        Ok(self.inner.engines.infos())
    }

    async fn manifests(&self, id: &StoreId) -> Result<Vec<Value>> {
        self.store_manifests(id).await
    }

    async fn options(&self, id: &StoreId) -> Result<StoreOptions> {
        self.store_options(id).await
    }

    async fn differences(&self, id: &StoreId) -> Result<Vec<Difference>> {
        Ok(differences(self.diff(id).await?))
    }

    async fn timeline(&self, id: &StoreId) -> Result<Vec<TimelineEntry>> {
        self.store_timeline(id).await
    }

    async fn smoke_if(&self, id: &StoreId, expected: &Precondition) -> Result<SmokeReport> {
        self.smoke_store(id, expected).await
    }

    async fn credentials(&self, id: &StoreId, reveal: bool) -> Result<Credentials> {
        self.credentials_of(id, reveal).await
    }

    async fn logs(&self, id: &StoreId, query: &LogQuery) -> Result<LogLines> {
        self.store_logs(id, query).await
    }
}

/// The stores of these namespaces, oldest first.
fn stores(namespaces: impl IntoIterator<Item = Object>, engines: &EngineRegistry) -> Vec<Store> {
    let records = namespaces.into_iter().filter_map(|namespace| Record::read(&namespace));
    let mut stores: Vec<Store> = records.map(|record| record.store(engines)).collect();
    stores.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    stores
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use super::*;
    use crate::cluster::MockClusterBackend;
    use crate::error::ErrorKind;
    use crate::kubernetes::{ClusterError, ClusterErrorKind, Verb};
    use crate::orchestrator::StoreOrchestratorExt;
    use crate::store::wait::Ready;

    fn taken(object: &Object) -> ClusterError {
        ClusterError::new(Verb::Create, object.reference(), ClusterErrorKind::AlreadyExists, "it exists")
    }

    /// A client that retries a request after the answer was lost finds the namespace of its first attempt.
    #[tokio::test]
    async fn the_namespace_of_a_repeated_request_is_known_by_its_nonce() {
        let stored: Arc<Mutex<Option<Object>>> = Arc::default();
        let mut cluster = MockClusterBackend::new();
        let seen = stored.clone();
        cluster.expect_create().returning(move |object| {
            if object.kind().kind != "Namespace" {
                return Ok(object.clone());
            }
            *seen.lock().unwrap() = Some(object.clone());
            Err(taken(object))
        });
        cluster.expect_get().times(1).returning(move |_| Ok(stored.lock().unwrap().clone()));
        let urumi = Orchestrator::builder(cluster).build();
        let created = urumi.create(CreateStore::new("Repeated", "medusa").id("abc")).await.unwrap();
        assert!(!created.is_repeated());
        assert_eq!(created.store().id.as_str(), "abc");
    }

    #[tokio::test]
    async fn a_random_id_that_is_taken_is_drawn_again_and_a_given_one_is_not() {
        for (id, creations) in [(None, 2), (Some("abc".to_owned()), 1)] {
            let given = id.is_some();
            let mut cluster = MockClusterBackend::new();
            let namespaces: Arc<Mutex<Vec<String>>> = Arc::default();
            let seen = namespaces.clone();
            cluster.expect_create().returning(move |object| {
                let mut seen = seen.lock().unwrap();
                if object.kind().kind == "Namespace" {
                    seen.push(object.name().to_owned());
                    return if seen.len() == 1 { Err(taken(object)) } else { Ok(object.clone()) };
                }
                assert_eq!(object.namespace(), seen.last().map(String::as_str));
                Ok(object.clone())
            });
            let foreign = |reference: &ObjectRef| {
                let value = serde_json::json!({"metadata": {"name": reference.name}});
                Ok(Some(Object::from_value(reference.kind.clone(), value).unwrap()))
            };
            cluster.expect_get().returning(foreign);
            let urumi = Orchestrator::builder(cluster).build();
            let outcome = urumi.create(CreateStore { id, ..CreateStore::new("Unlucky", "medusa") }).await;
            assert_eq!(outcome.is_err(), given);
            assert_eq!(namespaces.lock().unwrap().len(), creations);
        }
    }

    /// Backends never end a watch. If one does, the wait must not succeed.
    #[tokio::test]
    async fn a_watch_that_ends_is_no_success() {
        let mut cluster = MockClusterBackend::new();
        cluster.expect_watch().returning(|_| stream::empty().boxed());
        let (urumi, id) = (Orchestrator::builder(cluster).build(), StoreId::parse("abc").unwrap());
        let waited = urumi.wait_until(&id, Ready, Duration::from_secs(60)).await.unwrap_err();
        assert!(matches!(waited, Error::WatchEnded { .. }), "{waited:?}");
        assert_eq!((waited.kind(), waited.is_retryable()), (ErrorKind::Internal, false));
    }

    /// An existing Secret is kept; an existing managed object that is not ours stops the creation.
    #[tokio::test]
    async fn what_is_in_the_way_is_looked_at() {
        for (kind, ends_well) in [("Secret", true), ("Service", false)] {
            let mut cluster = MockClusterBackend::new();
            cluster.expect_create().returning(move |object| {
                if object.kind().kind == kind { Err(taken(object)) } else { Ok(object.clone()) }
            });
            let foreign = |reference: &ObjectRef| {
                let value = serde_json::json!({"metadata": {"name": reference.name}});
                Ok(Some(Object::from_value(reference.kind.clone(), value).unwrap()))
            };
            cluster.expect_get().returning(foreign);
            let urumi = Orchestrator::builder(cluster).build();
            let outcome = urumi.create(CreateStore::new("In the way", "medusa")).await;
            assert_eq!(outcome.is_ok(), ends_well, "{kind}");
        }
    }
}
