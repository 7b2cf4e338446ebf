//! Powers of two with a fraction, in integers: the platform's `exp` may differ from machine to machine, this may not.

/// Fractional bits of exponents and results.
pub(super) const BITS: u32 = 16;
/// One, in this fixed point.
pub(super) const ONE: u64 = 1 << BITS;

/// Steps of the table between one power of two and the next.
const STEPS: usize = 16;
/// `2^(i / 16)` with 16 fractional bits, for `i` from 0 to 16.
const ROOTS: [u64; STEPS + 1] = roots();

/// `2^-exponent` for an exponent with 16 fractional bits. Linear between the table's steps: at most 0.03 % too large.
pub(super) fn two_to_minus(exponent: u64) -> u64 {
    let whole = exponent >> BITS;
    if whole > u64::from(BITS) {
        return 0;
    }
    // 2^-e = 2^(1 - f) / 2^(w + 1), with f the fraction of e and w its whole part.
    let up = ONE - (exponent & (ONE - 1));
    let step = ((up * STEPS as u64) >> BITS) as usize;
    let within = (up * STEPS as u64) & (ONE - 1);
    let low = ROOTS[step];
    let high = ROOTS[(step + 1).min(STEPS)];
    (low + (((high - low) * within) >> BITS)) >> (whole + 1)
}

/// The table, from square roots alone: `2^(1/2)`, its root, and so on, multiplied as the bits of `i` say.
const fn roots() -> [u64; STEPS + 1] {
    // 40 fractional bits on the way, so that 16 are right at the end.
    const WORK: u32 = 40;
    let mut table = [0; STEPS + 1];
    let mut i = 0;
    while i <= STEPS {
        let mut value: u128 = 1 << WORK;
        let mut root: u128 = 2 << WORK;
        let mut bit = STEPS;
        while bit > 0 {
            if i & bit != 0 {
                value = (value * root) >> WORK;
            }
            root = square_root(root << WORK);
            bit /= 2;
        }
        table[i] = (value >> (WORK - BITS)) as u64;
        i += 1;
    }
    table
}

/// The largest integer whose square is at most `n`, by Newton's method from above.
const fn square_root(n: u128) -> u128 {
    let mut guess = n;
    let mut next = n.div_ceil(2);
    while next < guess {
        guess = next;
        next = (guess + n / guess) / 2;
    }
    guess
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_within_a_thousandth() {
        for exponent in (0..12 * ONE).step_by(977) {
            let exact = (-(exponent as f64) / ONE as f64).exp2() * ONE as f64;
            let ours = two_to_minus(exponent) as f64;
            assert!((ours - exact).abs() <= exact / 1_000.0 + 1.0, "2^-{exponent}: {ours} is not {exact}");
        }
    }

    #[test]
    fn powers_never_rise() {
        let values: Vec<u64> = (0..20 * ONE).step_by(101).map(two_to_minus).collect();
        assert!(values.windows(2).all(|pair| pair[0] >= pair[1]));
        assert_eq!((values[0], two_to_minus(u64::MAX)), (ONE, 0));
    }
}
