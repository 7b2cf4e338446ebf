//! Amounts with their unit in the type. All are integers: 0.1 + 0.2 is exactly 0.3 here.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub, SubAssign};

use serde::{Deserialize, Serialize};

use crate::money::grouped;

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0);

            /// `self - other`, or nothing where that would be below nothing.
            #[must_use]
            pub fn saturating_sub(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0).max(0))
            }

            /// `self × count`, at most the largest amount.
            #[must_use]
            pub fn times(self, count: u32) -> Self {
                Self(self.0.saturating_mul(<$inner>::from(count)))
            }
        }

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }

        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }

        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                self.0 += other.0;
            }
        }

        impl SubAssign for $name {
            fn sub_assign(&mut self, other: Self) {
                self.0 -= other.0;
            }
        }

        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
                items.fold(Self::ZERO, Add::add)
            }
        }
    };
}

quantity!(
    /// Memory or data, in bytes.
    Bytes(u64)
);
quantity!(
    /// Processor share, in thousandths of one core.
    MilliCpu(u64)
);
quantity!(
    /// Accelerator share, in thousandths of one device.
    MilliDevice(u64)
);
quantity!(
    /// A length of time, in milliseconds. Never negative where it says how long something took.
    Millis(i64)
);

impl MilliDevice {
    /// Thousandths that make one whole device.
    pub const WHOLE: u64 = 1_000;

    /// So many whole devices.
    #[must_use]
    pub const fn whole(count: u64) -> Self {
        Self(count * Self::WHOLE)
    }

    /// Devices as a decimal number, for showing only.
    #[must_use]
    pub fn as_devices(self) -> f64 {
        self.0 as f64 / Self::WHOLE as f64
    }
}

impl MilliCpu {
    /// So many whole cores.
    #[must_use]
    pub const fn whole(count: u64) -> Self {
        Self(count * 1_000)
    }
}

impl Bytes {
    /// So many mebibytes.
    #[must_use]
    pub const fn mebi(count: u64) -> Self {
        Self(count << 20)
    }

    /// So many gibibytes.
    #[must_use]
    pub const fn gibi(count: u64) -> Self {
        Self(count << 30)
    }
}

impl Millis {
    /// So many seconds.
    #[must_use]
    pub const fn seconds(count: i64) -> Self {
        Self(count * 1_000)
    }

    /// So many minutes.
    #[must_use]
    pub const fn minutes(count: i64) -> Self {
        Self(count * 60_000)
    }

    /// So many hours.
    #[must_use]
    pub const fn hours(count: i64) -> Self {
        Self(count * 3_600_000)
    }

    /// Hours as a decimal number, for showing only.
    #[must_use]
    pub fn as_hours(self) -> f64 {
        self.0 as f64 / 3_600_000.0
    }

    /// Seconds as a decimal number, for showing only.
    #[must_use]
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / 1_000.0
    }
}

/// Shows the two largest units that are not empty: `3d 4h`, `12m 5s`, `640ms`.
impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let ms = self.0.unsigned_abs();
        let (days, hours, minutes, seconds) = (ms / 86_400_000, ms / 3_600_000 % 24, ms / 60_000 % 60, ms / 1_000 % 60);
        let text = match (days, hours, minutes, seconds) {
            (0, 0, 0, 0) if ms == 0 => "0s".to_owned(),
            (0, 0, 0, 0) => format!("{ms}ms"),
            (0, 0, 0, s) => format!("{s}s"),
            (0, 0, m, 0) => format!("{m}m"),
            (0, 0, m, s) => format!("{m}m {s}s"),
            (0, h, 0, _) => format!("{h}h"),
            (0, h, m, _) => format!("{h}h {m}m"),
            (d, 0, ..) => format!("{d}d"),
            (d, h, ..) => format!("{d}d {h}h"),
        };
        f.pad(&format!("{sign}{text}"))
    }
}

/// Shows binary units with one decimal: `1.5 GiB`.
impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
        let mut unit = 0;
        let mut whole = self.0;
        while whole >= 1_024 && unit + 1 < UNITS.len() {
            whole /= 1_024;
            unit += 1;
        }
        let value = self.0 as f64 / (1_u64 << (10 * unit)) as f64;
        let text = if unit == 0 || value.fract() == 0.0 {
            format!("{value:.0} {}", UNITS[unit])
        } else {
            format!("{value:.1} {}", UNITS[unit])
        };
        f.pad(&text)
    }
}

/// Hours of devices or of cores: `1,234 device-hours`, `3.5 core-hours`, and where they are few, minutes or seconds of them.
#[must_use]
pub fn hours_in_words(hours: f64, unit: &str) -> String {
    match hours {
        _ if hours >= 100.0 => format!("{} {unit}-hours", grouped(hours.round() as i64)),
        _ if hours >= 1.0 => format!("{hours:.1} {unit}-hours"),
        _ if hours * 60.0 >= 1.0 => format!("{:.1} {unit}-minutes", hours * 60.0),
        _ => format!("{:.1} {unit}-seconds", hours * 3_600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_write_them() {
        let cases = [
            (0, "0s"),
            (640, "640ms"),
            (5_000, "5s"),
            (725_000, "12m 5s"),
            (3_600_000, "1h"),
            (-90_000, "-1m 30s"),
            (273_600_000, "3d 4h"),
        ];
        for (ms, expected) in cases {
            assert_eq!(Millis(ms).to_string(), expected);
        }
    }

    #[test]
    fn bytes_read_in_binary_units() {
        assert_eq!(Bytes(512).to_string(), "512 B");
        assert_eq!(Bytes::gibi(80).to_string(), "80 GiB");
        assert_eq!(Bytes::mebi(1_536).to_string(), "1.5 GiB");
    }

    #[test]
    fn subtraction_never_goes_below_nothing_when_saturating() {
        assert_eq!(Millis(5).saturating_sub(Millis(9)), Millis::ZERO);
        assert_eq!(Bytes(5).saturating_sub(Bytes(9)), Bytes::ZERO);
    }

    #[test]
    fn few_hours_are_told_in_smaller_units() {
        let words = [1_234.4, 99.96, 3.5, 0.5, 0.001].map(|hours| hours_in_words(hours, "core"));
        assert_eq!(
            words,
            ["1,234 core-hours", "100.0 core-hours", "3.5 core-hours", "30.0 core-minutes", "3.6 core-seconds"]
        );
    }
}
