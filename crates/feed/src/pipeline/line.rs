//! The line of batches: what is planned, what may be made next, what is done. No thread and no clock.
//!
//! A batch is planned, then open, then done. Planned, its samples are known, so that what they are made from can be asked for; open, it
//! has memory to be written to. Batches are opened in order, and never more than are made ahead of the consumer.

use std::collections::{BTreeSet, VecDeque};
use std::mem;
use std::sync::Arc;

use super::batch::{BytesMax, Charge, Making, Stores};
use super::engine::Settings;
use super::store::Store;
use super::{Ahead, Asked, Output, Seat, Turn};
use crate::memory::Share;
use crate::order::EpochCourse;

/// Samples that are planned ahead of those in open batches, at most: some megabytes of the line.
const PLANNED_MAX: usize = 1 << 15;
/// Ends of epochs in the line, at most: small data are not asked for again and again.
const ENDS_MAX: usize = 2;

/// A place in the line.
pub(super) enum Place<T> {
    Batch(Arc<Making<T>>),
    End(u64),
}

/// A sample in the line: the place of its batch from the front, and its slot there.
#[derive(Clone, Copy, Default)]
struct Cursor {
    place: usize,
    slot: usize,
}

pub(super) struct State<T> {
    line: VecDeque<Place<T>>,
    /// Places that were taken out at the front so far.
    popped: u64,
    /// Places at the front that are open.
    open: usize,
    /// Ends of epochs in the line.
    ends: usize,
    /// The first sample for which nothing was asked.
    to_ask: Cursor,
    /// The first sample that no thread has taken, where nothing is asked for.
    to_take: Cursor,
    /// Samples for which everything is here, where it is asked for.
    ready: BTreeSet<Seat>,
    /// Where the plan is.
    epoch: u64,
    consumed: u64,
    epoch_course: EpochCourse,
    /// Numbers that were used, to be written again.
    free: Vec<Stores>,
    /// Batches that are made ahead, and its bound.
    ahead: usize,
    ahead_max: usize,
    /// Whether that was reached since the consumer waited last.
    was_full: bool,
    /// Whether anything that batches are made from was late since then.
    was_late: bool,
    /// Bytes of the next batch, where there were too few to open it.
    waits_for: Option<usize>,
    stop: bool,
}

/// Memory for batches.
pub(super) struct Room<'a> {
    pub(super) memory: &'a Arc<Share>,
    /// Bytes of the outputs without a fixed size, of some samples.
    pub(super) bytes: &'a dyn Fn(&[Turn]) -> BytesMax,
}

impl<T> State<T> {
    pub(super) fn new(settings: &Settings) -> State<T> {
        State {
            line: VecDeque::new(),
            popped: 0,
            open: 0,
            ends: 0,
            to_ask: Cursor::default(),
            to_take: Cursor::default(),
            ready: BTreeSet::new(),
            epoch: settings.epoch,
            consumed: settings.consumed,
            epoch_course: settings.course.epoch(settings.epoch),
            free: Vec::new(),
            ahead: settings.ahead.start,
            ahead_max: settings.ahead.max,
            was_full: false,
            was_late: false,
            waits_for: None,
            stop: false,
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop
    }

    /// No more is to be made; what was in the line, to be let go of.
    pub(super) fn stop(&mut self) -> VecDeque<Place<T>> {
        self.stop = true;
        mem::take(&mut self.line)
    }

    pub(super) fn front_is_done(&self) -> bool {
        match self.line.front() {
            Some(Place::Batch(making)) => making.is_done(),
            Some(Place::End(_)) => self.open > 0,
            None => false,
        }
    }

    /// Takes out the front, which is done.
    pub(super) fn pop(&mut self) -> Place<T> {
        let front = self.line.pop_front().expect("the front was seen");
        self.popped += 1;
        self.ends -= usize::from(matches!(front, Place::End(_)));
        self.open -= 1;
        for cursor in [&mut self.to_ask, &mut self.to_take] {
            match cursor.place.checked_sub(1) {
                Some(place) => cursor.place = place,
                None => *cursor = Cursor::default(),
            }
        }
        front
    }

    /// The next sample to be made.
    pub(super) fn take(&mut self, ahead: Ahead) -> Option<(Arc<Making<T>>, usize)> {
        if ahead == Ahead::Nothing { self.take_in_order() } else { self.take_ready() }
    }

    fn take_in_order(&mut self) -> Option<(Arc<Making<T>>, usize)> {
        while self.to_take.place < self.open {
            if let Place::Batch(making) = &self.line[self.to_take.place]
                && self.to_take.slot < making.turns.len()
            {
                self.to_take.slot += 1;
                return Some((Arc::clone(making), self.to_take.slot - 1));
            }
            self.to_take = Cursor { place: self.to_take.place + 1, slot: 0 };
        }
        None
    }

    fn take_ready(&mut self) -> Option<(Arc<Making<T>>, usize)> {
        let first = *self.ready.first()?;
        let place = (first.batch - self.popped) as usize;
        if place >= self.open {
            return None;
        }
        self.ready.remove(&first);
        let Place::Batch(making) = &self.line[place] else { unreachable!("an end has no samples") };
        Some((Arc::clone(making), first.slot as usize))
    }

    /// Opens the next batch, or the end of the epoch; whether there was one to be opened.
    pub(super) fn open(&mut self, settings: &Settings, outputs: &[Output], room: &Room<'_>) -> bool {
        self.waits_for = None;
        if self.open >= self.ahead {
            self.was_full = true;
            return false;
        }
        while self.open == self.line.len() {
            self.plan(settings);
        }
        if let Place::Batch(making) = &self.line[self.open] {
            let bytes = (room.bytes)(&making.turns);
            match Self::stores(&mut self.free, settings, outputs, (bytes, room.memory)) {
                Ok(stores) => making.open(stores),
                Err(missing) => {
                    self.waits_for = Some(missing);
                    return false;
                }
            }
        }
        self.open += 1;
        true
    }

    /// Memory for a batch with so many bytes beside its numbers; or how much it takes, where that is not free.
    fn stores(
        free: &mut Vec<Stores>,
        settings: &Settings,
        outputs: &[Output],
        (BytesMax { bytes, joined }, memory): (BytesMax, &Arc<Share>),
    ) -> Result<Stores, usize> {
        let slots = settings.shares.batch as usize;
        let fixed: usize = outputs.iter().map(|output| slots * output.bytes()).sum();
        let any_size = bytes.saturating_add(joined);
        let lacking = fixed.saturating_add(any_size);
        let mut stores = match free.pop() {
            Some(used) => used,
            None => {
                let fixed = memory.try_take(fixed).ok_or(lacking)?;
                let stores = outputs.iter().map(|output| Store::new(output, slots)).collect();
                Stores { stores, charge: Charge::fixed(Some(fixed)) }
            }
        };
        let mut held = memory.try_take(any_size);
        if held.is_none() {
            // What lies there to be used again makes room.
            free.clear();
            held = memory.try_take(any_size);
        }
        let Some(mut held) = held else {
            free.push(stores);
            return Err(lacking);
        };
        *stores.charge.joined.get_mut().expect("nobody else has it yet") = Some(held.split(joined));
        stores.charge.bytes = Some(held);
        Ok(stores)
    }

    /// The consumer waits for a batch. Where threads had nothing to do before, since enough was made ahead, more is from now on: it takes
    /// batches faster at times than they are made, and slower at others. Not where what they are made from was late, too: it would be as
    /// late for more of them. Whether more is.
    pub(super) fn make_more_ahead(&mut self) -> bool {
        let ahead = self.ahead;
        let (was_full, was_late) = (mem::take(&mut self.was_full), mem::take(&mut self.was_late));
        if was_full && !was_late {
            self.ahead = (ahead + ahead.div_ceil(2)).min(self.ahead_max);
        }
        self.ahead > ahead
    }

    /// A thread has nothing to do because what open batches are made from is not here.
    pub(super) fn note_late(&mut self) {
        self.was_late = true;
    }

    /// Batches that are made ahead at most.
    pub(super) fn ahead(&self) -> usize {
        self.ahead
    }

    /// Batches that are made, and that the consumer has not taken.
    pub(super) fn batches_done(&self) -> usize {
        let open = self.line.iter().take(self.open);
        open.filter(|place| matches!(place, Place::Batch(making) if making.is_done())).count()
    }

    /// Whether the next batch cannot be opened for lack of memory.
    pub(super) fn lacks_memory(&self) -> bool {
        self.waits_for.is_some()
    }

    /// Whether any open batch has samples whose making nobody has begun.
    pub(super) fn awaits(&self) -> bool {
        let open = self.line.iter().take(self.open);
        open.filter_map(|place| if let Place::Batch(making) = place { Some(making) } else { None })
            .any(|making| !making.is_done())
    }

    /// Bytes that the next batch takes, where it cannot be opened for lack of them and nothing in front of it is being made.
    pub(super) fn lacks(&self) -> Option<usize> {
        self.waits_for.filter(|_| self.open == 0)
    }

    /// Plans the next batch, or the end of the epoch. This rank may have no sample in the last step, and then there is neither.
    fn plan(&mut self, settings: &Settings) {
        let Some(share) = settings.shares.after(self.consumed) else {
            self.line.push_back(Place::End(self.epoch));
            self.ends += 1;
            self.epoch += 1;
            self.consumed = 0;
            self.epoch_course = settings.course.epoch(self.epoch);
            return;
        };
        self.consumed = share.consumed;
        let (epoch, course) = (self.epoch, &mut self.epoch_course);
        let turn = |position| Turn { epoch, position, sample: course.sample(position) };
        let turns: Vec<Turn> = share.positions.map(turn).collect();
        if !turns.is_empty() {
            self.line.push_back(Place::Batch(Arc::new(Making::new(turns, self.consumed))));
        }
    }

    /// The samples for which nothing was asked yet, in order; more are planned as they are looked at.
    pub(super) fn unasked<'s>(&'s mut self, settings: &'s Settings) -> impl Iterator<Item = (Seat, Turn)> + use<'s, T> {
        let planned_max = (PLANNED_MAX / settings.shares.batch as usize).max(2 * settings.ahead.max);
        let mut at = self.to_ask;
        std::iter::from_fn(move || {
            loop {
                if at.place == self.line.len() {
                    if self.line.len() >= planned_max || self.ends >= ENDS_MAX {
                        return None;
                    }
                    self.plan(settings);
                    continue;
                }
                if let Place::Batch(making) = &self.line[at.place]
                    && let Some(turn) = making.turns.get(at.slot)
                {
                    let seat = Seat { batch: self.popped + at.place as u64, slot: at.slot as u32 };
                    at.slot += 1;
                    return Some((seat, *turn));
                }
                at = Cursor { place: at.place + 1, slot: 0 };
            }
        })
    }

    /// Notes what became of the first samples for which nothing was asked. Whether any can be made at once.
    pub(super) fn asked(&mut self, asked: Vec<Asked<T>>) -> bool {
        let mut some_are_here = false;
        for asked in asked {
            loop {
                if let Place::Batch(making) = &self.line[self.to_ask.place]
                    && self.to_ask.slot < making.turns.len()
                {
                    let slot = self.to_ask.slot;
                    let (ticket, is_here) = match asked {
                        Asked::Here(ticket) => (ticket, true),
                        Asked::Coming(ticket) => (Some(ticket), false),
                    };
                    if let Some(ticket) = ticket {
                        making.keep(slot, ticket);
                    }
                    if is_here {
                        let batch = self.popped + self.to_ask.place as u64;
                        self.ready.insert(Seat { batch, slot: slot as u32 });
                        some_are_here = true;
                    }
                    self.to_ask.slot += 1;
                    break;
                }
                self.to_ask = Cursor { place: self.to_ask.place + 1, slot: 0 };
            }
        }
        some_are_here
    }

    /// What a sample is made from is here.
    pub(super) fn arrived(&mut self, seat: Seat) {
        if !self.stop {
            self.ready.insert(seat);
        }
    }

    /// Stores that were used, to be used again.
    pub(super) fn take_back(&mut self, stores: Stores, settings: &Settings) {
        // As many as can be in the line at once are of use.
        if self.free.len() < settings.ahead.max {
            self.free.push(stores);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::{Order, Shares, Shuffle, Worker};
    use crate::tune::Tuned;

    #[test]
    fn more_is_made_ahead_unless_what_it_is_made_from_is_late() {
        let samples = 1000;
        let settings = Settings {
            course: Order { samples, shuffle: Shuffle::Global, seed: 1 }.into(),
            shares: Shares { samples, world: 1, rank: 0, batch: 10, drop_last: false, worker: Worker::ALONE },
            threads: Tuned::pinned(1),
            ahead: Tuned { start: 2, max: 4 },
            epoch: 0,
            consumed: 0,
        };
        let mut state: State<()> = State::new(&settings);
        let memory = Share::new(1 << 20);
        let fill = |state: &mut State<()>| {
            let room = Room { memory: &memory, bytes: &|_| BytesMax { bytes: 1, joined: 0 } };
            while state.open(&settings, &[], &room) {}
        };
        assert!(!state.make_more_ahead(), "not enough was open before");
        fill(&mut state);
        assert!(state.make_more_ahead() && state.ahead() == 3);
        assert!(!state.make_more_ahead(), "it was not full since");
        fill(&mut state);
        state.note_late();
        assert!(!state.make_more_ahead(), "it would be as late");
        fill(&mut state);
        assert!(state.make_more_ahead() && state.ahead() == 4);
        fill(&mut state);
        assert!(!state.make_more_ahead(), "there is a bound");
    }
}
