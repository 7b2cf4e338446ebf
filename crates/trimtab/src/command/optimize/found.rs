//! What was found of work that ran: from the installation, or from what `trimtab findings` printed of another.

use std::path::Path;

use ::store::{FindingQuery, Reader};
use advise::slow::Slow;
use fleet::finding::Finding;
use fleet::ids::WorkloadId;
use fleet::kept_finding::FindingState;
use fleet::time::Timestamp;
use serde::Deserialize;

use crate::failure::{Failure, Outcome};
use crate::installation::{self, Installation};
use crate::{shown, small_file};

/// No list of findings is larger.
const MIB_MAX: u64 = 64;

/// Work that was found to be slow.
pub(super) fn slow(file: Option<&Path>, installation: Option<&Installation>) -> Outcome<Vec<Slow>> {
    if let Some(file) = file {
        return printed(file);
    }
    let Some(installation) = installation else { return Ok(Vec::new()) };
    let outside = |error: ::store::StoreError| Failure::outside(error.to_string());
    let reader = Reader::open(installation::store(&installation.folder()?)).map_err(outside)?;
    let now = Timestamp(shown::now_ms());
    let all = FindingQuery { state: None, workload: None, now, limit: Reader::FINDINGS_MAX };
    let found = reader.findings(&all).map_err(outside)?;
    // What is muted nobody wants to hear of here either.
    let told = found.into_iter().filter(|kept| kept.state(now) != FindingState::Muted);
    Ok(told
        .filter_map(|kept| {
            let (from, until) = (kept.since(), kept.closed);
            Slow::of(kept.finding, kept.workload, from, until)
        })
        .collect())
}

/// A list as `trimtab findings --format json` prints it.
#[derive(Deserialize)]
struct Printed {
    findings: Vec<One>,
}

#[derive(Deserialize)]
struct One {
    state: String,
    workload: Option<u32>,
    since_ms: i64,
    closed_ms: Option<i64>,
    finding: Finding,
}

fn printed(path: &Path) -> Outcome<Vec<Slow>> {
    let text = small_file::read(path, MIB_MAX)?;
    let printed: Printed = serde_json::from_str(&text).map_err(|error| {
        Failure::input(format!(
            "{} is no list of findings as `trimtab findings --all --format json` prints it: {error}",
            path.display()
        ))
    })?;
    let told = printed.findings.into_iter().filter(|one| one.state != FindingState::Muted.name());
    Ok(told
        .filter_map(|one| {
            let (from, until) = (Timestamp(one.since_ms), one.closed_ms.map(Timestamp));
            Slow::of(one.finding, one.workload.map(WorkloadId), from, until)
        })
        .collect())
}
