//! What each kernel took.

use serde::Serialize;

use super::names::{Names, Work};

/// The times of one name, in microseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Kernel {
    /// The name, or `others` for all that are not among the first.
    pub name: String,
    /// What it does.
    pub work: Work,
    /// How often it ran; of `others`, how many names they are.
    pub count: u64,
    /// All of it together.
    pub sum_us: f64,
    /// The longest, the shortest, the mean; where names were put together, of the sums of names.
    pub max_us: f64,
    /// See `max_us`.
    pub min_us: f64,
    /// See `max_us`.
    pub mean_us: f64,
    /// The standard deviation of a sample, likewise; zero of one.
    pub deviation_us: f64,
}

/// So many names of a kind are told before all others are one, and so much of their time at most (the quantile of the sums added
/// up), as HolisticTraceAnalysis 0.5.0 has it (`num_kernels`, `duration_ratio`).
const TOLD: usize = 10;
const QUANTILE: f64 = 0.8;

/// Sums by name.
#[derive(Default)]
pub(super) struct Sums(Vec<Sum>);

/// Welford's: means and deviations without keeping what they are of.
#[derive(Clone, Copy, Default)]
pub(super) struct Sum {
    pub(super) count: u64,
    pub(super) sum: f64,
    pub(super) max: f64,
    pub(super) min: f64,
    mean: f64,
    squares: f64,
}

impl Sum {
    pub(super) fn add(&mut self, value: f64) {
        self.max = if self.count == 0 { value } else { self.max.max(value) };
        self.min = if self.count == 0 { value } else { self.min.min(value) };
        self.count += 1;
        self.sum += value;
        let from = value - self.mean;
        self.mean += from / self.count as f64;
        self.squares += from * (value - self.mean);
    }

    /// Takes all that another took (Chan, Golub and LeVeque).
    pub(super) fn merge(&mut self, other: &Self) {
        if self.count == 0 || other.count == 0 {
            *self = if self.count == 0 { *other } else { *self };
            return;
        }
        let (ours, theirs) = (self.count as f64, other.count as f64);
        let apart = other.mean - self.mean;
        self.squares += other.squares + apart * apart * ours * theirs / (ours + theirs);
        self.mean += apart * theirs / (ours + theirs);
        self.max = self.max.max(other.max);
        self.min = self.min.min(other.min);
        self.sum += other.sum;
        self.count += other.count;
    }

    pub(super) fn mean(&self) -> f64 {
        self.sum / self.count.max(1) as f64
    }

    pub(super) fn deviation(&self) -> f64 {
        if self.count > 1 { (self.squares / (self.count - 1) as f64).sqrt() } else { 0.0 }
    }

    fn kernel(&self, name: &str, work: Work) -> Kernel {
        Kernel {
            name: name.to_owned(),
            work,
            count: self.count,
            sum_us: self.sum,
            max_us: self.max,
            min_us: self.min,
            mean_us: self.mean(),
            deviation_us: self.deviation(),
        }
    }
}

impl Sums {
    pub(super) fn add(&mut self, name: u32, ns: i64) {
        let at = name as usize;
        if at >= self.0.len() {
            self.0.resize(at + 1, Sum::default());
        }
        self.0[at].add(ns as f64 / 1_000.0);
    }

    /// The names that take most of each kind of work, and all others of the kind as one; what takes most first.
    pub(super) fn top(&self, names: &Names) -> Vec<Kernel> {
        let kinds = [Work::Computation, Work::Communication, Work::Memory];
        let mut top: Vec<Kernel> = kinds.into_iter().flat_map(|work| self.top_of(names, work)).collect();
        top.sort_by(|a, b| b.sum_us.total_cmp(&a.sum_us));
        top
    }

    /// Every name by itself, in no order that would matter.
    pub(super) fn each(&self, names: &Names) -> impl Iterator<Item = Kernel> {
        let some = (0..).zip(&self.0).filter(|(_, sum)| sum.count > 0);
        some.map(|(name, sum)| sum.kernel(names.name(name), names.work(name)))
    }

    fn top_of(&self, names: &Names, work: Work) -> Vec<Kernel> {
        let mut kernels: Vec<Kernel> = self.each(names).filter(|kernel| kernel.work == work).collect();
        kernels.sort_by(|a, b| b.sum_us.total_cmp(&a.sum_us));
        if kernels.len() <= TOLD {
            return kernels;
        }
        let mut added = 0.0;
        let added_up: Vec<f64> = kernels
            .iter()
            .map(|kernel| {
                added += kernel.sum_us;
                added
            })
            .collect();
        let most = quantile(&added_up, QUANTILE);
        let mut others = Sum::default();
        let mut told = Vec::new();
        for ((at, kernel), added) in kernels.into_iter().enumerate().zip(added_up) {
            if at >= TOLD || added > most {
                others.add(kernel.sum_us);
            } else {
                // Of one name that stands for itself among names, the sum is all that there is.
                let mut alone = Sum::default();
                alone.add(kernel.sum_us);
                told.push(Kernel { count: kernel.count, ..alone.kernel(&kernel.name, work) });
            }
        }
        told.push(others.kernel("others", work));
        told
    }
}

/// Of sorted values, with what lies between two of them.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_names_are_told_with_their_times() {
        let (mut names, mut sums) = (Names::default(), Sums::default());
        for (name, us) in [("a", 1), ("a", 3), ("Memcpy HtoD", 9), ("a", 2)] {
            sums.add(names.number(name), us * 1_000);
        }
        let top = sums.top(&names);
        assert_eq!(top.iter().map(|kernel| kernel.name.as_str()).collect::<Vec<_>>(), ["Memcpy HtoD", "a"]);
        let a = &top[1];
        assert_eq!((a.count, a.sum_us, a.max_us, a.min_us, a.mean_us, a.deviation_us), (3, 6.0, 3.0, 1.0, 2.0, 1.0));
    }

    #[test]
    fn of_many_names_the_rest_is_one() {
        let (mut names, mut sums) = (Names::default(), Sums::default());
        for at in 1..=20 {
            sums.add(names.number(&format!("k{at}")), at * 1_000);
        }
        let top = sums.top(&names);
        // 20, 19, ... 11 are ten; with 0.8 of twenty sums added up, the quantile is above all of them.
        let others = top.iter().find(|kernel| kernel.name == "others").unwrap();
        assert_eq!((others.count, others.sum_us, others.max_us, others.min_us), (10, 55.0, 10.0, 1.0));
        assert_eq!(top.len(), 11);
        assert!((quantile(&[1.0, 2.0, 4.0], 0.75) - 3.0).abs() < 1e-12);
    }
}
