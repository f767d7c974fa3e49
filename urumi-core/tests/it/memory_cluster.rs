//! The in-memory cluster: the conformance suite, and stores' lives on it.

use std::sync::Arc;
use std::time::Duration;

use urumi_core::cluster::{Fault, FaultTarget, InMemoryCluster};

use crate::lifecycle;
use crate::support::{Outsider, with_scene};

fn cluster() -> InMemoryCluster {
    let cluster = InMemoryCluster::builder().readiness_delay(Duration::from_millis(100)).build();
    // The simulated nodes of dev/clusters/kubernetes know this image too.
    cluster.inject_fault(FaultTarget::image("fail.example/image-pull"), Fault::ImagePull);
    cluster
}

macro_rules! on_memory {
    ($($name:ident),+ $(,)?) => {$(
        #[tokio::test(start_paused = true)]
        async fn $name() {
            with_scene(Arc::new(cluster()), lifecycle::$name).await;
        }
    )+};
}

on_memory! {
    a_store_lives_and_goes_without_a_trace,
    a_restart_replaces_the_pods_that_it_is_for,
    of_two_creations_with_one_id_one_wins,
    a_store_is_ready_though_a_step_of_an_earlier_one_comes_late,
    a_bad_request_names_every_mistake_and_creates_nothing,
    foreign_namespaces_are_left_alone,
    a_store_that_cannot_start_fails_with_the_reason,
    missing_classes_are_the_reason,
    with_an_external_database_there_is_no_postgres,
    the_namespace_holds_the_objects_by_name,
}

mod changing {
    use super::*;
    use crate::changing as lifecycle;

    on_memory! {
        a_change_that_does_not_work_is_taken_back,
        what_a_change_makes_superfluous_goes,
        a_new_renderer_restarts_nobody,
        the_last_ten_revisions_are_kept,
        a_new_look_restarts_nothing,
        every_option_restarts_what_its_preview_says,
    }
}

mod takeover {
    use super::*;
    use crate::takeover as lifecycle;

    on_memory! {
        stores_of_an_earlier_version_go_on_as_they_are,
    }
}

#[tokio::test(start_paused = true)]
async fn an_autoscaler_takes_the_number_of_replicas_over() {
    let cluster = cluster();
    let outsider = Outsider::Memory(cluster.clone());
    let test = |scene| crate::changing::an_autoscaler_takes_the_number_of_replicas_over(scene, outsider);
    with_scene(Arc::new(cluster), test).await;
}

#[tokio::test(start_paused = true)]
async fn a_used_up_quota_is_the_reason() {
    let cluster = InMemoryCluster::default();
    cluster.inject_fault(FaultTarget::named("postgres"), Fault::QuotaExceeded);
    with_scene(Arc::new(cluster), lifecycle::a_used_up_quota_is_the_reason).await;
}

#[tokio::test(start_paused = true)]
async fn drift_is_repaired_and_foreign_fields_stay() {
    let cluster = cluster();
    let outsider = Outsider::Memory(cluster.clone());
    let test = |scene| lifecycle::drift_is_repaired_and_foreign_fields_stay(scene, outsider);
    with_scene(Arc::new(cluster), test).await;
}
