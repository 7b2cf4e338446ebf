//! Times from a table: a row for each worker and step.

use std::collections::BTreeMap;
use std::io::BufRead;

use fleet::problem::{Problem, Problems};
use fleet::text::shown;
use fleet::text::table::Fields;

use crate::rows::{self, Slip};

/// So many times are read; of what comes after them nothing is kept, and that is told.
pub const TIMES_MAX: usize = 32 << 20;

/// What the columns may be called.
const WORKER: &[&str] = &["worker", "rank"];
const STEP: &[&str] = &["step", "iteration", "time"];
const LENGTH: &[&str] = &["batch_time_norm", "batch_time", "step_time", "step_seconds", "seconds", "duration"];

/// Times of steps: a matrix with holes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Steps {
    /// The workers, in the order of their numbers.
    pub workers: Vec<u64>,
    /// The steps that were recorded, in their order.
    pub steps: Vec<u64>,
    /// `[worker * steps + step]`, in whatever unit the table has; not a number where none was recorded.
    pub lengths: Vec<f64>,
}

impl Steps {
    /// The times of a worker, step by step.
    #[must_use]
    pub fn of_worker(&self, worker: usize) -> &[f64] {
        &self.lengths[worker * self.steps.len()..][..self.steps.len()]
    }
}

/// What a table held.
#[derive(Debug, Default)]
pub struct Read {
    /// The times.
    pub steps: Steps,
    /// What could not be read, and was left out.
    pub problems: Problems,
}

/// Whether a line of column names is that of such a table.
#[must_use]
pub fn is_header(line: &str) -> bool {
    let names: Vec<&str> = line.split(',').map(str::trim).collect();
    [WORKER, STEP, LENGTH].iter().all(|wanted| find(&names, wanted).is_some())
}

fn find<T: AsRef<str>>(columns: &[T], wanted: &[&str]) -> Option<usize> {
    wanted.iter().find_map(|name| columns.iter().position(|column| column.as_ref() == *name))
}

/// Reads a table. `file` is what problems call it.
///
/// # Errors
/// If a column is missing, or nothing can be read. What is cut off or broken in the middle is told among the problems, and
/// what came before it is kept.
pub fn read(input: impl BufRead, file: &str) -> Result<Read, Problem> {
    let problem = |reason: String| Problem { file: file.to_owned(), line: 0, field: None, reason };
    let find_columns = |names: &[String]| -> Result<[usize; 3], String> {
        let mut at = [0; 3];
        for (at, wanted) in at.iter_mut().zip([WORKER, STEP, LENGTH]) {
            *at = find(names, wanted).ok_or_else(|| format!("there is no column {}", wanted.join(" or ")))?;
        }
        Ok(at)
    };
    let (rows, mut problems) = rows::read(input, file, ("times", TIMES_MAX), find_columns, time)?;
    let (steps, rest) = laid_out(&rows);
    if rest.twice > 0 {
        problems.add(problem(format!("{} times stand twice; the first of each was taken", rest.twice)));
    }
    if rest.lone > 0 {
        problems.add(problem(format!("{} times are of steps that hardly any worker has", rest.lone)));
    }
    match (problems.kept().first(), steps.lengths.is_empty()) {
        (Some(first), true) => Err(first.clone()),
        (None, true) => Err(problem("it holds no time".to_owned())),
        _ => Ok(Read { steps, problems }),
    }
}

fn time(fields: Fields<'_>, at: &[usize; 3]) -> Result<(u64, u64, f64), Slip> {
    let whole = |column: usize, name: &'static str| {
        let text = fields.get(column);
        let digits = text.strip_suffix(".0").unwrap_or(text);
        digits.parse().map_err(|_| (name, format!("`{}` is not a whole number", shown(text))))
    };
    let (worker, step) = (whole(at[0], "worker")?, whole(at[1], "step")?);
    let text = fields.get(at[2]);
    let length = text.parse().ok().filter(|length: &f64| length.is_finite() && *length >= 0.0);
    let length = length.ok_or_else(|| ("time", format!("`{}` is not a length of time", shown(text))))?;
    Ok((worker, step, length))
}

/// Rows that are in no matrix.
#[derive(Default)]
struct Rest {
    twice: u64,
    lone: u64,
}

/// The matrix. Steps that less than a quarter of the workers have are left out: they say nothing about peers, and the matrix is at
/// most four times as large as what was read.
fn laid_out(rows: &[(u64, u64, f64)]) -> (Steps, Rest) {
    let mut workers: Vec<u64> = rows.iter().map(|row| row.0).collect();
    workers.sort_unstable();
    workers.dedup();
    let mut by_step = BTreeMap::<u64, usize>::new();
    for (_, step, _) in rows {
        *by_step.entry(*step).or_default() += 1;
    }
    by_step.retain(|_, count| *count * 4 >= workers.len());
    let steps: Vec<u64> = by_step.into_keys().collect();
    let mut lengths = vec![f64::NAN; workers.len() * steps.len()];
    let mut rest = Rest::default();
    for (worker, step, length) in rows {
        let worker = workers.binary_search(worker).expect("it is one of them");
        let Ok(step) = steps.binary_search(step) else {
            rest.lone += 1;
            continue;
        };
        let cell = &mut lengths[worker * steps.len() + step];
        if cell.is_nan() { *cell = *length } else { rest.twice += 1 }
    }
    (Steps { workers, steps, lengths }, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_in_any_order_become_a_matrix() {
        let table = ",worker,gpu,time,batch_time_norm\n0,7,25,11,5.5\n1,2,25,1,4\n2,7,25,1,5\n";
        let read = read(table.as_bytes(), "t").unwrap();
        assert_eq!((read.steps.workers.as_slice(), read.steps.steps.as_slice()), (&[2, 7][..], &[1, 11][..]));
        assert_eq!(read.steps.of_worker(1), [5.0, 5.5]);
        assert!(read.steps.of_worker(0)[1].is_nan());
        assert_eq!(read.problems.count(), 0);
    }

    #[test]
    fn bad_rows_are_named_and_left_out() {
        let table = "rank,step,step_time\n0,1,2\n0,1,3\nx,1,2\n0,2,-1\n0,2,nan\n0\n";
        let read = read(table.as_bytes(), "t").unwrap();
        let told: Vec<String> = read.problems.kept().iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "t:4: field `worker`: `x` is not a whole number",
                "t:5: field `time`: `-1` is not a length of time",
                "t:6: field `time`: `nan` is not a length of time",
                "t:7: the row has 1 fields; expected 3",
                "t: 1 times stand twice; the first of each was taken",
            ]
        );
        assert_eq!(read.steps.lengths, [2.0]);
    }

    #[test]
    fn a_table_of_nothing_is_refused() {
        assert!(read(&b"worker,step,seconds\n"[..], "t").is_err());
        assert!(read(&b"worker,step\n"[..], "t").is_err());
    }
}
