//! The proxy's own certificate, and the kubeconfig that trusts it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;

/// A certificate for this machine.
pub(crate) struct Identity {
    pem: String,
    pub(crate) acceptor: TlsAcceptor,
}

impl Identity {
    pub(crate) fn new() -> Identity {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        // A request has a connection to itself, so that a connection's faults are one request's.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Identity { pem: made.cert.pem(), acceptor: TlsAcceptor::from(Arc::new(config)) }
    }

    /// Writes the kubeconfig of those who go through the proxy, with the token they are to show.
    pub(crate) fn write_kubeconfig(&self, path: &Path, server: SocketAddr, token: Option<&str>) {
        let authority = base64::engine::general_purpose::STANDARD.encode(&self.pem);
        let user = token.map(|token| serde_json::json!({ "token": token })).unwrap_or(serde_json::json!({}));
        // JSON is YAML.
        let text = serde_json::json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "proxy",
            "clusters": [{"name": "proxy", "cluster": {
                "server": format!("https://{server}"), "certificate-authority-data": authority,
            }}],
            "users": [{"name": "proxy", "user": user}],
            "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "proxy"}}],
        });
        std::fs::write(path, text.to_string()).unwrap();
    }
}
