//! TLS with a certificate that can be renewed at runtime.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The files of the certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsOptions {
    /// A PEM file with the certificate chain.
    pub cert: PathBuf,
    /// A PEM file with the private key.
    pub key: PathBuf,
    /// The interval at which the files are checked for changes.
    pub reload_every: Duration,
}

impl TlsOptions {
    /// These files, checked every ten seconds.
    pub fn new(cert: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        TlsOptions { cert: cert.into(), key: key.into(), reload_every: Duration::from_secs(10) }
    }
}

/// Accepts TLS connections with the last valid certificate.
#[derive(Clone)]
pub(super) struct Acceptor {
    acceptor: TlsAcceptor,
    current: Arc<Current>,
    files: TlsOptions,
}

#[derive(Debug)]
struct Current {
    key: ArcSwap<CertifiedKey>,
    /// The content of the files of `key`, to detect changes. Modification times may be equal after a quick replacement.
    text: ArcSwap<(Vec<u8>, Vec<u8>)>,
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.key.load_full())
    }
}

impl Acceptor {
    /// Reads the files.
    pub(super) async fn load(files: &TlsOptions) -> io::Result<Self> {
        let text = read(files).await?;
        let key = ArcSwap::from_pointee(parse(files, &text)?);
        let current = Arc::new(Current { key, text: ArcSwap::from_pointee(text) });
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_cert_resolver(current.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Acceptor { acceptor: TlsAcceptor::from(Arc::new(config)), current, files: files.clone() })
    }

    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        // Buffers at most one record for a peer that does not read.
        self.acceptor.accept_with(stream, |connection| connection.set_buffer_limit(Some(16 * 1024))).await
    }

    /// Checks the files forever. An invalid file is logged once, and the former certificate stays in use.
    pub(super) async fn reload(&self) {
        let mut ticks = tokio::time::interval(self.files.reload_every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut complaint = String::new();
        loop {
            ticks.tick().await;
            complaint = match self.renew().await {
                Ok(()) => String::new(),
                Err(error) => {
                    let text = error.to_string();
                    if text != complaint {
                        tracing::error!(error = text, "the new certificate is invalid; the former one stays in use");
                    }
                    text
                }
            };
        }
    }

    async fn renew(&self) -> io::Result<()> {
        let text = read(&self.files).await?;
        if **self.current.text.load() == text {
            return Ok(());
        }
        self.current.key.store(Arc::new(parse(&self.files, &text)?));
        self.current.text.store(Arc::new(text));
        tracing::info!(cert = %self.files.cert.display(), "a new certificate is in use");
        Ok(())
    }
}

async fn read(files: &TlsOptions) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let read = async |path: &Path| tokio::fs::read(path).await.map_err(|error| about(path, error));
    Ok((read(&files.cert).await?, read(&files.key).await?))
}

fn parse(files: &TlsOptions, (cert, key): &(Vec<u8>, Vec<u8>)) -> io::Result<CertifiedKey> {
    let chain = CertificateDer::pem_slice_iter(cert)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| about(&files.cert, io::Error::other(error)))?;
    if chain.is_empty() {
        return Err(about(&files.cert, io::Error::other("it contains no certificate")));
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| about(&files.key, io::Error::other(error)))?;
    CertifiedKey::from_der(chain, key, &rustls::crypto::ring::default_provider())
        .map_err(|error| about(&files.key, io::Error::other(error)))
}

fn about(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
