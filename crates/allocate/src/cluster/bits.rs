//! A set of small numbers, kept as bits: the nodes of one class that have so many devices free.

/// A set of numbers below a bound given at construction and raised by [`Bits::grow`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Bits {
    words: Vec<u64>,
    len: u32,
}

impl Bits {
    /// Makes room for numbers below `bound`.
    pub(crate) fn grow(&mut self, bound: usize) {
        let words = bound.div_ceil(64);
        if self.words.len() < words {
            self.words.resize(words, 0);
        }
    }

    pub(crate) fn insert(&mut self, number: u32) {
        let word = &mut self.words[number as usize / 64];
        let bit = 1_u64 << (number % 64);
        debug_assert_eq!(*word & bit, 0, "{number} is in the set already");
        *word |= bit;
        self.len += 1;
    }

    pub(crate) fn remove(&mut self, number: u32) {
        let word = &mut self.words[number as usize / 64];
        let bit = 1_u64 << (number % 64);
        debug_assert_ne!(*word & bit, 0, "{number} is not in the set");
        *word &= !bit;
        self.len -= 1;
    }

    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    /// The numbers in ascending order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().enumerate().filter(|(_, word)| **word != 0).flat_map(|(index, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                (rest != 0).then(|| {
                    let bit = rest.trailing_zeros();
                    rest &= rest - 1;
                    index as u32 * 64 + bit
                })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_what_was_put_in_and_not_taken_out() {
        let mut bits = Bits::default();
        bits.grow(200);
        for number in [199, 0, 63, 64, 128] {
            bits.insert(number);
        }
        bits.remove(63);
        assert_eq!(bits.iter().collect::<Vec<_>>(), [0, 64, 128, 199]);
        assert_eq!(bits.len(), 4);
    }
}
