//! Keeping a result in docs/bench, with the day and the machine.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::session::Session;
use super::{machine, row};

/// Writes `<folder>/<day>-<name>.md`; a second run of the same day replaces the first.
pub(super) fn write(folder: &Path, name: &str, session: &Session) -> anyhow::Result<PathBuf> {
    let day = machine::today();
    let path = folder.join(format!("{day}-{name}.md"));
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    fs::write(&path, page(name, &day, &machine::description(), session))
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

fn page(name: &str, day: &str, machine: &str, session: &Session) -> String {
    let mut page = format!("# Benchmark `{name}`, {day}\n\n`cargo xtask bench {name} --save` on\n\n{machine}\n");
    page.push_str(&row::table(session.rows()));
    if !session.absences().is_empty() {
        page.push_str("\nNot measured:\n\n");
    }
    for absence in session.absences() {
        page.push_str(&format!("- bar {}: {}\n", absence.bar, absence.reason));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::super::row::{Row, Target};
    use super::*;

    #[test]
    fn a_page_tells_day_machine_rows_and_what_is_absent() {
        let mut session = Session::new(PathBuf::from("no/such/folder"));
        session.add(Row::new(6, "64 nodes", 1.5, Target::AtMost(2.0), "s"));
        session.data(3, "philly/philly.csv");
        let expected = "\
# Benchmark `speed`, 2026-11-23

`cargo xtask bench speed --save` on

- processor: abacus

| bar | case     | measured | target | pass |
| --- | -------- | -------- | ------ | ---- |
| 6   | 64 nodes | 1.500 s  | <= 2 s | yes  |

Not measured:

- bar 3: philly/philly.csv is not in the data folder
";
        assert_eq!(page("speed", "2026-11-23", "- processor: abacus\n", &session), expected);
    }
}
