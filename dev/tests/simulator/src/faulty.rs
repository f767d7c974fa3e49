//! The cluster as a process sees it: late, failing, and at times deadly.

use std::fmt;
use std::future::{Future, pending};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use urumi_core::cluster::{ClusterBackend, LogStream, WatchStream};
use urumi_core::kubernetes::{
    Access, ClusterError, LogOptions, MetadataPatch, Preconditions, Query, TokenReview, Verb,
};
use urumi_core::kubernetes::{Object, ObjectRef};
use urumi_core::record;
use urumi_core::secret::SecretString;

use crate::life::Life;
use crate::request::{Role, Write, namespace};
use crate::revisions;
use crate::scenario::{Moment, Of};
use crate::watches::unsteady;
use crate::world::{Fate, World};

/// The cluster as a process sees it.
#[derive(Clone)]
pub(crate) struct FaultyCluster {
    world: Arc<World>,
    life: Life,
    role: Role,
}

impl FaultyCluster {
    /// The cluster of a world, as it is seen by a process in a role.
    pub(crate) fn new(world: Arc<World>, life: Life, role: Role) -> Self {
        FaultyCluster { world, life, role }
    }

    fn who(&self) -> String {
        let role = match self.role {
            Role::Request => "",
            Role::Monitor(_) => " monitor",
            Role::Elector => " elector",
        };
        format!("{}{role}", self.life.replica)
    }

    /// Which of its writes are counted together.
    fn counted(&self) -> Of {
        if matches!(self.role, Role::Elector) { Of::Lease } else { Of::Stores }
    }

    /// Dies, if this is the moment.
    fn perhaps_die(&self, death: Option<(Moment, Duration)>, moment: Moment) {
        if let Some((_, back_after)) = death.filter(|(at, _)| *at == moment) {
            self.world.note(|| format!("{} dies: {moment:?}", self.life.replica));
            self.world.die(&self.life, back_after);
        }
    }

    /// Sends a request. What was sent is carried out, whatever becomes of whoever has sent it.
    async fn send<T: Send + 'static>(
        &self,
        fate: Fate,
        (verb, target): (Verb, String),
        noted: bool,
        then: impl Future<Output = Result<T, ClusterError>> + Send + 'static,
    ) -> Result<T, ClusterError> {
        self.perhaps_die(fate.death, Moment::Before);
        if self.life.dead.is_cancelled() {
            return pending().await;
        }
        let cluster = self.clone();
        let carried_out = tokio::spawn(async move {
            cluster.world.takes(fate.there).await;
            let who = || cluster.who();
            let error = |kind| Err(ClusterError::new(verb, &target, kind, "the simulator has it so"));
            if let Some(kind) = fate.refused {
                cluster.world.note(|| format!("{} {verb} {target}: refused, {kind:?}", who()));
                return error(kind);
            }
            let result = then.await;
            if noted {
                let outcome = result.as_ref().map_or_else(|e| format!("{:?}", e.kind()), |_| "done".into());
                cluster.world.note(|| format!("{} {verb} {target}: {outcome}", who()));
            }
            cluster.perhaps_die(fate.death, Moment::Committed);
            cluster.world.takes(fate.back).await;
            if let Some(kind) = fate.lost {
                cluster.world.note(|| format!("{} {verb} {target}: answer lost, {kind:?}", who()));
                return error(kind);
            }
            result
        });
        let result = match carried_out.await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                Err(_) => pending().await,
            },
        };
        self.perhaps_die(fate.death, Moment::Answered);
        if self.life.dead.is_cancelled() { pending().await } else { result }
    }

    async fn read<T: Send + 'static>(
        &self,
        verb: Verb,
        target: impl fmt::Display,
        then: impl Future<Output = Result<T, ClusterError>> + Send + 'static,
    ) -> Result<T, ClusterError> {
        self.send(self.world.fate(None), (verb, target.to_string()), false, then).await
    }

    /// A write, with what the cluster has before and after it looked at by the audit.
    async fn write(&self, write: Write) -> Result<Option<Object>, ClusterError> {
        let reference = write.target();
        let (verb, target) = (write.verb(), reference.to_string());
        let fate = self.world.fate(Some(self.counted()));
        let term = self.world.audit(|audit| audit.write_begins((&self.life, &self.role), verb, &target));
        let noted = !matches!(self.role, Role::Elector);
        if noted {
            self.world.note(|| format!("{} {verb} {target}", self.who()));
        }
        let FaultyCluster { world, life, role } = self.clone();
        let commit = async move {
            let cluster = &world.cluster;
            let (home, before) = match (&role, &reference.namespace) {
                (Role::Elector, _) => (None, None),
                (_, None) => (None, cluster.get(&reference).await?),
                (_, Some(name)) => (cluster.get(&namespace(name)).await?, cluster.get(&reference).await?),
            };
            let kept = match (&write, &before) {
                (Write::Metadata(_, patch), Some(record)) if patch.annotations.contains_key(record::SPEC) => {
                    cluster.get(&revisions::keeps(record)).await?
                }
                _ => None,
            };
            let result = match &write {
                Write::Create(object) => cluster.create(object).await.map(Some),
                Write::Apply(object) => cluster.apply(object).await.map(Some),
                Write::Replace(object) => cluster.replace(object).await.map(Some),
                Write::Metadata(object, patch) => cluster.patch_metadata(object, patch).await.map(Some),
                Write::Delete(object, expected) => cluster.delete(object, expected).await.map(|()| None),
            };
            if let Ok(after) = &result {
                let states = (before.as_ref(), after.as_ref());
                let taken = world.audit(|audit| {
                    let before = audit.leaders.term().0;
                    audit.committed((&life, &role, term), &write, (home.as_ref(), kept.as_ref()), states);
                    let (now, holder) = audit.leaders.term();
                    (now != before).then(|| holder.to_owned())
                });
                if let Some(holder) = taken {
                    world.note(|| format!("the Lease is {holder:?}'s"));
                }
            }
            result
        };
        self.send(fate, (verb, target), noted, commit).await
    }
}

fn returned(verb: Verb, target: &ObjectRef, object: Option<Object>) -> Result<Object, ClusterError> {
    let kind = urumi_core::kubernetes::ClusterErrorKind::Other;
    object.ok_or_else(|| ClusterError::new(verb, target, kind, "the cluster returned nothing"))
}

#[async_trait]
impl ClusterBackend for FaultyCluster {
    async fn create(&self, object: &Object) -> Result<Object, ClusterError> {
        returned(Verb::Create, &object.reference(), self.write(Write::Create(object.clone())).await?)
    }

    async fn apply(&self, object: &Object) -> Result<Object, ClusterError> {
        returned(Verb::Apply, &object.reference(), self.write(Write::Apply(object.clone())).await?)
    }

    async fn own_created(&self, object: &ObjectRef, released: &'static [&'static str]) -> Result<(), ClusterError> {
        let (cluster, reference) = (self.world.cluster.clone(), object.clone());
        self.read(Verb::Apply, object, async move { cluster.own_created(&reference, released).await }).await
    }

    async fn replace(&self, object: &Object) -> Result<Object, ClusterError> {
        returned(Verb::Replace, &object.reference(), self.write(Write::Replace(object.clone())).await?)
    }

    async fn get(&self, object: &ObjectRef) -> Result<Option<Object>, ClusterError> {
        let (cluster, reference) = (self.world.cluster.clone(), object.clone());
        self.read(Verb::Get, object, async move { cluster.get(&reference).await }).await
    }

    async fn list(&self, query: &Query) -> Result<Vec<Object>, ClusterError> {
        let (cluster, wanted) = (self.world.cluster.clone(), query.clone());
        self.read(Verb::List, query, async move { cluster.list(&wanted).await }).await
    }

    fn watch(&self, query: &Query) -> WatchStream {
        unsteady(self.world.clone(), query.clone())
    }

    async fn patch_metadata(&self, object: &ObjectRef, patch: &MetadataPatch) -> Result<Object, ClusterError> {
        returned(Verb::PatchMetadata, object, self.write(Write::Metadata(object.clone(), patch.clone())).await?)
    }

    async fn delete(&self, object: &ObjectRef, expected: &Preconditions) -> Result<(), ClusterError> {
        self.write(Write::Delete(object.clone(), expected.clone())).await.map(drop)
    }

    async fn logs(&self, pod: &ObjectRef, options: &LogOptions) -> Result<LogStream, ClusterError> {
        let (cluster, reference, options) = (self.world.cluster.clone(), pod.clone(), options.clone());
        self.read(Verb::Logs, pod, async move { cluster.logs(&reference, &options).await }).await
    }

    async fn may(&self, access: &Access) -> Result<bool, ClusterError> {
        let (cluster, asked) = (self.world.cluster.clone(), access.clone());
        self.read(Verb::Review, &access.resource, async move { cluster.may(&asked).await }).await
    }

    async fn review_token(&self, token: &SecretString, audiences: &[String]) -> Result<TokenReview, ClusterError> {
        let (cluster, token, audiences) = (self.world.cluster.clone(), token.clone(), audiences.to_vec());
        let asking = async move { cluster.review_token(&token, &audiences).await };
        self.read(Verb::ReviewToken, "a token", asking).await
    }

    async fn version(&self) -> Result<String, ClusterError> {
        let cluster = self.world.cluster.clone();
        self.read(Verb::Version, "the version", async move { cluster.version().await }).await
    }
}
