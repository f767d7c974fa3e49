//! `urumi create` is killed after each of its writes in turn, and `urumi monitor` finishes what is left.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::config::{KubeConfigOptions, Kubeconfig};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

use crate::support::{MONITORS, Run, kubeconfig, urumi};

/// Passes requests on to the API server, and kills the process that makes them when its n-th write has been
/// answered, before it sees the answer.
struct Executioner {
    upstream: kube::Client,
    kill_after: usize,
    writes: AtomicUsize,
    victim: Mutex<Option<Child>>,
}

impl Executioner {
    async fn pass_on(&self, request: Request<Incoming>) -> Option<Response<Full<Bytes>>> {
        let write = request.method() != "GET";
        let (parts, body) = request.into_parts();
        let body = body.collect().await.ok()?.to_bytes().to_vec();
        let answer = self.upstream.send(Request::from_parts(parts, body.into())).await.ok()?;
        if write && self.writes.fetch_add(1, Ordering::SeqCst) + 1 == self.kill_after {
            // Held while the process is started, so it is there.
            let mut victim = self.victim.lock().await.take()?;
            victim.kill().await.ok()?;
            return None;
        }
        let (parts, body) = answer.into_parts();
        Some(Response::from_parts(parts, Full::new(body.collect().await.ok()?.to_bytes())))
    }
}

/// Runs `urumi create` until its n-th write has been answered, and kills it then.
async fn create_and_kill(upstream: &kube::Client, id: &str, kill_after: usize) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = write_kubeconfig(folder.path(), listener.local_addr().unwrap());
    let executioner = Arc::new(Executioner {
        upstream: upstream.clone(),
        kill_after,
        writes: AtomicUsize::new(0),
        victim: Mutex::new(None),
    });
    let serving = tokio::spawn(serve(listener, executioner.clone()));
    {
        let mut victim = executioner.victim.lock().await;
        let mut create = Command::new(env!("CARGO_BIN_EXE_urumi"));
        create.args(["create", "Cut short", "--id", id, "--kubeconfig", &kubeconfig]);
        *victim = Some(create.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    }
    // Killed, or done before it could be: then the number of writes was not reached and the test is wrong.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        let mut victim = executioner.victim.lock().await;
        match victim.as_mut() {
            None => break,
            Some(child) => assert!(child.try_wait().unwrap().is_none(), "it ended before its write {kill_after}"),
        }
        drop(victim);
        assert!(tokio::time::Instant::now() < deadline, "write {kill_after} never came");
        tokio::task::yield_now().await;
    }
    serving.abort();
}

async fn serve(listener: TcpListener, executioner: Arc<Executioner>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let executioner = executioner.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let executioner = executioner.clone();
                async move {
                    match executioner.pass_on(request).await {
                        Some(answer) => Ok::<_, Infallible>(answer),
                        // The connection hangs: whoever waits for it is dead.
                        None => std::future::pending().await,
                    }
                }
            });
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

fn write_kubeconfig(folder: &Path, server: SocketAddr) -> String {
    let path = folder.join("kubeconfig");
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: proxy\nclusters: [{{name: proxy, cluster: {{server: \
         'http://{server}'}}}}]\nusers: [{{name: proxy, user: {{}}}}]\ncontexts: [{{name: proxy, context: {{cluster: \
         proxy, user: proxy}}}}]\n"
    );
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

async fn password(client: &kube::Client, id: &str) -> Option<Secret> {
    Api::namespaced(client.clone(), &format!("store-{id}")).get_opt("postgres-credentials").await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_killed_after_any_of_its_writes_is_finished_by_a_monitor() {
    let Some(path) = kubeconfig() else { return };
    let _alone = MONITORS.lock().await;
    let config = Kubeconfig::read_from(&path).unwrap();
    let config = kube::Config::from_custom_kubeconfig(config, &KubeConfigOptions::default()).await.unwrap();
    let client = kube::Client::try_from(config).unwrap();
    let run = std::process::id();
    // One write for each object.
    let writes = urumi().run(&["render", "Cut short", "-o", "json"]).json()["items"].as_array().unwrap().len();
    let ids: Vec<String> = (1..=writes).map(|n| format!("crash-{run}-{n}")).collect();
    let mut passwords = Vec::new();
    for (index, id) in ids.iter().enumerate() {
        create_and_kill(&client, id, index + 1).await;
        passwords.push(password(&client, id).await);
    }

    let mut monitor = Command::new(env!("CARGO_BIN_EXE_urumi"))
        .args(["monitor", "--kubeconfig", &path])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let waits = ids.iter().map(|id| {
        Command::new(env!("CARGO_BIN_EXE_urumi"))
            .args(["wait", id, "--for", "ready", "--timeout", "2m", "--kubeconfig", &path])
            .output()
    });
    for (id, waited) in ids.iter().zip(join_all(waits).await) {
        let waited = waited.unwrap();
        assert!(waited.status.success(), "{id}: {}", String::from_utf8_lossy(&waited.stderr));
    }
    monitor.kill().await.unwrap();

    for (index, id) in ids.iter().enumerate() {
        let after = password(&client, id).await;
        assert!(after.is_some());
        if let Some(before) = passwords.get(index).cloned().flatten() {
            assert_eq!(Some(before), after, "a second password, after a kill at write {}", index + 1);
        }
        let diff = urumi().run(&["diff", id, "-o", "json", "--kubeconfig", &path]).json();
        assert_eq!(diff["differences"], serde_json::json!([]), "{id}");
    }
    let listed = urumi().run(&["list", "-o", "json", "--kubeconfig", &path]).json();
    let named =
        listed.as_array().unwrap().iter().filter(|s| s["id"].as_str().unwrap().starts_with(&format!("crash-{run}-")));
    assert_eq!(named.count(), writes, "one store for each creation");
    for id in &ids {
        urumi().run(&["delete", id, "--yes", "--kubeconfig", &path]).ok();
    }
    for id in &ids {
        urumi().run(&["wait", id, "--for", "deleted", "--timeout", "2m", "--kubeconfig", &path]).ok();
    }
}
