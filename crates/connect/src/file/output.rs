//! Outputs that appear whole or not at all.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use flate2::Compression;
use flate2::write::GzEncoder;

/// How hard Zstandard works: its own default, about 300 MB/s.
const LEVEL: i32 = 3;

/// Files that are being written. Whoever ends the program early calls [`remove_unfinished`].
static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Removes what is half written. For whoever ends the program from a signal, where nothing else would.
pub fn remove_unfinished() {
    for path in std::mem::take(&mut *unfinished()) {
        // The program ends: what cannot be removed cannot be helped either.
        let _gone = fs::remove_file(path);
    }
}

fn unfinished() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    // A set of names is whole even if a thread that held it has panicked.
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An output being written. Dropping it without [`Output::finish`] leaves what was there before.
pub struct Output {
    encoder: Encoder,
    target: Target,
}

enum Encoder {
    Plain(BufWriter<Sink>),
    Gzip(Box<GzEncoder<BufWriter<Sink>>>),
    Zstd(Box<zstd::stream::write::Encoder<'static, BufWriter<Sink>>>),
}

enum Target {
    /// Written beside its place, under another name.
    File { unfinished: Unfinished, path: PathBuf },
    /// Standard output, a pipe, a device: nothing to rename.
    Stream,
}

enum Sink {
    File(File),
    Stdout(io::Stdout),
}

impl Output {
    /// Begins a file, or standard output for `-`. A name that ends in `.zst` is compressed with Zstandard, one in `.gz` with gzip.
    ///
    /// # Errors
    /// If nothing can be written there.
    pub fn create(path: &Path) -> io::Result<Self> {
        let (sink, target) = if path.as_os_str() == "-" {
            (Sink::Stdout(io::stdout()), Target::Stream)
        } else {
            // A link is followed, so that it stays one.
            let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
            match fs::metadata(&path) {
                Ok(there) if there.is_dir() => {
                    return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory; expected a file name"));
                }
                Ok(there) if !there.is_file() => {
                    (Sink::File(OpenOptions::new().write(true).open(&path)?), Target::Stream)
                }
                _ => {
                    let (file, unfinished) = Unfinished::create_beside(&path)?;
                    (Sink::File(file), Target::File { unfinished, path })
                }
            }
        };
        let buffered = BufWriter::with_capacity(128 << 10, sink);
        let encoder = match path.extension().and_then(OsStr::to_str) {
            Some("zst") => {
                let mut encoder = zstd::stream::write::Encoder::new(buffered, LEVEL)?;
                encoder.include_checksum(true)?;
                Encoder::Zstd(Box::new(encoder))
            }
            Some("gz") => Encoder::Gzip(Box::new(GzEncoder::new(buffered, Compression::fast()))),
            _ => Encoder::Plain(buffered),
        };
        Ok(Self { encoder, target })
    }

    /// Puts the file on the disk and gives it its name.
    ///
    /// # Errors
    /// What the disk answers; the file's place then holds what it held before.
    pub fn finish(self) -> io::Result<()> {
        let buffered = match self.encoder {
            Encoder::Plain(buffered) => buffered,
            Encoder::Gzip(encoder) => encoder.finish()?,
            Encoder::Zstd(encoder) => encoder.finish()?,
        };
        let mut sink = buffered.into_inner().map_err(io::IntoInnerError::into_error)?;
        sink.flush()?;
        let Target::File { unfinished, path } = self.target else { return Ok(()) };
        if let Sink::File(file) = sink {
            file.sync_all()?;
        }
        unfinished.rename(&path)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.encoder {
            Encoder::Plain(out) => out.write(bytes),
            Encoder::Gzip(out) => out.write(bytes),
            Encoder::Zstd(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.encoder {
            Encoder::Plain(out) => out.flush(),
            Encoder::Gzip(out) => out.flush(),
            Encoder::Zstd(out) => out.flush(),
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Stdout(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Stdout(out) => out.flush(),
        }
    }
}

/// A file under a name of its own; removed when dropped.
struct Unfinished(PathBuf);

impl Unfinished {
    /// Names left over by programs that were killed are passed over, this many at most.
    const TRIES: u32 = 1_000;

    fn create_beside(path: &Path) -> io::Result<(File, Self)> {
        let name = path
            .file_name()
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it names no file"))?
            .to_string_lossy();
        for attempt in 0..Self::TRIES {
            let beside = path.with_file_name(format!(".{name}.{}-{attempt}.unfinished", std::process::id()));
            // Held while the file is made, so that a signal finds either no file or its name.
            let mut all = unfinished();
            match OpenOptions::new().write(true).create_new(true).open(&beside) {
                Ok(file) => {
                    all.insert(beside.clone());
                    return Ok((file, Self(beside)));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, "unfinished files of earlier runs lie beside it; remove them"))
    }

    fn rename(self, path: &Path) -> io::Result<()> {
        let mut all = unfinished();
        fs::rename(&self.0, path)?;
        all.remove(&self.0);
        drop(all);
        // The new name must be on the disk too. Not every file system can; the file itself is safe by then.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if let Ok(folder) = File::open(folder) {
            let _synced = folder.sync_all();
        }
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Renamed, and there is nothing; else nobody is left to be told.
        if unfinished().remove(&self.0) {
            let _gone = fs::remove_file(&self.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("trimtab-output-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_appears_when_it_is_finished() {
        let folder = folder("finished");
        for name in ["history.zst", "timeline.json.gz", "report.html"] {
            let path = folder.join(name);
            let mut output = Output::create(&path).unwrap();
            output.write_all(b"all of it").unwrap();
            assert!(!path.exists());
            output.finish().unwrap();
            let mut read = Vec::new();
            crate::file::Input::open(&path).unwrap().read_to_end(&mut read).unwrap();
            assert_eq!(read, b"all of it");
            assert_eq!(fs::read(&path).unwrap() == b"all of it", name == "report.html", "{name} is compressed");
            assert_eq!(names(&folder), [name]);
            fs::remove_file(&path).unwrap();
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn an_output_given_up_leaves_what_was_there() {
        let folder = folder("dropped");
        let path = folder.join("report.html");
        fs::write(&path, "before").unwrap();
        let mut output = Output::create(&path).unwrap();
        output.write_all(&[b'x'; 1 << 20]).unwrap();
        drop(output);
        assert_eq!(fs::read_to_string(&path).unwrap(), "before");
        assert_eq!(names(&folder), ["report.html"]);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let device = Path::new("/dev/full");
        if !device.exists() {
            testkit::skip!(testkit::Need::Program, "there is no /dev/full on this system");
        }
        let mut output = Output::create(device).unwrap();
        let written = output.write_all(&[b'x'; 1 << 20]).and_then(|()| output.finish());
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::StorageFull);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let folder = folder("link");
        fs::write(folder.join("real"), "before").unwrap();
        std::os::unix::fs::symlink("real", folder.join("link")).unwrap();
        let mut output = Output::create(&folder.join("link")).unwrap();
        output.write_all(b"after").unwrap();
        output.finish().unwrap();
        assert!(fs::symlink_metadata(folder.join("link")).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(folder.join("real")).unwrap(), "after");
        fs::remove_dir_all(folder).unwrap();
    }
}
