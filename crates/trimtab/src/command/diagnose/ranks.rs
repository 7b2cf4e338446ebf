//! Profiles of ranks of one job, beside what is said of each.

use ::diagnose::kineto::{Breakdown, Ranks};
use ::diagnose::recognise::FileKind;
use fleet::problem::Problems;

use super::read::files_told;
use super::{Diagnosed, Figures};
use crate::shown;

/// What profiles among these say together: one for each job of which there are two ranks or more.
pub(super) fn joined(diagnosed: &[Diagnosed]) -> Vec<Diagnosed> {
    let profile = |diagnosed: &Diagnosed| match &diagnosed.figures {
        Figures::Kineto(breakdown) => Some((diagnosed.file.clone(), breakdown.clone())),
        _ => None,
    };
    let profiles: Vec<(String, Box<Breakdown>)> = diagnosed.iter().filter_map(profile).collect();
    Ranks::of(profiles.iter().map(|(_, breakdown)| &**breakdown)).into_iter().map(|job| told(job, &profiles)).collect()
}

fn told(job: Ranks, profiles: &[(String, Box<Breakdown>)]) -> Diagnosed {
    let files: Vec<&String> =
        profiles.iter().filter(|(_, breakdown)| job.holds(breakdown)).map(|(file, _)| file).collect();
    let size = job.world_size.map_or_else(String::new, |size| format!(" of {size}"));
    Diagnosed {
        file: files.first().map_or_else(String::new, |first| files_told(first, files.len() - 1)),
        kind: FileKind::Kineto.name(),
        about: format!("Profiles of one job beside each other: {}{size}.", shown::count(job.ranks.len(), "rank")),
        findings: job.findings(),
        left_out: (&Problems::default()).into(),
        figures: Figures::Ranks(job),
        picture: None,
        record: None,
    }
}
