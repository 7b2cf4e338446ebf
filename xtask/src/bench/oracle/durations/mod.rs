//! Bar 4: forecasts of how long workloads run, learnt online, against quantiles that never change.
//!
//! Every workload is forecast when it is submitted, from what had ended by then (and what was still running). Where a source
//! does not tell when runs began, they begin at submission. A rival of the first kind knows the whole file beforehand; one of
//! the second kind learns from ends, as the forecasts do, but never forgets. How much of what is missing could be had at all
//! is stated too: the same learner, told how long each workload runs as soon as its interval is promised. No forecast can
//! know that much.

mod judge;
mod lives;
mod rivals;

use std::path::{Path, PathBuf};

use allocate::predict::Features;
use anyhow::Context;
use connect::file::Input;
use connect::import::Options;
use fleet::history::{Header, Record};
use fleet::time::Timestamp;
use replay::history::History;

use crate::bench::row::{Row, Target};
use crate::bench::session::Session;
use judge::Score;

const BAR: u32 = 4;
/// Folders of logs, and whether the bar names them.
const FOLDERS: [(&str, Standing); 3] =
    [("philly", Standing::Named), ("gaia", Standing::Named), ("swf", Standing::Watched)];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Its score is held to the bar.
    Named,
    /// Only its coverage is: it was made by a model that has nothing to learn from.
    Watched,
}

/// What became of one workload.
pub(super) struct Lived {
    pub(super) features: Features,
    pub(super) submit: Timestamp,
    pub(super) start: Timestamp,
    pub(super) ran_ms: u64,
}

impl Lived {
    fn end(&self) -> Timestamp {
        Timestamp(self.start.0.saturating_add_unsigned(self.ran_ms))
    }
}

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    for (folder, standing) in FOLDERS {
        let Some(path) = session.data(BAR, folder) else { continue };
        for file in logs(&path)? {
            let lived = read(&file)?;
            if lived.is_empty() {
                session.skip(BAR, format!("{} tells of no run", file.display()));
                continue;
            }
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let case = name.split('.').next().unwrap_or_default();
            held(session, case, standing, &lived);
        }
    }
    Ok(())
}

/// The rows of one log.
fn held(session: &mut Session, case: &str, standing: Standing, lived: &[Lived]) {
    let ours = Score::of(lived, &lives::promised(lived));
    let distribution = Score::of(lived, &lives::read_from_distributions(lived));
    let told_at_once = Score::of(lived, &lives::told_at_once(lived));
    let mut add = |what: String, measured: f64, target, unit| {
        session.add(Row::new(BAR, format!("{case}, {what}"), measured, target, unit));
    };
    add("runs within the 80 % interval".to_owned(), ours.inside_percent, Target::Between(75.0, 85.0), "%");
    add("mean interval score".to_owned(), ours.seconds, Target::Stated, "s");
    add("mean pinball loss of the median".to_owned(), ours.median_seconds, Target::Stated, "s");
    let better = ours.seconds_better_percent(&distribution);
    add("interval score better than the forecast distribution's own".to_owned(), better, Target::Stated, "%");
    let has_users = lived.iter().any(|lived| lived.features.user.is_some());
    for (who, bar, by) in [
        ("(queue, size)", Target::AtLeast(20.0), rivals::queue_and_size as fn(&Features) -> rivals::Group),
        ("user", Target::Above(0.0), rivals::user),
    ] {
        if who == "user" && !has_users {
            continue;
        }
        let target = if standing == Standing::Named { bar } else { Target::Stated };
        for (which, rival, target) in [
            ("of the whole file", rivals::of_the_whole_file(lived, by), target),
            ("learnt online", rivals::learnt(lived, by), Target::Stated),
        ] {
            let rival = Score::of(lived, &rival);
            let name = format!("fixed quantiles per {who} {which}");
            add(format!("interval score better than {name}"), ours.seconds_better_percent(&rival), target, "%");
            if which == "of the whole file" {
                let name = format!("{name}, were each run's length told at once");
                add(
                    format!("interval score better than {name}"),
                    told_at_once.seconds_better_percent(&rival),
                    Target::Stated,
                    "%",
                );
            }
            let logarithmic = format!("interval score of log2 seconds better than {name}");
            add(logarithmic, ours.octaves_better_percent(&rival), Target::Stated, "%");
        }
    }
}

/// The logs in a folder, by name.
fn logs(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".csv") || name.ends_with(".swf") || name.ends_with(".swf.gz") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Everything in a log that ran to an end, in order of submission.
fn read(path: &Path) -> anyhow::Result<Vec<Lived>> {
    let input = Input::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let name = path.display().to_string();
    let mut records: Vec<Record> = Vec::new();
    let mut keep = |record| {
        records.push(record);
        Ok(())
    };
    let options = Options::default();
    if name.ends_with(".csv") {
        connect::philly::read(input, &name, &options, &mut keep)?;
    } else {
        connect::swf::read(input, &name, &options, &mut keep)?;
    }
    let header = match records.first() {
        Some(Record::Header(header)) => header.clone(),
        _ => Header::default(),
    };
    let history = History::from_records(header, records.into_iter());
    let ended = history
        .workloads
        .iter()
        .filter(|one| !one.attempts.is_empty() && one.attempts.iter().all(|attempt| !attempt.cut_off));
    let mut lived: Vec<Lived> = ended
        .map(|one| Lived {
            features: Features::of(&one.workload),
            submit: one.submit,
            start: one.attempts[0].start.unwrap_or(one.submit).max(one.submit),
            ran_ms: one.run().0.max(0) as u64,
        })
        .collect();
    lived.sort_by_key(|one| one.submit);
    Ok(lived)
}
