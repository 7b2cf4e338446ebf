//! Blocks of objects kept on a disk of this machine, for all processes on it that are told the same folder.
//!
//! A block is a file, whose name is a digest of the object's address and version and of the block's number. It is written under another
//! name and then renamed, so that a process that dies leaves nothing that looks like a block; and it carries a checksum, which is
//! looked at when a process reads the block for the first time, so that a machine that dies does not either. The folder holds no more
//! than its limit (`usage`). What is there stays as long as anybody who runs has use for it: an epoch asks for every block once, so
//! that to give up those that were used longest ago would give up those that are wanted next (`sweep`).

mod block;
mod sweep;
pub(crate) mod unpacked;
mod usage;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

pub(super) use block::Key;
use usage::Usage;

/// Bytes of a block, but for an object's last.
pub(super) const BLOCK: u64 = 1 << 20;
/// After the folder was found full, or its disk, so long nothing is written.
const REST: Duration = Duration::from_secs(30);

/// A folder of blocks.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
    limit: u64,
    usage: Usage,
    /// Blocks that were used since are not given up.
    opened: SystemTime,
    /// Until when nothing is written.
    rests: Mutex<Option<Instant>>,
    written: AtomicU64,
    counts: Counts,
}

/// What was done so far, by this process.
#[derive(Debug, Default)]
pub struct Counts {
    /// Bytes that came from the folder.
    pub read_bytes: AtomicU64,
    /// Bytes that were written to it.
    pub written_bytes: AtomicU64,
    /// Blocks that could not be written: the folder is full, or its disk, or it may not be written.
    pub unwritten: AtomicU64,
    /// Blocks that were found damaged, and removed.
    pub damaged: AtomicU64,
}

impl Cache {
    /// Opens a folder, which is made where it is not there, for at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// Where it cannot be made or written.
    pub fn open(folder: &Path, limit: u64) -> io::Result<Cache> {
        fs::create_dir_all(folder.join(TEMPORARY))?;
        let usage = Usage::open(folder, limit)?;
        sweep::remove_left_over(&folder.join(TEMPORARY));
        Ok(Cache {
            folder: folder.to_owned(),
            limit,
            usage,
            opened: SystemTime::now(),
            rests: Mutex::new(None),
            written: AtomicU64::new(0),
            counts: Counts::default(),
        })
    }

    /// What was done so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Its folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Bytes that it may hold.
    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    /// Takes bytes for what is no block; whether there is room. Whoever takes them has told so before ([`unpacked`]).
    pub(crate) fn take(&self, bytes: u64) -> io::Result<bool> {
        let make_room = || Ok(sweep::sweep(&self.folder, self.limit, self.opened)?.saturating_sub(bytes));
        self.usage.take(bytes, make_room)
    }

    /// Gives back what was taken and is not there.
    pub(crate) fn give_back(&self, bytes: u64) -> io::Result<()> {
        self.usage.give_back(bytes)
    }

    /// Whether a block is there, as far as its name tells.
    pub(super) fn has(&self, key: &Key) -> bool {
        self.path(key).exists()
    }

    /// Whether blocks are written now.
    pub(super) fn takes(&self) -> bool {
        let mut rests = self.rests.lock().expect(NOBODY_PANICS);
        if rests.is_some_and(|until| until <= Instant::now()) {
            *rests = None;
        }
        rests.is_none()
    }

    /// Fills `bytes` with those of a block from `offset` on; whether it is there. All of it is looked at where it was not before.
    pub(super) fn read(&self, key: &Key, offset: u64, bytes: &mut [u8], is_known: bool) -> bool {
        let path = self.path(key);
        let outcome =
            if is_known { block::read_part(&path, offset, bytes) } else { block::read_whole(&path, offset, bytes) };
        match outcome {
            Ok(()) => {
                self.counts.read_bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                true
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(_) => {
                self.counts.damaged.fetch_add(1, Ordering::Relaxed);
                // It may be removed already, by another process that read it, too.
                drop(fs::remove_file(&path));
                false
            }
        }
    }

    /// Writes a block, where there is room.
    pub(super) fn write(&self, key: &Key, bytes: &[u8]) {
        if !self.takes() {
            return;
        }
        match self.try_write(key, bytes) {
            Ok(true) => {
                self.counts.written_bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            }
            Ok(false) | Err(_) => {
                self.counts.unwritten.fetch_add(1, Ordering::Relaxed);
                *self.rests.lock().expect(NOBODY_PANICS) = Some(Instant::now() + REST);
            }
        }
    }

    /// Whether there was room.
    fn try_write(&self, key: &Key, bytes: &[u8]) -> io::Result<bool> {
        let path = self.path(key);
        if path.exists() {
            return Ok(true);
        }
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        let needed = block::bytes_of(bytes.len() as u64);
        let temporary = self.folder.join(TEMPORARY).join(format!("{}-{number}-{needed}", process::id()));
        // It is there before room is taken for it, so that whoever counts finds it.
        let file = File::create(&temporary)?;
        let written = self.write_to(&file, (&temporary, &path), bytes);
        if !matches!(written, Ok(true)) {
            // What is left of it takes room, too.
            drop(fs::remove_file(&temporary));
        }
        written
    }

    /// Writes a block to a file, and gives that its name.
    fn write_to(&self, file: &File, (temporary, path): (&Path, &Path), bytes: &[u8]) -> io::Result<bool> {
        let needed = block::bytes_of(bytes.len() as u64);
        // What is left then has this one's room in it already.
        let make_room = || Ok(sweep::sweep(&self.folder, self.limit, self.opened)?.saturating_sub(needed));
        if !self.usage.take(needed, make_room)? {
            return Ok(false);
        }
        let written = block::write(file, bytes).and_then(|()| {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::rename(temporary, path)
        });
        if written.is_err() {
            self.usage.give_back(needed)?;
        }
        written.map(|()| true)
    }

    fn path(&self, key: &Key) -> PathBuf {
        let name = key.name();
        self.folder.join(&name[..2]).join(&name[2..])
    }
}

/// The folder of what is being written.
const TEMPORARY: &str = "being-written";
const NOBODY_PANICS: &str = "nobody panics while holding it";

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::unpacked::User;
    use super::*;

    fn key(number: u64) -> Key {
        Key::of("s3://bucket/object", Some("version")).block(number)
    }

    fn read(cache: &Cache, number: u64) -> Option<Vec<u8>> {
        let mut bytes = vec![0; 1000];
        cache.read(&key(number), 0, &mut bytes, false).then_some(bytes)
    }

    fn disk_usage(folder: &Path) -> u64 {
        sweep::held(folder).unwrap()
    }

    #[test]
    fn blocks_are_there_for_every_process_and_the_limit_is_kept() {
        let folder = TempDir::new().unwrap();
        let limit = 10 * block::bytes_of(1000);
        let cache = Cache::open(folder.path(), limit).unwrap();
        for number in 0..30 {
            cache.rests.lock().unwrap().take();
            cache.write(&key(number), &[number as u8; 1000]);
            assert!(disk_usage(folder.path()) <= limit);
        }
        // Whoever came first stays, since it may be wanted again.
        let other = Cache::open(folder.path(), limit).unwrap();
        for number in 0..30 {
            let expected = (number < 10).then(|| vec![number as u8; 1000]);
            assert_eq!(read(&cache, number), expected, "{number}");
            assert_eq!(read(&other, number), expected, "{number}");
        }
        let mut part = [0; 10];
        assert!(cache.read(&key(3), 990, &mut part, true) && part == [3; 10]);
        assert_eq!(cache.counts.unwritten.load(Ordering::Relaxed), 20);
    }

    #[test]
    fn what_nobody_uses_any_more_makes_room() {
        let folder = TempDir::new().unwrap();
        let limit = 10 * block::bytes_of(1000);
        let before = Cache::open(folder.path(), limit).unwrap();
        (0..10).for_each(|number| before.write(&key(number), &[1; 1000]));
        let now = Cache {
            opened: SystemTime::now() + Duration::from_secs(7200),
            ..Cache::open(folder.path(), limit).unwrap()
        };
        now.write(&key(100), &[2; 1000]);
        assert_eq!(read(&now, 100), Some(vec![2; 1000]));
        assert!(disk_usage(folder.path()) <= limit);
    }

    #[test]
    fn what_is_damaged_is_as_if_it_were_not_there() {
        let folder = TempDir::new().unwrap();
        let cache = Cache::open(folder.path(), 1 << 20).unwrap();
        for (number, damage) in [(0, 500), (1, 3), (2, 20)] {
            cache.write(&key(number), &[7; 1000]);
            let path = cache.path(&key(number));
            let mut bytes = fs::read(&path).unwrap();
            bytes[damage] ^= 1;
            fs::write(&path, &bytes).unwrap();
            assert_eq!(read(&cache, number), None);
            assert!(!cache.has(&key(number)));
        }
        cache.write(&key(3), &[7; 1000]);
        fs::write(cache.path(&key(3)), [1, 2, 3]).unwrap();
        assert_eq!(read(&cache, 3), None);
        assert_eq!(cache.counts.damaged.load(Ordering::Relaxed), 4);
    }

    #[test]
    fn what_a_process_left_half_written_is_removed() {
        let folder = TempDir::new().unwrap();
        drop(Cache::open(folder.path(), 1 << 20).unwrap());
        // No process has a number that high.
        let left = folder.path().join(TEMPORARY).join("4294967295-3-1024");
        let alive = folder.path().join(TEMPORARY).join(format!("{}-9-1024", process::id()));
        fs::write(&left, "half").unwrap();
        fs::write(&alive, "half").unwrap();
        drop(Cache::open(folder.path(), 1 << 20).unwrap());
        assert!(!left.exists() && alive.exists());
    }

    #[test]
    fn what_is_unpacked_makes_room_where_nobody_uses_it() {
        let folder = TempDir::new().unwrap();
        let limit = 4000;
        let unpack = |name: char| {
            let user = User::begin(folder.path()).unwrap();
            let Ok(writing) = user.write::<()>(&name.to_string().repeat(40)).unwrap() else {
                panic!("it was not there")
            };
            fs::write(writing.folder().join("content"), [1; 1800]).unwrap();
            writing.tell(1900).unwrap();
            writing.finish(()).map(drop).unwrap();
            user
        };
        // It is counted where nobody counted before.
        let (used, unused) = (unpack('a'), unpack('b'));
        let is_there = |name: char| folder.path().join("unpacked").join(name.to_string().repeat(40)).exists();
        let later = SystemTime::now() + Duration::from_secs(7200);
        let now = Cache { opened: later, ..Cache::open(folder.path(), limit).unwrap() };
        assert!((3600..=3800).contains(&disk_usage(folder.path())));
        for user in [&used, &unused] {
            assert!(user.take_up::<()>(&"a".repeat(40)).unwrap().is_some());
        }
        // What is taken is told of before.
        let Ok(writing) = used.write::<()>(&"z".repeat(40)).unwrap() else { panic!("it was not there") };
        let take = |cache: &Cache, told: u64, bytes: u64| {
            writing.tell(told + bytes).unwrap();
            let is_there = cache.take(bytes).unwrap();
            writing.tell(if is_there { told + bytes } else { told }).unwrap();
            is_there
        };
        drop(unused);
        assert!(take(&now, 0, 1000));
        assert!(is_there('a') && !is_there('b'));
        assert!(!take(&now, 1000, 3000) && is_there('a'));
        drop(used);
        assert!(take(&now, 1000, 3000) && !is_there('a'));
        // By the rule of age, what was just used stays.
        drop(unpack('c'));
        assert!(!take(&Cache::open(folder.path(), limit).unwrap(), 4000, 1000) && is_there('c'));
    }
}
