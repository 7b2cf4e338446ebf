//! What was wrong with a row of input. A bad row is reported and left out whole; it is never half read.

use std::fmt;

use serde::Serialize;

/// One thing that is wrong with an input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file, or `-` for standard input.
    pub file: String,
    /// The line, or the record where the format has no lines; from 1. Zero: the file as a whole.
    pub line: u64,
    /// The field, where one is to blame.
    pub field: Option<String>,
    /// What is wrong and what was expected.
    pub reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if let Some(field) = &self.field {
            write!(f, ": field `{field}`")?;
        }
        write!(f, ": {}", self.reason)
    }
}

impl std::error::Error for Problem {}

/// All that was wrong with an input: every problem is counted, the first [`Problems::KEPT`] are kept.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    kept: Vec<Problem>,
    count: u64,
}

impl Problems {
    /// How many problems are kept in full, so that a file of nothing but bad rows costs bounded memory.
    pub const KEPT: usize = 100;

    /// Counts a problem, and keeps it while there is room.
    pub fn add(&mut self, problem: Problem) {
        self.count += 1;
        if self.kept.len() < Self::KEPT {
            self.kept.push(problem);
        }
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The first of them.
    #[must_use]
    pub fn kept(&self) -> &[Problem] {
        &self.kept
    }

    /// Takes over what another list holds.
    pub fn append(&mut self, other: Self) {
        self.count += other.count - other.kept.len() as u64;
        for problem in other.kept {
            self.add(problem);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(line: u64) -> Problem {
        Problem { file: "jobs.csv".into(), line, field: Some("start".into()), reason: "not a time".into() }
    }

    #[test]
    fn a_problem_names_file_line_and_field() {
        assert_eq!(problem(7).to_string(), "jobs.csv:7: field `start`: not a time");
    }

    #[test]
    fn problems_are_all_counted_and_few_kept() {
        let mut problems = Problems::default();
        for line in 0..250 {
            problems.add(problem(line));
        }
        let mut sum = Problems::default();
        sum.append(problems);
        assert_eq!(sum.count(), 250);
        assert_eq!(sum.kept().len(), Problems::KEPT);
    }
}
