//! Python's pickles, as far as they hold plain data: dictionaries, lists, tuples, texts, numbers.
//!
//! A pickle is a program for a machine with a stack (`pickletools` of Python's library lists its instructions; PEP 307 and PEP 3154 tell
//! why). This one runs those that make plain data, and stops at those that would make or call anything else: nothing that a pickle names
//! is looked up. Values lie in one list and hold each other by place, so that nesting costs no stack, and what is shared is there once;
//! that is why no library is used: serde-pickle visits what is shared again and again, and what is nested within itself.

mod machine;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{self, BufRead};

pub use machine::{KEPT_MAX, TEXT_MAX};

/// A value, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(u32);

/// What a pickle holds.
#[derive(Debug, Default)]
pub struct Pickle {
    nodes: Vec<Node>,
    /// All texts, one behind the other.
    text: String,
    root: u32,
}

/// A value as it is kept.
#[derive(Clone, Debug)]
enum Node {
    Nothing,
    Bool(bool),
    Whole(i64),
    /// Where it begins, and how long it is.
    Text(u32, u32),
    List(Vec<u32>),
    /// Keys and values in turn.
    Dictionary(Vec<u32>),
    /// A number with decimals, bytes, a set, or a whole number of more than 64 bits.
    Other,
}

/// A value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// `None`.
    Nothing,
    /// A truth.
    Bool(bool),
    /// A whole number.
    Whole(i64),
    /// A text.
    Text(&'a str),
    /// A list or a tuple, of so many.
    List(usize),
    /// A dictionary.
    Dictionary,
    /// Anything else that is plain data.
    Other,
}

/// Why a pickle cannot be read.
#[derive(Debug)]
pub enum Error {
    /// What the input answered.
    Input(io::Error),
    /// It ends in the middle.
    Cut,
    /// An instruction that makes more than plain data, or none at all; and the byte at which it stands.
    Unknown {
        /// The instruction.
        instruction: u8,
        /// Where.
        at: u64,
    },
    /// It does not fit: an instruction lacks what it works on; and the byte at which it stands.
    Unfit {
        /// Where.
        at: u64,
    },
    /// It holds more than is kept.
    Large,
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(error) => out.write_str(&crate::rows::words(error)),
            Self::Cut => out.write_str("the file is cut off; copy it again"),
            Self::Unknown { instruction, at } => write!(
                out,
                "instruction {instruction:#04x} at byte {at} is not one for plain data; a pickle that makes objects is not read"
            ),
            Self::Unfit { at } => write!(out, "the instruction at byte {at} does not fit what stands before it"),
            Self::Large => {
                write!(out, "it holds more than {KEPT_MAX} values or {} MiB of text", TEXT_MAX >> 20)
            }
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof { Self::Cut } else { Self::Input(error) }
    }
}

/// Whether a file that begins so is a pickle: the protocols 2 to 5 name themselves.
#[must_use]
pub fn is_pickle(head: &[u8]) -> bool {
    matches!(head, [0x80, 2..=5, ..])
}

impl Pickle {
    /// Reads one.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn read(input: impl BufRead) -> Result<Self, Error> {
        machine::run(input)
    }

    /// What the whole is.
    #[must_use]
    pub fn root(&self) -> Place {
        Place(self.root)
    }

    /// What lies at a place.
    #[must_use]
    pub fn value(&self, at: Place) -> Value<'_> {
        match &self.nodes[at.0 as usize] {
            Node::Nothing => Value::Nothing,
            Node::Bool(truth) => Value::Bool(*truth),
            Node::Whole(number) => Value::Whole(*number),
            Node::Text(start, length) => Value::Text(&self.text[*start as usize..][..*length as usize]),
            Node::List(items) => Value::List(items.len()),
            Node::Dictionary(_) => Value::Dictionary,
            Node::Other => Value::Other,
        }
    }

    /// The items of a list; none of anything else.
    pub fn items(&self, at: Place) -> impl Iterator<Item = Place> + '_ {
        let items: &[u32] = if let Node::List(items) = &self.nodes[at.0 as usize] { items } else { &[] };
        items.iter().copied().map(Place)
    }

    /// The pairs of a dictionary whose keys are texts; none of anything else. The last of equal keys counts.
    pub fn pairs(&self, at: Place) -> impl Iterator<Item = (&str, Place)> + '_ {
        let pairs: &[u32] = if let Node::Dictionary(pairs) = &self.nodes[at.0 as usize] { pairs } else { &[] };
        pairs.chunks_exact(2).filter_map(|pair| match self.value(Place(pair[0])) {
            Value::Text(key) => Some((key, Place(pair[1]))),
            _ => None,
        })
    }
}
