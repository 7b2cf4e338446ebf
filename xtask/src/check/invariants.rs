//! docs/ARCHITECTURE.md names the check of each invariant; what it names exists.
//!
//! A table that points at tests that were renamed or removed is worse than none: it is believed.

use std::fs;

use anyhow::{Context, bail};

use super::places::tracked_files;
use super::{ALL, Outcome, passed_unless};
use crate::workspace;

const PAGE: &str = "docs/ARCHITECTURE.md";
const SECTION: &str = "## Invariants";

/// Every name in the last column of the table of invariants is that of a test, a lint of the workspace, a step of this
/// chore, or a crate.
pub(super) fn run() -> anyhow::Result<Outcome> {
    let root = workspace::root();
    let page = fs::read_to_string(root.join(PAGE)).with_context(|| format!("cannot read {PAGE}"))?;
    let named = named_checks(&page);
    if named.is_empty() {
        bail!("{PAGE} names no check under {SECTION:?}: that table is what this step reads");
    }

    let files = tracked_files()?;
    let read = |path: &String| fs::read_to_string(root.join(path)).ok();
    let sources: Vec<String> = files.iter().filter(|path| path.ends_with(".rs")).filter_map(read).collect();
    let manifest = fs::read_to_string(root.join("Cargo.toml")).context("cannot read Cargo.toml")?;
    let problems: Vec<String> = named
        .iter()
        .filter(|name| {
            let test = format!("fn {name}(");
            let lint = format!("\n{name} = ");
            !sources.iter().any(|source| source.contains(&test))
                && !manifest.contains(&lint)
                && !ALL.iter().any(|step| step.name == **name)
                && !files.contains(&format!("crates/{name}/Cargo.toml"))
        })
        .map(|name| format!("{PAGE}: an invariant is said to be checked by `{name}`, which does not exist"))
        .collect();
    passed_unless(&problems)
}

/// What stands between backticks in the last column of the table of invariants.
fn named_checks(page: &str) -> Vec<&str> {
    page.lines()
        .skip_while(|line| !line.starts_with(SECTION))
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
        .filter_map(|line| line.strip_suffix('|')?.rsplit('|').next())
        .flat_map(|checks| checks.split('`').skip(1).step_by(2))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_column_of_that_table_is_read() {
        let page = "\
| other | `not_this` |

## Invariants, and what checks each

| # | what always holds | checked by |
| --- | --- | --- |
| 1 | no `Device` is promised twice | `fleet`: `a_test`, `another_test` |
| 2 | gangs start whole | not yet |

## Next

| other | `nor_this` |
";
        assert_eq!(named_checks(page), ["fleet", "a_test", "another_test"]);
    }
}
