//! A mark for each eight outputs of each row, packed in words.

/// Rows of marks.
#[derive(Default)]
pub(super) struct Marks {
    words: Vec<u64>,
    words_per_row: usize,
}

impl Marks {
    /// Rows of `marks` each, none of them set.
    pub(super) fn lay_out(&mut self, rows: usize, marks: usize) {
        self.words_per_row = marks.div_ceil(u64::BITS as usize);
        self.words.clear();
        self.words.resize(rows * self.words_per_row, 0);
    }

    /// No rows.
    pub(super) fn clear(&mut self) {
        self.words.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    pub(super) fn set(&mut self, row: usize, mark: usize) {
        self.words[row * self.words_per_row + mark / u64::BITS as usize] |= 1 << (mark % u64::BITS as usize);
    }

    #[inline(always)]
    pub(super) fn is_set(&self, row: usize, mark: usize) -> bool {
        self.words[row * self.words_per_row + mark / u64::BITS as usize] >> (mark % u64::BITS as usize) & 1 != 0
    }

    /// Words of a row.
    pub(super) fn words(&self) -> usize {
        self.words_per_row
    }

    pub(super) fn word(&self, row: usize, word: usize) -> u64 {
        self.words[row * self.words_per_row + word]
    }

    pub(super) fn add(&mut self, row: usize, word: usize, marks: u64) {
        self.words[row * self.words_per_row + word] |= marks;
    }
}

/// The places of the bits that are set in a word.
pub(super) fn each(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = word.trailing_zeros() as usize;
        word &= word.checked_sub(1)?;
        Some(place)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_where_they_were_set() {
        let mut marks = Marks::default();
        marks.lay_out(3, 130);
        for mark in [0, 63, 64, 129] {
            marks.set(1, mark);
        }
        let found: Vec<usize> =
            (0..marks.words()).flat_map(|word| each(marks.word(1, word)).map(move |place| 64 * word + place)).collect();
        assert_eq!(found, [0, 63, 64, 129]);
        assert!(marks.is_set(1, 129) && !marks.is_set(1, 128) && !marks.is_set(0, 0) && !marks.is_set(2, 0));
    }
}
