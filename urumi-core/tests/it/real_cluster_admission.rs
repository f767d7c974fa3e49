//! What the engine renders, as a real API server judges it: strict validation and Pod Security.

use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};
use urumi_core::cluster::InMemoryCluster;
use urumi_core::kubernetes::{Kind, Object};
use urumi_core::store::Authority;
use urumi_core::{CreateStore, Orchestrator, StoreOrchestrator};

use crate::support::{dry_run, real_client, real_views, with_scene_of};

/// Options that change what is rendered.
fn variants() -> Vec<(&'static str, Value)> {
    vec![
        ("defaults", json!({})),
        ("external database", json!({"database": {"mode": "external", "secret": {"name": "my-database"}}})),
        ("TLS", json!({"tls": {"clusterIssuer": "letsencrypt"}, "domain": "shops.example.com"})),
        (
            "autoscaling",
            json!({"api": {"autoscaling": {"max": 3}}, "storefront": {"autoscaling": {"min": 2, "max": 4, "cpu": 60}}}),
        ),
        (
            "everything",
            json!({
                "database": {"storage": {"size": "20Gi", "className": "fast"}},
                "api": {"replicas": 2, "env": {"PRICE": "$5 or $(HOME)"}},
                "storefront": {"replicas": 3, "env": {"THEME": "dark"}, "theme": {"colors": {"accent": "#0a7d4f"}}},
                "smoke": {"schedule": "0 3 * * 1-5"},
                "ingress": {"className": "traefik", "annotations": {"example.com/a": "b"}},
                "quota": {"requests.cpu": "8", "limits.memory": "32Gi", "pods": "30"},
                "limits": {"default": {"cpu": "1"}},
                "imagePullSecrets": ["registry"],
            }),
        ),
    ]
}

/// Every object passes a server-side dry run with strict validation, and every pod that a workload would make is
/// admitted to a namespace that enforces `restricted`.
#[tokio::test(flavor = "multi_thread")]
async fn every_object_and_every_pod_is_admitted() {
    let Some((own, cluster)) = real_views().await else { return };
    let Some((_, client)) = real_client().await else { return };
    with_scene_of(std::sync::Arc::new(own), cluster, async |scene| {
        // The namespace is real, since nothing can be tried in one that does not exist; all else is a dry run.
        let renderer = Orchestrator::builder(InMemoryCluster::default()).build();
        let namespace = renderer.render(&renderer.prepare(&scene.request()).unwrap()).unwrap().remove(0);
        assert_eq!(namespace.label("pod-security.kubernetes.io/enforce"), Some("restricted"));
        scene.cluster.create(&namespace).await.unwrap();
        let mut pods = 0;
        for (variant, options) in variants() {
            let request =
                CreateStore::new("Admitted", "medusa").id(scene.id.as_str()).on_authority_of(Authority::Installation);
            let spec = renderer.prepare(&request.options(options.as_object().cloned().unwrap())).unwrap();
            for object in renderer.render(&spec).unwrap().iter().skip(1) {
                dry_run(&client, object).await.unwrap_or_else(|e| panic!("{variant}: {}: {e}", object.reference()));
                if let Some(template) = object.at("/spec/template").or(object.at("/spec/jobTemplate/spec/template")) {
                    let mut pod = template.clone();
                    pod["metadata"]["name"] = json!(object.name());
                    pod["metadata"]["namespace"] = json!(scene.id.namespace());
                    // As the StatefulSet controller does.
                    for claim in object.list_at("/spec/volumeClaimTemplates") {
                        let name = &claim["metadata"]["name"];
                        let volume = json!({"name": name, "persistentVolumeClaim": {"claimName": name}});
                        pod["spec"]["volumes"].as_array_mut().unwrap().push(volume);
                    }
                    let pod = Object::from_value(Kind::of::<Pod>(), pod).unwrap();
                    dry_run(&client, &pod).await.unwrap_or_else(|e| panic!("{variant}: {}: {e}", pod.reference()));
                    pods += 1;
                }
            }
        }
        assert_eq!(pods, 4 + 3 + 4 + 5 + 6);

        // The same test fails where it should.
        let mut root = json!({"metadata": {"name": "root", "namespace": scene.id.namespace()}});
        root["spec"] = json!({"containers": [{"name": "root", "image": "x"}]});
        let refused = dry_run(&client, &Object::from_value(Kind::of::<Pod>(), root).unwrap()).await.unwrap_err();
        assert!(refused.to_string().contains("violates PodSecurity"), "{refused}");
        let unknown = json!({"metadata": {"name": "x", "namespace": scene.id.namespace()}, "spec": {"nonsense": 1}});
        let refused = dry_run(&client, &Object::from_value(Kind::of::<Pod>(), unknown).unwrap()).await.unwrap_err();
        assert!(refused.to_string().contains("unknown field"), "{refused}");
    })
    .await;
}

/// Whatever the options, what the API server stores is what was rendered: a repair would find nothing to do.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_differs_after_any_creation() {
    let Some((own, cluster)) = real_views().await else { return };
    let own = std::sync::Arc::new(own);
    for (variant, options) in variants() {
        with_scene_of(own.clone(), cluster.clone(), async |scene| {
            let request = scene.request().options(options.as_object().cloned().unwrap());
            scene.urumi.create(request).await.unwrap();
            let plan = scene.urumi.diff(&scene.id).await.unwrap();
            let steps: Vec<String> = plan.steps().map(ToString::to_string).collect();
            assert!(steps.is_empty(), "{variant}: {steps:#?}");
        })
        .await;
    }
}
