//! What comes out for each sample.

/// A type of number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Bytes.
    U8,
    /// Whole numbers of 64 bits.
    I64,
    /// Floating-point numbers of 32 bits.
    F32,
}

impl Type {
    /// Bytes of one number.
    pub fn bytes(self) -> usize {
        match self {
            Type::U8 => 1,
            Type::F32 => 4,
            Type::I64 => 8,
        }
    }
}

/// One array of a sample; a batch holds them behind each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// What the consumer calls it.
    pub name: String,
    /// Its numbers.
    pub number: Type,
    /// Its shape, for one sample; empty for a single number.
    pub shape: Vec<usize>,
}

impl Output {
    /// Bytes for one sample.
    pub fn bytes(&self) -> usize {
        self.shape.iter().product::<usize>() * self.number.bytes()
    }
}
