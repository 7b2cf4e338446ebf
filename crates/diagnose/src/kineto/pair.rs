//! Launches and what they launched, brought together, and that put in the order in which it began.
//!
//! What is counted is what HolisticTraceAnalysis 0.5.0 counts, so that figures can be compared with it: of a trace with several marked
//! steps, only what was launched before the last of them began, since that step may be cut; and moments with decimals are rounded to
//! whole microseconds, starts up and ends down, for kernels of such traces otherwise overlap by parts of them.

use std::io;

use super::gather::{Gathered, LAUNCH, moment, ordered};
use crate::sorter::{Sorter, Space};

/// Something that ran on a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ran {
    /// When, in nanoseconds.
    pub(super) start_ns: i64,
    pub(super) end_ns: i64,
    /// When it was launched, where the trace holds that.
    pub(super) launched_ns: Option<i64>,
    pub(super) stream: u32,
    /// The number of its name.
    pub(super) name: u32,
    /// Whether it is work, and not a mark or a wait.
    pub(super) device: bool,
}

/// Everything that ran, in the order in which it began.
pub(super) struct Order(Sorter<4>);

/// Pairs them.
pub(super) fn pair(gathered: &mut Gathered, space: &mut Space<'_>) -> io::Result<Order> {
    let whole = Rounding { decimals: gathered.decimals };
    let before = gathered.steps.many.then(|| whole.up(gathered.steps.last_start_ns));
    let mut order = Sorter::default();
    // The launch with the number at hand: the last of several, as a table that is joined has it.
    let mut launch: Option<(u64, i64)> = None;
    std::mem::take(&mut gathered.pairs).drain(&mut |[number, kind, first, second, what]| {
        if kind == LAUNCH {
            let start = whole.up(moment(second));
            if before.is_none_or(|before| start < before) {
                launch = Some((number, start));
            }
            return Ok(());
        }
        let launched = launch.filter(|(of, _)| *of == number).map(|(_, start)| start);
        if before.is_some() && launched.is_none() {
            return Ok(());
        }
        let (start, end) = (whole.up(moment(first)), whole.down(moment(second)));
        order.push([ordered(start), ordered(end), launched.map_or(u64::MAX, ordered), what], space)
    })?;
    Ok(Order(order))
}

impl Order {
    /// Hands all out.
    pub(super) fn each(self, each: &mut dyn FnMut(Ran)) -> io::Result<()> {
        self.0.drain(&mut |[start, end, launched, what]| {
            each(Ran {
                start_ns: moment(start),
                end_ns: moment(end),
                launched_ns: (launched != u64::MAX).then(|| moment(launched)),
                stream: (what >> 33) as u32,
                name: (what >> 1) as u32,
                device: what & 1 == 1,
            });
            Ok(())
        })
    }
}

/// To whole microseconds, where moments have decimals.
struct Rounding {
    decimals: bool,
}

impl Rounding {
    fn up(&self, ns: i64) -> i64 {
        if self.decimals { self.down(ns.saturating_add(999)) } else { ns }
    }

    fn down(&self, ns: i64) -> i64 {
        if self.decimals { ns.div_euclid(1_000) * 1_000 } else { ns }
    }
}
