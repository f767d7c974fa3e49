//! kro, whose controller creates the objects of each instance of a ResourceGraphDefinition.

use std::borrow::Cow;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tokio::process::{Child, Command};
use urumi_benches::cluster::BenchCluster;
use urumi_benches::memory;
use urumi_core::StoreId;
use urumi_core::cluster::ClusterBackend;
use urumi_core::kubernetes::{Kind, Object, ObjectRef};

use super::Figures;
use super::arrivals::Arrivals;
use super::definition::{self, definition};
use super::objects::objects;

/// By default, kro works on one instance at a time and makes 100 requests a second. These flags lift both limits, and that of
/// retries. With 64 workers it was no faster and took more memory; with a shorter `--instance-requeue-interval` it was slower.
const FLAGS: [&str; 9] = [
    "--client-qps=100000",
    "--client-burst=100000",
    "--dynamic-controller-concurrent-reconciles=16",
    "--dynamic-controller-rate-limiter-rate-limit=100000",
    "--dynamic-controller-rate-limiter-burst-limit=100000",
    "--metrics-bind-address=0",
    "--health-probe-bind-address=0",
    "--zap-devel=false",
    "--zap-log-level=error",
];

/// How long the cluster may take to serve a new kind, and kro to accept a definition.
const PATIENCE: Duration = Duration::from_secs(60);

const DEFINITION: Kind = kind("ResourceGraphDefinition", "resourcegraphdefinitions");
const INSTANCE: Kind = kind(definition::KIND, "stores");

const fn kind(kind: &'static str, plural: &'static str) -> Kind {
    Kind {
        group: Cow::Borrowed("kro.run"),
        version: Cow::Borrowed(definition::VERSION),
        kind: Cow::Borrowed(kind),
        plural: Cow::Borrowed(plural),
        namespaced: false,
    }
}

/// Creates an instance for each store, and waits until kro has created the objects.
pub(crate) async fn measure(cluster: &BenchCluster, program: &Path, stores: usize, clients: usize) -> Result<Figures> {
    install(cluster, &program.with_file_name("crds")).await.context("its CustomResourceDefinitions")?;
    let mut controller = Controller::start(cluster, program)?;
    let (id, objects) = objects(cluster)?;
    let wanted = Object::from_value(DEFINITION, definition(&id, &objects)?)?;
    cluster.backend.create(&wanted).await?;
    until(cluster, &wanted.reference(), active).await.with_context(|| controller.log())?;
    let mut arrivals = Arrivals::watch(cluster).await?;
    let began = Instant::now();
    let creations = (0..stores).map(|_| async {
        let id = StoreId::random();
        let instance = json!({"metadata": {"name": id.as_str()}, "spec": {"id": id.as_str()}});
        cluster.backend.create(&Object::from_value(INSTANCE, instance)?).await?;
        anyhow::Ok(())
    });
    let creations = stream::iter(creations).buffer_unordered(clients).try_collect::<()>();
    let created = tokio::try_join!(creations, arrivals.wait(stores * objects.len()));
    let ((), last) = created.with_context(|| controller.log())?;
    arrivals.quiet().await?;
    let peak = controller.peak()?;
    controller.child.kill().await?;
    Ok(Figures { took: last - began, peak })
}

/// Creates the CustomResourceDefinitions of a folder, and waits until the API server serves them.
async fn install(cluster: &BenchCluster, folder: &Path) -> Result<()> {
    for file in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let text = std::fs::read_to_string(file?.path())?;
        let definition: Value = serde_saphyr::from_str(&text)?;
        let definition = Object::from_value(Kind::of::<CustomResourceDefinition>(), definition)?;
        cluster.backend.create(&definition).await?;
        until(cluster, &definition.reference(), established).await?;
    }
    Ok(())
}

/// Whether the API server serves the kind of a CustomResourceDefinition.
fn established(definition: &Object) -> bool {
    let is = |condition: &Value, field: &str, value: &str| condition.get(field).and_then(Value::as_str) == Some(value);
    definition.list_at("/status/conditions").iter().any(|c| is(c, "type", "Established") && is(c, "status", "True"))
}

/// Whether kro creates objects by a ResourceGraphDefinition.
fn active(definition: &Object) -> bool {
    definition.str_at("/status/state") == Some("Active")
}

/// Waits until an object is as expected.
async fn until(cluster: &BenchCluster, object: &ObjectRef, expected: impl Fn(&Object) -> bool) -> Result<()> {
    let began = Instant::now();
    loop {
        let seen = cluster.backend.get(object).await?;
        if seen.as_ref().is_some_and(&expected) {
            return Ok(());
        }
        if began.elapsed() > PATIENCE {
            let status = seen.as_ref().and_then(|seen| seen.at("/status")).cloned().unwrap_or_default();
            bail!("the status of {} {} is {status}", object.kind, object.name);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A running controller. It is killed when dropped.
struct Controller {
    child: Child,
    log: NamedTempFile,
}

impl Controller {
    fn start(cluster: &BenchCluster, program: &Path) -> Result<Controller> {
        let log = NamedTempFile::new()?;
        let mut command = Command::new(program);
        command.args(FLAGS).env("KUBECONFIG", &cluster.kubeconfig).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log.reopen()?);
        let child = command.spawn().with_context(|| program.display().to_string())?;
        Ok(Controller { child, log })
    }

    fn peak(&self) -> Result<u64> {
        memory::peak(self.child.id().context("kro has ended")?).with_context(|| self.log())
    }

    /// The last lines of its log.
    fn log(&self) -> String {
        let text = std::fs::read_to_string(self.log.path()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().rev().take(20).collect();
        format!("kro's log ends with:\n{}", lines.into_iter().rev().collect::<Vec<_>>().join("\n"))
    }
}
