//! Bar 7: a part of Philly's list lived here, faster: processes that sleep, on devices that a library makes up. Is what `why` says true, do
//! the intervals of expected starts hold, and does the replay of what was recorded start the same workloads in the same order?

mod drive;
mod order;
mod reasons;
mod slice;

use fleet::live::Logged;
use live_rig::Installation;
use store::Reader;

use crate::bench::philly;
use crate::bench::program;
use crate::bench::row::{Row, Target};
use crate::bench::session::Session;

const BAR: u32 = 7;
/// As many as one node can have.
const DEVICES: u32 = 64;

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let Some(path) = session.data(BAR, philly::FILE) else { return Ok(()) };
    let slice = slice::choose(&path)?;
    let mut installation = Installation::new(program::build()?)?.with_devices(DEVICES)?;
    let lived = drive::live(&mut installation, &slice)?;
    let log = whole_log(&Reader::open(installation.store())?)?;
    let told = |what: &str| format!("{what} ({})", slice.words());

    let median_s = slice.median_s();
    session.add(Row::new(BAR, told("median run"), median_s, Target::AtLeast(2.0), "s"));
    session.add(Row::new(BAR, "most that waited at once", lived.most_waiting as f64, Target::AtLeast(1_000.0), ""));
    let checked = reasons::check(&log, &lived.answers)?;
    let case = format!("reasons that are not true, of {} ({})", checked.asked, checked.words());
    session.add(Row::new(BAR, case, checked.untrue as f64, Target::AtMost(0.0), "answers"));

    let starts = order::starts(&log);
    let held = drive::held(&lived.answers, &starts);
    let case = format!("80 % intervals of the expected start that hold, of {} asked at random moments", held.asked);
    session.add(Row::new(BAR, case, held.share_pct(), Target::Between(75.0, 85.0), "%"));
    let case = "median width of these intervals, of the wait that came";
    session.add(Row::new(BAR, case, held.median_width, Target::Stated, ""));

    let case = "handed in and never started";
    let absent = slice.jobs.len().abs_diff(starts.len());
    session.add(Row::new(BAR, case, absent as f64, Target::AtMost(0.0), "workloads"));
    let replayed = order::replay(&installation)?;
    let compared = order::compare(&starts, &replayed);
    let case = format!("not started in the replay of what was recorded, of {}", starts.len());
    session.add(Row::new(BAR, case, compared.missing as f64, Target::AtMost(0.0), "workloads"));
    let case = "pairs whose order is another, though their starts lie more than 1 s apart";
    session.add(Row::new(BAR, case, compared.inverted as f64, Target::AtMost(0.0), "pairs"));
    session.add(Row::new(BAR, "furthest that a start moved", compared.furthest_s, Target::Stated, "s"));
    Ok(())
}

/// All of it: a reader gives so much at once and no more.
fn whole_log(reader: &Reader) -> anyhow::Result<Vec<Logged>> {
    let mut log: Vec<Logged> = Vec::new();
    loop {
        let more = reader.entries_since(log.last().map_or(0, |last| last.seq), usize::MAX)?;
        if more.is_empty() {
            return Ok(log);
        }
        log.extend(more);
    }
}
