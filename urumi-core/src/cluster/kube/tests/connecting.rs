use std::fs;

use super::*;

const KUBECONFIG: &str = "
apiVersion: v1
kind: Config
current-context: one
contexts:
- {name: one, context: {cluster: c, user: u}}
- {name: two, context: {cluster: missing, user: u}}
clusters:
- {name: c, cluster: {server: 'http://127.0.0.1:1'}}
users:
- {name: u, user: {token: hunter2}}
";

async fn connect(text: &str, context: Option<&str>) -> Result<KubeCluster, ConnectError> {
    let path = std::env::temp_dir().join(format!("urumi-test-{}.yaml", uuid::Uuid::new_v4()));
    fs::write(&path, text).unwrap();
    let mut options = ConnectOptions::default().kubeconfig(&path);
    options.context = context.map(str::to_owned);
    KubeCluster::install_crypto_provider();
    let outcome = KubeCluster::connect(options).await;
    fs::remove_file(&path).unwrap();
    outcome
}

async fn complaint(text: &str, context: Option<&str>) -> String {
    connect(text, context).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_kubeconfig_is_enough_and_no_request_is_made() {
    let cluster = connect(KUBECONFIG, None).await.unwrap();
    assert_eq!(format!("{cluster:?}"), "KubeCluster { request_timeout: 15s, .. }");
}

#[tokio::test]
async fn a_closed_port_is_connection_refused() {
    let cluster = connect(KUBECONFIG, None).await.unwrap();
    let error = cluster.version().await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ClusterErrorKind::Unreachable, "connection refused"));
}

#[tokio::test]
async fn complaints_say_what_to_do() {
    assert_eq!(complaint(KUBECONFIG, Some("three")).await, "the kubeconfig has no context \"three\"; it has one, two");
    assert_eq!(
        complaint(KUBECONFIG, Some("two")).await,
        "the cluster's configuration cannot be used: the context's cluster \"missing\" is missing; check it with \
         `kubectl config view`"
    );
    let without = KUBECONFIG.replace("current-context: one", "");
    assert_eq!(
        complaint(&without, None).await,
        "the kubeconfig has no current context; name one (it has one, two), or run `kubectl config use-context`"
    );
    let options = ConnectOptions::default().kubeconfig("/nonexistent/config");
    assert_eq!(
        KubeCluster::connect(options).await.unwrap_err().to_string(),
        "cannot read the kubeconfig /nonexistent/config; check its path and its permissions"
    );
}

#[tokio::test]
async fn no_complaint_quotes_the_file() {
    for broken in [KUBECONFIG.replace("{token: hunter2}", "{token: [hunter2"), format!("{KUBECONFIG}\n{{: hunter2")] {
        let error = connect(&broken, None).await.unwrap_err();
        assert!(matches!(error, ConnectError::Malformed { .. }), "{error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}

#[tokio::test]
async fn a_failing_login_command_does_not_tell_its_output() {
    let user = "{exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: sh, \
                args: ['-c', 'echo hunter2; echo log in first >&2; exit 3']}}";
    let error = connect(&KUBECONFIG.replace("{token: hunter2}", user), None).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    assert!(error.to_string().contains("log in first"), "{error}");
}

#[tokio::test]
async fn a_proxy_of_the_kubeconfig_is_used_with_its_password() {
    use std::io::{BufRead as _, BufReader, Write as _};

    let proxy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://user:hunter2@{}", proxy.local_addr().unwrap());
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = proxy.accept().unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let head: Vec<String> = lines.map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").unwrap();
        head.join("\n")
    });
    let text = KUBECONFIG.replace("127.0.0.1:1'", &format!("127.0.0.1:1', proxy-url: '{url}'"));
    let cluster = connect(&text, None).await.unwrap().with_request_timeout(Duration::from_secs(20));
    let error = cluster.version().await.unwrap_err();
    assert_eq!(error.kind(), ClusterErrorKind::Unreachable);
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    let asked = asked.join().unwrap();
    assert!(asked.starts_with("CONNECT 127.0.0.1:1 HTTP/1.1"), "{asked}");
    assert!(asked.to_lowercase().contains("proxy-authorization: basic dxnlcjpodw50zxiy"), "{asked}");

    let text = KUBECONFIG.replace("127.0.0.1:1'", "127.0.0.1:1', proxy-url: 'ftp://user:hunter2@proxy'");
    assert_eq!(
        connect(&text, None).await.unwrap_err().to_string(),
        "cannot use the proxy ftp://proxy; use one of the schemes http and socks5, or list the API server in NO_PROXY"
    );
}
