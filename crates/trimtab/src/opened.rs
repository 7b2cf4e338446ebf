//! A history in memory, from a Trimtab history or straight from a job log; which of them a file is, its first bytes tell.

use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use connect::file::Input;
use connect::import::{Each, Options, Report, Stop};
use connect::{philly, swf};
use fleet::fleet_file::FleetFile;
use fleet::history::{Header, Record};
use replay::history::History;
use sha2::{Digest, Sha256};

use crate::command::import::read_fleet;
use crate::failure::{Failure, Outcome};
use crate::global::Global;
use crate::installation::{self, Installation};
use crate::progress;

/// What every command takes that works on a history.
#[derive(Clone, Debug, Args)]
pub(crate) struct Source {
    /// A history, or a job log as `trimtab import` reads it; `-` is standard input; absent: what `trimtab up` has recorded here
    #[arg(value_name = "HISTORY")]
    history: Option<PathBuf>,
    /// What the log does not say: nodes, prices, queues, policy (docs/FLEET-FILE.md)
    #[arg(long, value_name = "FILE")]
    fleet: Option<PathBuf>,
    /// Use the built-in example: a made-up month of a 64-GPU lab
    #[arg(long, conflicts_with_all = ["history", "fleet"])]
    example: bool,
    #[command(flatten)]
    installation: Installation,
}

/// A history in memory.
pub(crate) struct Opened {
    pub(crate) history: History,
    /// The first 12 hexadecimal digits of the SHA-256 of the log (uncompressed) and the fleet file.
    pub(crate) hash: String,
    /// How it is named in commands.
    pub(crate) name: String,
    /// Rows that could not be read.
    pub(crate) report: Report,
}

impl Source {
    /// The installation, where no history is named: it is what is meant.
    pub(crate) fn installation(&self) -> Option<&Installation> {
        (self.history.is_none() && !self.example).then_some(&self.installation)
    }

    /// Reads the history.
    pub(crate) fn open(&self, global: Global) -> Outcome<Opened> {
        if self.example {
            return crate::example::open();
        }
        match &self.history {
            Some(path) => self.read(path, global),
            None => self.recorded(global),
        }
    }

    fn read(&self, path: &Path, global: Global) -> Outcome<Opened> {
        let fleet = self.fleet.as_deref().map(read_fleet).transpose()?;
        let input = Input::open(path).map_err(|error| Failure::opening(path.display(), &error))?;
        let name = input.name().to_owned();
        let line = progress::Line::reading(&name, input.progress(), global);
        let mut input = Hashing { input, hash: Sha256::new() };
        if let Some(fleet) = &self.fleet {
            input.hash.update(std::fs::read(fleet).map_err(|error| Failure::opening(fleet.display(), &error))?);
        }
        let (mut history, report) = read(&mut input, &name, fleet.as_ref())?;
        drop(line);
        if let Some(fleet) = &fleet {
            furnish(&mut history, fleet);
        }
        let hash = input.hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        Ok(Opened { history, hash, name: self.words(path), report })
    }

    /// What this installation has recorded, by way of a file that is kept: what is recorded grows, and a proof is of what it was made
    /// from.
    fn recorded(&self, global: Global) -> Outcome<Opened> {
        let histories = installation::histories(&self.installation.folder()?)?;
        let (new, opened) = self.written(&histories, global)?;
        if opened.history.workloads.is_empty() {
            remove(&new)?;
            return Err(Failure::input(
                "nothing has run here yet: name a history, try --example, or hand work in with `trimtab submit -- COMMAND`",
            ));
        }
        let kept = histories.join(format!("{}.zst", opened.hash));
        std::fs::rename(&new, &kept).map_err(|error| Failure::writing(kept.display(), &error))?;
        installation::forget_old(&histories)?;
        Ok(Opened { name: self.words(&kept), ..opened })
    }

    /// Writes what is recorded into a new file, and reads that.
    fn written(&self, histories: &Path, global: Global) -> Outcome<(PathBuf, Opened)> {
        let new = histories.join(format!("new-{}.zst", std::process::id()));
        installation::export(&self.installation.folder()?, &new)?;
        let opened = self.read(&new, global)?;
        Ok((new, opened))
    }

    fn words(&self, path: &Path) -> String {
        let quoted = |path: &Path| {
            let text = path.display().to_string();
            let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+".contains(c));
            if plain { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
        };
        match &self.fleet {
            Some(fleet) => format!("{} --fleet {}", quoted(path), quoted(fleet)),
            None => quoted(path),
        }
    }
}

/// What an installation has recorded, of which nothing is to be kept.
pub(crate) fn glance(installation: &Installation, global: Global) -> Outcome<History> {
    let source = Source { history: None, fleet: None, example: false, installation: installation.clone() };
    let (new, opened) = source.written(&installation::histories(&installation.folder()?)?, global)?;
    remove(&new)?;
    Ok(opened.history)
}

fn remove(path: &Path) -> Outcome {
    std::fs::remove_file(path).map_err(|error| Failure::writing(path.display(), &error))
}

/// So much of a file tells what it is.
const HEAD_BYTES: u64 = 4_096;

fn read(input: &mut Hashing, name: &str, fleet: Option<&FleetFile>) -> Outcome<(History, Report)> {
    let mut head = Vec::new();
    input.take(HEAD_BYTES).read_to_end(&mut head).map_err(|error| Failure::opening(name, &error))?;
    let head_is_empty = head.is_empty();
    let first = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let first = first.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(first).to_vec();
    let mut input = Cursor::new(head).chain(BufReader::new(input));
    let options = Options { fleet: fleet.cloned(), ..Options::default() };
    if head_is_empty {
        return Err(Failure::input(format!("{name} is empty; expected a history or a job log")));
    }
    if first.starts_with(b"{\"header\"") {
        let history = History::read(input, name)?;
        return Ok((history, Report::default()));
    }
    if first.starts_with(b";") || first.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty()).count() == 18 {
        return collect(name, |each| swf::read(&mut input, name, &options, each));
    }
    if first.starts_with(b"timestamp,duration,num_gpus") {
        return collect(name, |each| philly::read(&mut input, name, &options, each));
    }
    Err(Failure::input(format!(
        "{name} is neither a Trimtab history nor a job log that can be told by its first line; make a history of it with `trimtab import` first"
    )))
}

/// Takes an importer's records into memory.
fn collect(name: &str, read: impl FnOnce(Each<'_>) -> Result<Report, Stop>) -> Outcome<(History, Report)> {
    let mut records = Vec::new();
    let mut header = Header::default();
    let report = read(&mut |record| {
        match record {
            Record::Header(found) => header = found,
            record => records.push(record),
        }
        Ok(())
    });
    let report = report.map_err(|stop| Failure::stopped(stop, name))?;
    let mut history = History::from_records(header, records.into_iter());
    history.rows_left_out = report.problems.count();
    history.observed(report.from, report.until);
    Ok((history, report))
}

/// A fleet file goes before what the history says.
pub(crate) fn furnish(history: &mut History, fleet: &FleetFile) {
    if !fleet.nodes.is_empty() {
        history.set_nodes(fleet.node_records());
    }
    for queue in fleet.queue_records() {
        history.set_queue(queue);
    }
    if let Some(policy) = &fleet.policy {
        history.policy = Some(policy.clone());
    }
}

/// Hashes what is read.
struct Hashing {
    input: Input,
    hash: Sha256,
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.hash.update(&buffer[..read]);
        Ok(read)
    }
}
