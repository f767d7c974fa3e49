//! The HorizontalPodAutoscaler of a part, which sets the number of replicas in the place of the Deployment's manifest.

use k8s_openapi::Resource as _;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::{
    CrossVersionObjectReference, HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec, MetricSpec, MetricTarget,
    ResourceMetricSource,
};

use super::options::Autoscaling;
use super::workload::{Part, required_or_not};
use crate::engine::{Manifest, RenderError};
use crate::kubernetes::Object;

/// The autoscaler of the part's Deployment; nothing if the part has a fixed number of replicas.
pub(super) fn manifest(part: &Part<'_>, autoscaling: Option<&Autoscaling>) -> Result<Option<Manifest>, RenderError> {
    let Some(Autoscaling { min, max, cpu }) = autoscaling else { return Ok(None) };
    let target = MetricTarget {
        type_: "Utilization".to_owned(),
        average_utilization: Some(i32::from(*cpu)),
        ..Default::default()
    };
    let metric = MetricSpec {
        type_: "Resource".to_owned(),
        resource: Some(ResourceMetricSource { name: "cpu".to_owned(), target }),
        ..Default::default()
    };
    let autoscaler = HorizontalPodAutoscaler {
        metadata: part.metadata(),
        spec: required_or_not(HorizontalPodAutoscalerSpec {
            scale_target_ref: CrossVersionObjectReference {
                api_version: Some(Deployment::API_VERSION.to_owned()),
                kind: Deployment::KIND.to_owned(),
                name: part.name.to_owned(),
            },
            min_replicas: Some(i32::from(min.get())),
            max_replicas: i32::from(max.get()),
            metrics: Some(vec![metric]),
            ..Default::default()
        }),
        ..Default::default()
    };
    Ok(Some(Manifest::managed(Object::from_typed(&autoscaler)?)))
}
