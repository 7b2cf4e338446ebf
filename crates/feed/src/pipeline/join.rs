//! Arrays that are made of a whole batch: of what was written for its samples, once the last of them is there.

use super::{SampleError, Type};
use crate::buffer::{Buffer, Frozen, Number};

/// What was written for each sample of an output that is joined, by slot; none for those that failed.
pub type Cells = Vec<Option<Vec<u8>>>;

/// An array, of a shape that only the batch tells.
pub struct Joined {
    /// What the consumer calls it.
    pub name: String,
    /// What it is made of.
    pub number: Type,
    /// Its sides.
    pub shape: Vec<usize>,
    numbers: Frozen,
}

/// What becomes of a batch's cells.
#[derive(Default)]
pub struct Join {
    /// The arrays of each output that is joined, in order.
    pub arrays: Vec<Vec<Joined>>,
    /// Samples that have no place in them, by their slots: they fail as others do that cannot be read.
    pub failed: Vec<(usize, SampleError)>,
}

impl Joined {
    /// An array of zeros that `write` writes to.
    ///
    /// # Panics
    ///
    /// Where `T` is no `number`.
    pub fn new<T: Number>(name: &str, number: Type, shape: &[usize], write: impl FnOnce(&mut [T])) -> Joined {
        assert_eq!(size_of::<T>(), number.bytes(), "an array is written as what it is made of");
        let count = shape.iter().product::<usize>();
        // A buffer is not empty, and an array may be.
        let buffer = Buffer::new(1, (count * number.bytes()).max(size_of::<u64>()));
        let mut slot = buffer.claim(0);
        write(&mut slot.as_numbers::<T>()[..count]);
        Joined { name: name.to_owned(), number, shape: shape.to_vec(), numbers: buffer.freeze() }
    }

    /// Its numbers, the last side first.
    pub fn bytes(&self) -> &[u8] {
        &self.numbers[..self.shape.iter().product::<usize>() * self.number.bytes()]
    }

    /// Bytes of memory that it takes.
    pub(super) fn held_bytes(&self) -> usize {
        self.numbers.len()
    }
}

impl std::fmt::Debug for Joined {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Joined").field("name", &self.name).field("shape", &self.shape).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_has_as_many_numbers_as_its_shape_says() {
        let array = Joined::new("a", Type::I32, &[3, 1], |numbers: &mut [i32]| numbers.copy_from_slice(&[1, 2, 3]));
        assert_eq!(array.bytes(), [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0]);
        let empty = Joined::new("a", Type::I64, &[0, 5], |numbers: &mut [i64]| assert!(numbers.is_empty()));
        assert!(empty.bytes().is_empty());
    }
}
