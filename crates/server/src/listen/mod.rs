//! Where the server listens, and what becomes of a connection before anything of it is HTTP.
//!
//! Nobody who connects may hold up anybody else: a connection has a task of its own before a byte of it is read, a bounded time to
//! say who it is (TLS), another for each request's head, and there are so many and no more of each listener. Start at [`Listener::accept`].

mod certificate;
mod connection;
mod handshake;
mod pair;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

pub use certificate::Certificate;
pub use pair::Unusable;

/// The most connections of one listener at once. Most systems let a process have 1,024 files, and the store and runs need theirs; whoever
/// comes then waits in the kernel's line.
const CONNECTIONS_MAX: u32 = 448;

/// How long no connection is taken on after the system refused one: it is out of files, most likely.
const REFUSED_WAIT: Duration = Duration::from_secs(1);

/// Where to listen, and what is spoken there.
#[derive(Clone, Debug)]
pub struct Listen {
    /// The address; port 0 is any that is free.
    pub address: SocketAddr,
    /// What is spoken there.
    pub speaks: Speaks,
}

/// What is spoken.
#[derive(Clone, Debug)]
pub enum Speaks {
    /// HTTP.
    Plain,
    /// HTTP with a proxy in front, which speaks TLS to everybody else.
    BehindTls,
    /// HTTP over TLS.
    Tls(Certificate),
}

/// How a request has come; each has it among its extensions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    /// The other end: a person's machine, or a proxy.
    pub(crate) peer: SocketAddr,
    /// On what.
    pub(crate) way: Way,
}

/// On what a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// In the clear.
    Plain,
    /// Through a proxy, to which it came by TLS.
    BehindTls,
    /// By TLS.
    Tls,
}

/// A listener that is bound.
pub(crate) struct Listener {
    listener: std::net::TcpListener,
    speaks: Speaks,
}

/// How connections are served.
#[derive(Clone)]
struct Served {
    router: Router,
    tls: Option<TlsAcceptor>,
    way: Way,
    stopping: watch::Receiver<()>,
}

impl Listener {
    pub(crate) fn bind(listen: Listen) -> std::io::Result<Self> {
        let listener = std::net::TcpListener::bind(listen.address)?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener, speaks: listen.speaks })
    }

    pub(crate) fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Takes connections on until `stopping` changes; returns once the last of them is over.
    pub(crate) async fn accept(self, router: Router, stopping: watch::Receiver<()>) -> std::io::Result<()> {
        self.accept_at_most(CONNECTIONS_MAX, router, stopping).await
    }

    async fn accept_at_most(
        self,
        connections_max: u32,
        router: Router,
        mut stopping: watch::Receiver<()>,
    ) -> std::io::Result<()> {
        let listener = TcpListener::from_std(self.listener)?;
        let (way, tls, renewing) = match self.speaks {
            Speaks::Plain => (Way::Plain, None, None),
            Speaks::BehindTls => (Way::BehindTls, None, None),
            Speaks::Tls(certificate) => {
                let tls = TlsAcceptor::from(certificate.config());
                (Way::Tls, Some(tls), Some(tokio::spawn(certificate.renew())))
            }
        };
        let served = Served { router, tls, way, stopping: stopping.clone() };
        let room = Arc::new(Semaphore::new(connections_max as usize));
        tokio::select! {
            () = take_on(&listener, &served, &room) => {}
            _ = stopping.changed() => {}
        }
        drop(listener);
        if let Some(renewing) = renewing {
            renewing.abort();
        }
        // Whoever has all the room is alone.
        let _room = room.acquire_many(connections_max).await;
        Ok(())
    }
}

/// Takes on whoever comes, for as long as it is not dropped.
async fn take_on(listener: &TcpListener, served: &Served, room: &Arc<Semaphore>) {
    loop {
        let Ok(place) = Arc::clone(room).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, peer)) => {
                let served = served.clone();
                tokio::spawn(async move {
                    served.connection(stream, peer).await;
                    drop(place);
                });
            }
            // They changed their mind.
            Err(error) if is_of_the_connection(&error) => {}
            Err(error) => {
                eprintln!("warning: no connection can be taken on: {error}");
                tokio::time::sleep(REFUSED_WAIT).await;
            }
        }
    }
}

fn is_of_the_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

impl Served {
    /// Serves one connection to its end.
    async fn connection(self, stream: TcpStream, peer: SocketAddr) {
        let Self { router, tls, way, mut stopping } = self;
        // Answers are small, and someone waits for them.
        let _slower = stream.set_nodelay(true);
        let arrival = Arrival { peer, way };
        let Some(tls) = tls else { return connection::serve(stream, router, arrival, stopping).await };
        let stream = tokio::select! {
            stream = handshake::shake_hands(&tls, stream) => stream,
            _ = stopping.changed() => None,
        };
        if let Some(stream) = stream {
            connection::serve(stream, router, arrival, stopping).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;

    fn asks(address: SocketAddr) -> TcpStream {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        stream
    }

    fn is_answered(mut stream: &TcpStream, patience_ms: u64) -> bool {
        stream.set_read_timeout(Some(Duration::from_millis(patience_ms))).unwrap();
        stream.read(&mut [0; 1_024]).is_ok_and(|read| read > 0)
    }

    #[test]
    fn who_comes_when_all_room_is_taken_waits_for_some() {
        let address = "127.0.0.1:0".parse().unwrap();
        let listener = Listener::bind(Listen { address, speaks: Speaks::Plain }).unwrap();
        let address = listener.address().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (stop, stopping) = watch::channel(());
        let accepting = runtime.spawn(listener.accept_at_most(2, Router::new(), stopping));
        let (first, second) = (asks(address), asks(address));
        assert!(is_answered(&first, 10_000) && is_answered(&second, 10_000));
        let third = asks(address);
        assert!(!is_answered(&third, 300), "there is no room");
        drop(first);
        assert!(is_answered(&third, 10_000), "there is room again");
        // Those who say nothing more do not hold up the end.
        stop.send_replace(());
        runtime.block_on(accepting).unwrap().unwrap();
    }
}
