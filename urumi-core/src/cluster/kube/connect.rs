//! Finds a cluster and creates the HTTP client for it.

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

/// The timeout of a connection attempt. Well below the deadline of a call, so that an unreachable host is reported
/// early.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Servers written in Go, such as the API server, close connections after 90 s without requests. The client closes them
/// earlier, so that it sends no request on a closing connection.
const POOL_IDLE: Duration = Duration::from_secs(80);
/// The connection is dead if the peer acknowledges nothing for this long. Shorter than a call's deadline, so that a
/// request can be retried on a new connection.
const DEAD_PEER: Duration = Duration::from_secs(8);

/// Why the client cannot connect to a cluster, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// No cluster is configured.
    #[error(
        "no cluster is configured: {tried}, and this process does not run in a pod; set KUBECONFIG to a kubeconfig \
         file, or name one"
    )]
    NotConfigured {
        /// Where a configuration was looked for.
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
    /// The file is not valid YAML, or not a kubeconfig. (Its text is not quoted, because it contains credentials.)
    #[error("the kubeconfig is malformed{place}; `kubectl config view` may say more")]
    Malformed {
        /// Where, if known.
        place: String,
    },
    /// The kubeconfig does not have the context.
    #[error("the kubeconfig has no context {name:?}; {}", known_contexts(known))]
    UnknownContext {
        /// The requested context.
        name: String,
        /// The existing contexts.
        known: Vec<String>,
    },
    /// The kubeconfig has no current context, and none was named.
    #[error(
        "the kubeconfig has no current context; name one ({}), or run `kubectl config use-context`",
        known_contexts(known)
    )]
    NoContext {
        /// The existing contexts.
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
    /// The login failed.
    #[error("cannot log in to the cluster: {message}; check that `kubectl get --raw /version` works")]
    Login {
        /// Why.
        message: String,
    },
    /// No cryptography provider for TLS is installed.
    #[error("no cryptography for TLS is installed; call KubeCluster::install_crypto_provider() at the start of main")]
    NoCryptoProvider,
    /// Another part of the configuration is invalid.
    #[error("the cluster's configuration cannot be used: {message}; check it with `kubectl config view`")]
    Invalid {
        /// What is invalid.
        message: String,
    },
}

fn known_contexts(known: &[String]) -> String {
    if known.is_empty() { "it has none".to_owned() } else { format!("it has {}", known.join(", ")) }
}

/// A configuration, and whether the kubeconfig sets its proxy.
struct Found {
    config: Config,
    proxy_is_explicit: bool,
}

pub(super) async fn connect(options: ConnectOptions) -> Result<Transport, ConnectError> {
    let found = find(&options).await?;
    // This runs login commands and waits for them.
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

/// Where a kubeconfig was looked for, if the error is that there is none.
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

/// Like `kube::Client::try_from`, but without its retries, without its log of each failed attempt at ERROR, with
/// `TCP_NODELAY`, and with timeouts of idle and dead connections that suit the API server.
fn client(found: Found) -> Result<::kube::Client, ConnectError> {
    // kube uses the process's rustls provider. Without one, rustls panics if several are compiled in.
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
            // The URL's user and password as the proxy's authorization header.
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

/// The proxy to use. A proxy of the kubeconfig is always used. As in kubectl, a proxy of the environment is not used if
/// `NO_PROXY` lists the API server, or if the API server is on loopback. (kube compares `NO_PROXY` with the proxy's
/// address.)
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
