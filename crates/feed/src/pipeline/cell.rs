//! The bytes of one sample, wherever they lie.

use std::ops::Deref;

/// The bytes of one sample.
pub enum Cell {
    /// They were written here.
    Own(Vec<u8>),
    /// They lie where they were fetched to.
    Shared(Box<dyn AsRef<[u8]> + Send + Sync>),
}

impl Default for Cell {
    fn default() -> Cell {
        Cell::Own(Vec::new())
    }
}

impl Deref for Cell {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Cell::Own(bytes) => bytes,
            Cell::Shared(bytes) => (**bytes).as_ref(),
        }
    }
}

impl Cell {
    /// What is written to.
    pub fn own(&mut self) -> &mut Vec<u8> {
        if let Cell::Shared(_) = self {
            *self = Cell::default();
        }
        let Cell::Own(bytes) = self else { unreachable!("it was made so") };
        bytes
    }
}
