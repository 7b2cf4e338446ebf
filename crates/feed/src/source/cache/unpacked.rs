//! Files that were unpacked into the folder of a cache: each in a folder of its own, which is there whole or not at all.
//!
//! What is being written lies under `writing`, beside a file that its writer holds locked and that tells how many bytes it took; when it
//! is whole, it is renamed. Whoever uses what is unpacked has a file under `users`, locked as long as it does, that lists what; one file
//! for a whole dataset, since systems allow a process some thousand open ones. Nothing that is listed there is given up. Names are listed
//! under a lock that whoever gives up holds alone ([`nobody_begins_meanwhile`]), so that nothing goes between being seen and being listed.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Mutex;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

/// The folder of all this, within the cache's.
const UNPACKED: &str = "unpacked";
/// Those that are being written.
const WRITING: &str = "writing";
/// Who uses what.
const USERS: &str = "users";
/// Locked by whoever lists what it uses, together, and by whoever gives up, alone.
const LOCK: &str = "lock";
/// The file that tells what lies beside it; the last that is written.
const MARKER: &str = "complete.json";
/// Digits of a name.
const NAME_DIGITS: usize = 40;
/// A marker is never larger.
const MARKER_BYTES_MAX: u64 = 64 << 20;

/// What a marker says.
#[derive(Serialize, Deserialize)]
struct Marker<T> {
    /// What lies beside it, and how many bytes each has.
    files: Vec<(String, u64)>,
    /// What whoever unpacked it has to say.
    about: T,
}

/// What was unpacked: its folder, and what was said of it.
pub(crate) struct Unpacked<T> {
    /// Where its files are.
    pub(crate) folder: PathBuf,
    /// What whoever unpacked it had to say.
    pub(crate) about: T,
}

/// Somebody who uses what is unpacked; until dropped.
#[derive(Debug)]
pub(crate) struct User {
    root: PathBuf,
    path: PathBuf,
    /// Locked.
    list: Mutex<File>,
    process: u32,
}

impl User {
    /// Begins to use what a cache's folder holds. What processes left that are no more is removed.
    pub(crate) fn begin(cache: &Path) -> io::Result<User> {
        let root = cache.join(UNPACKED);
        fs::create_dir_all(root.join(WRITING))?;
        fs::create_dir_all(root.join(USERS))?;
        let lock = open_lock(&root)?;
        lock.lock()?;
        in_use(&root.join(USERS))?;
        being_written(&root.join(WRITING))?;
        let process = process::id();
        for number in 0.. {
            let path = root.join(USERS).join(format!("{process}-{number}"));
            match OpenOptions::new().append(true).create_new(true).open(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
                Ok(list) => {
                    list.lock()?;
                    return Ok(User { root, path, list: Mutex::new(list), process });
                }
            }
        }
        unreachable!("numbers do not end")
    }

    /// Lists a name, so that nobody gives it up from now on; and what is there of that name.
    pub(crate) fn take_up<T: for<'de> Deserialize<'de>>(&self, name: &str) -> io::Result<Option<Unpacked<T>>> {
        assert_eq!(name.len(), NAME_DIGITS, "names are digests");
        let lock = open_lock(&self.root)?;
        lock.lock_shared()?;
        self.list.lock().expect("nobody panics while writing a name").write_all(format!("{name}\n").as_bytes())?;
        Ok(self.find(name))
    }

    /// What is there of a name, where it is whole. It is noted that it is in use.
    fn find<T: for<'de> Deserialize<'de>>(&self, name: &str) -> Option<Unpacked<T>> {
        let folder = self.root.join(name);
        let file = File::open(folder.join(MARKER)).ok()?;
        let mut text = Vec::new();
        (&file).take(MARKER_BYTES_MAX).read_to_end(&mut text).ok()?;
        let marker: Marker<T> = serde_json::from_slice(&text).ok()?;
        let is_whole =
            |(name, bytes): &(String, u64)| fs::metadata(folder.join(name)).is_ok_and(|meta| meta.len() == *bytes);
        if !marker.files.iter().all(is_whole) {
            return None;
        }
        // Where the file belongs to somebody else, its age says when it was written.
        drop(file.set_modified(SystemTime::now()));
        Some(Unpacked { folder, about: marker.about })
    }

    /// The right to write what has a name, once nobody else does; or what somebody else wrote meanwhile.
    pub(crate) fn write<T: for<'de> Deserialize<'de>>(&self, name: &str) -> io::Result<Result<Writing, Unpacked<T>>> {
        let path = self.root.join(WRITING).join(format!("{name}.lock"));
        let lock = loop {
            let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
            file.lock()?;
            // Whoever had it before may have removed it, and somebody else may have another.
            if fs::metadata(&path).is_ok_and(|meta| file.metadata().is_ok_and(|own| own.ino() == meta.ino())) {
                break file;
            }
        };
        let folder = self.root.join(WRITING).join(name);
        let writing = Writing { folder, complete: self.root.join(name), lock_path: path, lock };
        if let Some(found) = self.find(name) {
            return Ok(Err(found));
        }
        // Left by a process that was killed, or damaged.
        for left in [&writing.folder, &writing.complete] {
            remove(left)?;
        }
        fs::create_dir(&writing.folder)?;
        Ok(Ok(writing))
    }
}

impl Drop for User {
    fn drop(&mut self) {
        // A process that was forked has it too, and is not the one that ends its use.
        if self.process == process::id() {
            drop(fs::remove_file(&self.path));
        }
    }
}

/// What is being written, by nobody else; removed where it is dropped before it is whole.
pub(crate) struct Writing {
    folder: PathBuf,
    complete: PathBuf,
    lock_path: PathBuf,
    /// Locked; it tells how many bytes were taken.
    lock: File,
}

impl Writing {
    /// Where files are to be written.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Tells whoever counts how many bytes were taken.
    pub(crate) fn tell(&self, taken: u64) -> io::Result<()> {
        self.lock.write_all_at(&taken.to_le_bytes(), 0)
    }

    /// All is written. The files are put on the disk, and are there from now on, with what is to be said of them.
    pub(crate) fn finish<T: Serialize>(self, about: T) -> io::Result<(Unpacked<T>, u64)> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            File::open(entry.path())?.sync_all()?;
            files.push((entry.file_name().to_string_lossy().into_owned(), entry.metadata()?.len()));
        }
        files.sort();
        let bytes: u64 = files.iter().map(|(_, bytes)| bytes).sum();
        let marker = Marker { files, about };
        let text = serde_json::to_vec(&marker)?;
        let mut file = File::create(self.folder.join(MARKER))?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&self.folder, &self.complete)?;
        Ok((Unpacked { folder: self.complete.clone(), about: marker.about }, bytes + text.len() as u64))
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        // The lock's file goes last: without it, nobody knows of what else is there.
        if remove(&self.folder).is_ok() {
            drop(fs::remove_file(&self.lock_path));
        }
    }
}

/// What is unpacked, as whoever makes room sees it.
pub(super) struct Held {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    pub(super) used: SystemTime,
    pub(super) is_in_use: bool,
}

/// Nobody begins to use anything until this is dropped; none where nothing was ever unpacked.
pub(super) fn nobody_begins_meanwhile(cache: &Path) -> io::Result<Option<File>> {
    let root = cache.join(UNPACKED);
    if !root.exists() {
        return Ok(None);
    }
    let lock = open_lock(&root)?;
    lock.lock()?;
    Ok(Some(lock))
}

/// What is unpacked, and how many bytes are taken for what is being written. What processes left that are no more is removed.
pub(super) fn held(cache: &Path) -> io::Result<(Vec<Held>, u64)> {
    let root = cache.join(UNPACKED);
    if !root.exists() {
        return Ok((Vec::new(), 0));
    }
    let in_use = in_use(&root.join(USERS))?;
    let mut held = Vec::new();
    for entry in fs::read_dir(&root)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.len() != NAME_DIGITS {
            continue;
        }
        let used = fs::metadata(entry.path().join(MARKER)).and_then(|meta| meta.modified());
        held.push(Held {
            path: entry.path(),
            bytes: bytes_of(&entry.path())?,
            used: used.unwrap_or(SystemTime::UNIX_EPOCH),
            is_in_use: in_use.contains(&name),
        });
    }
    Ok((held, being_written(&root.join(WRITING))?))
}

/// The names that users list who are still there.
fn in_use(users: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(users)? {
        let path = entry?.path();
        // A user may end meanwhile.
        let Ok(mut file) = File::open(&path) else { continue };
        match file.try_lock() {
            Ok(()) => drop(fs::remove_file(&path)),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                file.seek(SeekFrom::Start(0))?;
                file.read_to_string(&mut text)?;
                names.extend(text.lines().map(str::to_owned));
            }
        }
    }
    Ok(names)
}

/// Bytes that are taken for what is being written. What nobody writes any more is removed.
fn being_written(folder: &Path) -> io::Result<u64> {
    let mut taken: u64 = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "lock") {
            continue;
        }
        let Ok(file) = File::open(&path) else { continue };
        match file.try_lock() {
            Ok(()) => {
                remove(&path.with_extension(""))?;
                drop(fs::remove_file(&path));
            }
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) => {
                let mut told = [0; 8];
                // Empty until something was taken.
                if file.read_exact_at(&mut told, 0).is_ok() {
                    taken = taken.saturating_add(u64::from_le_bytes(told));
                }
            }
        }
    }
    Ok(taken)
}

/// Removes what was unpacked, the marker first, so that what is left of it where that fails is not taken for the whole.
pub(super) fn remove(folder: &Path) -> io::Result<()> {
    for removed in [fs::remove_file(folder.join(MARKER)), fs::remove_dir_all(folder)] {
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn bytes_of(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    // It may be renamed or removed meanwhile.
    let Ok(entries) = fs::read_dir(folder) else { return Ok(0) };
    for entry in entries {
        bytes += entry?.metadata().map_or(0, |meta| meta.len());
    }
    Ok(bytes)
}

fn open_lock(root: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(root.join(LOCK))
}
