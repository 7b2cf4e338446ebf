//! Device-hours and their kin, exact.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub, SubAssign};

use fleet::money::grouped;
use fleet::quantity::Millis;
use serde::{Serialize, Serializer};

/// An amount of something held for a time: device-hours, core-hours, GiB-hours. Inside it is a whole number of thousandths
/// times milliseconds, so that parts add up exactly; it is serialised as decimal hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hours(i128);

impl Hours {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many thousandths held for so long.
    #[must_use]
    pub fn held(thousandths: u64, time: Millis) -> Self {
        Self(i128::from(thousandths) * i128::from(time.0))
    }

    /// So much memory held for so long, in GiB-hours.
    #[must_use]
    pub fn memory(bytes: u64, time: Millis) -> Self {
        Self(i128::from(bytes) * i128::from(time.0) * 1_000 / (1 << 30))
    }

    /// Thousandths times milliseconds.
    #[must_use]
    pub fn exact(self) -> i128 {
        self.0
    }

    /// Hours as a decimal number, for showing only.
    #[must_use]
    pub fn as_hours(self) -> f64 {
        self.0 as f64 / 3.6e9
    }

    /// `self − other`, or nothing where that would be below nothing.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self((self.0 - other.0).max(0))
    }

    /// How much of `whole` this is, from 0 to 1; 0 of nothing.
    #[must_use]
    pub fn share_of(self, whole: Self) -> f64 {
        if whole.0 == 0 { 0.0 } else { self.0 as f64 / whole.0 as f64 }
    }

    /// Whether it is nothing.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.0 == 0
    }
}

impl Add for Hours {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Hours {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl AddAssign for Hours {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl SubAssign for Hours {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl Sum for Hours {
    fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
        items.fold(Self::ZERO, Add::add)
    }
}

impl Serialize for Hours {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.as_hours())
    }
}

/// Shows whole hours with thousands apart from ten on, else one decimal: `12,300`, `3.5`.
impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hours = self.as_hours();
        let text = if hours.abs() < 9.95 { format!("{hours:.1}") } else { grouped(hours.round() as i64) };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_read_as_people_write_them() {
        for (thousandths, hours, expected) in [(1_000, 1, "1.0"), (8_000, 1_500, "12,000"), (250, 2, "0.5")] {
            assert_eq!(Hours::held(thousandths, Millis::hours(hours)).to_string(), expected);
        }
        assert_eq!(Hours::memory(3 << 30, Millis::hours(4)).to_string(), "12");
    }
}
