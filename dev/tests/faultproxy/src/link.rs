//! A connection that stops and goes on: between an API server that is to lag behind and its etcd.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// A way to an address, by TCP. While it is frozen, connections stay as they are and new ones are accepted, but not a byte
/// comes through; when it thaws, all does that was sent meanwhile. It ends when it is dropped.
pub struct Link {
    address: SocketAddr,
    flow: watch::Sender<Flow>,
    serving: JoinHandle<()>,
}

/// Whether bytes come through, and since when they do again.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flow {
    frozen: bool,
    pub(crate) thawed: Option<Instant>,
}

impl Link {
    /// One that leads there.
    pub async fn to(there: SocketAddr) -> Link {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let flow = watch::Sender::new(Flow::default());
        let seen = flow.subscribe();
        let serving = tokio::spawn(async move {
            loop {
                let Ok((here, _)) = listener.accept().await else { continue };
                tokio::spawn(connection(here, there, seen.clone()));
            }
        });
        Link { address, flow, serving }
    }

    /// Where it begins.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on nothing comes through.
    pub fn freeze(&self) {
        self.flow.send_modify(|flow| flow.frozen = true);
    }

    /// From now on everything comes through.
    pub fn thaw(&self) {
        self.flow.send_replace(Flow { frozen: false, thawed: Some(Instant::now()) });
    }

    pub(crate) fn flow(&self) -> watch::Receiver<Flow> {
        self.flow.subscribe()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn connection(here: TcpStream, there: SocketAddr, flow: watch::Receiver<Flow>) {
    let Ok(there) = TcpStream::connect(there).await else { return };
    for stream in [&here, &there] {
        let _ = stream.set_nodelay(true);
    }
    let (from_here, to_here) = here.into_split();
    let (from_there, to_there) = there.into_split();
    tokio::join!(copy(from_here, to_there, flow.clone()), copy(from_there, to_here, flow));
}

/// Passes on all that comes, as long as the link exists.
async fn copy(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, mut flow: watch::Receiver<Flow>) {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let length = tokio::select! {
            length = from.read(&mut buffer) => length.unwrap_or_default(),
            () = gone(flow.clone()) => return,
        };
        // The end of a connection is held back as well.
        if flow.wait_for(|flow| !flow.frozen).await.is_err() {
            return;
        }
        let bytes = buffer.get(..length).unwrap_or_default();
        if bytes.is_empty() || to.write_all(bytes).await.is_err() {
            let _ = to.shutdown().await;
            return;
        }
    }
}

/// Waits for the end of the link.
async fn gone(mut flow: watch::Receiver<Flow>) {
    while flow.changed().await.is_ok() {}
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn frozen_it_keeps_what_it_gets_and_thawed_it_gives_it() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let link = Link::to(listener.local_addr().unwrap()).await;
        let mut here = TcpStream::connect(link.address()).await.unwrap();
        let (mut there, _) = listener.accept().await.unwrap();
        let mut seen = [0; 3];

        here.write_all(b"one").await.unwrap();
        there.read_exact(&mut seen).await.unwrap();
        assert_eq!(&seen, b"one");

        link.freeze();
        here.write_all(b"two").await.unwrap();
        let early = tokio::time::timeout(Duration::from_millis(200), there.read_exact(&mut seen)).await;
        assert!(early.is_err(), "it came through");
        link.thaw();
        there.read_exact(&mut seen).await.unwrap();
        assert_eq!(&seen, b"two");

        drop(link);
        assert_eq!(there.read(&mut seen).await.unwrap(), 0, "it outlives its link");
    }
}
