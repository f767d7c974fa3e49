//! What a change of a store changes of its objects: a comparison of two renderings.

use serde_json::Value;

use super::drift;
use crate::engine::{Component, Manifest, Policy};
use crate::kubernetes::{Object, ObjectRef};
use crate::store::preview::{Difference, Drift, Repair};

/// What a change does to an object.
#[derive(Debug, PartialEq)]
pub(crate) enum Change<'a> {
    Create(&'a Object),
    /// The object before and after.
    Replace(&'a Object, &'a Object),
    Remove(&'a Object),
}

/// The changes between two renderings of a store. Objects that are created once are not compared.
pub(crate) fn changes<'a>(before: &'a [Manifest], after: &'a [Manifest]) -> Vec<Change<'a>> {
    let find = |manifests: &'a [Manifest], of: &Manifest| {
        let reference = of.object.reference();
        manifests.iter().find(|manifest| manifest.object.reference() == reference)
    };
    let kept = after.iter().filter_map(|manifest| match find(before, manifest) {
        None => Some(Change::Create(&manifest.object)),
        Some(old) if manifest.policy == Policy::Managed && old.object != manifest.object => {
            Some(Change::Replace(&old.object, &manifest.object))
        }
        Some(_) => None,
    });
    let gone = before.iter().filter(|manifest| find(after, manifest).is_none());
    kept.chain(gone.map(|manifest| Change::Remove(&manifest.object))).collect()
}

impl Change<'_> {
    /// The object.
    pub(crate) fn reference(&self) -> ObjectRef {
        match self {
            Change::Create(object) | Change::Replace(object, _) | Change::Remove(object) => object.reference(),
        }
    }

    /// The fields that get another value, and those that are removed.
    pub(crate) fn fields(&self) -> Vec<Drift> {
        let Change::Replace(before, after) = self else { return Vec::new() };
        let mut fields = drift(after, before);
        let removed = drift(before, after).into_iter().filter(|field| field.actual.is_none());
        fields.extend(removed.map(|Drift { path, desired, .. }| Drift {
            path,
            desired: Value::Null,
            actual: Some(desired),
        }));
        fields
    }

    /// Whether it replaces the pods of this component.
    pub(crate) fn restarts(&self, component: &Component) -> bool {
        let template = "/spec/template";
        match self {
            Change::Replace(before, after) => {
                before.reference() == component.workload && before.at(template) != after.at(template)
            }
            _ => false,
        }
    }

    /// The change as users see it.
    pub(crate) fn difference(&self) -> Difference {
        let action = match self {
            Change::Create(_) => Repair::Create,
            Change::Replace(..) => Repair::Repair,
            Change::Remove(_) => Repair::Delete,
        };
        Difference { action, object: self.reference().to_string(), fields: self.fields() }
    }
}

/// The fields of objects that Kubernetes lets nobody change.
const IMMUTABLE: [(&str, &[&str]); 3] = [
    ("Deployment", &["spec.selector"]),
    ("StatefulSet", &["spec.selector", "spec.serviceName", "spec.volumeClaimTemplates", "spec.podManagementPolicy"]),
    ("Job", &["spec.template", "spec.selector", "spec.completions"]),
];

/// The field that Kubernetes does not let the change replace, if there is one.
pub(crate) fn immutable_field(change: &Change<'_>) -> Option<String> {
    let kind = change.reference().kind.kind;
    let (_, fixed) = IMMUTABLE.iter().find(|(of, _)| kind == *of)?;
    change.fields().into_iter().map(|field| field.path).find(|path| fixed.iter().any(|field| path.starts_with(field)))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
    use k8s_openapi::api::core::v1::{Secret, Service};
    use serde_json::json;

    use super::*;
    use crate::kubernetes::Kind;

    fn object(kind: Kind, name: &str, spec: Value) -> Object {
        Object::from_value(kind, json!({"metadata": {"name": name, "namespace": "store-x"}, "spec": spec})).unwrap()
    }

    fn deployment(image: &str, replicas: u32, env: Value) -> Manifest {
        let containers = json!([{"name": "a", "image": image, "env": env}]);
        let spec = json!({"replicas": replicas, "template": {"spec": {"containers": containers}}});
        Manifest::managed(object(Kind::of::<Deployment>(), "api", spec))
    }

    fn shown(changes: &[Change<'_>]) -> Vec<String> {
        let fields = |change: &Change<'_>| {
            change.fields().iter().map(|f| format!(" {}={}", f.path, f.desired)).collect::<String>()
        };
        changes.iter().map(|c| format!("{:?} {}{}", c.difference().action, c.reference().name, fields(c))).collect()
    }

    #[test]
    fn every_object_that_differs_is_a_change() {
        let service = Manifest::managed(object(Kind::of::<Service>(), "old", json!({})));
        let secret = |value: &str| {
            Manifest::create_once(object(Kind::of::<Secret>(), "credentials", json!({"v": value})), Vec::new())
        };
        let before = [deployment("a:1", 1, json!([{"name": "X", "value": "1"}])), service.clone(), secret("1")];
        let new = Manifest::managed(object(Kind::of::<Service>(), "new", json!({})));
        let after = [deployment("a:2", 1, json!([])), new, secret("2")];
        assert_eq!(
            shown(&changes(&before, &after)),
            [
                "Repair api spec.template.spec.containers[name=a].image=\"a:2\" \
             spec.template.spec.containers[name=a].env[name=X]=null",
                "Create new",
                "Delete old",
            ]
        );
        assert_eq!(changes(&before, &before), []);
    }

    #[test]
    fn only_another_pod_template_restarts_a_component() {
        let before = [deployment("a:1", 1, json!([]))];
        let component = Component::new("api", before[0].object.reference());
        for (after, restarts) in [(deployment("a:1", 3, json!([])), false), (deployment("a:2", 1, json!([])), true)] {
            let after = [after];
            assert_eq!(changes(&before, &after).iter().any(|change| change.restarts(&component)), restarts);
        }
    }

    #[test]
    fn what_kubernetes_refuses_is_known() {
        let set = |size: &str, replicas: u32| {
            let spec = json!({"replicas": replicas, "volumeClaimTemplates": [{"metadata": {"name": "d"}, "spec": {"size": size}}]});
            Manifest::managed(object(Kind::of::<StatefulSet>(), "postgres", spec))
        };
        let before = [set("5Gi", 1)];
        for (after, refused) in [(set("5Gi", 2), false), (set("6Gi", 1), true)] {
            let after = [after];
            assert_eq!(changes(&before, &after).iter().any(|change| immutable_field(change).is_some()), refused);
        }
    }
}
