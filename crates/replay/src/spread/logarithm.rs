//! Logarithms to base 2 with 8 fractional bits, straight between powers of two: no platform's own are asked.

/// The logarithm of a number and one.
pub(super) fn log2(number: u64) -> i32 {
    let number = number.saturating_add(1);
    let whole = number.ilog2();
    let rest = u128::from(number) - (1_u128 << whole);
    (whole * 256) as i32 + ((rest << 8) >> whole) as i32
}

/// The number whose logarithm that is, at least 0.
pub(super) fn power2(log: i32) -> i64 {
    let log = log.clamp(0, 40 * 256);
    let whole = log / 256;
    let part = i64::from(log % 256);
    (1_i64 << whole) + (part << whole) / 256 - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_undo_each_other() {
        for number in [0, 1, 2, 59, 60, 1_000, 86_400, 10_000_000, 30_000_000_000] {
            let back = power2(log2(number));
            assert!((back - number as i64).abs() * 200 <= number as i64, "{number} became {back}");
        }
    }
}
