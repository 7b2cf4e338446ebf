//! What comes out for each sample.

/// A type of number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Bytes.
    U8,
    /// Whole numbers of 32 bits.
    I32,
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
            Type::I32 | Type::F32 => 4,
            Type::I64 => 8,
        }
    }
}

/// One output of a sample; a batch holds those of its samples behind each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// What the consumer calls it.
    pub name: String,
    /// What it is made of.
    pub kind: Kind,
}

/// What an output is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An array, of the same shape for each sample.
    Numbers {
        /// Its numbers.
        number: Type,
        /// Its shape, for one sample; empty for a single number.
        shape: Vec<usize>,
    },
    /// Bytes, as many as there are.
    Bytes,
    /// The same, which are text in UTF-8.
    Text,
    /// Bytes, as many as there are, which are joined to arrays once all samples of a batch are there.
    Joined,
}

impl Output {
    /// An array.
    pub fn numbers(name: &str, number: Type, shape: &[usize]) -> Output {
        Output { name: name.to_owned(), kind: Kind::Numbers { number, shape: shape.to_vec() } }
    }

    /// Bytes.
    pub fn of_bytes(name: &str) -> Output {
        Output { name: name.to_owned(), kind: Kind::Bytes }
    }

    /// Text.
    pub fn of_text(name: &str) -> Output {
        Output { name: name.to_owned(), kind: Kind::Text }
    }

    /// Bytes that are joined.
    pub fn joined(name: &str) -> Output {
        Output { name: name.to_owned(), kind: Kind::Joined }
    }

    /// Bytes for one sample, where all take as many.
    pub fn bytes(&self) -> usize {
        match &self.kind {
            Kind::Numbers { number, shape } => shape.iter().product::<usize>() * number.bytes(),
            Kind::Bytes | Kind::Text | Kind::Joined => 0,
        }
    }
}
