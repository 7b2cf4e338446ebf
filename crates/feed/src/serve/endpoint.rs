//! A loader that answers on its socket: one thread, which sleeps until somebody asks.
//!
//! A process that is forked inherits the open socket without the thread. It must close its copy ([`Endpoint::close_copy`], or by dropping
//! it), else clients of a parent that has died would wait for answers that never come; and it must not touch what is in the file system.

use std::io::{self, Write};
use std::mem;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::Path;
use std::pin::pin;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::net::{UnixListener, UnixStream};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{sleep, timeout};

use super::answer::Answers;
use super::http::{REQUEST_MAX, Refusal, Request, Response, head_end};
use super::place::Place;
use super::socket::{ServeError, Socket, Trace};
use crate::meter::Report;

/// Clients that are answered at once; others are told to ask again.
pub const CLIENTS_MAX: usize = 32;
/// How long a request may take to come, and an answer to be read.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it is waited before a report is tried again that was not to be made.
const HELD: Duration = Duration::from_millis(1);
/// How long nobody is let in where the process has no more files to open.
const PAUSE: Duration = Duration::from_millis(100);

/// Loaders of this process that answer or have answered.
static LOADERS: AtomicU32 = AtomicU32::new(0);

/// Answers until it is dropped.
pub struct Endpoint {
    trace: Trace,
    /// The process that answers.
    process: u32,
    listener: RawFd,
    /// A byte here ends the thread.
    stop: BlockingStream,
    /// None where this is a copy of a forked process, and closed.
    thread: Option<JoinHandle<()>>,
}

impl Endpoint {
    /// Begins to answer with what `report` makes; none where the loader has ended.
    ///
    /// # Errors
    ///
    /// Where the socket cannot be made.
    pub fn open(
        place: &Place,
        report: impl Fn() -> Option<Report> + Send + Sync + 'static,
    ) -> Result<Endpoint, ServeError> {
        let (pid, loader) = (process::id(), LOADERS.fetch_add(1, Ordering::Relaxed));
        let socket = Socket::open(place, pid, loader)?;
        let trace = socket.trace();
        let answers = Arc::new(Answers { pid, loader, report: Box::new(report) });
        let listener = socket.listener.as_raw_fd();
        let begun = begin(socket, answers);
        match begun {
            Ok((stop, thread)) => Ok(Endpoint { trace, process: pid, listener, stop, thread: Some(thread) }),
            Err(error) => {
                trace.remove();
                let path = trace.path;
                Err(ServeError { path, problem: format!("nothing can listen there: {error}") })
            }
        }
    }

    /// The socket.
    pub fn path(&self) -> &Path {
        &self.trace.path
    }

    /// In a forked process: closes its copy of the socket. It does nothing in the process that answers.
    pub fn close_copy(&mut self) {
        if process::id() == self.process {
            return;
        }
        if let Some(thread) = self.thread.take() {
            // To let go of a thread that is not there is not defined.
            let _left = mem::ManuallyDrop::new(thread);
            // SAFETY: what owns this number is on the stack of a thread that this process does not have, and can never be dropped here.
            #[expect(unsafe_code, reason = "what owns the copy is out of reach in a forked process")]
            let copy = unsafe { OwnedFd::from_raw_fd(self.listener) };
            drop(copy);
        }
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        if process::id() != self.process {
            self.close_copy();
            return;
        }
        self.trace.remove();
        // A thread that has ended by itself does not need to be told.
        drop(self.stop.write_all(&[0]));
        if let Some(thread) = self.thread.take()
            // The loader's last holder may be a report that is being made by that very thread.
            && thread.thread().id() != thread::current().id()
        {
            // A thread that panicked has told so on standard error.
            drop(thread.join());
        }
    }
}

/// Starts the thread.
fn begin(socket: Socket, answers: Arc<Answers>) -> io::Result<(BlockingStream, JoinHandle<()>)> {
    socket.listener.set_nonblocking(true)?;
    let (stop, stopped) = BlockingStream::pair()?;
    stopped.set_nonblocking(true)?;
    let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
    let thread = thread::Builder::new().name("feed-metrics".to_owned());
    let thread = thread.spawn(move || run(&runtime, socket, stopped, &answers))?;
    Ok((stop, thread))
}

fn run(runtime: &Runtime, socket: Socket, stopped: BlockingStream, answers: &Arc<Answers>) {
    let served: io::Result<()> = runtime.block_on(async {
        let listener = UnixListener::from_std(socket.listener)?;
        let stopped = UnixStream::from_std(stopped)?;
        serve(&listener, &stopped, answers).await;
        Ok(())
    });
    if let Err(error) = served {
        eprintln!("trimtab: {} does not answer: {error}", socket.path.display());
    }
}

/// Answers whoever asks, until it is stopped.
async fn serve(listener: &UnixListener, stopped: &UnixStream, answers: &Arc<Answers>) {
    let clients = Arc::new(AtomicUsize::new(0));
    let mut stopped = pin!(stopped.readable());
    loop {
        let accepted = pin!(listener.accept());
        match select(accepted, stopped.as_mut()).await {
            Either::Left((Ok((stream, _)), _)) => {
                let client = Client::among(&clients);
                let answers = Arc::clone(answers);
                drop(tokio::spawn(async move { answer(&stream, client, &answers).await }));
            }
            Either::Left((Err(_), _)) => sleep(PAUSE).await,
            Either::Right(_) => return,
        }
    }
}

/// A client that is being answered.
struct Client {
    clients: Arc<AtomicUsize>,
    is_one_too_many: bool,
}

impl Client {
    fn among(clients: &Arc<AtomicUsize>) -> Client {
        let before = clients.fetch_add(1, Ordering::Relaxed);
        Client { clients: Arc::clone(clients), is_one_too_many: before >= CLIENTS_MAX }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.clients.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Answers one client. One that sends nothing, or reads nothing, is let go of.
async fn answer(stream: &UnixStream, client: Client, answers: &Answers) {
    if client.is_one_too_many {
        let busy = Response::from(Refusal::Busy).bytes(false);
        // What does not fit at once is not waited for: there are too many already.
        drop(stream.try_write(&busy));
        return;
    }
    let request = match timeout(PATIENCE, request(stream)).await {
        Ok(Ok(request)) => request,
        // Whoever goes away without asking wants no answer.
        Ok(Err(_)) => return,
        Err(_) => Err(Refusal::Late),
    };
    let response = loop {
        match answers.to(&request) {
            Some(response) => break response,
            None => sleep(HELD).await,
        }
    };
    // Nobody is left to be told of what fails here.
    drop(timeout(PATIENCE, write(stream, &response)).await);
}

/// Reads a request's head.
async fn request(stream: &UnixStream) -> io::Result<Result<Request, Refusal>> {
    let mut head = Vec::new();
    let mut piece = [0; 1024];
    loop {
        stream.readable().await?;
        match stream.try_read(&mut piece) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => head.extend_from_slice(&piece[..read]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        }
        if let Some(end) = head_end(&head) {
            return Ok(Request::parse(&head[..end]));
        }
        if head.len() > REQUEST_MAX {
            return Ok(Err(Refusal::Large));
        }
    }
}

async fn write(stream: &UnixStream, bytes: &[u8]) -> io::Result<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        stream.writable().await?;
        match stream.try_write(rest) {
            Ok(written) => rest = &rest[written..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
