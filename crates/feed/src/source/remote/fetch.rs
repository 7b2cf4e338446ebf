//! Gets pieces of objects: many at once, in the order in which they are asked for; tried again where that may help.

use std::collections::VecDeque;
use std::io;
use std::mem::ManuallyDrop;
use std::process;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use object_store::{GetOptions, GetRange, GetResult};
use tokio::runtime::{Builder, Runtime};

use super::RemoteFile;
use super::direct::Destination;
use super::fetched::{Fetched, Filling, Memory};
use super::piece::Piece;
use super::wire::Refused;
use crate::format::Extent;
use crate::memory::Share;
use crate::source::SourceError;
use crate::tune::{Pace, Tuned};

/// Bytes that are asked for at first.
const FIRST_BYTES: usize = 16 << 20;
/// How often it is looked at how many bytes come in a second, at most.
const LOOK: Duration = Duration::from_millis(50);
/// A second that brings less counts for so much of the one before it, with each look.
const KEPT: f64 = 0.9;
/// A request brings at most this much at first, and later: few and large ones cost both sides the least.
const REQUEST_BYTES_FIRST: u64 = 1 << 20;
pub(super) const REQUEST_BYTES_MAX: u64 = 16 << 20;
/// Those that are under way together bring at most so much each, on average.
const REQUEST_BYTES_MEAN: usize = 6 << 20;
/// Where memory is scarce: so many of the largest requests have room, but each may bring this much.
const REQUESTS_IN_ROOM: u64 = 32;
const REQUEST_BYTES_MIN: u64 = 256 << 10;
/// A request is tried so often.
const TRIES_MAX: u32 = 8;
/// The wait before the second try; doubled for each one after it.
const BACKOFF_FIRST: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(5);

/// Threads that talk to stores, and the pieces that wait for them.
pub struct Fetcher {
    runtime: ManuallyDrop<Runtime>,
    /// The process that has the threads.
    process: u32,
    began: Instant,
    queue: Mutex<Queue>,
    counts: Arc<Counts>,
    room: Arc<Share>,
    /// What bytes are fetched to.
    memory: Arc<Memory>,
    /// Bytes of pieces that are a part of batches.
    lent: AtomicUsize,
}

/// What was done so far.
#[derive(Debug, Default)]
pub struct Counts {
    /// Requests that were sent.
    pub requests: AtomicU64,
    /// Those of them that asked for a list.
    pub lists: AtomicU64,
    /// Times that a store said that it is asked too often.
    pub throttled: AtomicU64,
    /// Requests that failed and were sent again.
    pub retries: AtomicU64,
    /// Bytes of objects that came.
    pub bytes: AtomicU64,
}

struct Queue {
    waiting: VecDeque<Weak<Piece>>,
    under_way: usize,
    bytes_under_way: usize,
    pace: Pace,
    throttled_seen: u64,
    flow: Flow,
    is_closed: bool,
}

/// How many bytes come in a second.
#[derive(Default)]
struct Flow {
    /// When it was looked at last, and the bytes that had come then.
    seen: Option<(Duration, u64)>,
    a_second: f64,
}

impl Fetcher {
    /// Starts `threads` threads, for so many requests at once. What was fetched and not yet used takes no more than `room`.
    ///
    /// # Errors
    ///
    /// Where the system has none.
    pub fn start(threads: usize, requests: Tuned, room: Arc<Share>) -> io::Result<Arc<Fetcher>> {
        let runtime =
            Builder::new_multi_thread().worker_threads(threads).thread_name("feed-fetch").enable_all().build()?;
        let queue = Queue {
            waiting: VecDeque::new(),
            under_way: 0,
            bytes_under_way: 0,
            pace: Pace::new(requests),
            throttled_seen: 0,
            flow: Flow::default(),
            is_closed: false,
        };
        Ok(Arc::new(Fetcher {
            runtime: ManuallyDrop::new(runtime),
            process: process::id(),
            began: Instant::now(),
            queue: Mutex::new(queue),
            counts: Arc::default(),
            memory: Memory::new(room.limit() / 8 * 9),
            lent: AtomicUsize::new(0),
            room,
        }))
    }

    /// What was done so far.
    pub fn counts(&self) -> &Arc<Counts> {
        &self.counts
    }

    /// Bytes that may be asked for now, beside those that are on their way or not yet used. At first they are few, so that what is
    /// needed first does not wait for what is needed later.
    pub fn may_ask(&self) -> usize {
        self.room.free().min(self.horizon().saturating_sub(self.not_lent()))
    }

    /// Bytes that may be on their way or not yet in batches, now: no more than twice what may be on its way. More would bring nothing, and
    /// new memory takes a core longer than the bytes that are written to it.
    fn horizon(&self) -> usize {
        let has_begun = self.counts.bytes.load(Ordering::Relaxed) >= FIRST_BYTES as u64;
        let of_use = if has_begun { 2 * self.lock().bytes_under_way_max() } else { FIRST_BYTES };
        of_use.min(self.room.limit())
    }

    /// Bytes that are on their way, or here and in no batch. What is in batches is given back when the consumer likes: it takes room, and
    /// does not count as ahead of what comes next.
    fn not_lent(&self) -> usize {
        self.room.used().saturating_sub(self.lent.load(Ordering::Relaxed))
    }

    /// Whether it is worth to ask for more now: in handfuls, so that neighbours can come together.
    pub fn has_room(&self) -> bool {
        let most = |bytes: usize| bytes / 4 * 3;
        self.room.used() <= most(self.room.limit()) && self.not_lent() <= most(self.horizon())
    }

    /// The largest request now: small at first, so that the first ones share the way, and never more than a small part of what may be on
    /// its way, nor of the room.
    pub(super) fn request_bytes_max(&self) -> u64 {
        let part = (self.lock().bytes_under_way_max() / 8).max(1) as u64;
        let fits = (self.room.limit() as u64 / REQUESTS_IN_ROOM).max(REQUEST_BYTES_MIN);
        (1 << part.ilog2()).clamp(REQUEST_BYTES_FIRST, REQUEST_BYTES_MAX).min(fits)
    }

    /// Requests that may be under way at once, now.
    pub fn under_way_max(&self) -> usize {
        self.lock().pace.window()
    }

    /// Bytes of what was fetched and not yet used.
    pub fn room_used(&self) -> usize {
        self.room.used()
    }

    /// Whether a piece may be a part of batches: half of the room is for what is still to be fetched, whatever becomes of the batches.
    pub(super) fn may_lend(&self, bytes: usize) -> bool {
        let limit = self.room.limit() / 2;
        let lend = |lent: usize| lent.checked_add(bytes).filter(|lent| *lent <= limit);
        self.lent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, lend).is_ok()
    }

    /// A piece is no part of batches any more.
    pub(super) fn come_back(&self, bytes: usize) {
        self.lent.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Memory for what was fetched and not yet used.
    pub(super) fn room(&self) -> &Arc<Share> {
        &self.room
    }

    /// Waits for something that is not a piece, such as a list.
    pub(super) fn wait<T>(&self, what: impl Future<Output = T>) -> T {
        self.runtime.block_on(what)
    }

    /// Tries something as often as a piece is tried.
    pub(super) async fn tried<T, F: Future<Output = object_store::Result<T>>>(
        &self,
        what: impl Fn() -> F,
    ) -> object_store::Result<T> {
        for number in 1.. {
            match what().await {
                Err(error) if number < TRIES_MAX && may_pass(&error) => self.back_off(number).await,
                outcome => return outcome,
            }
        }
        unreachable!("the last try's outcome was returned")
    }

    /// Gets pieces, in order. Those that nobody has any more when their turn comes are left out.
    pub(super) fn get<'p>(self: &Arc<Self>, pieces: impl IntoIterator<Item = &'p Arc<Piece>>) {
        self.lock().waiting.extend(pieces.into_iter().map(Arc::downgrade));
        self.send();
    }

    /// Gets a piece before all that wait.
    pub(super) fn get_first(self: &Arc<Self>, piece: &Arc<Piece>) {
        self.lock().waiting.push_front(Arc::downgrade(piece));
        self.send();
    }

    /// Nothing is fetched any more, and whoever waits is told so.
    pub fn close(&self) {
        if self.is_forked() {
            return;
        }
        let waiting = {
            let mut queue = self.lock();
            queue.is_closed = true;
            std::mem::take(&mut queue.waiting)
        };
        for piece in waiting.iter().filter_map(Weak::upgrade) {
            piece.settle(Err(closed(&piece.file)));
        }
    }

    /// Sends requests, as many as may be under way.
    fn send(self: &Arc<Self>) {
        loop {
            let piece = {
                let mut queue = self.lock();
                if queue.under_way > 0 && queue.is_full(self.room.limit()) && !queue.is_closed {
                    return;
                }
                let Some(piece) = queue.waiting.pop_front() else { return };
                let Some(piece) = piece.upgrade() else { continue };
                if queue.is_closed {
                    drop(queue);
                    // Not by this thread: whoever asks is not told while it does.
                    self.runtime.spawn(async move { piece.settle(Err(closed(&piece.file))) });
                    continue;
                }
                queue.under_way += 1;
                queue.bytes_under_way += piece.extent.bytes as usize;
                piece
            };
            let fetcher = Arc::clone(self);
            let (file, extent) = (Arc::clone(&piece.file), piece.extent);
            // Only those who want it keep it.
            let piece = Arc::downgrade(&piece);
            self.runtime.spawn(async move {
                fetcher.bring(&file, extent, &piece).await;
                fetcher.lock().is_over(extent);
                fetcher.send();
            });
        }
    }

    /// Brings a piece, and notes how long that took.
    async fn bring(&self, file: &RemoteFile, extent: Extent, piece: &Weak<Piece>) {
        let mut number = 1;
        let outcome = loop {
            let start = Instant::now();
            let outcome = self.try_once(file, extent, piece).await;
            self.note(start.elapsed(), if outcome.is_ok() { extent.bytes } else { 0 });
            match outcome {
                Err(Failure::Store(error)) if number < TRIES_MAX && may_pass(&error) => {
                    self.back_off(number).await;
                    number += 1;
                }
                Ok(bytes) => break Ok(bytes),
                Err(Failure::NobodyWants) => return,
                Err(Failure::Store(error)) => break Err(file.failed(extent.offset, &error, number)),
                Err(Failure::Changed(what)) => {
                    let error = io::Error::other(what);
                    break Err(SourceError { name: file.name().to_owned(), offset: Some(extent.offset), error });
                }
            }
            if self.lock().is_closed {
                break Err(closed(file));
            }
        };
        if let Some(piece) = piece.upgrade() {
            piece.settle(outcome);
            if file.kept().is_some() {
                // The piece stays as long as it is being written, and counts as long.
                self.runtime.spawn_blocking(move || piece.write());
            }
        }
    }

    async fn try_once(&self, file: &RemoteFile, extent: Extent, piece: &Weak<Piece>) -> Result<Fetched, Failure> {
        let range = GetRange::Bounded(extent.offset..extent.offset + extent.bytes);
        let mut options = GetOptions { range: Some(range), ..GetOptions::default() };
        let destination = Destination::new(self.memory.take(extent.bytes as usize), Weak::clone(piece));
        options.extensions.insert(destination.clone());
        let got = file.bucket().store().get_opts(file.path(), options).await;
        if piece.strong_count() == 0 {
            return Err(Failure::NobodyWants);
        }
        let got = got?;
        file.check(&got.meta).map_err(Failure::Changed)?;
        let fetched = match destination.into_outcome() {
            Ok(fetched) => fetched,
            Err(filling) => copied(got, filling, piece).await?,
        };
        self.counts.bytes.fetch_add(extent.bytes, Ordering::Relaxed);
        Ok(fetched)
    }

    fn note(&self, took: Duration, bytes: u64) {
        let now = self.began.elapsed();
        let throttled = self.counts.throttled.load(Ordering::Relaxed);
        let mut queue = self.lock();
        let working = if queue.is_full(self.room.limit()) { queue.pace.window() } else { queue.under_way };
        queue.pace.done(now, took, bytes, working);
        queue.flow.look(now, self.counts.bytes.load(Ordering::Relaxed), took);
        if throttled > queue.throttled_seen {
            queue.throttled_seen = throttled;
            queue.pace.throttled(now);
        }
    }

    async fn back_off(&self, number: u32) {
        self.counts.retries.fetch_add(1, Ordering::Relaxed);
        let most = (BACKOFF_FIRST * 2_u32.pow(number - 1)).min(BACKOFF_MAX);
        // Between half of it and all of it, so that those that failed together do not come together again.
        let part = Instant::now().duration_since(self.began).subsec_nanos() % 1000;
        tokio::time::sleep(most / 2 + most * part / 2000).await;
    }

    /// Whether this is a copy in a forked process, where the threads are missing.
    fn is_forked(&self) -> bool {
        process::id() != self.process
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().expect("nobody panics while holding the queue")
    }
}

impl Drop for Fetcher {
    fn drop(&mut self) {
        if self.is_forked() {
            // To end threads that are not there would wait for ever.
            return;
        }
        // SAFETY: it is dropped here, where nobody can use it any more.
        #[expect(unsafe_code, reason = "in a forked process the runtime must not be dropped")]
        let runtime = unsafe { ManuallyDrop::take(&mut self.runtime) };
        // It may be dropped by one of its own threads, which must not wait for itself.
        runtime.shutdown_background();
    }
}

impl Queue {
    /// What comes in a second, at most: so that what is needed next is there soon where little comes.
    fn bytes_under_way_max(&self) -> usize {
        (self.pace.window() * REQUEST_BYTES_MEAN).min(self.flow.a_second as usize).max(FIRST_BYTES)
    }

    /// Whether nothing more is to be sent: what is on its way takes no more than half of the room, so that there is something to work on
    /// while it comes.
    fn is_full(&self, room: usize) -> bool {
        self.under_way >= self.pace.window() || self.bytes_under_way >= self.bytes_under_way_max().min(room / 2)
    }

    fn is_over(&mut self, extent: Extent) {
        self.under_way -= 1;
        self.bytes_under_way -= extent.bytes as usize;
    }
}

impl Flow {
    /// So many bytes came until now; a request took so long.
    fn look(&mut self, now: Duration, came: u64, took: Duration) {
        let (since, before) = *self.seen.get_or_insert((now.saturating_sub(took), 0));
        let passed = now.saturating_sub(since);
        if passed >= LOOK {
            self.a_second = ((came - before) as f64 / passed.as_secs_f64()).max(KEPT * self.a_second);
            self.seen = Some((now, came));
        }
    }
}

/// Why a try brought nothing.
enum Failure {
    Store(object_store::Error),
    /// The object is not the one that it was.
    Changed(String),
    NobodyWants,
}

impl From<object_store::Error> for Failure {
    fn from(error: object_store::Error) -> Failure {
        Failure::Store(error)
    }
}

/// Copies what the library's client brings.
async fn copied(got: GetResult, mut filling: Filling, piece: &Weak<Piece>) -> Result<Fetched, Failure> {
    let mut at = 0;
    let mut stream = got.into_stream();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk?;
        if piece.strong_count() == 0 {
            return Err(Failure::NobodyWants);
        }
        let Some(place) = filling.bytes().get_mut(at..at + chunk.len()) else {
            return Err(Failure::Changed("the store sent more than it was asked for".to_owned()));
        };
        place.copy_from_slice(&chunk);
        at += chunk.len();
    }
    if at < filling.bytes().len() {
        let missing = io::Error::new(io::ErrorKind::UnexpectedEof, "the answer ended before all bytes were there");
        return Err(Failure::Store(object_store::Error::Generic { store: "store", source: Box::new(missing) }));
    }
    Ok(filling.filled())
}

/// Whether it may help to try again.
fn may_pass(error: &object_store::Error) -> bool {
    use object_store::Error as E;
    match error {
        E::Generic { .. } => !Refused::within(error).is_some_and(Refused::is_final),
        E::JoinError { .. } => true,
        _ => false,
    }
}

fn closed(file: &RemoteFile) -> SourceError {
    let error = io::Error::new(io::ErrorKind::Interrupted, "the loader is closed");
    SourceError { name: file.name().to_owned(), offset: None, error }
}
