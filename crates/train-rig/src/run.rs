//! A run of the trainer: started, watched, harmed and healed, ended.

use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf, absolute};
use std::process::{ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::{self, sleep};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail, ensure};

use crate::control::Control;
use crate::fault::{Fault, Injected};
use crate::ground::Ground;
use crate::pace::Pace;
use crate::plan::{DOOR, Limit, Plan, SAMPLES, TRUTH};
use crate::rank::teller::SOCKET_ENV;
use crate::rank::work::Work;
use crate::samples::{self, Effort};
use crate::shape::Shape;
use crate::truth::Truth;

/// How long ranks may take until all of them are ready.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the truth is read while somebody waits for steps.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// The most steps before a fault of which the healthy pace is the mean.
const HEALTHY_STEPS: usize = 30;
/// Steps at a start that are no measure of anything.
const START_STEPS: u64 = 6;

/// What is started.
#[derive(Clone, Debug)]
pub struct Start<'a> {
    /// The program of this crate; [`program`] finds it.
    pub program: &'a Path,
    /// The job's name, without spaces.
    pub job: &'a str,
    /// What the run is like.
    pub shape: &'a Shape,
    /// Decides the samples, their order, and how unsteady steps are.
    pub seed: u64,
    /// When it ends by itself.
    pub limit: Limit,
    /// Who is told of steps, if anybody is.
    pub steps_socket: Option<&'a Path>,
    /// A folder for this run alone, on a real disk. It stays when the run is over.
    pub folder: &'a Path,
}

/// A run. When it is dropped its ranks are killed, and nothing of it is left but its folder.
#[derive(Debug)]
pub struct Run {
    ground: Arc<Ground>,
}

impl Run {
    /// Makes the samples, starts a process for each rank, and returns when all of them train.
    ///
    /// # Errors
    /// If a process cannot be started, or does not become ready. What the kernel cannot limit here is no error: a fault that needs it
    /// says so when it is injected.
    pub fn start(start: &Start<'_>) -> anyhow::Result<Self> {
        let shape = start.shape;
        shape.check()?;
        ensure!(!start.job.contains(char::is_whitespace), "a job's name has no spaces: {:?}", start.job);
        let work = Work::measured(shape);
        // A rank works in its own folder, where paths mean something else.
        let (program, folder) = (absolute(start.program)?, absolute(start.folder)?);
        let ground = Ground::new(program, shape.clone(), work, folder)?;
        let run = Self { ground: Arc::new(ground) };
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        for rank in 0..shape.ranks {
            let (input, output) = run.start_rank(start, rank)?;
            inputs.push(input);
            outputs.push(output);
        }
        let addresses = run.wait_doors(outputs)?;
        // Samples were read by then, at the speed that the disk has.
        if run.ground.check_disk().is_ok() {
            let limits = run.ground.limits()?;
            for rank in 0..shape.ranks {
                limits.set_disk(rank, shape.read_bytes_per_s, shape.write_bytes_per_s)?;
            }
        }
        let addresses = serde_json::to_string(&addresses)?;
        for mut input in inputs {
            writeln!(input, "{addresses}")?;
        }
        Ok(run)
    }

    /// Starts a rank, and tells it its plan; what else it is to hear, and what it says.
    fn start_rank(&self, start: &Start<'_>, rank: u32) -> anyhow::Result<(ChildStdin, ChildStdout)> {
        let folder = self.ground.rank_folder(rank);
        let seed = start.seed ^ u64::from(rank) << 32;
        let effort = Effort { passes: self.ground.work.passes, wait_us: 0 };
        samples::make_shard(&folder.join(SAMPLES), start.shape, effort, seed)?;
        Control::default().write(&folder)?;
        // So that it can be read before the first step.
        File::create(folder.join(TRUTH))?;
        let plan = Plan {
            job: start.job.to_owned(),
            rank,
            seed: start.seed,
            limit: start.limit,
            shape: start.shape.clone(),
            work: self.ground.work,
            folder: folder.clone(),
        };
        let mut command = Command::new(&self.ground.program);
        command.arg("rank").env_remove(SOCKET_ENV).stdin(Stdio::piped()).stdout(Stdio::piped());
        // Where it works shows whose it is, to whoever looks for what is left of a run.
        command.stderr(File::create(folder.join("said"))?).current_dir(&folder);
        if let Some(socket) = start.steps_socket {
            command.env(SOCKET_ENV, absolute(socket)?);
        }
        let program = start.program.display().to_string();
        let mut child = self.ground.network.within(move || {
            command.spawn().with_context(|| format!("cannot start {program}: cargo build -p train-rig"))
        })?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let pid = child.id();
        // Whatever happens from here on, it ends with the run.
        self.ground.crew.add(child);
        let (mut input, output) = pipes.context("a rank's input and output are pipes")?;
        if let Ok(limits) = self.ground.limits() {
            limits.group(rank)?.add(pid)?;
        }
        writeln!(input, "{}", serde_json::to_string(&plan)?)?;
        Ok((input, output))
    }

    /// Waits until every rank says where its door is.
    fn wait_doors(&self, outputs: Vec<ChildStdout>) -> anyhow::Result<Vec<SocketAddr>> {
        let (sender, addresses) = channel();
        // A thread, as nothing else can stop waiting for a pipe; it ends with the ranks.
        thread::Builder::new().name("doors".to_owned()).spawn(move || {
            for output in outputs {
                if sender.send(door(output)).is_err() {
                    return;
                }
            }
        })?;
        let until = Instant::now() + PATIENCE;
        let mut doors = Vec::new();
        for rank in 0..self.ground.shape.ranks {
            let address = addresses.recv_timeout(until.saturating_duration_since(Instant::now()));
            match address.ok().flatten() {
                Some(address) => doors.push(address),
                None => bail!("rank {rank} did not become ready; it said: {}", self.said(rank)),
            }
        }
        Ok(doors)
    }

    /// Steps that every rank has done.
    ///
    /// # Errors
    /// If what they wrote down cannot be read.
    pub fn steps(&self) -> anyhow::Result<u64> {
        Ok(self.truths()?.iter().map(|truth| truth.steps.len() as u64).min().unwrap_or(0))
    }

    /// What every rank wrote down so far.
    ///
    /// # Errors
    /// If that cannot be read.
    pub fn truths(&self) -> anyhow::Result<Vec<Truth>> {
        self.ground.truths()
    }

    /// The pace of steps that began at `from_us` or later and ended by `until_us` (Unix time, µs; see [`now_us`]).
    ///
    /// # Errors
    /// If a rank has no whole step in this span.
    pub fn speed(&self, from_us: u64, until_us: u64) -> anyhow::Result<Pace> {
        Pace::between(&self.truths()?, from_us, until_us)
    }

    /// Waits until every rank has done so many steps more, and tells their pace. The step that is under way when this is
    /// called does not count: it may have begun under other circumstances.
    ///
    /// # Errors
    /// If they take longer than `patience`, or a rank has ended.
    pub fn watch(&self, steps: u64, patience: Duration) -> anyhow::Result<Pace> {
        let (from_us, until) = (now_us(), Instant::now() + patience);
        loop {
            let pace = self.speed(from_us, u64::MAX);
            if let Ok(pace) = pace
                && pace.steps >= steps
            {
                return Ok(pace);
            }
            if let Some(rank) = self.statuses().iter().position(Option::is_some) {
                bail!("rank {rank} has ended; it said: {}", self.said(rank as u32));
            }
            ensure!(Instant::now() < until, "fewer than {steps} steps in {} s", patience.as_secs());
            sleep(LOOK_AGAIN);
        }
    }

    /// Harms the run. What a fault is to do to it is worked out from its healthy pace until now.
    ///
    /// # Errors
    /// If this machine lacks what the fault needs, if the run's shape does not suit it, or if too few steps were done to know a pace.
    pub fn inject(&self, fault: &Fault) -> anyhow::Result<Injected> {
        Injected::inject(fault, &self.ground, &self.healthy()?)
    }

    /// The pace of the last steps, those of the start not counted.
    ///
    /// # Errors
    /// If there were too few.
    pub fn healthy(&self) -> anyhow::Result<Pace> {
        let start = START_STEPS.max(self.ground.shape.benign.start_steps);
        let truths = self.truths()?;
        let of_first = &truths.first().context("there is no rank")?.steps;
        let settled: Vec<_> = of_first.iter().filter(|step| step.number >= start).collect();
        let first = settled.get(settled.len().saturating_sub(HEALTHY_STEPS));
        let first = first.with_context(|| format!("a healthy pace is known {start} steps after the start"))?;
        // Another rank's step began at another moment, but never a whole step apart.
        Pace::between(&truths, first.at_us - first.us / 2 * 3, u64::MAX)
    }

    /// How each rank ended; nothing for those that run.
    #[must_use]
    pub fn statuses(&self) -> Vec<Option<ExitStatus>> {
        self.ground.crew.statuses()
    }

    /// Waits until every rank has ended, or that long; how each ended, nothing for those that still run.
    #[must_use]
    pub fn wait(&self, patience: Duration) -> Vec<Option<ExitStatus>> {
        let until = Instant::now() + patience;
        loop {
            let statuses = self.statuses();
            if statuses.iter().all(Option::is_some) || Instant::now() > until {
                return statuses;
            }
            sleep(LOOK_AGAIN);
        }
    }

    /// Kills every rank.
    pub fn kill(&self) {
        self.ground.crew.kill();
    }

    /// The processes of the ranks.
    #[must_use]
    pub fn pids(&self) -> Vec<u32> {
        self.ground.crew.pids()
    }

    /// What a rank said on standard error.
    #[must_use]
    pub fn said(&self, rank: u32) -> String {
        fs::read_to_string(self.ground.rank_folder(rank).join("said")).unwrap_or_default()
    }

    /// Why disks are as fast as they are, and not as the shape says, if so.
    #[must_use]
    pub fn lacks_disk(&self) -> Option<String> {
        self.ground.check_disk().err().map(|error| format!("{error:#}"))
    }

    /// Why the kernel limits nothing here (there are no control groups, or this user may not make any), if so.
    #[must_use]
    pub fn lacks_limits(&self) -> Option<String> {
        self.ground.limits().err().map(|error| format!("{error:#}"))
    }

    /// Why the run has no network of its own, if so.
    #[must_use]
    pub fn lacks_network(&self) -> Option<String> {
        self.ground.network.check_own().err().map(|error| format!("{error:#}"))
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.ground.clear();
    }
}

/// Where a rank says its door is.
fn door(output: ChildStdout) -> Option<SocketAddr> {
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line).ok()?;
    line.trim_end().strip_prefix(DOOR)?.parse().ok()
}

/// Unix time, µs: the clock of [`Run::speed`].
#[must_use]
pub fn now_us() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64)
}

/// The program of this crate, beside the one that runs or in a folder above it, as cargo leaves them.
#[must_use]
pub fn program() -> Option<PathBuf> {
    let own = env::current_exe().ok()?;
    own.ancestors().skip(1).take(2).map(|folder| folder.join("train-rig")).find(|path| path.is_file())
}
