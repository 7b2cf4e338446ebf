//! What launches take: on the host, on the device, and from the one to the other.
//!
//! Figures are those of HolisticTraceAnalysis 0.5.0 (`get_cuda_kernel_launch_stats`), with its thresholds.

use serde::Serialize;

use super::calls::LaunchKind;
use super::spread::{Spread, Values};

/// A launch that takes the host longer is long, in microseconds (`runtime_cutoff`).
pub const LONG_US: f64 = 50.0;

/// Work that begins later than this after its launch is late, in microseconds (`launch_delay_cutoff`).
pub const LATE_US: f64 = 100.0;

/// Launches of a kind, each with what it launched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Launched {
    /// What was launched; nothing where it is all of them together.
    pub kind: Option<LaunchKind>,
    /// How long the host was in the call, in microseconds.
    pub host_us: Spread,
    /// How long it ran on the device.
    pub device_us: Spread,
    /// From the end of the call to the beginning on the device; zero where it began within the call.
    pub delay_us: Spread,
    /// How many took the device less than the host, which took no longer than [`LONG_US`].
    pub short: u64,
    /// How many took the host longer than [`LONG_US`].
    pub long: u64,
    /// How many began later than [`LATE_US`].
    pub late: u64,
}

/// Launches, as they come.
#[derive(Default)]
pub(super) struct Launches([Kind; 3]);

#[derive(Clone, Default)]
struct Kind {
    host: Values,
    device: Values,
    delay: Values,
    short: u64,
    long: u64,
    late: u64,
}

const KINDS: [LaunchKind; 3] = [LaunchKind::Kernel, LaunchKind::Copy, LaunchKind::Memset];

impl Launches {
    /// Takes a launch, from its start to its end on the host, and what it launched, likewise; in nanoseconds.
    pub(super) fn add(&mut self, kind: LaunchKind, host: (i64, i64), device: (i64, i64)) {
        let us = |ns: i64| ns as f64 / 1_000.0;
        let (host_us, device_us) = (us(host.1.saturating_sub(host.0)), us(device.1.saturating_sub(device.0)));
        let delay_us = us(device.0.saturating_sub(host.1).max(0));
        let of = &mut self.0[kind as usize];
        of.host.add(host_us);
        of.device.add(device_us);
        of.delay.add(delay_us);
        of.short += u64::from(host_us <= LONG_US && device_us < host_us);
        of.long += u64::from(host_us > LONG_US);
        of.late += u64::from(delay_us > LATE_US);
    }

    /// All of them together, and then those of each kind that there is; nothing where there are none.
    pub(super) fn all(&self) -> Vec<Launched> {
        let some = KINDS.into_iter().filter(|kind| self.0[*kind as usize].host.count() > 0);
        let mut all = Kind::default();
        let of_kinds: Vec<Launched> = some
            .map(|kind| {
                let of = &self.0[kind as usize];
                all.merge(of);
                of.launched(Some(kind))
            })
            .collect();
        if of_kinds.is_empty() { of_kinds } else { [vec![all.launched(None)], of_kinds].concat() }
    }
}

impl Kind {
    fn merge(&mut self, other: &Self) {
        self.host.merge(&other.host);
        self.device.merge(&other.device);
        self.delay.merge(&other.delay);
        self.short += other.short;
        self.long += other.long;
        self.late += other.late;
    }

    fn launched(&self, kind: Option<LaunchKind>) -> Launched {
        Launched {
            kind,
            host_us: self.host.spread(),
            device_us: self.device.spread(),
            delay_us: self.delay.spread(),
            short: self.short,
            long: self.long,
            late: self.late,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn launches_are_told_by_kind_and_together() {
        let mut launches = Launches::default();
        let ns = |us: (i64, i64)| (us.0 * 1_000, us.1 * 1_000);
        for (kind, host, device) in [
            // Shorter on the device than on the host, and begun within the call.
            (LaunchKind::Kernel, (0, 10), (8, 12)),
            (LaunchKind::Kernel, (20, 25), (30, 100)),
            // Long on the host, so that it is not called short; and late.
            (LaunchKind::Copy, (100, 160), (270, 280)),
        ] {
            launches.add(kind, ns(host), ns(device));
        }
        let all = launches.all();
        assert_eq!(
            all.iter().map(|of| of.kind).collect::<Vec<_>>(),
            [None, Some(LaunchKind::Kernel), Some(LaunchKind::Copy)]
        );
        assert_eq!((all[0].short, all[0].long, all[0].late), (1, 1, 1));
        assert_eq!((all[0].host_us.count, all[0].host_us.mean, all[0].delay_us.p50), (3, 25.0, 5.0));
        assert_eq!((all[1].device_us.mean, all[1].delay_us.mean, all[2].delay_us.max), (37.0, 2.5, 110.0));
        assert_eq!(Launches::default().all(), []);
    }
}
