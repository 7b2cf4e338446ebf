//! Tables of which each row is one thing: bad rows are named and left out, and what is cut off keeps what came before.

use std::io::{self, BufRead};

use fleet::problem::{Problem, Problems};
use fleet::text::table::{Fields, Row, Table};

/// What is wrong with a row: its field, and what was expected there.
pub(crate) type Slip = (&'static str, String);

/// Reads a table, of which so many rows are kept. `find` finds the columns by their names, `parse` reads a row by them; `things` is what
/// rows are called.
pub(crate) fn read<C, T>(
    input: impl BufRead,
    file: &str,
    (things, rows_max): (&str, usize),
    find: impl FnOnce(&[String]) -> Result<C, String>,
    parse: impl Fn(Fields<'_>, &C) -> Result<T, Slip>,
) -> Result<(Vec<T>, Problems), Problem> {
    let problem = |line, field: Option<&str>, reason: String| Problem {
        file: file.to_owned(),
        line,
        field: field.map(str::to_owned),
        reason,
    };
    let mut table = Table::begin(input, b',').map_err(|error| problem(1, None, error.to_string()))?;
    let columns = find(table.columns()).map_err(|reason| problem(1, None, reason))?;
    let (mut rows, mut problems) = (Vec::new(), Problems::default());
    loop {
        let (line, row) = match table.next_row() {
            Ok(None) => break,
            Ok(Some(row)) => row,
            Err(error) => {
                let reason = format!("reading stopped after {} {things}: {}", rows.len(), words(&error));
                let line = table.line();
                problems.add(problem(line, None, reason));
                break;
            }
        };
        match row {
            Row::Bad(reason) => problems.add(problem(line, None, reason)),
            Row::Fields(_) if rows.len() == rows_max => {
                problems.add(problem(line, None, format!("only the first {rows_max} {things} were read")));
                break;
            }
            Row::Fields(fields) => match parse(fields, &columns) {
                Ok(row) => rows.push(row),
                Err((field, reason)) => problems.add(problem(line, Some(field), reason)),
            },
        }
    }
    Ok((rows, problems))
}

/// Why an input cannot be read on; that of a compressed file that is cut off says so.
pub(crate) fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the file is cut off; copy it again".to_owned(),
        _ => error.to_string(),
    }
}
