//! Which loaders are meant, and what they report: asked at their sockets, or read from a file.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use ::feed::serve::{AskError, FOLDER, Told, ask, default_folder, sockets};
use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::table::{Align, Table};

use super::amounts::{percent, rate};

/// Which loaders.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// A loader's socket, a process, a folder of sockets, or a saved report (`-`: standard input); else the folder of this user
    #[arg(value_name = "SOCKET|PID|DIR|FILE")]
    at: Option<String>,
    /// Of several, only those of this process
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,
}

/// A loader, and what it reports.
#[derive(Clone, Debug)]
pub(super) struct Loader {
    /// Where it was asked; none where its report was saved.
    pub(super) socket: Option<PathBuf>,
    pub(super) told: Told,
}

/// A report is some thousand bytes; what is larger than this is something else.
const SAVED_MAX: u64 = 4 << 20;

impl Which {
    /// All that report, at least one.
    pub(super) fn all(&self) -> Outcome<Vec<Loader>> {
        let loaders = self.found()?;
        if loaders.is_empty() {
            let (at, pid) = self.parts()?;
            let place = at.map_or_else(folder, |at| Ok(PathBuf::from(at)))?;
            let whose = pid.map_or_else(String::new, |pid| format!(" of process {pid}"));
            return Err(Failure::input(format!(
                "no loader{whose} answers in {}: start training with Loader(..., metrics=True), or with {FOLDER} in its \
                 environment and here",
                place.display()
            )));
        }
        Ok(loaders)
    }

    /// All that report now, be it none.
    pub(super) fn found(&self) -> Outcome<Vec<Loader>> {
        let (at, pid) = self.parts()?;
        let mut loaders = match at {
            None => of_folder(&folder()?)?,
            Some("-") => vec![saved("standard input", io::stdin())?],
            Some(at) => of_path(Path::new(at))?,
        };
        loaders.retain(|loader| pid.is_none() || loader.told.pid == pid);
        Ok(loaders)
    }

    /// The one that is meant, with its socket.
    pub(super) fn one(&self) -> Outcome<(PathBuf, Told)> {
        let loaders = self.all()?;
        let [Loader { socket, told }] = &loaders[..] else {
            crate::printed::print(&list(&loaders))?;
            // Of one process, its number tells nothing apart.
            let are_of_one = loaders.iter().all(|loader| loader.told.pid == loaders[0].told.pid);
            let name = if are_of_one { "its socket" } else { "its socket, or by --pid" };
            return Err(Failure::input(format!("{} loaders answer: name one by {name}", loaders.len())));
        };
        let socket = socket.clone().ok_or_else(|| Failure::input("a saved report does not change: name a socket"))?;
        Ok((socket, told.clone()))
    }

    /// Where to look, and for which process: a name that is a number is one.
    fn parts(&self) -> Outcome<(Option<&str>, Option<u32>)> {
        let at = self.at.as_deref();
        let Some(pid) = at.filter(|at| !at.is_empty() && at.bytes().all(|byte| byte.is_ascii_digit())) else {
            return Ok((at, self.pid));
        };
        let number = pid.parse().map_err(|_| Failure::input(format!("{pid} is no process")))?;
        if self.pid.is_some_and(|other| other != number) {
            return Err(Failure::input(format!("process {number} is named, and another by --pid: name one")));
        }
        Ok((None, Some(number)))
    }
}

/// The loaders as a list, with the socket by which each is named.
pub(super) fn list(loaders: &[Loader]) -> String {
    let mut table = Table::new([
        ("process", Align::Right),
        ("rank", Align::Right),
        ("samples/s", Align::Right),
        ("waits", Align::Right),
        ("held back by", Align::Left),
        ("socket", Align::Left),
    ]);
    for Loader { socket, told } in loaders {
        let recent = &told.report.recent;
        table.row([
            told.pid.map_or_else(String::new, |pid| pid.to_string()),
            told.report.given.rank.to_string(),
            rate(recent.samples_per_second),
            percent(recent.starved),
            recent.bottleneck.name().to_owned(),
            socket.as_ref().map_or_else(String::new, |socket| socket.display().to_string()),
        ]);
    }
    table.without_empty_columns().to_string()
}

/// What a socket reports now; none where its loader has ended.
pub(super) fn asked(socket: &Path) -> Outcome<Option<Told>> {
    match ask(socket, "/report") {
        Ok(text) => {
            let told = serde_json::from_str(&text);
            told.map(Some).map_err(|error| {
                Failure::outside(format!(
                    "{}: its report cannot be read ({error}): is it of another version of Trimtab?",
                    socket.display()
                ))
            })
        }
        Err(AskError::Gone) => Ok(None),
        Err(error) => Err(Failure::outside(format!("{}: {error}", socket.display()))),
    }
}

fn folder() -> Outcome<PathBuf> {
    default_folder().map_err(|error| Failure::input(error.to_string()))
}

fn of_path(path: &Path) -> Outcome<Vec<Loader>> {
    let there = fs::metadata(path).map_err(|error| Failure::opening(path.display(), &error))?;
    if there.is_dir() {
        return of_folder(path);
    }
    if there.file_type().is_socket() {
        let told =
            asked(path)?.ok_or_else(|| Failure::input(format!("{}: no loader answers there", path.display())))?;
        return Ok(vec![Loader { socket: Some(path.to_owned()), told }]);
    }
    let file = fs::File::open(path).map_err(|error| Failure::opening(path.display(), &error))?;
    Ok(vec![saved(&path.display().to_string(), file)?])
}

fn of_folder(folder: &Path) -> Outcome<Vec<Loader>> {
    let found = match sockets(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        found => found.map_err(|error| Failure::opening(folder.display(), &error))?,
    };
    let mut loaders = Vec::new();
    for socket in found {
        match asked(&socket) {
            Ok(Some(told)) => loaders.push(Loader { socket: Some(socket), told }),
            Ok(None) => {}
            // One that does not answer is no reason to be silent about the others.
            Err(failure) => eprintln!("note: {failure}"),
        }
    }
    Ok(loaders)
}

fn saved(name: &str, file: impl Read) -> Outcome<Loader> {
    let mut text = String::new();
    file.take(SAVED_MAX).read_to_string(&mut text).map_err(|error| Failure::opening(name, &error))?;
    let told = serde_json::from_str(&text).map_err(|error| {
        Failure::input(format!(
            "{name}: it is no report ({error}); save one with loader.report().to_json(), or curl --unix-socket SOCKET http://localhost/report"
        ))
    })?;
    Ok(Loader { socket: None, told })
}
