//! Drawn histories, for what must hold whatever happened.

use allocate::predict::Features;
use proptest::prelude::*;

/// A workload of a drawn history; it starts when it is submitted.
#[derive(Clone, Debug)]
pub(crate) struct Drawn {
    pub(crate) submitted_ms: i64,
    pub(crate) ran_ms: u64,
    pub(crate) features: Features,
}

/// Of one device, and nothing else told.
pub(crate) fn features(queue: u32, user: u32) -> Features {
    Features { queue, user: Some(user), name: None, devices_milli: 1_000, cpu_milli: 0, time_limit_ms: None }
}

/// An own generator of numbers (splitmix64), so that the histories never change.
pub(crate) struct Numbers(u64);

impl Numbers {
    /// Any number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Between 0 and 1, neither included.
    pub(crate) fn share(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// About normal: twelve uniform numbers, less six.
    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.share()).sum::<f64>() - 6.0
    }
}

/// A history of one minute between submissions; `ran_seconds` draws how long the `i`-th of four users' workloads run.
pub(crate) fn history(
    count: usize,
    seed: u64,
    mut ran_seconds: impl FnMut(&mut Numbers, usize, u32) -> f64,
) -> Vec<Drawn> {
    let mut numbers = Numbers(seed);
    (0..count)
        .map(|index| {
            let user = (numbers.next() % 4) as u32;
            let ran_ms = (ran_seconds(&mut numbers, index, user) * 1_000.0) as u64;
            Drawn {
                submitted_ms: index as i64 * 60_000,
                ran_ms: ran_ms.clamp(1, 1 << 40),
                features: features(user % 2, user),
            }
        })
        .collect()
}

/// Any history at all, with some of everything unknown.
pub(crate) fn any_history() -> impl Strategy<Value = Vec<Drawn>> {
    let limit = proptest::option::of(1_u64..1 << 30);
    let one = (0_i64..600_000, 0_u64..40, 0_u64..1 << 20, 0_u32..3, proptest::option::of(0_u32..3), 0_u64..3, limit);
    proptest::collection::vec(one, 1..200).prop_map(|rows| {
        let mut now_ms = 0;
        rows.into_iter()
            .map(|(gap_ms, magnitude, mantissa, queue, user, devices, time_limit_ms)| {
                now_ms += gap_ms;
                let ran_ms = (mantissa << magnitude >> 20).max(1);
                let features =
                    Features { queue, user, name: user, devices_milli: devices * 1_000, cpu_milli: 500, time_limit_ms };
                Drawn { submitted_ms: now_ms, ran_ms, features }
            })
            .collect()
    })
}
