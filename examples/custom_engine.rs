//! A custom engine: a shop that consists of one static page behind an Ingress.
//!
//! An engine is pure. It checks options, renders objects, and names the workloads that must be ready. urumi does the
//! rest: the namespace, labels, creation in waves, repair, status, changes and deletion. docs/ENGINES.md tells more.
#![allow(clippy::print_stdout, reason = "an example prints its results")]

use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use k8s_openapi::api::networking::v1::Ingress;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use urumi_core::cluster::InMemoryCluster;
use urumi_core::engine::{Component, Engine, EngineInfo, Manifest, NewStore, RenderError, RequestChange};
use urumi_core::error::FieldError;
use urumi_core::kubernetes::{Kind, Object, ObjectRef};
use urumi_core::secret::SecretSource;
use urumi_core::store::update::UpdateStore;
use urumi_core::store::wait::{Ready, UpToDate};
use urumi_core::store::{Options, StoreSpec, StoreUrls};
use urumi_core::{CreateStore, Orchestrator, Precondition, ReadinessMonitor, StoreOrchestrator, StoreOrchestratorExt};

/// Renders a shop that consists of one static page.
struct StaticPage;

/// The options of a page. urumi stores the resolved options in the store's record.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PageOptions {
    /// The text on the page.
    #[serde(default = "greeting")]
    text: String,
    /// The domain of the page's host.
    #[serde(default)]
    domain: String,
}

fn greeting() -> String {
    "Opening soon".into()
}

impl StaticPage {
    fn options(spec: &StoreSpec) -> Result<PageOptions, RenderError> {
        serde_json::from_value(Value::Object(spec.options.clone())).map_err(|e| RenderError::Options(e.to_string()))
    }

    fn host(spec: &StoreSpec) -> Result<String, RenderError> {
        Ok(format!("store-{}.{}", spec.id, Self::options(spec)?.domain))
    }
}

impl Engine for StaticPage {
    fn name(&self) -> &str {
        "page"
    }

    fn info(&self) -> EngineInfo {
        EngineInfo::new("page", "One static page", schemars::schema_for!(PageOptions))
    }

    fn resolve(&self, store: &NewStore<'_>, options: &Options) -> Result<Options, Vec<FieldError>> {
        let parsed: Result<PageOptions, _> = serde_json::from_value(Value::Object(options.clone()));
        let mut page = parsed.map_err(|e| vec![FieldError::new("", e.to_string())])?;
        if page.text.len() > 1000 {
            return Err(vec![FieldError::new("text", "must not have more than 1000 bytes")]);
        }
        if page.domain.is_empty() {
            store.default_domain.clone_into(&mut page.domain);
        }
        Ok(Options::from_iter([("text".into(), json!(page.text)), ("domain".into(), json!(page.domain))]))
    }

    /// The text can be changed. The domain was decided when the store was created.
    fn settle(&self, store: &StoreSpec, _: &RequestChange<'_>, options: Options) -> Result<Options, Vec<FieldError>> {
        match options.get("domain") == store.options.get("domain") {
            true => Ok(options),
            false => Err(vec![FieldError::new("domain", "cannot be changed: create another page")]),
        }
    }

    fn render(&self, spec: &StoreSpec, _: &dyn SecretSource) -> Result<Vec<Manifest>, RenderError> {
        let labels = json!({"app.kubernetes.io/name": "page"});
        let object = |kind: Kind, body: Value| Object::from_value(kind, body).map(Manifest::managed);
        Ok(vec![
            object(
                Kind::of::<ConfigMap>(),
                json!({"metadata": {"name": "page"}, "data": {"index.html": Self::options(spec)?.text}}),
            )?,
            object(
                Kind::of::<Deployment>(),
                json!({"metadata": {"name": "page"}, "spec": {
                    "replicas": 1,
                    "selector": {"matchLabels": labels},
                    "template": {"metadata": {"labels": labels}, "spec": {
                        "containers": [{
                            "name": "page",
                            "image": "nginxinc/nginx-unprivileged:stable-alpine",
                            "ports": [{"containerPort": 8080, "name": "http"}],
                            "volumeMounts": [{"name": "page", "mountPath": "/usr/share/nginx/html"}],
                            "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
                        }],
                        "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
                        "volumes": [{"name": "page", "configMap": {"name": "page"}}],
                    }},
                }}),
            )?,
            object(
                Kind::of::<Service>(),
                json!({"metadata": {"name": "page"},
                    "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8080}]}}),
            )?,
            object(
                Kind::of::<Ingress>(),
                json!({"metadata": {"name": "page"}, "spec": {"rules": [{"host": Self::host(spec)?, "http": {"paths": [
                    {"path": "/", "pathType": "Prefix",
                     "backend": {"service": {"name": "page", "port": {"number": 80}}}},
                ]}}]}}),
            )?,
        ])
    }

    fn components(&self, spec: &StoreSpec) -> Result<Vec<Component>, RenderError> {
        let workload = ObjectRef::namespaced(Kind::of::<Deployment>(), spec.namespace(), "page");
        Ok(vec![Component::new("storefront", workload)])
    }

    fn urls(&self, spec: &StoreSpec) -> Result<StoreUrls, RenderError> {
        Ok(StoreUrls::new(Some(format!("http://{}", Self::host(spec)?)), None))
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let urumi = Orchestrator::builder(InMemoryCluster::default()).engine(StaticPage).build();
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    ReadinessMonitor::new(urumi.clone()).spawn(&tasks, stop.clone());

    let options = Options::from_iter([("text".to_owned(), json!("Fresh bread from eight o'clock"))]);
    let store = urumi.create(CreateStore::new("Bakery", "page").options(options)).await?.into_store();
    let store = urumi.wait_until(&store.id, Ready.or_failed(), Duration::from_secs(30)).await?;
    if let Some(store) = &store {
        println!("{} is {} at {}", store.name, store.status, store.urls.storefront.as_deref().unwrap_or_default());
    }

    // The text is in a ConfigMap that the pod has mounted, so a change of it restarts nothing.
    if let Some(store) = store {
        let text = Options::from_iter([("text".to_owned(), json!("Closed on Mondays"))]);
        let change = UpdateStore::new().options(text);
        let preview = urumi.preview_update(&store.id, change.clone(), &Precondition::NONE).await?;
        println!("a new text restarts {} components", preview.restarts.len());
        urumi.update(&store.id, change).await?;
        urumi.wait_until(&store.id, UpToDate, Duration::from_secs(30)).await?;
    }

    // An invalid option is reported with its path, and nothing is created.
    let wrong = Options::from_iter([("txt".to_owned(), json!("typo"))]);
    if let Err(error) = urumi.create(CreateStore::new("Bakery", "page").options(wrong)).await {
        println!("refused: {error}");
    }

    stop.cancel();
    tasks.close();
    tasks.wait().await;
    Ok(())
}
