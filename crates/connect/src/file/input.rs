//! Inputs: plain, gzip or Zstandard, from a file or standard input.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

/// How much is read at a time.
const CHUNK: usize = 128 << 10;

/// The largest window a Zstandard frame may ask for, as a power of two: 128 MiB, what `zstd` itself takes without `--long`.
const WINDOW_LOG_MAX: u32 = 27;

/// So much can be looked at before anything is read: the first [`BufRead::fill_buf`] answers at least this, or the whole.
const HEAD: u64 = 4 << 10;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// As long as the longest mark.
const MARK: u64 = 6;
/// Other compressions, to name them in an error: xz, bzip2, zip.
const OTHERS: [(&[u8], &str); 3] = [(b"\xfd7zXZ\0", "xz"), (b"BZh", "bzip2"), (b"PK\x03\x04", "zip")];

/// How far an input was read, or several together.
#[derive(Clone, Debug)]
pub struct Progress {
    read: Vec<Arc<AtomicU64>>,
    total: Option<u64>,
}

impl Progress {
    /// The sum of several.
    #[must_use]
    pub fn of_all(list: &[Self]) -> Self {
        Self {
            read: list.iter().flat_map(|progress| progress.read.iter().cloned()).collect(),
            total: list.iter().map(|progress| progress.total).sum(),
        }
    }

    /// Bytes read so far, as they lie on the disk (compressed).
    #[must_use]
    pub fn read_bytes(&self) -> u64 {
        self.read.iter().map(|read| read.load(Ordering::Relaxed)).sum()
    }

    /// Bytes there are, where that is known.
    #[must_use]
    pub fn total_bytes(&self) -> Option<u64> {
        self.total
    }
}

/// An input being read.
pub struct Input {
    name: String,
    progress: Progress,
    inner: Refill<Box<dyn BufRead + Send>>,
}

impl Input {
    /// Opens a file, or standard input for `-`.
    ///
    /// # Errors
    /// If it cannot be opened or is compressed in a way that is not read.
    pub fn open(path: &Path) -> io::Result<Self> {
        if path.as_os_str() == "-" {
            return Self::from_reader(io::stdin(), "-", None);
        }
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory; expected a file"));
        }
        Self::from_reader(file, &path.display().to_string(), metadata.is_file().then_some(metadata.len()))
    }

    /// Reads any stream. `name` is what errors call it, `total` its length where that is known.
    ///
    /// # Errors
    /// If it cannot be read or is compressed in a way that is not read.
    pub fn from_reader(reader: impl Read + Send + 'static, name: &str, total: Option<u64>) -> io::Result<Self> {
        let read = Arc::new(AtomicU64::new(0));
        let counted = Counted { reader, read: Arc::clone(&read) };
        let progress = Progress { read: vec![read], total };
        let mut raw = BufReader::with_capacity(CHUNK, counted);
        let start = beginning(&mut raw, MARK)?;
        let inner: Box<dyn BufRead + Send> = if start.starts_with(&GZIP) {
            let decoder = Named { reader: MultiGzDecoder::new(Refill { inner: raw, start, at: 0 }), kind: "gzip" };
            Box::new(BufReader::with_capacity(CHUNK, decoder))
        } else if start.starts_with(&ZSTD) {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(Refill { inner: raw, start, at: 0 })?;
            decoder.window_log_max(WINDOW_LOG_MAX)?;
            Box::new(BufReader::with_capacity(CHUNK, Named { reader: decoder, kind: "Zstandard" }))
        } else if let Some((_, kind)) = OTHERS.iter().find(|(magic, _)| start.starts_with(magic)) {
            let reason = format!("it is compressed with {kind}; unpack it first (plain, gzip and Zstandard are read)");
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        } else {
            Box::new(Refill { inner: raw, start, at: 0 })
        };
        let mut inner = inner;
        let start = beginning(&mut inner, HEAD)?;
        Ok(Self { name: name.to_owned(), progress, inner: Refill { inner, start, at: 0 } })
    }

    /// What errors call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How far it was read; can be watched while it is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer)
    }
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.inner.consume(amount);
    }
}

/// The first bytes; a pipe may hand them out one by one.
fn beginning(reader: &mut impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    reader.take(most).read_to_end(&mut start)?;
    Ok(start)
}

/// A stream with its first bytes put back.
struct Refill<R> {
    inner: R,
    start: Vec<u8>,
    at: usize,
}

impl<R: BufRead> Read for Refill<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(buffer.len());
        buffer[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Refill<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at < self.start.len() { Ok(&self.start[self.at..]) } else { self.inner.fill_buf() }
    }

    fn consume(&mut self, amount: usize) {
        if self.at < self.start.len() {
            self.at += amount;
        } else {
            self.inner.consume(amount);
        }
    }
}

/// Counts what is read.
struct Counted<R> {
    reader: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Says of a broken stream what kind it is, and that it may be cut off.
struct Named<R> {
    reader: R,
    kind: &'static str,
}

impl<R: Read> Read for Named<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            io::ErrorKind::UnexpectedEof => io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("the {} file is cut off; copy or download it again", self.kind),
            ),
            kind => {
                io::Error::new(kind, format!("the {} file is damaged ({error}); copy or download it again", self.kind))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const TEXT: &[u8] = b"one\ntwo\nthree\n";

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    /// Hands out one byte at a time, as a slow pipe does.
    struct Slow(io::Cursor<Vec<u8>>);

    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let most = buffer.len().min(1);
            self.0.read(&mut buffer[..most])
        }
    }

    fn read(bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        Input::from_reader(Slow(io::Cursor::new(bytes)), "x", None)?.read_to_end(&mut text)?;
        Ok(text)
    }

    #[test]
    fn compression_is_told_by_the_first_bytes() {
        let mut joined = gzip(TEXT);
        joined.extend(gzip(TEXT));
        assert_eq!(read(joined).unwrap(), TEXT.repeat(2), "joined gzip files are one");
        let frame = zstd::encode_all(TEXT, 3).unwrap();
        assert_eq!(read(frame.repeat(2)).unwrap(), TEXT.repeat(2), "joined Zstandard frames are one");
        for plain in [&b""[..], b"a", b"\x1f", b"plain text that is long enough"] {
            assert_eq!(read(plain.to_vec()).unwrap(), plain);
        }
    }

    #[test]
    fn cut_and_foreign_files_are_said() {
        let long: Vec<u8> = (0..100_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let cut = |mut bytes: Vec<u8>| {
            bytes.truncate(bytes.len() / 2);
            bytes
        };
        let mut damaged = gzip(TEXT);
        let checksum = damaged.len() - 8;
        damaged[checksum] ^= 1;
        let cases = [
            (cut(gzip(&long)), "the gzip file is cut off"),
            (cut(zstd::encode_all(&long[..], 3).unwrap()), "the Zstandard file is cut off"),
            (damaged, "the gzip file is damaged"),
            (b"\xfd7zXZ\0....".to_vec(), "it is compressed with xz"),
        ];
        for (bytes, expected) in cases {
            let error = read(bytes).unwrap_err().to_string();
            assert!(error.contains(expected), "{error} lacks {expected}");
        }
    }

    #[test]
    fn the_beginning_can_be_looked_at() {
        let long = TEXT.repeat(1_000);
        for bytes in [long.clone(), gzip(&long)] {
            let mut input = Input::from_reader(Slow(io::Cursor::new(bytes)), "x", None).unwrap();
            assert!(input.fill_buf().unwrap().len() >= 4_096);
            let mut text = Vec::new();
            input.read_to_end(&mut text).unwrap();
            assert_eq!(text, long);
        }
    }

    #[test]
    fn progress_counts_what_lies_on_the_disk() {
        let packed = gzip(&TEXT.repeat(1_000));
        let length = packed.len() as u64;
        let mut input = Input::from_reader(io::Cursor::new(packed), "x", Some(length)).unwrap();
        let progress = input.progress();
        io::copy(&mut input, &mut io::sink()).unwrap();
        assert_eq!((progress.read_bytes(), progress.total_bytes()), (length, Some(length)));
        let both = Progress::of_all(&[progress.clone(), progress]);
        assert_eq!((both.read_bytes(), both.total_bytes()), (2 * length, Some(2 * length)));
    }
}
