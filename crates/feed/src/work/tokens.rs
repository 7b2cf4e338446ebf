//! Tokens as they are stored, widened to the numbers that models are fed.

use crate::spec::TokenType;

/// Widens stored tokens. There are as many tokens as numbers.
#[inline]
pub(super) fn widen(stored: &[u8], token: TokenType, numbers: &mut [i64]) {
    match token {
        TokenType::UInt16 => each(stored, numbers, |bytes| i64::from(u16::from_le_bytes(bytes))),
        TokenType::UInt32 => each(stored, numbers, |bytes| i64::from(u32::from_le_bytes(bytes))),
        TokenType::Int32 => each(stored, numbers, |bytes| i64::from(i32::from_le_bytes(bytes))),
        TokenType::Int64 => each(stored, numbers, i64::from_le_bytes),
    }
}

#[inline(always)]
fn each<const BYTES: usize>(stored: &[u8], numbers: &mut [i64], token: impl Fn([u8; BYTES]) -> i64) {
    let (tokens, rest) = stored.as_chunks::<BYTES>();
    assert!(rest.is_empty() && tokens.len() == numbers.len(), "there are as many tokens as numbers");
    for (number, bytes) in numbers.iter_mut().zip(tokens) {
        *number = token(*bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_keep_their_value() {
        let stored = [0x01, 0x80, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff];
        for (token, expected) in [
            (TokenType::UInt16, vec![0x8001, 0xffff, 0xfffe, 0xffff]),
            (TokenType::UInt32, vec![0xffff_8001, 0xffff_fffe]),
            (TokenType::Int32, vec![-0x7fff, -2]),
            (TokenType::Int64, vec![-0x1_0000_7fff]),
        ] {
            let mut numbers = vec![0; expected.len()];
            widen(&stored, token, &mut numbers);
            assert_eq!(numbers, expected, "{token:?}");
        }
    }
}
