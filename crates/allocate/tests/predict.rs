//! The predictor through its public interface: what must hold for any history, and that its promises come true on drawn ones.

mod drawn;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use allocate::predict::{Forecast, Predictor};
use drawn::{Drawn, Numbers, any_history, features, history};
use fleet::ids::WorkloadId;
use fleet::time::Timestamp;
use proptest::prelude::*;

/// Lives a history; the forecasts it made, by workload.
fn live(history: &[Drawn]) -> (Predictor, Vec<Forecast>) {
    let mut predictor = Predictor::default();
    let mut forecasts: Vec<Forecast> = Vec::new();
    let mut ends: BinaryHeap<Reverse<(i64, usize)>> = BinaryHeap::new();
    for (index, drawn) in history.iter().enumerate() {
        while let Some(&Reverse((at_ms, ended))) = ends.peek()
            && at_ms <= drawn.submitted_ms
        {
            ends.pop();
            let forecast: &Forecast = &forecasts[ended];
            predictor.ended(WorkloadId(ended as u32), forecast, history[ended].ran_ms, Timestamp(at_ms));
        }
        let forecast = predictor.forecast(&drawn.features, Timestamp(drawn.submitted_ms));
        predictor.started(WorkloadId(index as u32), &forecast, Timestamp(drawn.submitted_ms));
        forecasts.push(forecast);
        ends.push(Reverse((drawn.submitted_ms + drawn.ran_ms as i64, index)));
    }
    (predictor, forecasts)
}

/// The percentage of workloads, from the `from`-th on, that ran as long as their 10 to 90 % interval says.
fn covered_percent(history: &[Drawn], from: usize) -> f64 {
    let (_, forecasts) = live(history);
    let inside = |(drawn, forecast): &(&Drawn, &Forecast)| {
        (forecast.quantile(100)..=forecast.quantile(900)).contains(&drawn.ran_ms)
    };
    let judged = history.len() - from;
    let inside = history.iter().zip(&forecasts).skip(from).filter(inside).count();
    100.0 * inside as f64 / judged as f64
}

fn check_calibrated(name: &str, ran_seconds: impl FnMut(&mut Numbers, usize, u32) -> f64) {
    let covered = covered_percent(&history(6_000, 7, ran_seconds), 500);
    assert!((75.0..=85.0).contains(&covered), "{name}: the 80 % interval held {covered:.1} %");
}

#[test]
fn intervals_hold_on_what_does_not_change() {
    check_calibrated("lognormal", |numbers, _, user| (6.0 + f64::from(user) + 1.2 * numbers.normal()).exp());
    check_calibrated("pareto", |numbers, _, _| 120.0 * numbers.share().powf(-1.0 / 1.1));
    check_calibrated("uniform", |numbers, _, _| 100.0 + 7_000.0 * numbers.share());
    check_calibrated(
        "two kinds",
        |numbers, _, _| if numbers.next() % 3 == 0 { 20_000.0 } else { 30.0 + 30.0 * numbers.share() },
    );
}

#[test]
fn intervals_hold_on_what_drifts() {
    check_calibrated("rising", |numbers, index, _| (5.0 + index as f64 / 1_500.0 + numbers.normal()).exp());
    check_calibrated("falling", |numbers, index, _| (9.0 - index as f64 / 1_500.0 + numbers.normal()).exp());
    check_calibrated("jumping", |numbers, index, _| {
        let level = if (index / 700) % 2 == 0 { 5.0 } else { 8.0 };
        (level + 0.7 * numbers.normal()).exp()
    });
}

#[test]
fn what_is_learnt_is_told_apart() {
    let drawn = history(3_000, 3, |numbers, _, user| {
        let typical = if user == 0 { 60.0 } else { 36_000.0 };
        typical * (1.0 + 0.2 * numbers.share())
    });
    let (mut predictor, _) = live(&drawn);
    let now = Timestamp(3_000 * 60_000);
    let (short, long) = (predictor.forecast(&features(0, 0), now), predictor.forecast(&features(1, 1), now));
    assert!((45_000..90_000).contains(&short.quantile(500)), "{} ms", short.quantile(500));
    assert!((30_000_000..50_000_000).contains(&long.quantile(500)), "{} ms", long.quantile(500));
    assert!(short.gittins_index(0) > 100 * long.gittins_index(0), "the short one promises more");
    let means = (short.mean_ms(), long.mean_ms());
    assert!(means.0 < 1_800_000 && means.1 > 30_000_000, "{means:?} ms");
}

#[test]
fn of_a_long_one_that_has_shown_itself_less_is_promised() {
    let drawn = history(3_000, 5, |numbers, _, _| if numbers.next() % 4 == 0 { 86_400.0 } else { 60.0 });
    let (mut predictor, _) = live(&drawn);
    let forecast = predictor.forecast(&features(0, 0), Timestamp(3_000 * 60_000));
    assert!(forecast.gittins_index(0) > 20 * forecast.gittins_index(600_000));
    assert!(forecast.expected_remaining_ms(600_000) > 2 * forecast.mean_ms());
}

#[test]
fn runs_that_go_on_are_heard() {
    let mut predictor = Predictor::default();
    let wanted = features(0, 0);
    let at = |minute: i64| Timestamp(minute * 60_000);
    for id in 0..40 {
        let forecast = predictor.forecast(&wanted, at(0));
        predictor.started(WorkloadId(id), &forecast, at(0));
        if id < 10 {
            predictor.ended(WorkloadId(id), &forecast, 60_000, at(0));
        }
    }
    let soon = predictor.forecast(&wanted, at(1));
    let later = predictor.forecast(&wanted, at(1_000));
    assert!(later.quantile(500) > 4 * soon.quantile(500), "{} and {} ms", soon.quantile(500), later.quantile(500));
}

#[test]
fn no_forecast_passes_an_enforced_limit() {
    let mut limited = features(0, 0);
    limited.time_limit_ms = Some(3_600_000);
    let mut predictor = Predictor::default();
    let forecast = predictor.forecast(&limited, Timestamp(0));
    for permille in [500, 900, 1_000] {
        assert!(forecast.quantile(permille) <= 3_700_000);
        assert!(forecast.remaining_quantile(3_000_000, permille) <= 700_000);
    }
}

#[test]
fn memory_is_bounded() {
    const MOST_CLASSES: usize = 32_768;
    let mut predictor = Predictor::default();
    for id in 0..12_000 {
        let now = Timestamp(i64::from(id) * 1_000);
        let forecast = predictor.forecast(&features(id, id), now);
        predictor.ended(WorkloadId(id), &forecast, u64::from(id) * 1_000, now);
    }
    assert!(predictor.classes() > MOST_CLASSES / 2, "the bound is reached by this test");
    assert!(predictor.classes() <= MOST_CLASSES);
}

/// The quantiles of one history, by hand from no formula: whatever machine this runs on must find the same.
#[test]
fn every_machine_forecasts_the_same() {
    let mut state = 9_u64;
    let drawn: Vec<Drawn> = (0..2_000_i64)
        .map(|index| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (user, spread) = ((state >> 33) as u32 % 5, state >> 40);
            Drawn { submitted_ms: index * 30_000, ran_ms: spread << (user * 2), features: features(user / 2, user) }
        })
        .collect();
    let (mut predictor, _) = live(&drawn);
    let forecast = predictor.forecast(&features(1, 3), Timestamp(2_000 * 30_000));
    let told = [100, 500, 900].map(|permille| forecast.quantile(permille));
    assert_eq!(told, [34_229_795, 41_520_173, 53_744_813]);
}

proptest! {
    #[test]
    fn quantiles_are_in_order(history in any_history(), age_ms in 0_u64..1 << 42) {
        let (_, forecasts) = live(&history);
        for forecast in forecasts {
            let mut last = (0, 0);
            for permille in (0..=1_000).step_by(50) {
                let whole = forecast.quantile(permille);
                let rest = forecast.remaining_quantile(age_ms, permille);
                prop_assert!(whole >= last.0 && rest >= last.1, "at {}: {} and {} after {:?}", permille, whole, rest, last);
                prop_assert!(age_ms + rest >= whole, "{} + {} is below {}", age_ms, rest, whole);
                last = (whole, rest);
            }
            prop_assert!(forecast.mean_ms() > 0);
            prop_assert!(forecast.gittins_index(age_ms) > 0 || age_ms > 1 << 32);
        }
    }

    #[test]
    fn the_future_changes_no_forecast(history in any_history(), cut in 0_usize..200, factor in 2_u64..1_000) {
        // All that ends after the cut runs longer instead; nothing that was forecast by then may differ.
        let cut = cut.min(history.len() - 1);
        let cut_ms = history[cut].submitted_ms;
        let mut other = history.clone();
        for drawn in &mut other {
            if drawn.submitted_ms + drawn.ran_ms as i64 > cut_ms {
                drawn.ran_ms = (drawn.ran_ms * factor).min(1 << 42);
            }
        }
        let (ours, theirs) = (live(&history).1, live(&other).1);
        for (index, (ours, theirs)) in ours.iter().zip(&theirs).enumerate().take(cut + 1) {
            prop_assert!(**ours == **theirs, "forecast {} differs", index);
        }
    }
}
