//! Asking for what will be read, ahead.

use std::collections::HashMap;
use std::iter;
use std::sync::Arc;

use super::merge::{Bounds, Request, requests};
use super::piece::{Arrival, Piece};
use super::{REQUEST_BYTES_MAX, RemoteFile, Want};
use crate::format::Extent;
use crate::pipeline::Asked;

/// A gap that takes less time to fetch than another request takes work.
const GAP_MAX: u64 = 32 << 10;

/// What keeps pieces here.
pub struct Ticket(#[expect(dead_code, reason = "they are kept, and read through their file")] Vec<Arc<Piece>>);

/// Asks for what is wanted, as far as there is room: wants from the returned list's length on were not asked for. Where nothing is
/// under way there is always room for one. Each caller is told by a call of its `then`, where the want is on its way.
pub fn ask<T: Fn() + Send + Sync + 'static>(wants: Vec<(Want, T)>) -> Vec<Asked<Ticket>> {
    let mut files = Files::default();
    let mut asked = files.within_room(&wants);
    let extents: Vec<(usize, Extent)> = asked.iter().map(|part| (part.file, part.extent)).collect();
    let (pieces, count) = Pieces::new(files.0, &extents);
    asked.truncate(count);
    let mut outcomes = Vec::with_capacity(asked.len());
    for ((_, then), Part { file, extent, there }) in wants.into_iter().zip(asked) {
        let serving = there.map_or_else(|| pieces.serving(file, extent), |piece| vec![piece]);
        if serving.is_empty() {
            outcomes.push(Asked::Here(None));
            continue;
        }
        let arrival = Arrival::new(serving.len(), Box::new(then));
        serving.iter().for_each(|piece| piece.tell(&arrival));
        let ticket = Ticket(serving);
        outcomes.push(if arrival.begin() { Asked::Here(Some(ticket)) } else { Asked::Coming(ticket) });
    }
    pieces.send();
    outcomes
}

/// The files of some wants, each once.
#[derive(Default)]
struct Files(Vec<Arc<RemoteFile>>);

/// What is to be asked for a want: a part of a file by its number; nothing of it where a piece has all of it.
struct Part {
    file: usize,
    extent: Extent,
    there: Option<Arc<Piece>>,
}

impl Files {
    /// As many wants as there is room for.
    fn within_room<T>(&mut self, wants: &[(Want, T)]) -> Vec<Part> {
        let mut numbers: HashMap<*const RemoteFile, usize> = HashMap::new();
        let mut asked = Vec::with_capacity(wants.len());
        let fetcher = wants.first().map(|(want, _)| want.file.bucket().fetcher());
        let (limit, mut room) = fetcher.map_or((0, 0), |fetcher| (fetcher.room().limit(), fetcher.may_ask()));
        for (want, _) in wants {
            let there = want.file.covering(want.extent);
            let kept = want.file.kept();
            let extent = kept.map_or(want.extent, |kept| kept.blocks_around(want.extent));
            // What is larger than all room is fetched when it is read.
            let is_here = there.is_some() || kept.is_some_and(|kept| kept.has(want.extent));
            let is_asked = !is_here && extent.bytes as usize <= limit;
            let bytes = if is_asked { extent.bytes } else { 0 };
            // Where nothing is under way there is room for one.
            match room.checked_sub(bytes as usize) {
                Some(left) => room = left,
                None if asked.is_empty() && fetcher.is_some_and(|fetcher| fetcher.room().used() == 0) => room = 0,
                None => break,
            }
            let file = *numbers.entry(Arc::as_ptr(&want.file)).or_insert_with(|| {
                self.0.push(Arc::clone(&want.file));
                self.0.len() - 1
            });
            asked.push(Part { file, extent: Extent { offset: extent.offset, bytes }, there });
        }
        asked
    }
}

/// What is asked of stores.
struct Pieces {
    files: Vec<Arc<RemoteFile>>,
    /// In the order in which they are wanted, each with its file.
    pieces: Vec<(usize, Arc<Piece>)>,
    /// By file and offset.
    by_place: Vec<usize>,
}

impl Pieces {
    /// The pieces for the first of what is asked for, and for how many these are: there was room for all, but not for what lies between
    /// them and comes with them.
    fn new(files: Vec<Arc<RemoteFile>>, asked: &[(usize, Extent)]) -> (Pieces, usize) {
        let bytes_max = files.first().map_or(REQUEST_BYTES_MAX, |file| file.bucket().fetcher().request_bytes_max());
        let within = |count: usize, gap_max| requests(&asked[..count], Bounds { bytes_max, gap_max });
        let bytes = |requests: &[Request]| requests.iter().map(|request| request.extent.bytes as usize).sum::<usize>();
        let share = files.first().map(|file| Arc::clone(file.bucket().fetcher().room()));
        let free = share.as_ref().map_or(usize::MAX, |share| share.free());
        let fewer = iter::successors(Some(asked.len()), |count| Some(count - count.div_ceil(8)));
        let fitting = fewer.take_while(|count| 2 * count >= asked.len()).find_map(|count| {
            let all = within(count, GAP_MAX);
            (bytes(&all) <= free).then_some((all, count))
        });
        let (all, count) = fitting.unwrap_or_else(|| (within(asked.len(), 0), asked.len()));
        let mut pieces: Vec<(usize, Arc<Piece>)> = Vec::with_capacity(all.len());
        for request in all {
            let held = share.as_ref().and_then(|share| share.try_take(request.extent.bytes as usize));
            let piece = Piece::new(&files[request.file], request.extent, held);
            files[request.file].keep(&piece);
            pieces.push((request.file, piece));
        }
        let mut by_place: Vec<usize> = (0..pieces.len()).collect();
        by_place.sort_by_key(|piece| (pieces[*piece].0, pieces[*piece].1.extent.offset));
        (Pieces { files, pieces, by_place }, count)
    }

    /// The pieces that have something of an extent.
    fn serving(&self, file: usize, extent: Extent) -> Vec<Arc<Piece>> {
        let start_and_end = |piece: usize| {
            let (of, piece) = &self.pieces[piece];
            (*of, piece.extent.offset, piece.extent.offset + piece.extent.bytes)
        };
        let first = self.by_place.partition_point(|piece| {
            let (of, _, end) = start_and_end(*piece);
            (of, end) <= (file, extent.offset)
        });
        let serves = |piece: &&usize| {
            let (of, start, _) = start_and_end(**piece);
            of == file && start < extent.offset + extent.bytes
        };
        let serving = self.by_place[first..].iter().take_while(serves);
        serving.map(|piece| Arc::clone(&self.pieces[*piece].1)).collect()
    }

    fn send(&self) {
        for (file, piece) in &self.pieces {
            self.files[*file].bucket().fetcher().get([piece]);
        }
    }
}
