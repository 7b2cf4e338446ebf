//! An installation: the folder where `trimtab up` keeps what it knows, and how commands find the server that runs there.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ::store::{Reader, StoreError};
use clap::Args;
use fleet::history::{End, Record};
use fleet::recommendation::Recommendation;
use server::RECOMMENDATIONS;

use crate::failure::{Failure, Outcome, words};
use crate::history_file::HistoryFile;

/// The first argument of the processes that own runs. Nobody types it.
pub(crate) const RUN: &str = "own-run";
/// Letters of a token: 256 bits.
const TOKEN_LENGTH: usize = 64;
/// The fewest letters of a secret: of hexadecimal ones, 128 bits.
pub(crate) const SECRET_MIN: usize = 32;

/// Which installation.
#[derive(Clone, Debug, Args)]
pub(crate) struct Installation {
    /// The folder of the installation: the store, logs, the token
    #[arg(long, env = "TRIMTAB_FOLDER", value_name = "FOLDER", help_heading = "Installation")]
    folder: Option<PathBuf>,
}

impl Installation {
    /// The folder: as given, else `trimtab` in the user's folder for state (XDG Base Directory Specification 0.8).
    pub(crate) fn folder(&self) -> Outcome<PathBuf> {
        if let Some(folder) = &self.folder {
            return std::path::absolute(folder).map_err(|error| Failure::opening(folder.display(), &error));
        }
        state_folder("--folder")
    }

    /// The folder, made if it is not there, for nobody else to look into.
    pub(crate) fn make(&self) -> Outcome<PathBuf> {
        let folder = self.folder()?;
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(|error| Failure::writing(folder.display(), &error))?;
        Ok(folder)
    }
}

/// `trimtab` in the user's folder for state; `argument` names another folder where there is none.
pub(crate) fn state_folder(argument: &str) -> Outcome<PathBuf> {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")));
    let state = state.ok_or_else(|| Failure::input(format!("no home folder is known: say {argument} FOLDER")))?;
    Ok(state.join("trimtab"))
}

/// The store's file.
pub(crate) fn store(folder: &Path) -> PathBuf {
    folder.join("trimtab.sqlite")
}

/// The socket on which step clocks of what runs there tell.
pub(crate) fn steps(folder: &Path) -> PathBuf {
    folder.join("steps.sock")
}

/// The token of whoever owns the installation, made if there is none.
pub(crate) fn make_token(folder: &Path) -> Outcome<String> {
    let path = token_file(folder);
    match read_token(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        read => return read.map_err(|error| Failure::opening(path.display(), &error)),
    }
    let mut bytes = [0_u8; TOKEN_LENGTH / 2];
    getrandom::fill(&mut bytes).map_err(|error| Failure::outside(format!("no random numbers can be had: {error}")))?;
    let token: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    write_private(&path, &token)?;
    Ok(token)
}

/// Where the token of whoever owns the installation is.
pub(crate) fn token_file(folder: &Path) -> PathBuf {
    folder.join("token")
}

fn read_token(path: &Path) -> io::Result<String> {
    let text = fs::read_to_string(path)?;
    let token = text.trim();
    if token.len() < SECRET_MIN {
        return Err(io::Error::other("it holds no token; remove it, and `trimtab up` makes a new one"));
    }
    Ok(token.to_owned())
}

/// Writes a file that only its owner reads, whole or not at all.
pub(crate) fn write_private(path: &Path, text: &str) -> Outcome {
    let fail = |error: &io::Error| Failure::writing(path.display(), error);
    let beside = path.with_extension(format!("{}.tmp", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let written =
        options.open(&beside).and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    written.and_then(|()| fs::rename(&beside, path)).map_err(|error| fail(&error))
}

/// Writes where the server listens.
pub(crate) fn tell_address(folder: &Path, address: &str) -> Outcome {
    write_private(&folder.join("address"), address)
}

/// Where the server listens, and the token for it.
pub(crate) fn find(folder: &Path) -> Outcome<(String, String)> {
    let hint = |what: &str| {
        Failure::outside(format!(
            "{what} in {}: start it with `trimtab up`, or say which installation with --folder",
            folder.display()
        ))
    };
    let address = fs::read_to_string(folder.join("address")).map_err(|_| hint("no Trimtab has run"))?;
    let path = token_file(folder);
    let token = read_token(&path)
        .map_err(|error| Failure::outside(format!("cannot read {}: {}", path.display(), words(&error))))?;
    Ok((address.trim().to_owned(), token))
}

/// Writes what the installation has recorded as a history; how many workloads that is.
pub(crate) fn export(folder: &Path, to: &Path) -> Outcome<u64> {
    let path = store(folder);
    if !path.exists() {
        let folder = folder.display();
        return Err(Failure::input(format!(
            "no Trimtab has run in {folder}: name a history, try --example, or begin with `trimtab up`"
        )));
    }
    let reader = Reader::open(&path).map_err(|error| Failure::outside(error.to_string()))?;
    let mut output = HistoryFile::create(to)?;
    let (mut end, mut workloads) = (End::default(), 0);
    let taken = ::store::export(&reader, |record| {
        match record {
            Record::End(found) => end = found,
            record => {
                workloads += u64::from(matches!(record, Record::Workload(_)));
                output.take(record).map_err(|error| Exported::Taking(Failure::writing(to.display(), &error)))?;
            }
        }
        Ok(())
    });
    taken.map_err(|stopped| match stopped {
        Exported::Taking(failure) => failure,
        Exported::Reading(error) => Failure::outside(error.to_string()),
    })?;
    output.finish(end)?;
    Ok(workloads)
}

/// So many histories are kept from which something was proved.
const HISTORIES_MAX: usize = 20;

/// The folder of histories, made if it is not there.
pub(crate) fn histories(folder: &Path) -> Outcome<PathBuf> {
    let histories = folder.join("histories");
    fs::create_dir_all(&histories).map_err(|error| Failure::writing(histories.display(), &error))?;
    Ok(histories)
}

/// Lets go of all but the latest histories.
pub(crate) fn forget_old(histories: &Path) -> Outcome {
    let files = fs::read_dir(histories).map_err(|error| Failure::opening(histories.display(), &error))?;
    let mut files: Vec<_> =
        files.flatten().filter_map(|file| Some((file.metadata().ok()?.modified().ok()?, file.path()))).collect();
    files.sort();
    for (_, old) in files.iter().rev().skip(HISTORIES_MAX) {
        // It is in nobody's way.
        let _gone = fs::remove_file(old);
    }
    Ok(())
}

/// Keeps what was last recommended here, for `trimtab apply`.
pub(crate) fn keep_recommendations(folder: &Path, recommendations: &[Recommendation]) -> Outcome {
    let text = serde_json::to_string_pretty(recommendations).expect("recommendations are plain data");
    write_private(&folder.join(RECOMMENDATIONS), &text)
}

/// What was last recommended here.
pub(crate) fn recommendations(folder: &Path) -> Outcome<Vec<Recommendation>> {
    let path = folder.join(RECOMMENDATIONS);
    let hint = |_| Failure::input("nothing was recommended here yet: run `trimtab optimize`");
    let text = fs::read_to_string(&path).map_err(hint)?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::input(format!("{}: {error}; run `trimtab optimize` again", path.display())))
}

/// Why an export stopped.
enum Exported {
    Reading(StoreError),
    Taking(Failure),
}

impl From<StoreError> for Exported {
    fn from(error: StoreError) -> Self {
        Self::Reading(error)
    }
}
