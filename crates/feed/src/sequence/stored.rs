//! Tokens that a field holds as numbers already.

use crate::spec::TokenType;

/// How tokens lie in a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// One behind the other, least byte first, as a list of a table is kept.
    Binary(TokenType),
    /// A list of JSON, as a line of an object has it.
    Digits,
}

impl Stored {
    /// Tokens that so many bytes hold, at most: in JSON, each takes a digit and a comma.
    pub(super) fn tokens_max(self, bytes: usize) -> usize {
        match self {
            Stored::Binary(token) => bytes / token.bytes(),
            Stored::Digits => bytes / 2,
        }
    }

    /// Bytes of memory that reading so many bytes takes beside them.
    pub(super) fn work_bytes(self, bytes: usize) -> usize {
        self.tokens_max(bytes)
            * match self {
                Stored::Binary(_) => size_of::<u32>(),
                // Numbers that are read before they are looked at; a vector that grows may have twice as many places, and the one before.
                Stored::Digits => 3 * size_of::<i64>() + size_of::<u32>(),
            }
    }

    /// The tokens, or why they cannot be read, as a clause.
    pub(super) fn read(self, bytes: &[u8]) -> Result<Vec<u32>, String> {
        match self {
            Stored::Binary(token) => {
                let size = token.bytes();
                if !bytes.len().is_multiple_of(size) {
                    let length = bytes.len();
                    return Err(format!("its {length} bytes are no whole number of {token}, as dtype says they are"));
                }
                match token {
                    TokenType::UInt16 => each(bytes, |bytes| i64::from(u16::from_le_bytes(bytes))),
                    TokenType::UInt32 => each(bytes, |bytes| i64::from(u32::from_le_bytes(bytes))),
                    TokenType::Int32 => each(bytes, |bytes| i64::from(i32::from_le_bytes(bytes))),
                    TokenType::Int64 => each(bytes, i64::from_le_bytes),
                }
            }
            Stored::Digits => {
                let numbers: Vec<i64> = serde_json::from_slice(bytes)
                    .map_err(|error| format!("it is no list of whole numbers in JSON: {error}"))?;
                numbers.into_iter().enumerate().map(token).collect()
            }
        }
    }
}

fn each<const BYTES: usize>(bytes: &[u8], number: impl Fn([u8; BYTES]) -> i64) -> Result<Vec<u32>, String> {
    let (numbers, _) = bytes.as_chunks::<BYTES>();
    numbers.iter().map(|bytes| number(*bytes)).enumerate().map(token).collect()
}

fn token((place, number): (usize, i64)) -> Result<u32, String> {
    u32::try_from(number)
        .map_err(|_| format!("its token {place} is {number}, and tokens are numbers from 0 to {}", u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_as_they_are_stored() {
        let bytes = |numbers: &[i32]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
        let int32 = Stored::Binary(TokenType::Int32);
        assert_eq!(int32.read(&bytes(&[0, 7, i32::MAX])), Ok(vec![0, 7, i32::MAX as u32]));
        assert_eq!(Stored::Binary(TokenType::UInt16).read(&[1, 2, 3, 4]), Ok(vec![0x0201, 0x0403]));
        assert_eq!(Stored::Binary(TokenType::Int64).read(&5_i64.to_le_bytes()), Ok(vec![5]));
        assert_eq!(Stored::Digits.read(b" [1, 22,333]"), Ok(vec![1, 22, 333]));
        assert_eq!(Stored::Digits.read(b"[]"), Ok(vec![]));
        for (stored, bytes, words) in [
            (int32, bytes(&[1, -1]), "its token 1 is -1"),
            (int32, vec![1, 2, 3], "its 3 bytes are no whole number of int32"),
            (Stored::Digits, b"[1, 5000000000]".to_vec(), "its token 1 is 5000000000"),
            (Stored::Digits, b"[1, 2.5]".to_vec(), "no list of whole numbers in JSON"),
            (Stored::Digits, b"\x00\x01".to_vec(), "no list of whole numbers in JSON"),
        ] {
            let said = stored.read(&bytes).expect_err(words);
            assert!(said.contains(words), "{said}");
        }
    }

    #[test]
    fn there_are_no_more_tokens_than_was_said() {
        for text in ["[1]", "[1,2]", "[1,2,3,4,5,6,7,8,9,0]", "[]"] {
            let tokens = Stored::Digits.read(text.as_bytes()).expect("it is a list");
            assert!(tokens.len() <= Stored::Digits.tokens_max(text.len()), "{text}");
        }
    }
}
