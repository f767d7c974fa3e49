//! The resources that a store asks the cluster for.

use serde_json::Value;

use crate::engine::Manifest;
use crate::kubernetes::Object;
use crate::kubernetes::syntax::Quantity;

/// The sums of what a store's pods and volumes request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Demand {
    pub(crate) cpu: Quantity,
    pub(crate) memory: Quantity,
    pub(crate) storage: Quantity,
}

impl Default for Demand {
    fn default() -> Self {
        Demand { cpu: Quantity::of(0), memory: Quantity::of(0), storage: Quantity::of(0) }
    }
}

impl Demand {
    /// The demand of a store's Deployments and StatefulSets, with as many replicas as their autoscalers may want. Jobs end, and
    /// their pods are not counted.
    pub(crate) fn of(manifests: &[Manifest]) -> Self {
        let objects = manifests.iter().map(|manifest| &manifest.object);
        let is = |object: &&Object, kinds: &[&str]| kinds.contains(&object.kind().kind.as_ref());
        let autoscalers: Vec<&Object> =
            objects.clone().filter(|object| is(object, &["HorizontalPodAutoscaler"])).collect();
        let workloads = objects.filter(|object| is(object, &["Deployment", "StatefulSet"]));
        workloads.fold(Demand::default(), |sum, workload| {
            let scaled = autoscalers.iter().find(|autoscaler| scales(autoscaler, workload));
            let replicas = match scaled {
                Some(autoscaler) => number(autoscaler, "/spec/maxReplicas"),
                None => number(workload, "/spec/replicas"),
            };
            sum.plus(&of_workload(workload, replicas.unwrap_or(1)))
        })
    }

    /// Whether it is not more of anything.
    pub(crate) fn within(&self, other: &Demand) -> bool {
        self.cpu <= other.cpu && self.memory <= other.memory && self.storage <= other.storage
    }

    pub(crate) fn plus(&self, other: &Demand) -> Self {
        Demand {
            cpu: self.cpu.plus(&other.cpu),
            memory: self.memory.plus(&other.memory),
            storage: self.storage.plus(&other.storage),
        }
    }
}

fn scales(autoscaler: &Object, workload: &Object) -> bool {
    let target = |field: &str| autoscaler.str_at(&format!("/spec/scaleTargetRef/{field}"));
    target("kind") == Some(&workload.kind().kind) && target("name") == Some(workload.name())
}

fn number(object: &Object, pointer: &str) -> Option<u32> {
    u32::try_from(object.int_at(pointer)?).ok()
}

fn of_workload(workload: &Object, replicas: u32) -> Demand {
    let claims = workload.list_at("/spec/volumeClaimTemplates");
    let requests = |resource: &str| {
        let pod = "/spec/template/spec";
        let running = sum(workload.list_at(&format!("{pod}/containers")), &format!("/resources/requests/{resource}"));
        // Init containers run one after the other, before the others.
        let starting = workload.list_at(&format!("{pod}/initContainers")).iter();
        let starting = starting.filter_map(|one| quantity(one, &format!("/resources/requests/{resource}"))).max();
        starting.filter(|starting| *starting > running).unwrap_or(running).times(replicas)
    };
    Demand {
        cpu: requests("cpu"),
        memory: requests("memory"),
        storage: sum(claims, "/spec/resources/requests/storage").times(replicas),
    }
}

fn sum(list: &[Value], pointer: &str) -> Quantity {
    list.iter().filter_map(|one| quantity(one, pointer)).fold(Quantity::of(0), |sum, amount| amount.plus(&sum))
}

fn quantity(value: &Value, pointer: &str) -> Option<Quantity> {
    Quantity::parse(value.pointer(pointer)?.as_str()?).ok()
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
    use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
    use k8s_openapi::api::batch::v1::Job;
    use serde_json::json;

    use super::*;
    use crate::kubernetes::Kind;

    fn workload(kind: Kind, spec: Value) -> Manifest {
        let metadata = json!({"name": "x", "namespace": "store-x"});
        Manifest::managed(Object::from_value(kind, json!({"metadata": metadata, "spec": spec})).unwrap())
    }

    fn container(cpu: &str, memory: &str) -> Value {
        json!({"resources": {"requests": {"cpu": cpu, "memory": memory}}})
    }

    #[test]
    fn replicas_and_volumes_count_and_jobs_do_not() {
        let pod = |containers: Value, init: Value| json!({"spec": {"containers": containers, "initContainers": init}});
        let one = || json!([container("100m", "128Mi"), container("50m", "64Mi")]);
        let claims = json!([{"spec": {"resources": {"requests": {"storage": "5Gi"}}}}]);
        let demand = Demand::of(&[
            workload(
                Kind::of::<Deployment>(),
                json!({"replicas": 3, "template": pod(one(), json!([container("1", "1Mi")]))}),
            ),
            workload(
                Kind::of::<StatefulSet>(),
                json!({"volumeClaimTemplates": claims, "template": pod(one(), json!([]))}),
            ),
            workload(Kind::of::<Job>(), json!({"template": pod(one(), json!([]))})),
        ]);
        let expected = ["3150m", "768Mi", "5Gi"].map(|text| Quantity::parse(text).unwrap());
        assert_eq!([demand.cpu, demand.memory, demand.storage], expected);
    }

    #[test]
    fn what_an_autoscaler_may_want_counts() {
        let pod = json!({"spec": {"containers": [container("100m", "128Mi")]}});
        let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"});
        let demand = Demand::of(&[
            workload(Kind::of::<Deployment>(), json!({ "template": pod })),
            workload(
                Kind::of::<HorizontalPodAutoscaler>(),
                json!({"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 4}),
            ),
        ]);
        assert_eq!(demand.cpu, Quantity::parse("400m").unwrap());
    }
}
