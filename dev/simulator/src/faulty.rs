//! The cluster as a process sees it: late, failing, and at times deadly.

use std::future::{Future, pending};
use std::sync::Arc;

use async_trait::async_trait;
use tokio::time::sleep;
use urumi_core::cluster::{
    Access, ClusterBackend, ClusterError, LogOptions, LogStream, NamespaceDeletion, Query, RecordPatch, TokenReview,
    Verb, WatchStream,
};
use urumi_core::leader::Leadership;
use urumi_core::object::{Object, ObjectRef};
use urumi_core::secret::SecretString;

use crate::audit::{Write, namespace};
use crate::scenario::Moment;
use crate::watches::unsteady;
use crate::world::{Life, World};

/// On whose behalf a request is sent.
#[derive(Clone, Debug)]
pub(crate) enum Role {
    /// Somebody asked the process for it.
    Request,
    /// The process's monitor, which may write only while this says so.
    Monitor(Leadership),
}

/// The cluster as a process sees it.
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
        let role = if matches!(self.role, Role::Request) { "" } else { " monitor" };
        format!("{}{role}", self.life.replica)
    }

    /// Dies, if this is the moment.
    async fn perhaps_die(&self, death: Option<(Moment, std::time::Duration)>, moment: Moment) {
        if let Some((_, back_after)) = death.filter(|(at, _)| *at == moment) {
            self.world.note(|| format!("{} dies: {moment:?}", self.life.replica));
            self.world.die(&self.life, back_after);
        }
        if self.life.dead.is_cancelled() {
            pending().await
        }
    }

    async fn request<T>(
        &self,
        (verb, target): (Verb, &str),
        write: bool,
        then: impl Future<Output = Result<T, ClusterError>> + Send,
    ) -> Result<T, ClusterError> {
        if self.life.dead.is_cancelled() {
            return pending().await;
        }
        let fate = self.world.fate(write);
        if write {
            if let Role::Monitor(leadership) = &self.role {
                let permitted = leadership.holds();
                self.world.audit(|audit| audit.write_begins(permitted, self.life.replica, verb, target));
            }
            self.world.note(|| format!("{} {verb} {target}", self.who()));
        }
        self.perhaps_die(fate.death, Moment::Before).await;
        sleep_some(fate.there).await;
        let error = |kind| Err(ClusterError::new(verb, target, kind, "the simulator has it so"));
        if let Some(kind) = fate.refused {
            self.world.note(|| format!("{} {verb} {target}: refused, {kind:?}", self.who()));
            return error(kind);
        }
        let result = then.await;
        if write {
            let outcome = result.as_ref().map_or_else(|e| format!("{:?}", e.kind()), |_| "done".into());
            self.world.note(|| format!("{} {verb} {target}: {outcome}", self.who()));
        }
        self.perhaps_die(fate.death, Moment::Committed).await;
        sleep_some(fate.back).await;
        if let Some(kind) = fate.lost {
            self.world.note(|| format!("{} {verb} {target}: answer lost, {kind:?}", self.who()));
            return error(kind);
        }
        self.perhaps_die(fate.death, Moment::Answered).await;
        result
    }

    /// A write, with what the cluster has before and after it looked at by the audit.
    async fn write(&self, write: Write<'_>) -> Result<Option<Object>, ClusterError> {
        let reference = write.target();
        let cluster = &self.world.cluster;
        let commit = async {
            let home = match &reference.namespace {
                Some(name) => cluster.get(&namespace(name)).await?,
                None => None,
            };
            let before = cluster.get(&reference).await?;
            let result = match &write {
                Write::Create(object) => cluster.create(object).await.map(Some),
                Write::Apply(object) => cluster.apply(object).await.map(Some),
                Write::Replace(object) => cluster.replace(object).await.map(Some),
                Write::Record(patch) => cluster.update_record(patch).await.map(Some),
                Write::Delete(deletion) => cluster.delete_namespace(deletion).await.map(|()| None),
            };
            if let Ok(after) = &result {
                self.world.audit(|audit| audit.committed(&write, home.as_ref(), before.as_ref(), after.as_ref()));
            }
            result
        };
        self.request((write.verb(), &reference.to_string()), true, commit).await
    }
}

async fn sleep_some(time: std::time::Duration) {
    if !time.is_zero() {
        sleep(time).await;
    }
}

fn returned(verb: Verb, target: &ObjectRef, object: Option<Object>) -> Result<Object, ClusterError> {
    let kind = urumi_core::cluster::ClusterErrorKind::Other;
    object.ok_or_else(|| ClusterError::new(verb, target, kind, "the cluster returned nothing"))
}

#[async_trait]
impl ClusterBackend for FaultyCluster {
    async fn create(&self, object: &Object) -> Result<Object, ClusterError> {
        returned(Verb::Create, &object.reference(), self.write(Write::Create(object)).await?)
    }

    async fn apply(&self, object: &Object) -> Result<Object, ClusterError> {
        returned(Verb::Apply, &object.reference(), self.write(Write::Apply(object)).await?)
    }

    async fn replace(&self, object: &Object) -> Result<Object, ClusterError> {
        returned(Verb::Replace, &object.reference(), self.write(Write::Replace(object)).await?)
    }

    async fn get(&self, object: &ObjectRef) -> Result<Option<Object>, ClusterError> {
        self.request((Verb::Get, &object.to_string()), false, self.world.cluster.get(object)).await
    }

    async fn list(&self, query: &Query) -> Result<Vec<Object>, ClusterError> {
        self.request((Verb::List, &query.to_string()), false, self.world.cluster.list(query)).await
    }

    fn watch(&self, query: &Query) -> WatchStream {
        unsteady(self.world.clone(), query.clone())
    }

    async fn update_record(&self, patch: &RecordPatch) -> Result<Object, ClusterError> {
        returned(Verb::UpdateRecord, &namespace(&patch.namespace), self.write(Write::Record(patch)).await?)
    }

    async fn delete_namespace(&self, deletion: &NamespaceDeletion) -> Result<(), ClusterError> {
        self.write(Write::Delete(deletion)).await.map(drop)
    }

    async fn logs(&self, pod: &ObjectRef, options: &LogOptions) -> Result<LogStream, ClusterError> {
        self.request((Verb::Logs, &pod.to_string()), false, self.world.cluster.logs(pod, options)).await
    }

    async fn may(&self, access: &Access) -> Result<bool, ClusterError> {
        self.request((Verb::Review, &access.resource), false, self.world.cluster.may(access)).await
    }

    async fn review_token(&self, token: &SecretString, audiences: &[String]) -> Result<TokenReview, ClusterError> {
        let asking = self.world.cluster.review_token(token, audiences);
        self.request((Verb::ReviewToken, "a token"), false, asking).await
    }

    async fn version(&self) -> Result<String, ClusterError> {
        self.request((Verb::Version, "the version"), false, self.world.cluster.version()).await
    }
}
