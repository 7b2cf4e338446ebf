//! What an import came to, told on standard error.

use std::path::Path;

use connect::import::Report;
use fleet::money::grouped;

/// So many bad rows are shown in full.
const SHOWN: usize = 10;

/// Says what was written, what was left out, and what was odd.
pub(super) fn say(report: &Report, output: &Path) {
    let bad = report.problems.count();
    let rows = if bad == 1 { "row" } else { "rows" };
    let left_out = if bad == 0 { String::new() } else { format!("; {} {rows} left out", count(bad)) };
    eprintln!("{}: {} workloads{left_out}", output.display(), count(report.workloads));
    for problem in report.problems.kept().iter().take(SHOWN) {
        eprintln!("  {problem}");
    }
    if bad > SHOWN as u64 {
        eprintln!("  … and {} more; --strict stops at the first", count(bad - SHOWN as u64));
    }
    for (what, times) in &report.remarks {
        eprintln!(
            "note: {what} ({})",
            if *times == 1 { "once".to_owned() } else { format!("{} times", count(*times)) }
        );
    }
}

fn count(number: u64) -> String {
    grouped(i64::try_from(number).unwrap_or(i64::MAX))
}
