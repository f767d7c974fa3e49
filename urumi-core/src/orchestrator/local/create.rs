//! Creating a store: on record first, then everything in it.

use uuid::Uuid;

use super::Orchestrator;
use crate::error::{Error, Operation, Result};
use crate::kubernetes::ClusterErrorKind;
use crate::plan::{Observed, plan};
use crate::record::{Origin, Record, namespace_ref};
use crate::secret::RedactedSecrets;
use crate::store::idempotency::{Idempotency, Repetition};
use crate::store::status::StoreStatus;
use crate::store::{CreateStore, Store, StoreSpec};

/// How many ids are tried before it is no accident that they are taken. A random one is drawn twice; a key stands for
/// one store a day.
const DRAWS: u32 = 2;
const KEY_GENERATIONS: u32 = 400;

/// What became of an attempt to put a store on record.
enum Placed {
    /// It is there, made by this attempt.
    New(Record),
    /// A store of that id is there already.
    Exists(Record),
    /// A store of that id was there, and is gone by now.
    Gone,
    /// The name is taken by something that is no store.
    Blocked(String),
}

impl Orchestrator {
    pub(super) async fn create_store(&self, mut request: CreateStore) -> Result<Store> {
        let key = Idempotency::of(&request);
        let drawn_by = key.as_ref().filter(|_| request.id.is_none());
        let tries = match (&request.id, drawn_by) {
            (Some(_), _) => 1,
            (None, None) => DRAWS,
            (None, Some(_)) => KEY_GENERATIONS,
        };
        let mut taken = None;
        for generation in 0..tries {
            if let Some(key) = drawn_by {
                request.id = Some(key.store_id(generation).to_string());
            }
            let spec = self.prepare(&request)?;
            match self.create_as(&spec, &request, key.as_ref()).await {
                Err(error @ Error::AlreadyExists { .. }) => taken = Some(error),
                other => return other,
            }
        }
        // At least one try was made, so there is an error.
        Err(taken.unwrap_or_else(|| Error::Invalid(Vec::new())))
    }

    async fn create_as(&self, spec: &StoreSpec, request: &CreateStore, key: Option<&Idempotency>) -> Result<Store> {
        // An engine that cannot render its spec is found out before anything is created.
        let desired = self.manifests_of(spec, &RedactedSecrets)?;
        let nonce = Uuid::new_v4().to_string();
        let origin = Origin {
            created_by: &self.inner.created_by,
            creation: Some(&nonce),
            owner: request.owner.as_deref(),
            idempotency: key,
        };
        let taken = |message: &str| Error::AlreadyExists { id: spec.id.clone(), message: message.to_owned() };
        let record = match self.put_on_record(spec, &origin).await? {
            Placed::New(record) => record,
            Placed::Blocked(message) => return Err(taken(&message)),
            // Not the next id of a key: the same request, sent again now, would make a second store under this one.
            Placed::Gone if key.is_some() => return Err(Error::KeyInUse { id: spec.id.clone() }),
            Placed::Gone => return Err(taken("a namespace of that name is just being removed; try again")),
            Placed::Exists(record) => {
                let deleting = record.status == StoreStatus::Deleting;
                return match self.repetition(&record, key) {
                    Repetition::Same if deleting => Err(Error::KeyInUse { id: record.id }),
                    Repetition::Same => Ok(record.store(&self.inner.engines)),
                    Repetition::Different => Err(Error::KeyReused { id: record.id }),
                    Repetition::None if deleting => {
                        Err(taken("the store of that id is being deleted; wait until it is gone, or choose another id"))
                    }
                    Repetition::None => Err(taken("a store of that id exists; choose another id, or leave the id out")),
                };
            }
        };
        let (store, uid) = (record.store(&self.inner.engines), record.uid);
        match self.carry_out(spec, &uid, &plan(&desired, &Observed::new())).await {
            Ok(()) => Ok(store),
            Err(failure) => Err(failure.of(store)),
        }
    }

    fn repetition(&self, record: &Record, key: Option<&Idempotency>) -> Repetition {
        match (&record.idempotency, key) {
            (Some(made), Some(key)) => made.repeated_by(key, record.created_at, self.now()),
            _ => Repetition::None,
        }
    }

    /// Creates the namespace of a new store, which puts it on record.
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
            // A repeated request meets what its own first try made.
            Some(record) if record.creation.as_deref() == origin.creation => Placed::New(record),
            Some(record) => Placed::Exists(record),
            None => Placed::Blocked(format!(
                "the namespace {} exists and is not urumi's; choose another id",
                namespace.name()
            )),
        })
    }
}
