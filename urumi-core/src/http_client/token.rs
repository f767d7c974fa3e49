//! The bearer token of requests to a server.

use std::fmt;

use async_trait::async_trait;

use crate::error::Result;
use crate::secret::SecretString;

/// Gives the bearer token of each request, e.g. a token that is renewed before it expires.
///
/// # Contract
/// - It is called before every request, also before each repetition, and possibly concurrently: a token that is still
///   valid is returned without delay.
/// - An error fails the operation that needs the token; nothing is sent. If the error is retryable, the operation asks
///   again, as for a request that failed.
/// - `Debug` prints no token.
#[async_trait]
pub trait TokenSource: fmt::Debug + Send + Sync {
    /// The token to send now.
    ///
    /// # Errors
    /// When there is no valid token.
    async fn token(&self) -> Result<SecretString>;
}

/// A token that stays the same.
#[async_trait]
impl TokenSource for SecretString {
    async fn token(&self) -> Result<SecretString> {
        Ok(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::StoreOrchestrator;
    use crate::error::{Error, ErrorKind};
    use crate::http_client::{HttpOrchestrator, ServerOptions};

    /// Gives `token-0`, `token-1` and so on, and then none.
    #[derive(Debug, Default)]
    struct Numbered {
        given: AtomicUsize,
    }

    #[async_trait]
    impl TokenSource for Numbered {
        async fn token(&self) -> Result<SecretString> {
            match self.given.fetch_add(1, Ordering::Relaxed) {
                number @ 0..2 => Ok(SecretString::new(format!("token-{number}"))),
                _ => {
                    let (kind, code, detail) = (ErrorKind::NotPermitted, "none".to_owned(), "no more".to_owned());
                    Err(Error::Server { kind, code, detail, retryable: false })
                }
            }
        }
    }

    /// Answers 503 to the first request and no stores to the second. Returns the address, and what both sent.
    async fn busy_once() -> (String, tokio::task::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            let mut requests = Vec::new();
            for answer in ["503 Service Unavailable\r\nContent-Length: 0", "200 OK\r\nContent-Length: 2"] {
                let (mut connection, _) = listener.accept().await.unwrap();
                let mut request = vec![0; 4096];
                let length = connection.read(&mut request).await.unwrap();
                requests.push(String::from_utf8_lossy(&request[..length]).to_lowercase());
                let answer = format!("HTTP/1.1 {answer}\r\nConnection: close\r\n\r\n[]");
                connection.write_all(answer.as_bytes()).await.unwrap();
            }
            requests
        });
        (address, serving)
    }

    #[tokio::test]
    async fn every_try_of_a_request_has_the_token_of_its_time() {
        let (address, serving) = busy_once().await;
        let fixed = ServerOptions::default().token(SecretString::new("fixed"));
        let client = HttpOrchestrator::connect(&address, &fixed).unwrap().token_source(Numbered::default());
        assert!(client.list().await.unwrap().is_empty());
        for (number, request) in serving.await.unwrap().iter().enumerate() {
            let sent: Vec<&str> = request.lines().filter(|line| line.starts_with("authorization:")).collect();
            assert_eq!(sent, [format!("authorization: bearer token-{number}")], "{request}");
        }
        // Without a token, nothing is sent: the server is gone, and the error is the source's.
        assert_eq!(client.list().await.unwrap_err().to_string(), "no more");
        assert_eq!(client.probe(&["readyz"]).await.unwrap_err().to_string(), "no more");
    }
}
