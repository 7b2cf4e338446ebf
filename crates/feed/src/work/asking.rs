//! What the next samples are made from, asked for ahead where data are in a store.

use std::sync::{Arc, Weak};

use crate::order::Course;
use crate::pipeline::{Ahead, Arrivals, Asked, Seat, Turn};
use crate::source::remote::{Fetcher, Ticket, Want, ask};

/// Samples that are asked for together, at most.
const ASKED_MAX: usize = 4096;

/// Who asks.
pub struct Asking {
    fetcher: Arc<Fetcher>,
    /// Samples of the order that lie near each other, where it has such.
    window: Option<u64>,
}

impl Asking {
    /// Asks for samples in the order of `course`.
    pub fn new(fetcher: Arc<Fetcher>, course: &Course) -> Asking {
        Asking { fetcher, window: course.window() }
    }

    pub(super) fn ahead(&self) -> Ahead {
        if self.fetcher.has_room() { Ahead::Room } else { Ahead::Full }
    }

    /// Asks for what the next samples want, as far as there is room; whole windows, where there is room for one, so that the neighbours
    /// in it come together.
    pub(super) fn ask(
        &self,
        turns: &mut dyn Iterator<Item = (Seat, Turn)>,
        arrivals: &Weak<dyn Arrivals>,
        want: impl Fn(Turn) -> Option<Want>,
    ) -> Vec<Asked<Ticket>> {
        let mut room = self.fetcher.may_ask();
        // Of each sample, the want, where there is one.
        let mut wants = Vec::new();
        let mut is_wanted = Vec::new();
        let mut window_end = WindowEnd::default();
        for (seat, turn) in turns {
            window_end.pass(self.window, turn, (is_wanted.len(), wants.len()));
            let want = want(turn);
            is_wanted.push(want.is_some());
            if let Some(want) = want {
                room = room.saturating_sub(want.extent.bytes as usize);
                let arrivals = Weak::clone(arrivals);
                let then = move || arrivals.upgrade().iter().for_each(|arrivals| arrivals.arrived(seat));
                wants.push((want, then));
            }
            if room == 0 || is_wanted.len() >= ASKED_MAX {
                if let Some((samples, wanted)) = window_end.last {
                    is_wanted.truncate(samples);
                    wants.truncate(wanted);
                }
                break;
            }
        }
        let mut asked = ask(wants).into_iter();
        // The first want for which there was no room ends the list.
        is_wanted
            .into_iter()
            .map_while(|is_wanted| if is_wanted { asked.next() } else { Some(Asked::Here(None)) })
            .collect()
    }
}

/// Where the last whole window ended, of the samples that were looked at: so many of them, and of their wants.
#[derive(Default)]
struct WindowEnd {
    last: Option<(usize, usize)>,
    now: Option<(u64, u64)>,
}

impl WindowEnd {
    /// The next sample is looked at, after so many.
    fn pass(&mut self, window: Option<u64>, turn: Turn, so_far: (usize, usize)) {
        let Some(window) = window else { return };
        let now = Some((turn.epoch, turn.position / window));
        if self.now.is_some() && self.now != now {
            self.last = Some(so_far);
        }
        self.now = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_end_where_the_next_begins() {
        let end = |window, positions: &[(u64, u64)]| {
            let mut end = WindowEnd::default();
            for (count, (epoch, position)) in positions.iter().enumerate() {
                end.pass(window, Turn { epoch: *epoch, position: *position, sample: 0 }, (count, 2 * count));
            }
            end.last
        };
        assert_eq!(end(Some(10), &[(0, 7), (0, 9), (0, 11), (0, 19)]), Some((2, 4)));
        assert_eq!(end(Some(10), &[(0, 7), (0, 11), (0, 19), (1, 15)]), Some((3, 6)), "epochs end windows");
        assert_eq!(end(Some(10), &[(0, 11), (0, 19)]), None);
        assert_eq!(end(None, &[(0, 7), (0, 19)]), None);
    }
}
