//! What the scrapes of an interval come to. Pure.

/// What the scrapes of one interval come to, of one series.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sum {
    /// The mean, the least and the most of what is known, once anything is.
    pub(crate) known: Option<Known>,
    /// At how many scrapes it was unknown.
    pub(crate) unknown: u64,
}

/// What is known of an interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Known {
    pub(crate) mean: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
    /// At how many scrapes it was known.
    pub(crate) count: u64,
}

impl Sum {
    /// Takes another in, of the same interval or of a part of it.
    pub(crate) fn add(&mut self, other: &Self) {
        self.unknown += other.unknown;
        self.known = match (self.known, other.known) {
            (Some(one), Some(other)) => Some(one.with(other)),
            (one, other) => one.or(other),
        };
    }
}

impl Known {
    /// One value.
    pub(crate) fn once(value: f64) -> Self {
        Self { mean: value, least: value, most: value, count: 1 }
    }

    /// The mean moves towards the other by the other's share: unlike a sum, it does not overflow where no value does.
    fn with(self, other: Self) -> Self {
        let count = self.count + other.count;
        let share = other.count as f64 / count as f64;
        // Not `self.mean + (other.mean - self.mean) * share`, whose difference could overflow.
        let mean = if self.mean.to_bits() == other.mean.to_bits() {
            self.mean
        } else {
            self.mean * (1.0 - share) + other.mean * share
        };
        Self { mean, least: self.least.min(other.least), most: self.most.max(other.most), count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_an_interval_add_up() {
        let mut sum = Sum { known: None, unknown: 1 };
        for value in [1.0, 2.0, 6.0] {
            sum.add(&Sum { known: Some(Known::once(value)), unknown: 0 });
        }
        let known = sum.known.unwrap();
        assert!((known.mean - 3.0).abs() < 1e-12);
        assert_eq!((known.least.to_bits(), known.most.to_bits()), (1.0_f64.to_bits(), 6.0_f64.to_bits()));
        assert_eq!((known.count, sum.unknown), (3, 1));
        let mut large = Sum { known: Some(Known::once(f64::MAX)), unknown: 0 };
        large.add(&Sum { known: Some(Known::once(-f64::MAX)), unknown: 0 });
        assert!(large.known.unwrap().mean.abs() < 1.0);
    }
}
