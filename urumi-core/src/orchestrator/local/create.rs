//! Creates a store: its record first, then all of its objects.

use std::collections::HashMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use uuid::Uuid;

use super::Orchestrator;
use super::limits::{Existing, OwnerLimits, Place};
use crate::engine::Manifest;
use crate::error::{Error, Operation, Result};
use crate::kubernetes::{ClusterError, ClusterErrorKind, Kind, MalformedObject, Object, ObjectRef, Verb};
use crate::plan::demand::Demand;
use crate::plan::{Observed, plan};
use crate::record::{Origin, Record, common_labels, namespace_ref, of_key, of_owner};
use crate::secret::RedactedSecrets;
use crate::store::idempotency::{Idempotency, Repetition};
use crate::store::status::StoreStatus;
use crate::store::{CreateStore, Creation, HANDED_SECRET, HandedSecrets, StoreId, StoreSpec};

/// How many ids a creation without a given id tries. A random id is rarely taken. The id of a key is taken if the list
/// of the key's stores was out of date, or if a namespace that is not a store has the name.
const TRIES: u32 = 4;

/// The result of an attempt to put a store on record.
enum Placed {
    /// This attempt created the record.
    New(Record),
    /// A store with this id exists.
    Exists(Record),
    /// A store with this id existed and is gone now.
    Gone,
    /// A namespace that is not a store's has the name.
    Blocked(String),
}

impl Orchestrator {
    pub(super) async fn create_store(&self, mut request: CreateStore) -> Result<Creation> {
        // A bad request is refused before the cluster is asked.
        let mut prepared = Some(self.prepare(&request)?);
        // From here on, the options can be put on record.
        let CreateStore { engine, options, handed, .. } = &mut request;
        self.inner.engines.take_secrets(engine, options, handed);
        let mut key = Idempotency::of(&request);
        if let Some(key) = &mut key {
            let made = self.made_with(key).await?;
            if let Some(newest) = made.iter().max_by_key(|record| (record.created_at, record.generation()))
                && let Some(repeated) = self.repeated(newest, Some(key))?
            {
                return self.completed(repeated, newest, &request).await;
            }
            key.generation = made.iter().map(|record| record.generation() + 1).max().unwrap_or(0);
        }
        let is_given = request.id.is_some();
        let mut tries_left = if is_given { 0 } else { TRIES - 1 };
        loop {
            if let Some(key) = key.as_ref().filter(|_| !is_given) {
                request.id = Some(key.store_id().to_string());
                prepared = None;
            }
            // Without an id, this chooses a random one.
            let spec = prepared.take().map_or_else(|| self.prepare(&request), Ok)?;
            match self.create_as(&spec, &request, key.as_ref()).await {
                Err(Error::AlreadyExists { .. }) if tries_left > 0 => tries_left -= 1,
                outcome => return outcome,
            }
            if let Some(key) = &mut key {
                key.generation += 1;
            }
        }
    }

    async fn create_as(&self, spec: &StoreSpec, request: &CreateStore, key: Option<&Idempotency>) -> Result<Creation> {
        // Check that the engine can render the spec before anything is created.
        let desired = self.manifests_of(spec, &RedactedSecrets)?;
        let place = self.place_for(request.owner.as_deref(), &spec.id, &desired).await?;
        let nonce = Uuid::new_v4().to_string();
        let origin = Origin {
            created_by: &self.inner.created_by,
            creation: Some(&nonce),
            owner: request.owner.as_deref(),
            labels: Some(&request.labels),
            request: Some(&request.options),
            authority: Some(request.authority),
            idempotency: key,
        };
        let taken = |message: &str| Error::AlreadyExists { id: spec.id.clone(), message: message.to_owned() };
        // Before the record: a monitor may see that before this request has its answer.
        let mut under_way = self.inner.under_way.expect(spec.namespace());
        let record = match self.put_on_record(spec, &origin).await? {
            Placed::New(record) => {
                place.iter().for_each(Place::done);
                under_way.begin();
                record
            }
            Placed::Blocked(message) => return Err(taken(&message)),
            // Do not try the key's next id: a concurrent repetition of the request would create a second store with
            // this id.
            Placed::Gone if key.is_some() => return Err(Error::KeyStoreDeleting { id: spec.id.clone() }),
            Placed::Gone => return Err(taken("a namespace with this name is being removed; try again")),
            Placed::Exists(record) => {
                return match self.repeated(&record, key)? {
                    Some(repeated) => self.completed(repeated, &record, request).await,
                    None if record.status == StoreStatus::Deleting => {
                        Err(taken("the store of that id is being deleted; wait until it is gone, or choose another id"))
                    }
                    None => Err(taken("a store of that id exists; choose another id, or leave the id out")),
                };
            }
        };
        let (store, uid) = (record.store(&self.inner.engines), record.uid);
        // Before the pods that need it. Nobody else has the values: a monitor cannot finish this.
        if let Err(source) = self.keep_handed(&spec.id, &request.handed).await {
            return Err(Error::Unfinished { store: Box::new(store), source });
        }
        match self.carry_out_visibly(spec, &uid, &plan(&desired, &Observed::new()), under_way).await {
            Ok(()) => Ok(Creation::New(store)),
            Err(failure) => Err(failure.of(store)),
        }
    }

    /// The answer to a repeated request, after the secret values are kept that an interrupted creation did not keep.
    async fn completed(&self, repeated: Creation, record: &Record, request: &CreateStore) -> Result<Creation> {
        match self.keep_handed(&record.id, &request.handed).await {
            Ok(()) => Ok(repeated),
            Err(source) => Err(Error::Unfinished { store: Box::new(repeated.into_store()), source }),
        }
    }

    /// Keeps the secret values that a request handed over in the store's namespace, unless an earlier try has. They are never
    /// read again.
    async fn keep_handed(&self, id: &StoreId, handed: &HandedSecrets) -> Result<(), ClusterError> {
        if handed.is_empty() {
            return Ok(());
        }
        let secret = handed_secret(id, handed).map_err(|e| {
            let reference = ObjectRef::namespaced(Kind::of::<Secret>(), id.namespace(), HANDED_SECRET);
            ClusterError::new(Verb::Create, &reference, ClusterErrorKind::Other, e.to_string())
        })?;
        match self.inner.cluster.create(&secret).await {
            Err(error) if error.kind() != ClusterErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    }

    /// Admits the creation of store `id`, unless its owner has reached a limit. Without limits, sends no requests.
    async fn place_for(&self, owner: Option<&str>, id: &StoreId, desired: &[Manifest]) -> Result<Option<Place>> {
        let counts = &self.inner.owners;
        let Some(owner) = owner.filter(|_| counts.limits != OwnerLimits::default()) else { return Ok(None) };
        let demand = if counts.limits.limit_demand() { Demand::of(desired) } else { Demand::default() };
        let place = counts.take_place(owner, (id, demand), self.now());
        place.check(&counts.limits, &self.stores_of(Operation::Create, id, owner).await?)?;
        Ok(Some(place))
    }

    /// The stores of an owner on the cluster, for an operation on store `id`.
    pub(super) async fn stores_of(
        &self,
        operation: Operation,
        id: &StoreId,
        owner: &str,
    ) -> Result<HashMap<StoreId, Existing>> {
        let limit_demand = self.inner.owners.limits.limit_demand();
        let namespaces = self.inner.cluster.list(&of_owner(owner)).await;
        let namespaces = namespaces.map_err(|e| Error::cluster(operation, Some(id), e))?;
        let theirs = namespaces.iter().filter_map(Record::read).filter(|record| record.owner() == Some(owner));
        let existing = |record: Record| {
            let Record { id, status, created_at, spec, .. } = record;
            // A store that this version cannot render has no known demand.
            let rendered =
                spec.ok().filter(|_| limit_demand).and_then(|spec| self.manifests_of(&spec, &RedactedSecrets).ok());
            let demand = rendered.map(|manifests| Demand::of(&manifests)).unwrap_or_default();
            (id, Existing { status, created_at, demand })
        };
        Ok(theirs.map(existing).collect())
    }

    /// The records of all stores that were created with a key, of any age.
    async fn made_with(&self, key: &Idempotency) -> Result<Vec<Record>> {
        let namespaces = self.inner.cluster.list(&of_key(key)).await;
        let namespaces = namespaces.map_err(|e| Error::cluster(Operation::Create, None, e))?;
        let records = namespaces.iter().filter_map(Record::read);
        Ok(records.filter(|record| record.idempotency.as_ref().is_some_and(|made| made.has_key_of(key))).collect())
    }

    /// The answer to a repeated request, if the store on record was created with the request's key and the key is still
    /// valid.
    fn repeated(&self, record: &Record, key: Option<&Idempotency>) -> Result<Option<Creation>> {
        let (Some(made), Some(key)) = (&record.idempotency, key) else { return Ok(None) };
        let id = || record.id.clone();
        match made.repeated_by(key, record.created_at, self.now()) {
            Repetition::None => Ok(None),
            Repetition::Different => Err(Error::KeyReused { id: id() }),
            Repetition::Same if record.status == StoreStatus::Deleting => Err(Error::KeyStoreDeleting { id: id() }),
            Repetition::Same => Ok(Some(Creation::Repeated(record.store(&self.inner.engines)))),
        }
    }

    /// Creates the namespace of a new store, which is its record.
    async fn put_on_record(&self, spec: &StoreSpec, origin: &Origin<'_>) -> Result<Placed> {
        let namespace = self.namespace_of(spec, origin)?;
        let found = match self.inner.cluster.create(&namespace).await {
            Ok(created) => Some(created),
            Err(error) if error.kind() == ClusterErrorKind::AlreadyExists => {
                let existing = self.inner.cluster.get(&namespace_ref(&spec.id)).await;
                existing.map_err(|e| Error::cluster(Operation::Create, Some(&spec.id), e))?
            }
            Err(error) => return Err(Error::cluster(Operation::Create, Some(&spec.id), error)),
        };
        let Some(namespace) = found else {
            return Ok(Placed::Gone);
        };
        Ok(match Record::read(&namespace) {
            // The backend repeated the request and found the namespace that its first try had created.
            Some(record) if record.creation.as_deref() == origin.creation => Placed::New(record),
            Some(record) => Placed::Exists(record),
            None => Placed::Blocked(format!(
                "the namespace {} exists and is not urumi's; choose another id",
                namespace.name()
            )),
        })
    }
}

/// The Secret with the values that a request handed over, each under the path of its option.
fn handed_secret(id: &StoreId, handed: &HandedSecrets) -> Result<Object, MalformedObject> {
    let data = handed.iter().map(|(path, value)| (path.to_owned(), ByteString(value.reveal().as_bytes().to_vec())));
    Object::from_typed(&Secret {
        metadata: ObjectMeta {
            name: Some(HANDED_SECRET.to_owned()),
            namespace: Some(id.namespace()),
            labels: Some(common_labels(id).into_iter().collect()),
            ..Default::default()
        },
        data: Some(data.collect()),
        type_: Some("Opaque".to_owned()),
        ..Default::default()
    })
}
