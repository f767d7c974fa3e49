//! The options of a part whose number of replicas follows the load.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Replicas;

/// A number of replicas that follows the load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub struct Autoscaling {
    /// The minimum number of replicas.
    #[serde(default = "Autoscaling::default_min")]
    #[schemars(extend("examples" = [2]))]
    pub min: Replicas,
    /// The maximum number of replicas; not below min. With a maximum, a HorizontalPodAutoscaler sets the number of replicas, for
    /// which the cluster needs metrics-server.
    #[schemars(extend("examples" = [4]))]
    pub max: Replicas,
    /// The target of the replicas' average CPU usage, in percent of resources.requests.cpu. Above it, replicas are added.
    #[serde(default = "Autoscaling::default_cpu")]
    #[schemars(range(min = 1, max = 100))]
    #[schemars(extend("examples" = [60]))]
    pub cpu: u16,
}

impl Autoscaling {
    /// 1 to this many replicas, with a target of 80 percent.
    pub fn up_to(max: Replicas) -> Self {
        Autoscaling { min: Self::default_min(), max, cpu: Self::default_cpu() }
    }

    fn default_min() -> Replicas {
        Replicas::ONE
    }

    fn default_cpu() -> u16 {
        80
    }
}

/// The most replicas of a part.
pub(super) fn most(replicas: Replicas, autoscaling: Option<&Autoscaling>) -> Replicas {
    autoscaling.map_or(replicas, |autoscaling| autoscaling.max)
}
