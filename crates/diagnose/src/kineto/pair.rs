//! Launches and what they launched, brought together, and that put in the order in which it began.
//!
//! What is counted is what HolisticTraceAnalysis 0.5.0 counts, so that figures can be compared with it: of a trace with several marked
//! steps, only what was launched before the last of them began, since that step may be cut; and moments with decimals are rounded to
//! whole microseconds, starts up and ends down, for kernels of such traces otherwise overlap by parts of them.

use std::io;

use super::calls::{Call, Deed};
use super::critical::{Device, Window};
use super::gather::{Gathered, LAUNCH, STREAM_BITS, moment, ordered};
use super::launches::Launches;
use crate::sorter::{Sorter, Space};

/// Something that ran on a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ran {
    /// When, in nanoseconds.
    pub(super) start_ns: i64,
    pub(super) end_ns: i64,
    /// When it was launched, where the trace holds that.
    pub(super) launched_ns: Option<i64>,
    /// The number of its stream.
    pub(super) stream: u32,
    /// The number of its name.
    pub(super) name: u32,
    /// Whether it is work, and not a mark or a wait.
    pub(super) device: bool,
}

/// What happens at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Happening {
    /// Something is put into the queue of a stream.
    Launch {
        at_ns: i64,
        stream: u32,
        /// Its number in the step whose critical path is worked out.
        kept: Option<u32>,
    },
    /// Something begins.
    Begin {
        ran: Ran,
        /// Whether it was in a queue.
        queued: bool,
        /// As above.
        kept: Option<u32>,
    },
}

/// Launches and beginnings, in their order; of one moment, launches come first, and then what is first in the file.
///
/// Of a launch: when, its place in the file, and whose it is. Of a beginning: when, its place in the file with [`BEGIN`], the end, the
/// launch, what it is, and whose.
pub(super) struct Order(Sorter<6>);

/// Marks the place of what begins.
const BEGIN: u64 = 1 << 63;

/// Stands for a launch that is not in the trace.
const NEVER: u64 = u64::MAX;

/// A launch, and when, from its start to its end.
#[derive(Clone, Copy)]
struct Launch {
    number: u64,
    index: u64,
    host: (i64, i64),
    call: Call,
}

/// Pairs them, and counts launches on the way.
pub(super) fn pair(
    gathered: &mut Gathered,
    whole: Rounding,
    window: &mut Window,
    launches: &mut Launches,
    space: &mut Space<'_>,
) -> io::Result<Order> {
    let before = gathered.steps.last().map(|last| whole.up(last));
    let mut order = Sorter::default();
    // The launch with the number at hand: the last of several, as a table that is joined has it.
    let mut launch: Option<Launch> = None;
    std::mem::take(&mut gathered.pairs).drain(&mut |[number, kind, first, second, third, fourth]| {
        if kind == LAUNCH {
            let host = (whole.up(moment(second)), whole.down(moment(third)));
            if before.is_none_or(|before| host.0 < before) {
                launch = Some(Launch { number, index: first, host, call: Call::from_code(fourth) });
            }
            return Ok(());
        }
        let launched = launch.filter(|of| of.number == number);
        if before.is_some() && launched.is_none() {
            return Ok(());
        }
        let device = (whole.up(moment(first)), whole.down(moment(second)));
        let (what, index, stream) = (third, fourth >> STREAM_BITS, fourth & ((1 << STREAM_BITS) - 1));
        let mut kept = None;
        if what & 1 == 1
            && let Some(host) = window.call(number)
        {
            kept = window.launched(Device::new(index, device, host, stream as u32, (what >> 1) as u32));
        }
        let mut whose = stream | kept.map_or(0, |kept| u64::from(kept) + 1) << 32;
        if let Some(Launch { index, host, call: Call { deed: Deed::Launch(kind), .. }, .. }) = launched {
            launches.add(kind, host, device);
            order.push([ordered(host.0), index, 0, 0, 0, whose], space)?;
            whose |= QUEUED;
        }
        let launched = launched.map_or(NEVER, |launch| ordered(launch.host.0));
        order.push([ordered(device.0), BEGIN | index, ordered(device.1), launched, what, whose], space)
    })?;
    Ok(Order(order))
}

/// Marks, beside its stream, what was in a queue.
const QUEUED: u64 = 1 << STREAM_BITS;

impl Order {
    /// Hands all out.
    pub(super) fn each(self, each: &mut dyn FnMut(Happening)) -> io::Result<()> {
        self.0.drain(&mut |[at, place, end, launched, what, whose]| {
            let stream = (whose & (QUEUED - 1)) as u32;
            let kept = (whose >> 32).checked_sub(1).map(|kept| kept as u32);
            if place & BEGIN == 0 {
                each(Happening::Launch { at_ns: moment(at), stream, kept });
                return Ok(());
            }
            let ran = Ran {
                start_ns: moment(at),
                end_ns: moment(end),
                launched_ns: (launched != NEVER).then(|| moment(launched)),
                stream,
                name: (what >> 1) as u32,
                device: what & 1 == 1,
            };
            each(Happening::Begin { ran, queued: whose & QUEUED != 0, kept });
            Ok(())
        })
    }
}

/// To whole microseconds, where moments have decimals.
#[derive(Clone, Copy)]
pub(super) struct Rounding {
    pub(super) decimals: bool,
}

impl Rounding {
    pub(super) fn up(self, ns: i64) -> i64 {
        if self.decimals { self.down(ns.saturating_add(999)) } else { ns }
    }

    pub(super) fn down(self, ns: i64) -> i64 {
        if self.decimals { ns.div_euclid(1_000).saturating_mul(1_000) } else { ns }
    }
}
