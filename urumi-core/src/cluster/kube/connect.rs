//! Finding a cluster and making the HTTP client for it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use ::kube::Config;
use ::kube::client::{Body, ConfigExt};
use ::kube::config::{InClusterError, KubeConfigOptions, Kubeconfig, KubeconfigError};
use http::Uri;
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connection, HttpConnector};
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower::{BoxError, ServiceBuilder};

use super::errors::login_failure;
use super::options::ConnectOptions;
use super::transport::Transport;

/// How long a connection may take to be made: a host that does not answer is noticed well before the deadline.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Go's servers, the API server among them, close connections that were idle for 90 s: be first, so that no request
/// is sent into a closing one.
const POOL_IDLE: Duration = Duration::from_secs(80);
/// A peer that acknowledges nothing for this long is gone. Shorter than a call's deadline, so that what was sent into
/// a dead connection is repeated on a new one.
const DEAD_PEER: Duration = Duration::from_secs(8);

/// Why there is no cluster to talk to, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// No cluster is configured anywhere.
    #[error(
        "no cluster is configured: {tried}, and this process does not run in a pod; set KUBECONFIG to a kubeconfig \
         file, or name one"
    )]
    NotConfigured {
        /// What was looked for.
        tried: String,
    },
    /// The kubeconfig cannot be read.
    #[error("cannot read the kubeconfig {}; check its path and its permissions", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The kubeconfig is no YAML, or not that of a kubeconfig. (Its text is not quoted, for it holds credentials.)
    #[error("the kubeconfig is malformed{place}; `kubectl config view` may say more")]
    Malformed {
        /// Where, as far as that is known.
        place: String,
    },
    /// The kubeconfig has no such context.
    #[error("the kubeconfig has no context {name:?}; {}", known_contexts(known))]
    UnknownContext {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The kubeconfig has no current context, and none was named.
    #[error(
        "the kubeconfig has no current context; name one ({}), or run `kubectl config use-context`",
        known_contexts(known)
    )]
    NoContext {
        /// What there is.
        known: Vec<String>,
    },
    /// The pod's service account cannot be used.
    #[error("cannot use the pod's service account: {message}; check that the pod has automountServiceAccountToken")]
    ServiceAccount {
        /// Why.
        message: String,
    },
    /// The proxy cannot be used.
    #[error("cannot use the proxy {proxy}; use one of the schemes http and socks5, or list the API server in NO_PROXY")]
    Proxy {
        /// Scheme and host.
        proxy: String,
    },
    /// Credentials cannot be had.
    #[error("cannot log in to the cluster: {message}; check that `kubectl get --raw /version` works")]
    Login {
        /// Why.
        message: String,
    },
    /// The process has not chosen an implementation of cryptography for TLS.
    #[error("no cryptography for TLS is installed; call KubeCluster::install_crypto_provider() at the start of main")]
    NoCryptoProvider,
    /// Something else in the configuration is wrong.
    #[error("the cluster's configuration cannot be used: {message}; check it with `kubectl config view`")]
    Invalid {
        /// What.
        message: String,
    },
}

fn known_contexts(known: &[String]) -> String {
    if known.is_empty() { "it has none at all".to_owned() } else { format!("it has {}", known.join(", ")) }
}

/// A configuration, and whether its proxy was named in the kubeconfig.
struct Found {
    config: Config,
    proxy_is_explicit: bool,
}

pub(super) async fn connect(options: ConnectOptions) -> Result<Transport, ConnectError> {
    let found = find(&options).await?;
    // Login commands are run here, and wait for their end.
    let client = tokio::task::spawn_blocking(move || client(found))
        .await
        .map_err(|e| ConnectError::Invalid { message: e.to_string() })??;
    Ok(Transport::new(client, &options))
}

async fn find(options: &ConnectOptions) -> Result<Found, ConnectError> {
    let read = match &options.kubeconfig {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    let kubeconfig = match read {
        Ok(kubeconfig) => kubeconfig,
        Err(error) => {
            return match absent(&error) {
                Some(tried) if options.kubeconfig.is_none() => service_account(options, tried),
                _ => Err(unusable(error)),
            };
        }
    };
    let known: Vec<String> = kubeconfig.contexts.iter().map(|c| c.name.clone()).collect();
    let Some(name) = options.context.as_ref().or(kubeconfig.current_context.as_ref()).filter(|n| !n.is_empty()) else {
        return Err(ConnectError::NoContext { known });
    };
    let Some(context) = kubeconfig.contexts.iter().find(|c| c.name == *name) else {
        return Err(ConnectError::UnknownContext { name: name.clone(), known });
    };
    let cluster = context.context.as_ref().map(|c| c.cluster.as_str());
    let proxy_is_explicit = kubeconfig
        .clusters
        .iter()
        .filter(|c| Some(c.name.as_str()) == cluster)
        .any(|c| c.cluster.as_ref().is_some_and(|c| c.proxy_url.as_ref().is_some_and(|url| !url.is_empty())));
    let chosen = KubeConfigOptions { context: Some(name.clone()), ..KubeConfigOptions::default() };
    let config = Config::from_custom_kubeconfig(kubeconfig, &chosen).await.map_err(unusable)?;
    Ok(Found { config, proxy_is_explicit })
}

/// What was looked for, when the trouble is that there is no kubeconfig at all.
fn absent(error: &KubeconfigError) -> Option<String> {
    match error {
        KubeconfigError::FindPath => Some("there is no home directory to look for .kube/config in".to_owned()),
        KubeconfigError::ReadConfig(e, path) if e.kind() == io::ErrorKind::NotFound => {
            Some(format!("there is no file {}", path.display()))
        }
        _ => None,
    }
}

fn service_account(options: &ConnectOptions, tried: String) -> Result<Found, ConnectError> {
    if options.context.is_some() {
        return Err(ConnectError::NotConfigured { tried });
    }
    match Config::incluster_env() {
        Ok(config) => Ok(Found { config, proxy_is_explicit: false }),
        Err(InClusterError::ReadEnvironmentVariable(_)) => Err(ConnectError::NotConfigured { tried }),
        Err(other) => Err(ConnectError::ServiceAccount { message: other.to_string() }),
    }
}

fn unusable(error: KubeconfigError) -> ConnectError {
    match error {
        KubeconfigError::ReadConfig(source, path) => ConnectError::Unreadable { path, source },
        KubeconfigError::Parse(error) => {
            let place = error.location().map(|at| format!(" (line {}, column {})", at.line(), at.column()));
            ConnectError::Malformed { place: place.unwrap_or_default() }
        }
        KubeconfigError::LoadClusterOfContext(name) => {
            ConnectError::Invalid { message: format!("the context's cluster {name:?} is missing") }
        }
        other => ConnectError::Invalid { message: other.to_string() },
    }
}

fn rejected(error: ::kube::Error) -> ConnectError {
    match error {
        ::kube::Error::Auth(auth) => ConnectError::Login { message: login_failure(&auth) },
        ::kube::Error::InferKubeconfig(error) => unusable(error),
        other => ConnectError::Invalid { message: other.to_string() },
    }
}

/// As `kube::Client::try_from` makes it, but without its own retries, without its log of every failed try at ERROR,
/// with `TCP_NODELAY`, and with an idle pool and dead connections that suit what we know of the API server.
fn client(found: Found) -> Result<::kube::Client, ConnectError> {
    // kube takes rustls' provider of the process. Without one, rustls panics where several are compiled in.
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        return Err(ConnectError::NoCryptoProvider);
    }

    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    tcp.set_keepalive(Some(DEAD_PEER));
    tcp.set_keepalive_interval(Some(DEAD_PEER / 4));
    tcp.set_keepalive_retries(Some(4));
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    tcp.set_tcp_user_timeout(Some(DEAD_PEER));

    let Some(proxy) = proxy(&found) else {
        return stack(&found.config, tcp);
    };
    match proxy.scheme_str() {
        Some("http") => {
            let mut tunnel = Tunnel::new(proxy.clone(), tcp);
            // The user and password of the URL, as the header that the proxy wants.
            if let Some(auth) = Matcher::builder()
                .all(proxy.to_string())
                .build()
                .intercept(&found.config.cluster_url)
                .and_then(|i| i.basic_auth().cloned())
            {
                tunnel = tunnel.with_auth(auth);
            }
            stack(&found.config, tunnel)
        }
        Some("socks5") => stack(&found.config, SocksV5::new(proxy, tcp)),
        scheme => {
            let proxy = format!("{}://{}", scheme.unwrap_or_default(), proxy.host().unwrap_or_default());
            Err(ConnectError::Proxy { proxy })
        }
    }
}

/// The proxy to use. One that the kubeconfig names is always used. One from the environment is not where `NO_PROXY`
/// lists the API server, nor for this machine itself, as in kubectl. (kube compares `NO_PROXY` with the proxy's address.)
fn proxy(found: &Found) -> Option<Uri> {
    let proxy = found.config.proxy_url.clone()?;
    if found.proxy_is_explicit {
        return Some(proxy);
    }
    let server = &found.config.cluster_url;
    let host = server.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let local = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if local { None } else { Matcher::from_env().intercept(server).map(|_| proxy) }
}

fn stack<C>(config: &Config, connector: C) -> Result<::kube::Client, ConnectError>
where
    C: tower::Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Connection + hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static,
    C::Future: Send + 'static,
    C::Error: Into<BoxError>,
{
    let https = config.rustls_https_connector_with_connector(connector).map_err(rejected)?;
    let http: HttpClient<_, Body> = HttpClient::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(POOL_IDLE)
        .build(https);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer().map_err(rejected)?)
        .layer(config.extra_headers_layer().map_err(rejected)?)
        .map_err(BoxError::from)
        .service(http);
    Ok(::kube::Client::new(service, config.default_namespace.clone()))
}
