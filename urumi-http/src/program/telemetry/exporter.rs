//! Exports traces with reqwest.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use tokio::runtime::Handle;

use super::super::config::Endpoint;
use crate::outgoing;

/// The time limit of an export.
const PATIENCE: Duration = Duration::from_secs(5);

/// An exporter for this endpoint.
pub(super) fn exporter(endpoint: &Endpoint) -> Result<SpanExporter, String> {
    let runtime = Handle::try_current().map_err(|error| error.to_string())?;
    let tls = outgoing::tls(Vec::new(), endpoint.is_https()).map_err(|error| error.to_string())?;
    let client = reqwest::Client::builder().tls_backend_preconfigured(tls).timeout(PATIENCE).build();
    let client = client.map_err(|error| error.to_string())?;
    SpanExporter::builder()
        .with_http()
        .with_http_client(Client { runtime, client })
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(endpoint.as_str())
        .with_timeout(PATIENCE)
        .build()
        .map_err(|error| error.to_string())
}

/// The exporter calls the client from a thread outside the tokio runtime, so requests are spawned onto the runtime.
#[derive(Debug)]
struct Client {
    runtime: Handle,
    client: reqwest::Client,
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let send = async move {
            let answer = client.execute(request.try_into()?).await?.error_for_status()?;
            let status = answer.status();
            let mut response = Response::new(answer.bytes().await?);
            *response.status_mut() = status;
            Ok::<_, reqwest::Error>(response)
        };
        Ok(self.runtime.spawn(send).await??)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tls_is_not_chosen_for_the_whole_process() {
        let endpoint = "https://collector.example.com/v1/traces".parse().unwrap();
        assert!(exporter(&endpoint).is_ok());
        assert!(rustls::crypto::CryptoProvider::get_default().is_none(), "nothing else in these tests sets it");
    }
}
