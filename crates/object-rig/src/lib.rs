//! For tests and benchmarks only: a store of objects on loopback, over HTTP, slow and faulty as asked.
//!
//! It hands out the files of a folder (GET with a range, HEAD, PROPFIND), or what another server has that it stands in front of. It
//! counts what it is asked for. Start at [`Server`].

mod answer;
mod rate;
mod request;

use std::collections::BTreeMap;
use std::io::{self, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rate::{Link, Rates};
use request::Request;

/// Where what is handed out comes from.
#[derive(Clone, Debug)]
pub enum Behind {
    /// The files of a folder.
    Folder(PathBuf),
    /// Another server.
    Server(SocketAddr),
}

/// How well it works.
#[derive(Clone, Debug, Default)]
pub struct Behaviour {
    /// What passes before each answer begins.
    pub latency: Duration,
    /// Bytes of an answer that are sent in a second, at most.
    pub bytes_per_second: Option<u64>,
    /// Bytes of all answers together that are sent in a second, at most: as over one link.
    pub link_bytes_per_second: Option<u64>,
    /// What goes wrong: with every request whose number is a multiple of the first, counted from one; the first that fits.
    pub faults: Vec<(u64, Fault)>,
}

/// What goes wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is this status, and says nothing.
    Status(u16),
    /// The connection ends before it.
    Reset,
    /// The connection ends within it, after half of its bytes.
    Cut,
    /// It never comes, as long as the server runs.
    Silence,
}

/// A server, which ends when it is dropped.
pub struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
    listening: Option<JoinHandle<()>>,
}

struct Shared {
    behind: Behind,
    behaviour: Mutex<Behaviour>,
    requests: AtomicU64,
    by_method: Mutex<BTreeMap<String, u64>>,
    faults: AtomicU64,
    link: Link,
    is_over: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
}

impl Server {
    /// Starts a server on a free port of loopback.
    ///
    /// # Errors
    ///
    /// Where there is none.
    pub fn start(behind: Behind, behaviour: Behaviour) -> io::Result<Server> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            behind,
            behaviour: Mutex::new(behaviour),
            requests: AtomicU64::new(0),
            by_method: Mutex::default(),
            faults: AtomicU64::new(0),
            link: Link::default(),
            is_over: AtomicBool::new(false),
            open: Mutex::default(),
        });
        let listening = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || listen(&listener, &shared))
        };
        Ok(Server { shared, address, listening: Some(listening) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of a file, as a client writes it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// From now on it works so.
    pub fn behave(&self, behaviour: Behaviour) {
        *self.shared.behaviour.lock().expect(NOBODY_PANICS) = behaviour;
    }

    /// Requests so far.
    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// Requests of a method so far.
    pub fn requests_of(&self, method: &str) -> u64 {
        self.shared.by_method.lock().expect(NOBODY_PANICS).get(method).copied().unwrap_or(0)
    }

    /// Answers that went wrong so far.
    pub fn faults(&self) -> u64 {
        self.shared.faults.load(Ordering::Relaxed)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        // One more connection, so that whoever waits for one looks up.
        drop(TcpStream::connect(self.address));
        for stream in self.shared.open.lock().expect(NOBODY_PANICS).drain(..) {
            // It may be closed already.
            drop(stream.shutdown(Shutdown::Both));
        }
        if let Some(listening) = self.listening.take() {
            listening.join().expect("the server did not panic");
        }
    }
}

const NOBODY_PANICS: &str = "nobody panics while holding it";

fn listen(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.is_over.load(Ordering::Relaxed) {
            return;
        }
        let Ok(stream) = stream else { continue };
        if let Ok(copy) = stream.try_clone() {
            shared.open.lock().expect(NOBODY_PANICS).push(copy);
        }
        let shared = Arc::clone(shared);
        // Whatever ends a connection, the client will notice.
        thread::spawn(move || drop(serve(&stream, &shared)));
    }
}

/// Answers what comes over a connection, until it ends.
fn serve(stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(request) = Request::read(&mut reader)? {
        let number = shared.requests.fetch_add(1, Ordering::Relaxed) + 1;
        *shared.by_method.lock().expect(NOBODY_PANICS).entry(request.method.clone()).or_default() += 1;
        let behaviour = shared.behaviour.lock().expect(NOBODY_PANICS).clone();
        thread::sleep(behaviour.latency);
        let fault = behaviour.faults.iter().find(|(every, _)| number.is_multiple_of(*every)).map(|(_, fault)| *fault);
        if fault.is_some() {
            shared.faults.fetch_add(1, Ordering::Relaxed);
        }
        match fault {
            Some(Fault::Status(status)) => {
                write!(&*stream, "HTTP/1.1 {status} As asked\r\ncontent-length: 0\r\n\r\n")?;
                continue;
            }
            Some(Fault::Reset) => return stream.shutdown(Shutdown::Both),
            Some(Fault::Silence) => {
                while !shared.is_over.load(Ordering::Relaxed) {
                    thread::sleep(Duration::from_millis(10));
                }
                return Ok(());
            }
            Some(Fault::Cut) | None => {}
        }
        let answer = answer::answer(&request, &shared.behind)?;
        let rates = Rates {
            own: behaviour.bytes_per_second,
            link: behaviour.link_bytes_per_second.map(|rate| (rate, &shared.link)),
        };
        let is_whole = answer.send(stream, &rates, fault == Some(Fault::Cut))?;
        if !is_whole {
            return stream.shutdown(Shutdown::Both);
        }
    }
    Ok(())
}
