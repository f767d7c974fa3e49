//! Changes a store: one guarded write of its record, which the monitor carries out.

use std::collections::BTreeSet;

use super::{Orchestrator, in_request, readable_spec, render_error};
use crate::engine::{Manifest, NewStore, RequestChange};
use crate::error::{Error, FieldError, Operation, Result};
use crate::kubernetes::{Object, ObjectRef};
use crate::orchestrator::Precondition;
use crate::plan::changes::{Change, changes, immutable_field};
use crate::plan::demand::Demand;
use crate::plan::manifests::proof;
use crate::record::Record;
use crate::record::revision::NewRevision;
use crate::secret::RedactedSecrets;
use crate::store::status::StoreStatus;
use crate::store::update::{MAX_REASON, OptionChange, UpdatePreview, UpdateStore};
use crate::store::{OptionWarning, Options, Store, StoreId, StoreName, StoreSpec, merge_patch};

const OPERATION: Operation = Operation::Update;

/// A store before and after a change.
pub(super) struct Changed {
    pub(super) spec: StoreSpec,
    pub(super) request: Options,
    before: Vec<Manifest>,
    after: Vec<Manifest>,
}

impl Changed {
    /// What the change does to the store's objects.
    pub(super) fn changes(&self) -> Vec<Change<'_>> {
        changes(&self.before, &self.after)
    }
}

/// The references of objects.
type References = BTreeSet<ObjectRef>;

impl Orchestrator {
    pub(super) async fn update_store(
        &self,
        id: &StoreId,
        update: UpdateStore,
        expected: &Precondition,
    ) -> Result<Store> {
        let record = self.revise(OPERATION, id, expected, |record| {
            let Some(changed) = self.changed(record, &update)? else { return Ok(None) };
            let revision = NewRevision {
                authority: update.authority,
                by: update.by.clone(),
                reason: update.reason.clone(),
                ..self.new_revision(&changed)
            };
            Ok(Some((changed, revision)))
        });
        Ok(record.await?.store(&self.inner.engines))
    }

    pub(super) async fn preview_change(
        &self,
        id: &StoreId,
        update: UpdateStore,
        expected: &Precondition,
    ) -> Result<UpdatePreview> {
        let record = self.expected_record(OPERATION, id, expected).await?;
        super::change::at_version(OPERATION, &record, expected)?;
        let spec = readable_spec(OPERATION, &record)?;
        let warn = |w: OptionWarning| OptionWarning::new(format!("options.{}", w.field), w.message);
        let engine = self.inner.engines.require(&spec.engine)?;
        let warnings = engine.warnings(&update.options).into_iter().map(warn).collect();
        let changed = self.changed(&record, &update)?;
        self.preview(&record, spec, changed.as_ref(), warnings).await
    }

    /// What a change of a store does; `None` changes nothing.
    pub(super) async fn preview(
        &self,
        record: &Record,
        spec: &StoreSpec,
        changed: Option<&Changed>,
        warnings: Vec<OptionWarning>,
    ) -> Result<UpdatePreview> {
        let Some(changed) = changed else {
            return Ok(UpdatePreview {
                revision: record.revision.number,
                name: spec.name.as_str().to_owned(),
                options: Vec::new(),
                restarts: Vec::new(),
                objects: Vec::new(),
                warnings,
            });
        };
        self.check_demand(record, changed).await?;
        let changes = changed.changes();
        let components = self.components_of(&changed.spec)?;
        let restarted = components.iter().filter(|component| changes.iter().any(|change| change.restarts(component)));
        let shown = |options: &Options| self.inner.engines.without_secrets(&spec.engine, options.clone());
        Ok(UpdatePreview {
            revision: record.revision.number + 1,
            name: changed.spec.name.as_str().to_owned(),
            options: OptionChange::between(&shown(&spec.options), &shown(&changed.spec.options)),
            restarts: restarted.map(|component| component.name.clone()).collect(),
            objects: changes.iter().map(Change::difference).collect(),
            warnings,
        })
    }

    /// Puts the next revision of the expected store on record. `revise` decides on the record as it is then; `None` leaves it.
    pub(super) async fn revise<'a>(
        &self,
        operation: Operation,
        id: &StoreId,
        expected: &Precondition,
        revise: impl Fn(&Record) -> Result<Option<(Changed, NewRevision)>> + 'a,
    ) -> Result<Record> {
        let mut conflicts = super::change::Conflicts::default();
        loop {
            let record = self.expected_record(operation, id, expected).await?;
            super::change::at_version(operation, &record, expected)?;
            let Some((changed, mut revision)) = revise(&record)? else { return Ok(record) };
            self.check_demand(&record, &changed).await?;
            let spec = readable_spec(operation, &record)?;
            revision.removed.extend(self.proof_of(&record, spec)?.map(|job| job.reference()));
            self.keep_revision(operation, &record, spec).await?;
            let patch = record.revise(&changed.spec, &changed.request, &revision);
            let patch = patch.map_err(|error| render_error(&changed.spec, &error.into()))?;
            match self.inner.cluster.patch_metadata(&crate::record::namespace_ref(id), &patch).await {
                Ok(namespace) => return Record::read(&namespace).ok_or_else(|| Error::NotFound { id: id.clone() }),
                Err(error) => conflicts.tolerate(operation, id, error)?,
            }
        }
    }

    /// The Job that proves the present revision, if it is not the first.
    fn proof_of(&self, record: &Record, spec: &StoreSpec) -> Result<Option<Object>> {
        let number = record.revision.number;
        if number == 1 {
            return Ok(None);
        }
        let engine = self.inner.engines.require(&spec.engine)?;
        proof(engine.as_ref(), spec, number).map_err(|error| render_error(spec, &error))
    }

    /// The next revision with these changes, of this moment.
    pub(super) fn new_revision(&self, changed: &Changed) -> NewRevision {
        let references = |of: fn(&Change<'_>) -> bool| -> References {
            changed.changes().iter().filter(|change| of(change)).map(Change::reference).collect()
        };
        NewRevision {
            at: self.now(),
            changed: references(|change| matches!(change, Change::Create(_) | Change::Replace(..))),
            removed: references(|change| matches!(change, Change::Remove(_))),
            rendered: changed.after.iter().map(|manifest| manifest.object.reference()).collect(),
            ..NewRevision::default()
        }
    }

    /// The store after an update; `None` if it is the same as before.
    fn changed(&self, record: &Record, update: &UpdateStore) -> Result<Option<Changed>> {
        check_status(OPERATION, record)?;
        let spec = readable_spec(OPERATION, record)?;
        let mut wrong: Vec<FieldError> = Vec::new();
        let name = match &update.name {
            Some(name) => StoreName::parse(name).map_err(|error| wrong.push(error)).ok(),
            None => Some(spec.name.clone()),
        };
        wrong.extend(update.reason.as_deref().and_then(|reason| check_reason(reason).err()));
        let requested = record.request.clone().unwrap_or_else(|| spec.options.clone());
        let request = self.requested_after(spec, &requested, update).map_err(|errors| wrong.extend(errors)).ok();
        let options = request.as_ref().and_then(|request| {
            // What was refused before the change is not its fault.
            let known = self.refusals(&spec.engine, record.authority, &spec.id, &requested);
            let refused = self.refusals(&spec.engine, update.authority, &spec.id, request);
            wrong.extend(refused.into_iter().filter(|error| !known.contains(error)).map(in_request));
            let options = self.options_after(spec, &RequestChange::new(&requested, request), update.refresh);
            options.map_err(|errors| wrong.extend(errors.into_iter().map(in_request))).ok()
        });
        let (Some(name), Some(request), Some(options), true) = (name, request, options, wrong.is_empty()) else {
            return Err(Error::Invalid(wrong));
        };
        let renderer = match update.refresh {
            true => self.inner.engines.require(&spec.engine)?.renderer(),
            false => spec.renderer,
        };
        let after = StoreSpec { name, options, renderer, ..spec.clone() };
        if after == *spec && request == requested {
            return Ok(None);
        }
        self.changed_to(spec, after, request).map(Some)
    }

    /// A store before and after a change, if Kubernetes lets it happen.
    pub(super) fn changed_to(&self, spec: &StoreSpec, after: StoreSpec, request: Options) -> Result<Changed> {
        let changed = Changed {
            before: self.manifests_of(spec, &RedactedSecrets)?,
            after: self.manifests_of(&after, &RedactedSecrets)?,
            spec: after,
            request,
        };
        for change in changed.changes() {
            if let Some(field) = immutable_field(&change) {
                let message = format!("would change {}: Kubernetes does not change its {field}", change.reference());
                return Err(FieldError::new("options", message).into());
            }
        }
        Ok(changed)
    }

    /// The options of the request after an update.
    fn requested_after(
        &self,
        spec: &StoreSpec,
        requested: &Options,
        update: &UpdateStore,
    ) -> Result<Options, Vec<FieldError>> {
        let engines = &self.inner.engines;
        let (mut patch, mut handed) = (update.options.clone(), update.handed.clone());
        let mut wrong = engines.refuse_lists(&spec.engine, &mut patch);
        wrong.extend(engines.take_secrets(&spec.engine, &mut patch, &mut handed));
        let message = "is a secret value, which is taken only when a store is created";
        wrong.extend(handed.iter().map(|(path, _)| FieldError::new(path, message)));
        if !wrong.is_empty() {
            return Err(wrong.into_iter().map(in_request).collect());
        }
        let mut request = requested.clone();
        merge_patch::apply(&mut request, &patch);
        Ok(request)
    }

    /// The options in force after a change of the request. Today's engine says what the change means, and only that is applied to
    /// the options in force: defaults that have changed since then move nobody.
    fn options_after(
        &self,
        spec: &StoreSpec,
        change: &RequestChange<'_>,
        refresh: bool,
    ) -> Result<Options, Vec<FieldError>> {
        let engine = self.inner.engines.require(&spec.engine);
        let engine = engine.map_err(|error| vec![FieldError::new("", error.to_string())])?;
        let store = NewStore { id: &spec.id, default_domain: &self.inner.domain };
        let after = engine.resolve(&store, change.after)?;
        if refresh {
            return engine.settle(spec, change, after);
        }
        // A request that was valid once may not be any more: then the whole of it counts as new.
        let options = match engine.resolve(&store, change.before) {
            Ok(before) => {
                let mut options = spec.options.clone();
                merge_patch::apply(&mut options, &merge_patch::between(&before, &after));
                options
            }
            Err(_) => after,
        };
        engine.settle(spec, change, options)
    }

    /// Refuses a change after which the stores of the owner would request more than they may, and more than before.
    async fn check_demand(&self, record: &Record, changed: &Changed) -> Result<()> {
        let limits = &self.inner.owners.limits;
        let Some(owner) = record.owner().filter(|_| limits.limit_demand()) else { return Ok(()) };
        let (before, after) = (Demand::of(&changed.before), Demand::of(&changed.after));
        if after.within(&before) {
            return Ok(());
        }
        let others = self.stores_of(OPERATION, &record.id, owner).await?;
        let others = others.into_iter().filter(|(id, store)| *id != record.id && store.status != StoreStatus::Deleting);
        let total = others.fold(after, |sum, (_, store)| sum.plus(&store.demand));
        limits.check_demand(owner, &total)
    }
}

/// Refuses a change of a store whose status does not allow it.
pub(super) fn check_status(operation: Operation, record: &Record) -> Result<()> {
    match record.status {
        StoreStatus::Deleting => {
            let message = "it is being deleted".to_owned();
            Err(Error::WrongState { operation, id: record.id.clone(), message })
        }
        _ => Ok(()),
    }
}

/// Checks the reason of a change, which is shown as one line.
fn check_reason(reason: &str) -> Result<(), FieldError> {
    let chars = reason.chars().count();
    if chars > MAX_REASON {
        return Err(FieldError::new("reason", format!("has {chars} characters, at most {MAX_REASON} are allowed")));
    }
    match reason.chars().any(char::is_control) {
        true => Err(FieldError::new("reason", "must be one line of text")),
        false => Ok(()),
    }
}
