//! Means, medians, and how many times faster steps would be.

use fleet::recommendation::Interval;

/// The mean; nothing of nothing.
pub(crate) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The median, of an even number the mean of the two in the middle; nothing of nothing. Puts the values in another order.
pub(crate) fn median(values: &mut [f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let (middle, odd) = (values.len() / 2, !values.len().is_multiple_of(2));
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if odd {
        return Some(upper);
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Some(f64::midpoint(lower, upper))
}

/// How many times faster, from what each step takes to what it would take: on average, and what one step in ten stays below
/// and one in ten exceeds. Steps that would take nothing are passed over; one of nothing.
pub(crate) fn speedup(steps: impl IntoIterator<Item = (f64, f64)>) -> Interval {
    let steps: Vec<(f64, f64)> = steps.into_iter().filter(|(_, to)| *to > 0.0).collect();
    let mut ratios: Vec<f64> = steps.iter().map(|(from, to)| from / to).collect();
    ratios.sort_unstable_by(f64::total_cmp);
    let Some(last) = ratios.len().checked_sub(1) else { return Interval { low: 1.0, value: 1.0, high: 1.0 } };
    let at = |tenths: usize| ratios[(last * tenths + 5) / 10];
    let (from, to) = steps.iter().fold((0.0, 0.0), |sum, step| (sum.0 + step.0, sum.1 + step.1));
    Interval { low: at(1), value: from / to, high: at(9) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_in_the_middle() {
        assert_eq!(median(&mut []), None);
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!((mean(&[]), mean(&[1.0, 2.0])), (None, Some(1.5)));
    }

    #[test]
    fn steps_are_as_many_times_faster_as_they_are() {
        let steps = (1..=11).map(|step| (f64::from(step), 1.0)).chain([(9.0, 0.0)]);
        assert_eq!(speedup(steps), Interval { low: 2.0, value: 6.0, high: 10.0 });
        assert_eq!(speedup([]), Interval { low: 1.0, value: 1.0, high: 1.0 });
    }
}
