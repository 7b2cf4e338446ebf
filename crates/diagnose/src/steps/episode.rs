//! Who was slower than its peers, and when.
//!
//! Of each worker the median of [`WINDOW`] recorded steps is held against the median of the same of its peers. An episode is
//! where that stays [`OPENS`] times as long; its ends are where the median of three steps falls below [`ENDS`].

use serde::Serialize;

use super::read::Steps;
use crate::median::median;

/// How many recorded steps are looked at together.
pub const WINDOW: usize = 9;

/// How many times as long as its peers a worker's steps are before it counts as slow. Of 1.2 (20 %): the threshold at which
/// stragglers are told in "Understanding Stragglers in Large Model Training Using What-if Analysis" is 1.1 for whole jobs; single
/// workers vary by 10 % and more all the time.
pub const OPENS: f64 = 1.2;

/// Where an episode ends.
const ENDS: f64 = 1.1;

/// So many windows in a row make an episode: single ones come by chance.
const WINDOWS_MIN: usize = 3;

/// Fewer workers have no peers worth the name.
const WORKERS_MIN: usize = 3;

/// A time in which a worker is slow.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Episode {
    /// The worker's number.
    pub worker: u64,
    /// The first step of it.
    pub first_step: u64,
    /// The last.
    pub last_step: u64,
    /// How many times as long as those of its peers its steps are, at the median.
    pub slowdown: f64,
    /// What its steps take at the median, and what its peers' do.
    pub length: f64,
    /// See `length`.
    pub peers_length: f64,
    /// Whether it is still slow at the end of the record.
    pub lasting: bool,
}

/// All of them, by worker and step.
#[must_use]
pub fn episodes(steps: &Steps) -> Vec<Episode> {
    if steps.workers.len() < WORKERS_MIN {
        return Vec::new();
    }
    let (wide, narrow) = (ratios(steps, WINDOW), ratios(steps, 3));
    let count = steps.steps.len();
    let mut episodes = Vec::new();
    for worker in 0..steps.workers.len() {
        let of = |ratios: &[f64]| ratios[worker * count..][..count].to_vec();
        for (first, last) in runs(&of(&wide)) {
            let (first, last) = ends(&of(&narrow), first, last);
            episodes.push(episode(steps, worker, first, last));
        }
    }
    episodes
}

/// How many times as long as its peers each worker is, step by step, by medians over `window` steps around it.
fn ratios(steps: &Steps, window: usize) -> Vec<f64> {
    let count = steps.steps.len();
    let smooth: Vec<f64> =
        (0..steps.workers.len()).flat_map(|worker| smoothed(steps.of_worker(worker), window)).collect();
    let mut ratios = vec![f64::NAN; smooth.len()];
    for step in 0..count {
        let mut sorted: Vec<f64> = smooth.iter().skip(step).step_by(count).copied().filter(|v| !v.is_nan()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        for worker in 0..steps.workers.len() {
            let own = smooth[worker * count + step];
            if let Some(peers) = median_without(&sorted, own).filter(|peers| *peers > 0.0) {
                ratios[worker * count + step] = own / peers;
            }
        }
    }
    ratios
}

/// The median of `window` values around each; of those that are there.
fn smoothed(values: &[f64], window: usize) -> Vec<f64> {
    let half = window / 2;
    let around = |at: usize| {
        let near = &values[at.saturating_sub(half)..(at + half + 1).min(values.len())];
        median(&mut near.iter().copied().filter(|value| !value.is_nan()).collect::<Vec<f64>>()).unwrap_or(f64::NAN)
    };
    (0..values.len()).map(around).collect()
}

/// The median of all but one, which is among them.
fn median_without(sorted: &[f64], one: f64) -> Option<f64> {
    if one.is_nan() || sorted.len() < 2 {
        return None;
    }
    let place = sorted.partition_point(|value| *value < one);
    let at = |index: usize| sorted[if index < place { index } else { index + 1 }];
    let others = sorted.len() - 1;
    Some(if others.is_multiple_of(2) { f64::midpoint(at(others / 2 - 1), at(others / 2)) } else { at(others / 2) })
}

/// Where windows stay above the threshold long enough; runs that are parted by less than half a window are one.
fn runs(ratios: &[f64]) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for at in (0..ratios.len()).filter(|&at| ratios[at] >= OPENS) {
        match runs.last_mut() {
            Some((_, last)) if at - *last <= WINDOW / 2 => *last = at,
            _ => runs.push((at, at)),
        }
    }
    runs.retain(|(first, last)| last - first + 1 >= WINDOWS_MIN);
    runs
}

/// The ends, as far out as shorter medians show it.
fn ends(ratios: &[f64], first: usize, last: usize) -> (usize, usize) {
    let near = |at: usize| at.saturating_sub(WINDOW / 2)..=(at + WINDOW / 2).min(ratios.len() - 1);
    let slow = |at: &usize| ratios[*at] >= ENDS;
    let first = near(first).find(slow).unwrap_or(first);
    let last = near(last).rev().find(slow).unwrap_or(last);
    (first.min(last), last)
}

fn episode(steps: &Steps, worker: usize, first: usize, last: usize) -> Episode {
    let within = |values: &[f64]| values[first..=last].iter().copied().filter(|v| !v.is_nan()).collect::<Vec<f64>>();
    let length = median(&mut within(steps.of_worker(worker))).unwrap_or(f64::NAN);
    let peers = (0..steps.workers.len()).filter(|&other| other != worker);
    let mut of_peers: Vec<f64> = peers.filter_map(|other| median(&mut within(steps.of_worker(other)))).collect();
    let peers_length = median(&mut of_peers).unwrap_or(f64::NAN);
    Episode {
        worker: steps.workers[worker],
        first_step: steps.steps[first],
        last_step: steps.steps[last],
        slowdown: length / peers_length,
        length,
        peers_length,
        lasting: last + WINDOW / 2 + 1 >= steps.steps.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Six workers and 60 steps of 100, a little different each, with some times as they are told.
    fn steps(slow: impl Fn(usize, usize) -> Option<f64>) -> Steps {
        let usual = |worker: usize, step: usize| 100.0 + ((worker * 7 + step * 13) % 11) as f64;
        let cells = (0..6).flat_map(|worker| (0..60).map(move |step| (worker, step)));
        let lengths = cells.map(|(worker, step)| slow(worker, step).unwrap_or_else(|| usual(worker, step))).collect();
        Steps { workers: (0..6).collect(), steps: (0..60).collect(), lengths }
    }

    #[test]
    fn who_is_slow_for_a_while_is_found_with_its_ends() {
        let found = episodes(&steps(|worker, step| (worker == 4 && (20..35).contains(&step)).then_some(160.0)));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].worker, found[0].lasting), (4, false));
        assert!(found[0].first_step.abs_diff(20) <= 1 && found[0].last_step.abs_diff(34) <= 1, "{found:?}");
        assert!((found[0].slowdown - 1.52).abs() < 0.05, "{found:?}");
    }

    #[test]
    fn who_stays_slow_is_told_so() {
        let found = episodes(&steps(|worker, step| (worker == 0 && step >= 30).then_some(150.0)));
        assert_eq!(found.iter().map(|episode| (episode.worker, episode.lasting)).collect::<Vec<_>>(), [(0, true)]);
    }

    #[test]
    fn single_slow_steps_and_slow_phases_of_all_are_nothing() {
        assert_eq!(episodes(&steps(|worker, step| (step % 9 == worker).then_some(300.0))), []);
        assert_eq!(episodes(&steps(|_, step| (20..40).contains(&step).then_some(250.0))), []);
        assert_eq!(episodes(&steps(|worker, _| (worker < 3).then_some(115.0))), []);
    }

    #[test]
    fn a_record_shorter_than_a_window_has_its_episode_too() {
        let lengths = (0..16).map(|cell| if cell / 4 == 2 { 300.0 } else { 100.0 }).collect();
        let found = episodes(&Steps { workers: (0..4).collect(), steps: vec![6, 7, 8, 9], lengths });
        assert_eq!(found.iter().map(|episode| (episode.worker, episode.last_step)).collect::<Vec<_>>(), [(2, 9)]);
    }

    #[test]
    fn ends_lie_within_the_record() {
        // Slow by the wide medians from the second step on, and by the narrow ones nowhere.
        assert_eq!(ends(&[1.0, 1.0, 1.0, 1.0], 1, 3), (1, 3));
        assert_eq!(ends(&[f64::NAN, 1.5, 1.5, 1.0], 0, 3), (1, 2));
    }

    #[test]
    fn holes_are_no_times() {
        let found = episodes(&steps(|worker, step| match (worker, step) {
            (4, 20..35) => Some(160.0),
            (_, step) if step % 4 == 1 => Some(f64::NAN),
            _ => None,
        }));
        assert_eq!(found.iter().map(|episode| episode.worker).collect::<Vec<_>>(), [4]);
    }

    #[test]
    fn the_median_of_the_others_leaves_one_out() {
        for (values, one, expected) in
            [(&[1.0, 2.0, 3.0][..], 2.0, Some(2.0)), (&[1.0, 2.0, 3.0, 9.0], 9.0, Some(2.0)), (&[1.0], 1.0, None)]
        {
            assert_eq!(median_without(values, one), expected);
        }
    }
}
