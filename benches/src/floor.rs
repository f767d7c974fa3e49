//! The floor of urumi's writes: sends the same bytes in the same order over open connections, without retries, parsing or
//! checks.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use futures::future::{join_all, try_join_all};
use http::{HeaderValue, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, ConfigExt};
use tokio::sync::Semaphore;
use tower::{BoxError, ServiceBuilder, ServiceExt};
use urumi_core::kubernetes::Object;

/// A connector without Nagle's algorithm, whose delay would dominate the measurement.
fn connector(config: &kube::Config) -> Result<HttpsConnector<HttpConnector>> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    Ok(config.rustls_https_connector_with_connector(tcp)?)
}

/// kube's client with such a connector, for the requests of a benchmark that urumi does not make.
pub fn plain_client(config: &kube::Config) -> Result<kube::Client> {
    let http = Client::builder(TokioExecutor::new()).build::<_, Body>(connector(config)?);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .map_err(BoxError::from)
        .service(http.map_err(BoxError::from));
    Ok(kube::Client::new(service, config.default_namespace.clone()))
}

/// A minimal client of the API server.
#[derive(Clone)]
pub struct Floor {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    server: String,
    in_flight: Arc<Semaphore>,
}

/// A request to send.
pub struct Call {
    /// Its method.
    pub method: Method,
    /// Its path and query.
    pub path: String,
    /// What its body is.
    pub content_type: HeaderValue,
    /// Its body.
    pub body: Bytes,
}

impl Call {
    fn json(method: Method, path: impl Into<String>, body: impl Into<Bytes>) -> Call {
        let content_type = HeaderValue::from_static("application/json");
        Call { method, path: path.into(), content_type, body: body.into() }
    }
}

/// The requests to send, wave by wave.
pub struct Replay {
    waves: Vec<Vec<Call>>,
}

impl Replay {
    /// One store's objects, in the waves in which urumi creates them: namespace first.
    pub fn of(objects: &[Object]) -> Result<Replay> {
        let mut waves: Vec<Vec<Call>> = vec![Vec::new(), Vec::new(), Vec::new()];
        for object in objects {
            let kind = object.kind();
            let late = kind.group == "apps" || kind.kind == "Ingress";
            let wave = if kind.kind == "Namespace" { 0 } else { 1 + usize::from(late) };
            let api = if kind.group.is_empty() { "api/v1".to_owned() } else { format!("apis/{}", kind.api_version()) };
            let scope = object.namespace().map(|ns| format!("/namespaces/{ns}")).unwrap_or_default();
            let path = format!("/{api}{scope}/{}?fieldManager=urumi&fieldValidation=Strict", kind.plural);
            if let Some(wave) = waves.get_mut(wave) {
                wave.push(Call::json(Method::POST, path, serde_json::to_vec(object)?));
            }
        }
        Ok(Replay { waves })
    }

    /// These requests, one after the other.
    pub fn in_order(calls: Vec<Call>) -> Replay {
        Replay { waves: calls.into_iter().map(|call| vec![call]).collect() }
    }
}

impl Floor {
    /// Connects with a kubeconfig's credentials. Limits concurrent requests to `in_flight`, as urumi does, because more
    /// concurrency is slower.
    pub fn connect(config: &kube::Config, in_flight: usize) -> Result<Floor> {
        let client = Client::builder(TokioExecutor::new()).build(connector(config)?);
        let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        Ok(Floor { client, server, in_flight: Arc::new(Semaphore::new(in_flight)) })
    }

    /// Opens connections before the measurement.
    pub async fn warm(&self, connections: usize) {
        let call = Call::json(Method::GET, "/version", Bytes::new());
        join_all((0..connections).map(|_| self.send(&call))).await;
    }

    /// Sends the requests.
    pub async fn replay(&self, replay: &Replay) -> Result<()> {
        for wave in &replay.waves {
            try_join_all(wave.iter().map(|call| self.send(call))).await?;
        }
        Ok(())
    }

    async fn send(&self, call: &Call) -> Result<()> {
        let Call { method, path, content_type, body } = call;
        let _permit = self.in_flight.acquire().await?;
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.server))
            .header("content-type", content_type)
            .header("accept", "application/json")
            .body(Full::new(body.clone()))?;
        let response = self.client.request(request).await.with_context(|| format!("{method} {path}"))?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        ensure!(status.is_success(), "{method} {path}: {status} {}", String::from_utf8_lossy(&body));
        Ok(())
    }
}
