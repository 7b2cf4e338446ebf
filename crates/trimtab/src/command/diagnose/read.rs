//! Files read as what they are.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::{Path, PathBuf};

use ::diagnose::devices::{self, Device};
use ::diagnose::hang::{self, Dump, Hang};
use ::diagnose::kineto::Step;
use ::diagnose::pipeline::{self, Chosen, Timeline, Trace, WhatIf};
use ::diagnose::recognise::{FileKind, recognise};
use ::diagnose::{drawing, kineto, steps, xid};
use connect::file::Input;
use connect::parquet;
use fleet::problem::{Problem, Problems};

use super::page::Picture;
use super::perfetto::Perfetto;
use super::{Diagnosed, Figures, Record, ranks, scratch};
use crate::failure::{Failure, Outcome};
use crate::global::Global;
use crate::{progress, shown};

/// What files show, and what could not be read of any.
#[derive(Default)]
pub(super) struct Read {
    pub(super) diagnosed: Vec<Diagnosed>,
    pub(super) failures: Vec<Failure>,
    /// Files of folders that are of no kind that is read.
    pub(super) passed: Vec<PathBuf>,
    pub(super) asked: Asked,
    dumps: Dumps,
}

/// What was asked for beside findings.
#[derive(Default)]
pub(super) struct Asked {
    /// A timeline for Perfetto.
    pub(super) perfetto: Option<Perfetto>,
    /// Pictures for a page, of this step where there are steps.
    pub(super) pictures: Option<Chosen>,
    /// The step of profiles that is looked at closely.
    pub(super) step: Step,
    /// What a comparison needs beside figures.
    pub(super) records: bool,
}

/// Dumps of ranks, which say something together.
#[derive(Default)]
struct Dumps {
    files: Vec<String>,
    of_ranks: BTreeMap<u32, Dump>,
    problems: Problems,
}

/// Reads files, and all files of folders.
pub(super) fn read(paths: &[PathBuf], asked: Asked, global: Global) -> Read {
    let mut read = Read { asked, ..Read::default() };
    for path in paths {
        if path.is_dir() {
            match files_of(path) {
                Ok(files) => files.iter().for_each(|file| read.add(file, Named::No, global)),
                Err(failure) => read.failures.push(failure),
            }
        } else {
            read.add(path, Named::Yes, global);
        }
    }
    read.join_dumps();
    let jobs = ranks::joined(&read.diagnosed);
    read.diagnosed.extend(jobs);
    read
}

/// Whether a person named a file, or it only lies in a folder.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    Yes,
    No,
}

/// So many files of a folder are read.
const FILES_MAX: usize = 100_000;

/// The files of a folder, by name; not those of folders within.
fn files_of(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let opening = |error| Failure::opening(folder.display(), &error);
    let mut files = Vec::new();
    for entry in folder.read_dir().map_err(opening)? {
        let path = entry.map_err(opening)?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    if files.len() > FILES_MAX {
        return Err(Failure::input(format!(
            "{}: it holds more than {FILES_MAX} files; name those that are meant",
            folder.display()
        )));
    }
    files.sort();
    Ok(files)
}

impl Read {
    fn add(&mut self, path: &Path, named: Named, global: Global) {
        match self.try_add(path, named, global) {
            Ok(()) => {}
            Err(failure) => self.failures.push(failure),
        }
    }

    fn try_add(&mut self, path: &Path, named: Named, global: Global) -> Outcome {
        let opening = |error| Failure::opening(path.display(), &error);
        let mut opened = Input::open(path).map_err(opening)?;
        let name = opened.name().to_owned();
        let _line = progress::Line::reading(&name, opened.progress(), global);
        let mut input: Box<dyn BufRead> = if parquet::is_parquet(opened.fill_buf().map_err(opening)?) {
            Box::new(parquet::as_csv(path, opened).map_err(opening)?)
        } else {
            Box::new(opened)
        };
        let head = input.fill_buf().map_err(opening)?;
        let diagnosed = match recognise(head) {
            None if named == Named::No => {
                self.passed.push(path.to_owned());
                return Ok(());
            }
            None if head.is_empty() => return Err(Failure::input(format!("{name}: it is empty"))),
            None => return Err(unknown(&name)),
            Some(FileKind::FlightRecorder) => return self.dumps.add(input, &name),
            Some(FileKind::Kineto) => profile(input, &name, &self.asked)?,
            Some(FileKind::PipelineOperations) => operations(input, &name, &mut self.asked)?,
            Some(FileKind::StepTimes) => step_times(input, &name, &self.asked)?,
            Some(FileKind::KernelLog) => kernel_log(input, &name)?,
            Some(kind @ FileKind::NvidiaSmi) => {
                let (list, problems) = devices::read_nvidia_smi(input, &name)?;
                listed(list, kind, "A list of NVIDIA's devices", &name, &problems)
            }
            Some(kind @ FileKind::RocmSmi) => {
                let (list, problems) = devices::read_rocm_smi(input, &name)?;
                listed(list, kind, "A list of AMD's devices", &name, &problems)
            }
            Some(kind @ FileKind::Scrape) => {
                let (scrape, problems) = devices::read_scrape(input, &name)?;
                let about = format!("Metrics, {}", shown::count(scrape.samples as usize, "sample"));
                listed(scrape.devices, kind, &about, &name, &problems)
            }
        };
        self.diagnosed.push(diagnosed);
        Ok(())
    }

    fn join_dumps(&mut self) {
        let dumps = std::mem::take(&mut self.dumps);
        let Some(first) = dumps.files.first() else { return };
        let hang = hang::hang(&dumps.of_ranks);
        let calls: usize = dumps.of_ranks.values().map(|dump| dump.calls.len()).sum();
        self.diagnosed.push(Diagnosed {
            file: files_told(first, dumps.files.len() - 1),
            kind: FileKind::FlightRecorder.name(),
            about: format!(
                "Dumps of the flight recorder: {}, {}.",
                shown::count(dumps.of_ranks.len(), "rank"),
                shown::count(calls, "call")
            ),
            findings: hang.as_ref().map_or_else(Vec::new, hang::findings),
            left_out: (&dumps.problems).into(),
            picture: self
                .asked
                .pictures
                .map(|_| Picture::Matrix(hang::matrix(&dumps.of_ranks, hang.as_ref().unwrap_or(&Hang::default())))),
            figures: Figures::Hang(hang.unwrap_or_default()),
            record: None,
        });
    }
}

impl Dumps {
    fn add(&mut self, input: impl BufRead, name: &str) -> Outcome {
        let rank = hang::rank_of_name(name).ok_or_else(|| {
            Failure::input(format!(
                "{name}: a dump does not say which rank wrote it, and its name does not end in a number"
            ))
        })?;
        let (dump, problems) = hang::read(input, name)?;
        self.problems.append(problems);
        self.files.push(name.to_owned());
        if self.of_ranks.insert(rank, dump).is_some() {
            let reason = format!("there was a dump of rank {rank} before; this one was taken");
            self.problems.add(Problem { file: name.to_owned(), line: 0, field: None, reason });
        }
        Ok(())
    }
}

/// Several files by the first of them.
pub(super) fn files_told(first: &str, more: usize) -> String {
    if more == 0 { first.to_owned() } else { format!("{first} and {more} more") }
}

fn unknown(name: &str) -> Failure {
    let kinds: Vec<String> = FileKind::ALL.iter().map(|kind| format!("  {}", kind.about())).collect();
    Failure::input(format!("{name}: its beginning does not tell what it is; what is read:\n{}", kinds.join("\n")))
}

fn profile(input: impl BufRead, name: &str, asked: &Asked) -> Outcome<Diagnosed> {
    let kineto::Read { breakdown, lanes, exposed, problems } = kineto::read(input, name, asked.step, &mut scratch::new)
        .map_err(|error| match error {
            kineto::ReadError::Input(problem) => problem.into(),
            kineto::ReadError::Space(error) => Failure::writing(scratch::folder().display(), &error),
        })?;
    let rank = match (breakdown.rank, breakdown.world_size) {
        (Some(rank), Some(size)) => format!(" of rank {rank} of {size}"),
        (Some(rank), None) => format!(" of rank {rank}"),
        _ => String::new(),
    };
    let left_out = if breakdown.last_step_left_out { "; the last step is left out, since it may be cut" } else { "" };
    let about = format!(
        "A trace of PyTorch's profiler{rank}: {:.1} ms of device time, {} on it{left_out}.",
        breakdown.temporal.total_us / 1_000.0,
        shown::count(breakdown.counted as usize, "event")
    );
    Ok(Diagnosed {
        file: name.to_owned(),
        kind: FileKind::Kineto.name(),
        about,
        findings: kineto::findings(&breakdown),
        left_out: (&problems).into(),
        picture: asked.pictures.map(|_| Picture::Drawing(Box::new(drawing::of_streams(&lanes)))),
        figures: Figures::Kineto(Box::new(breakdown)),
        record: asked.records.then_some(Record::Kineto(exposed)),
    })
}

fn operations(input: impl BufRead, name: &str, asked: &mut Asked) -> Outcome<Diagnosed> {
    let whole = |reason| Problem { file: name.to_owned(), line: 0, field: None, reason };
    let mut read = pipeline::read(input, name)?;
    let trace = Trace::of(&read.operations).map_err(|reason| {
        // Where rows were bad and nothing is left, the first of them says more than what it led to.
        read.problems.kept().first().cloned().unwrap_or_else(|| whole(reason))
    })?;
    for (step, lack) in &trace.left_out {
        read.problems.add(whole(format!("step {step}: {}", trace.told(*lack))));
    }
    let whatif = pipeline::whatif(&trace).map_err(whole)?;
    if let Some(perfetto) = &mut asked.perfetto {
        perfetto.write(&trace, name)?;
    }
    let about = format!(
        "Operations of pipeline-parallel training: {} of {}, {} of {:.3} s on average.",
        shown::count(trace.dp_ranks, "data-parallel rank"),
        shown::count(trace.stages as usize, "stage"),
        shown::count(trace.steps.len(), "step"),
        whatif.recorded_seconds
    );
    Ok(Diagnosed {
        file: name.to_owned(),
        kind: FileKind::PipelineOperations.name(),
        about,
        findings: pipeline::findings(&trace, &whatif),
        left_out: (&read.problems).into(),
        picture: asked.pictures.map(|chosen| pipeline_picture(&trace, &whatif, chosen).map_err(whole)).transpose()?,
        figures: Figures::Pipeline(Box::new(whatif)),
        record: asked.records.then(|| Record::Pipeline(Box::new(trace))),
    })
}

fn pipeline_picture(trace: &Trace, whatif: &WhatIf, chosen: Chosen) -> Result<Picture, String> {
    let timeline = Timeline::of(trace)?;
    let step = match (pipeline::chosen(&timeline, chosen)?.as_slice(), chosen) {
        ([step], Chosen::Step(_)) => *step,
        _ => timeline.typical_step(),
    };
    Ok(Picture::Drawing(Box::new(drawing::of_pipeline(&timeline, whatif, step))))
}

fn step_times(input: impl BufRead, name: &str, asked: &Asked) -> Outcome<Diagnosed> {
    let steps::Read { steps, problems } = steps::read(input, name)?;
    let episodes = steps::episodes(&steps);
    let first_and_last = steps.steps.first().zip(steps.steps.last());
    let span = first_and_last.map_or_else(String::new, |(first, last)| format!(" ({first} to {last})"));
    let workers = shown::count(steps.workers.len(), "worker");
    Ok(Diagnosed {
        file: name.to_owned(),
        kind: FileKind::StepTimes.name(),
        about: format!("Times of steps: {workers}, {}{span}.", shown::count(steps.steps.len(), "step")),
        findings: steps::findings(&steps, &episodes),
        left_out: (&problems).into(),
        picture: asked.pictures.map(|_| Picture::Drawing(Box::new(drawing::of_steps(&steps, &episodes)))),
        figures: Figures::Steps(episodes),
        record: asked.records.then_some(Record::Steps(steps)),
    })
}

fn listed(list: Vec<Device>, kind: FileKind, about: &str, name: &str, problems: &Problems) -> Diagnosed {
    Diagnosed {
        file: name.to_owned(),
        kind: kind.name(),
        about: format!("{about}: {}.", shown::count(list.len(), "device")),
        findings: devices::findings(&list),
        left_out: problems.into(),
        figures: Figures::Devices(list),
        picture: None,
        record: None,
    }
}

fn kernel_log(input: impl BufRead, name: &str) -> Outcome<Diagnosed> {
    let (log, problems) = xid::read(input, name)?;
    let (lines, events) = (log.lines as usize, log.events as usize);
    Ok(Diagnosed {
        file: name.to_owned(),
        kind: FileKind::KernelLog.name(),
        about: format!("A kernel log: {}, {events} of them about NVIDIA GPUs.", shown::count(lines, "line")),
        findings: xid::findings(&log),
        left_out: (&problems).into(),
        figures: Figures::KernelLog(log),
        picture: None,
        record: None,
    })
}
