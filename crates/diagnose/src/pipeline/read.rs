//! Operations from a table: CSV with a line of column names, one operation a row, in any order.

use std::io::BufRead;

use fleet::problem::{Problem, Problems};
use fleet::text::shown;
use fleet::text::table::Fields;

use super::operation::{Kind, Operation};
use crate::rows::{self, Slip};

/// So many operations are read, of 64 bytes each; of what comes after them, nothing is kept, and that is told.
pub const OPERATIONS_MAX: usize = 16 << 20;

/// Ranks, stages, sequence numbers and chunks are below this; a number beyond it is taken for a slip.
const NUMBER_MAX: u32 = 1 << 20;

/// A moment and a length, in seconds, are at most this: three centuries.
const SECONDS_MAX: f64 = 1e10;

/// The columns, by the names that the published traces give them. `mb_id` is there as well, and not needed.
const COLUMNS: [&str; 10] =
    ["dp_rank", "stage", "rank", "step", "optype", "start_ts", "duration", "seq_id", "mc", "gmc"];

/// What a table held.
#[derive(Debug, Default)]
pub struct Read {
    /// Its operations, in the order of the rows.
    pub operations: Vec<Operation>,
    /// What could not be read, and was left out.
    pub problems: Problems,
}

/// Whether a line of column names is that of such a table.
#[must_use]
pub fn is_header(line: &str) -> bool {
    let names: Vec<&str> = line.split(',').map(str::trim).collect();
    COLUMNS.iter().all(|column| names.contains(column))
}

/// Reads a table. `file` is what problems call it.
///
/// # Errors
/// If a column is missing, or the input cannot be read at all. What is cut off or broken in the middle is told among the
/// problems, and what came before it is kept.
pub fn read(input: impl BufRead, file: &str) -> Result<Read, Problem> {
    let find = |names: &[String]| -> Result<[usize; COLUMNS.len()], String> {
        let mut at = [0; COLUMNS.len()];
        for (at, column) in at.iter_mut().zip(COLUMNS) {
            *at = names.iter().position(|name| name == column).ok_or_else(|| {
                format!("there is no column `{column}`; a trace of operations has {}", COLUMNS.join(", "))
            })?;
        }
        Ok(at)
    };
    let (operations, problems) = rows::read(input, file, ("operations", OPERATIONS_MAX), find, operation)?;
    Ok(Read { operations, problems })
}

fn operation(fields: Fields<'_>, at: &[usize; COLUMNS.len()]) -> Result<Operation, Slip> {
    let text = |column: usize| (COLUMNS[column], fields.get(at[column]));
    Ok(Operation {
        dp_rank: number(text(0))?,
        stage: number(text(1))?,
        rank: number(text(2))?,
        step: step(text(3))?,
        kind: kind(text(4))?,
        start_seconds: seconds(text(5), -SECONDS_MAX)?,
        seconds: seconds(text(6), 0.0)?,
        sequence: number(text(7))?,
        chunk: chunk(text(8))?,
        model_chunk: chunk(text(9))?,
    })
}

fn number((column, text): (&'static str, &str)) -> Result<u32, Slip> {
    // Tables that went through data frames write 3 as 3.0.
    let digits = text.strip_suffix(".0").unwrap_or(text);
    digits
        .parse()
        .ok()
        .filter(|&number| number < NUMBER_MAX)
        .ok_or_else(|| (column, format!("`{}` is not a whole number from 0 to {}", shown(text), NUMBER_MAX - 1)))
}

fn step((column, text): (&'static str, &str)) -> Result<u64, Slip> {
    let digits = text.strip_suffix(".0").unwrap_or(text);
    digits.parse().map_err(|_| (column, format!("`{}` is not the number of a step", shown(text))))
}

fn kind((column, text): (&'static str, &str)) -> Result<Kind, Slip> {
    Kind::named(text).ok_or_else(|| {
        let names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        (column, format!("`{}` is not known; known are {}", shown(text), names.join(", ")))
    })
}

fn seconds((column, text): (&'static str, &str), least: f64) -> Result<f64, Slip> {
    let within = |seconds: &f64| (least..=SECONDS_MAX).contains(seconds);
    text.parse()
        .ok()
        .filter(within)
        .ok_or_else(|| (column, format!("`{}` is not a number of seconds from {least} to {SECONDS_MAX}", shown(text))))
}

/// Nothing, or −1, where an operation works for no chunk.
fn chunk((column, text): (&'static str, &str)) -> Result<Option<u32>, Slip> {
    match text {
        "" | "-1" | "-1.0" => Ok(None),
        text => number((column, text)).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "dp_rank,stage,rank,step,optype,start_ts,duration,seq_id,mc,mb_id,gmc\n";

    #[test]
    fn rows_become_operations() {
        let table = format!("{HEADER}1,0,2,16,forward-send,0.5,0.25,3.0,-1,-1,-1\n0,0,0,16,gc,6.1,0.0,0,0,,0\n");
        let read = read(table.as_bytes(), "t").unwrap();
        assert_eq!(read.problems.count(), 0);
        let first = read.operations[0];
        assert_eq!((first.dp_rank, first.rank, first.step, first.kind), (1, 2, 16, Kind::ForwardSend));
        assert_eq!((first.start_seconds, first.seconds, first.sequence, first.chunk), (0.5, 0.25, 3, None));
        assert_eq!((read.operations[1].chunk, read.operations[1].model_chunk), (Some(0), Some(0)));
    }

    #[test]
    fn bad_rows_are_named_and_left_out() {
        let good = "0,0,0,16,gc,0,0,0,0,0,0";
        for (row, expected) in [
            ("x,0,0,16,gc,0,0,0,0,0,0", "t:3: field `dp_rank`: `x` is not a whole number from 0 to 1048575"),
            (
                "0,0,0,16,gc,0,-1,0,0,0,0",
                "t:3: field `duration`: `-1` is not a number of seconds from 0 to 10000000000",
            ),
            ("0,0,0,16,gc,nan,0,0,0,0,0", "t:3: field `start_ts`: `nan` is not a number of seconds"),
            ("0,0,0,16,warp,0,0,0,0,0,0", "t:3: field `optype`: `warp` is not known; known are forward-compute"),
            ("0,0,0,-1,gc,0,0,0,0,0,0", "t:3: field `step`: `-1` is not the number of a step"),
            ("0,0", "t:3: the row has 2 fields; expected 11"),
        ] {
            let read = read(format!("{HEADER}{good}\n{row}\n{good}\n").as_bytes(), "t").unwrap();
            assert_eq!((read.operations.len(), read.problems.count()), (2, 1), "{row}");
            let told = read.problems.kept()[0].to_string();
            assert!(told.starts_with(expected), "{told}");
        }
    }

    #[test]
    fn a_missing_column_is_named() {
        let problem = read(&b"dp_rank,stage\n"[..], "t").unwrap_err();
        assert!(problem.reason.starts_with("there is no column `rank`"), "{problem}");
        assert!(read(&b""[..], "t").is_err());
    }
}
