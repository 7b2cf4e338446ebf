//! What a benchmark works with: the folder of its data, and the rows it fills.

use std::path::PathBuf;

use super::row::Row;

/// A bar's number, and what measures it.
pub(crate) type Bar = (u32, fn(&mut Session) -> anyhow::Result<()>);

/// A bar that could not be measured here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Absence {
    /// The bar's number.
    pub(crate) bar: u32,
    /// What is absent.
    pub(crate) reason: String,
}

/// One run of one benchmark.
#[derive(Debug)]
pub(crate) struct Session {
    data: PathBuf,
    /// The bar that is asked for; all, if none is named.
    only: Option<u32>,
    /// So many runs of what is repeated.
    runs: Option<usize>,
    rows: Vec<Row>,
    absences: Vec<Absence>,
}

impl Session {
    /// A run over the data in a folder, which need not exist: then every bar that needs data is skipped, and said.
    pub(crate) fn new(data: PathBuf) -> Self {
        Self { data, only: None, runs: None, rows: Vec::new(), absences: Vec::new() }
    }

    /// Only this bar.
    pub(crate) fn only(mut self, bar: Option<u32>) -> Self {
        self.only = bar;
        self
    }

    /// So many runs of what is repeated, where a bar repeats something; as many as it wants, if nothing is said.
    pub(crate) fn limited(mut self, runs: Option<usize>) -> Self {
        self.runs = runs;
        self
    }

    /// How many runs are asked for.
    pub(crate) fn runs(&self) -> Option<usize> {
        self.runs
    }

    /// Measures the bars that are asked for.
    pub(crate) fn run(&mut self, bars: &[Bar]) -> anyhow::Result<()> {
        if let Some(bar) = self.only.filter(|bar| bars.iter().all(|(number, _)| number != bar)) {
            let first = bars.first().map_or(0, |(number, _)| *number);
            let last = bars.last().map_or(0, |(number, _)| *number);
            anyhow::bail!("--bar {bar}: its bars are {first} to {last}");
        }
        let asked = |number: u32| self.only.is_none_or(|only| only == number);
        let bars: Vec<&Bar> = bars.iter().filter(|(number, _)| asked(*number)).collect();
        bars.into_iter().try_for_each(|(_, run)| run(self))
    }

    /// The path of a file or folder of the data that `bar` is measured on; nothing where it is absent, which is noted.
    pub(crate) fn data(&mut self, bar: u32, relative: &str) -> Option<PathBuf> {
        let path = self.data.join(relative);
        if path.exists() {
            return Some(path);
        }
        self.skip(bar, format!("{relative} is not in the data folder"));
        None
    }

    /// Notes that a bar could not be measured for another reason than its data.
    pub(crate) fn skip(&mut self, bar: u32, reason: impl Into<String>) {
        let absence = Absence { bar, reason: reason.into() };
        if !self.absences.contains(&absence) {
            self.absences.push(absence);
        }
    }

    /// Takes a row, and tells a person who waits that it is there.
    pub(crate) fn add(&mut self, row: Row) {
        eprintln!("measured {row}");
        self.rows.push(row);
    }

    /// The rows so far.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The bars that could not be measured.
    pub(crate) fn absences(&self) -> &[Absence] {
        &self.absences
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_data_is_noted_once() {
        let mut session = Session::new(PathBuf::from("no/such/folder"));
        assert_eq!(session.data(3, "philly/philly.csv"), None);
        assert_eq!(session.data(3, "philly/philly.csv"), None);
        let noted = Absence { bar: 3, reason: "philly/philly.csv is not in the data folder".to_owned() };
        assert_eq!(session.absences(), [noted]);
    }
}
