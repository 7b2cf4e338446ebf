//! Numbers as logs write them, read exactly: no floating point between the text and the integer.

use fleet::text::shown;

/// Reads a decimal number such as `66`, `66.0` or `-0.5` in thousandths; digits past the third are rounded half away from
/// zero. No exponent, no grouping.
///
/// # Errors
/// Says what was expected.
pub fn thousandths(text: &str) -> Result<i64, String> {
    let refuse = || format!("`{}` is not a number; expected digits such as 66 or 66.5", shown(text));
    let (negative, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let mut value: i64 = 0;
    let mut decimals: Option<u32> = None;
    let mut any = false;
    let mut round_up = false;
    for &byte in digits {
        match (byte, decimals) {
            (b'.', None) => decimals = Some(0),
            (b'0'..=b'9', Some(3)) => {
                decimals = Some(4);
                round_up = byte >= b'5';
            }
            (b'0'..=b'9', Some(4)) => {}
            (b'0'..=b'9', _) => {
                any = true;
                let digit = i64::from(byte - b'0');
                value = value
                    .checked_mul(10)
                    .and_then(|value| value.checked_add(digit))
                    .ok_or_else(|| format!("`{}` is too large a number", shown(text)))?;
                decimals = decimals.map(|count| count + 1);
            }
            _ => return Err(refuse()),
        }
    }
    if !any {
        return Err(refuse());
    }
    let scale = 10_i64.pow(3 - decimals.unwrap_or(0).min(3));
    let value = value.checked_mul(scale).ok_or_else(|| format!("`{}` is too large a number", shown(text)))?;
    let value = value + i64::from(round_up);
    Ok(if negative { -value } else { value })
}

/// Reads a whole number; `3.0` is one.
///
/// # Errors
/// Says what was expected.
pub fn whole(text: &str) -> Result<i64, String> {
    let value = thousandths(text)?;
    if value % 1_000 == 0 { Ok(value / 1_000) } else { Err(format!("`{}` is not a whole number", shown(text))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_exactly() {
        let cases = [
            ("66.0", 66_000),
            ("0", 0),
            ("-1", -1_000),
            ("+2.5", 2_500),
            (".5", 500),
            ("7.", 7_000),
            ("1.0004", 1_000),
            ("1.0005", 1_001),
            ("-0.0009", -1),
            ("0.1234999999999999999999999999", 123),
        ];
        for (text, expected) in cases {
            assert_eq!(thousandths(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "-", ".", "1e5", "1,000", "nan", "1.2.3", "٣", "99999999999999999999", " 1"] {
            assert!(thousandths(text).is_err(), "{text}");
        }
        assert!(whole("1.5").is_err());
        assert_eq!(whole("3.0"), Ok(3));
    }
}
