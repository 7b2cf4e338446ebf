//! Times of steps, worker by worker. Workers that are in one table only are left out, and that is told.

use super::{Comparison, Figure, Part};
use crate::median::mean;
use crate::steps::Steps;

/// What became of the mean step of a worker.
///
/// # Errors
/// If there is no worker in both.
pub fn of_steps(before: &Steps, after: &Steps) -> Result<Comparison, String> {
    let of_both = |worker: &&u64| before.workers.binary_search(worker).is_ok();
    let workers: Vec<u64> = after.workers.iter().filter(of_both).copied().collect();
    if workers.is_empty() {
        return Err("no worker is in both".to_owned());
    }
    let means = |steps: &Steps| -> Vec<f64> { workers.iter().map(|worker| mean_of(steps, *worker)).collect() };
    let (means_before, means_after) = (means(before), means(after));
    let count = workers.len() as f64;
    let parts = workers.iter().zip(means_before.iter().zip(&means_after)).map(|(worker, (before, after))| {
        let name = format!("worker {worker}");
        let how = format!("whose step takes {:.2} times as long as before", after / before);
        Part { how, ..Part::between("workers", name, before / count, after / count) }
    });
    let whole = |means: &[f64]| mean(means).unwrap_or(0.0);
    let mut comparison = Comparison::of("step", "", (whole(&means_before), whole(&means_after)), parts.collect());
    let pace = |steps: &Steps| slowest(steps, &workers);
    let name = "a step in which all wait for the slowest".to_owned();
    comparison.beside = vec![Figure { name, unit: "", before: pace(before), after: pace(after) }];
    let left_out = before.workers.len() + after.workers.len() - 2 * workers.len();
    if left_out > 0 {
        comparison.notes.push(format!("{left_out} workers are in one of the two only, and are left out."));
    }
    comparison.notes.push(
        "A step is the mean of all recorded steps and workers; a worker's part is its share of that mean.".to_owned(),
    );
    Ok(comparison)
}

fn mean_of(steps: &Steps, worker: u64) -> f64 {
    let place = steps.workers.binary_search(&worker).expect("it is in both");
    let there: Vec<f64> = steps.of_worker(place).iter().copied().filter(|length| !length.is_nan()).collect();
    mean(&there).unwrap_or(0.0)
}

/// The mean over steps of the slowest of these workers.
fn slowest(steps: &Steps, workers: &[u64]) -> f64 {
    let places: Vec<usize> = workers.iter().filter_map(|worker| steps.workers.binary_search(worker).ok()).collect();
    let of_step = |step: usize| {
        let there = places.iter().map(|place| steps.of_worker(*place)[step]).filter(|length| !length.is_nan());
        there.reduce(f64::max)
    };
    mean(&(0..steps.steps.len()).filter_map(of_step).collect::<Vec<f64>>()).unwrap_or(0.0)
}
