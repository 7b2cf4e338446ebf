//! The thread that tells the agent, over a socket that it never waits for. Python is not needed for that, and goes on or hangs meanwhile.
//!
//! Where nobody listens it looks for somebody every few seconds, and does nothing else. Who does not read costs no more than that: what
//! has no room stays in the clock, whose room is bounded.

use std::io;
use std::mem;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use socket2::{Domain, SockAddr, Socket, Type};

use super::fork;
use super::line::{self, Moments, Who};
use super::place;
use super::shared::{News, Shared};

/// How often it is looked whether there is something to tell.
const TICK: Duration = Duration::from_millis(200);
/// How often it is told what the process is doing.
const NOW_EVERY: Duration = Duration::from_secs(1);
/// How long it is waited before a connection is tried again: twice as long with each failure, up to the second.
const RETRY_MIN: Duration = Duration::from_millis(250);
const RETRY_MAX: Duration = Duration::from_secs(5);
/// How long the last lines may take to go.
pub(super) const LAST_MAX: Duration = Duration::from_secs(1);
/// How long it is waited, at the end, for room.
const PAUSE: Duration = Duration::from_millis(5);

/// A socket's writes raise no signal, whatever the process does with SIGPIPE.
#[cfg(target_os = "linux")]
const FLAGS: i32 = libc::MSG_NOSIGNAL;
#[cfg(not(target_os = "linux"))]
const FLAGS: i32 = 0;

/// A connection. Children are told first that its number is free.
struct Connection {
    _closed: fork::Closed,
    socket: Socket,
    since: Instant,
}

impl Connection {
    fn open(path: &Path) -> io::Result<Connection> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        // Before it is connected: what a child has a copy of until then is nobody's.
        let closed = fork::close_in_children(socket.as_raw_fd());
        // Else it would wait where the listener's line is full.
        socket.set_nonblocking(true)?;
        socket.connect(&SockAddr::unix(path)?)?;
        Ok(Connection { _closed: closed, socket, since: Instant::now() })
    }

    /// How many bytes had room.
    fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        match self.socket.send_with_flags(bytes, FLAGS) {
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(0),
            sent => sent,
        }
    }

    /// Whether the other side reads from it still: to send nothing fails where it does not. That it has nothing to say, and has closed
    /// its own way, is as it should be.
    fn is_open(&self) -> bool {
        self.send(&[]).is_ok()
    }
}

/// What tells.
pub(super) struct Sender {
    first: String,
    told: Option<Box<Path>>,
    connection: Option<Connection>,
    /// Lines that go out next, of which so many bytes went.
    lines: String,
    sent: usize,
    news: News,
    now_told: Option<Instant>,
    retry_at: Instant,
    retry: Duration,
}

impl Sender {
    pub(super) fn new(who: &Who, told: Option<Box<Path>>) -> Sender {
        Sender {
            first: line::first(who, process::id()),
            told,
            connection: None,
            lines: String::new(),
            sent: 0,
            news: News::default(),
            now_told: None,
            retry_at: Instant::now(),
            retry: RETRY_MIN,
        }
    }

    /// Tells until all is to end.
    pub(super) fn run(mut self, shared: &Shared) {
        loop {
            let is_last = shared.sleep(self.patience());
            if self.connection.is_none() && (is_last || Instant::now() >= self.retry_at) {
                self.connect();
            }
            if let Some(connection) = self.connection.take() {
                let deadline = is_last.then(|| Instant::now() + LAST_MAX);
                if connection.is_open() && self.tell(&connection, shared, deadline).is_ok() {
                    self.connection = Some(connection);
                } else {
                    self.lose(&connection);
                }
            }
            shared.is_connected.store(self.connection.is_some(), Ordering::Relaxed);
            if is_last {
                break;
            }
        }
        shared.is_over();
    }

    fn patience(&self) -> Duration {
        match self.connection {
            Some(_) => TICK,
            None => self.retry_at.saturating_duration_since(Instant::now()),
        }
    }

    fn connect(&mut self) {
        let opened = place::socket(self.told.as_deref()).and_then(|path| Connection::open(&path).ok());
        match opened {
            Some(connection) => {
                self.lines.insert_str(0, &self.first);
                self.connection = Some(connection);
            }
            None => self.wait_longer(),
        }
    }

    fn lose(&mut self, connection: &Connection) {
        // Who is there for a while and goes is looked for soon; who goes at once, as seldom as who is not there.
        if connection.since.elapsed() > RETRY_MAX {
            self.retry = RETRY_MIN;
        }
        self.lines = line::left(&self.lines, mem::take(&mut self.sent));
        if let Some(rest) = self.lines.strip_prefix(&self.first) {
            self.lines = rest.to_owned();
        }
        self.wait_longer();
    }

    fn wait_longer(&mut self) {
        self.retry_at = Instant::now() + self.retry;
        self.retry = (self.retry * 2).min(RETRY_MAX);
    }

    /// Sends what there is room for; where there is a deadline, all there is, and that this is the end.
    fn tell(&mut self, connection: &Connection, shared: &Shared, deadline: Option<Instant>) -> io::Result<()> {
        let mut is_end_written = false;
        loop {
            if self.sent == self.lines.len() {
                self.lines.clear();
                self.sent = 0;
                self.write_news(shared);
            }
            if self.lines.is_empty() {
                if deadline.is_none() || is_end_written {
                    return Ok(());
                }
                self.lines.push_str(line::END);
                is_end_written = true;
            }
            let sent = connection.send(&self.lines.as_bytes()[self.sent..])?;
            self.sent += sent;
            if sent == 0 {
                match deadline {
                    Some(deadline) if Instant::now() < deadline => thread::sleep(PAUSE),
                    _ => return Ok(()),
                }
            }
        }
    }

    fn write_news(&mut self, shared: &Shared) {
        shared.news(&mut self.news);
        let moments = Moments { now_ns: shared.now_ns(), now_unix_us: unix_us() };
        if self.news.dropped > 0 {
            line::dropped(&mut self.lines, self.news.dropped);
        }
        for step in self.news.steps.drain(..) {
            line::step(&mut self.lines, &step, moments);
        }
        if let Some(doing) = &self.news.doing
            && self.now_told.is_none_or(|told| told.elapsed() >= NOW_EVERY)
        {
            line::now(&mut self.lines, doing, moments);
            self.now_told = Some(Instant::now());
        }
    }
}

/// Unix time in microseconds.
fn unix_us() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
