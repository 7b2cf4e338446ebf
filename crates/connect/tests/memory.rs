//! Large and hostile files take bounded memory. Alone in its file, so that it has a process of its own.

use std::io::{self, BufRead, BufReader, Read, Write};

use connect::csv::Mapping;
use connect::import::Options;
use connect::{csv, philly, swf};

/// All that reading may add to the memory in use, whatever the size of the input.
const GROWTH_MAX_KIB: u64 = 12 << 10;

/// So large is each input.
const INPUT_BYTES: u64 = 32 << 20;

/// The most memory this process has had in use, in KiB.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// A line over and over, after a beginning.
fn repeated(beginning: &str, line: &'static str) -> impl BufRead + use<> {
    struct Repeat {
        line: Vec<u8>,
        at: usize,
    }
    impl Read for Repeat {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = (&self.line[self.at..]).read(buffer)?;
            self.at = (self.at + count) % self.line.len();
            Ok(count)
        }
    }
    let beginning = io::Cursor::new(beginning.as_bytes().to_vec());
    BufReader::new(
        beginning.chain(Repeat { line: line.repeat(8_192 / line.len()).into_bytes(), at: 0 }.take(INPUT_BYTES)),
    )
}

const PHILLY: &str = "timestamp,duration,num_gpus,gpu_time,cluster\n";

#[test]
fn large_and_hostile_files_take_bounded_memory() {
    let Some(before) = peak_kib() else {
        testkit::skip!(testkit::Need::Program, "this system has no /proc/self/status to tell the memory in use");
    };
    let options = Options::default();
    let mapping = Mapping::parse("version = 1\n[columns]\nsubmit = 'timestamp'\nrun = 'duration'\n", "m").unwrap();
    let job = "2020-03-02 10:00:05,120.0,8,960.0,vision\n";

    let report = philly::read(repeated(PHILLY, job), "large", &options, &mut |_| Ok(())).unwrap();
    assert!(report.workloads > 500_000);
    // Nothing but bad rows behind a good one: all counted, few kept.
    let bad = repeated(&format!("{PHILLY}{job}"), "yesterday,120.0,8,960.0,vision\n");
    let report = philly::read(bad, "bad", &options, &mut |_| Ok(())).unwrap();
    assert!(report.problems.count() > 500_000 && report.problems.kept().len() == 100);
    // A quotation mark that is never closed, a line that never ends, an endless comment, a row of commas.
    for (beginning, line) in [(PHILLY, "\"x"), (PHILLY, "x"), (PHILLY, ",,,,,,,,"), ("", "x"), ("", "\"")] {
        let endless = || repeated(beginning, line);
        assert!(philly::read(endless(), "endless", &options, &mut |_| Ok(())).is_err());
        assert!(csv::read(endless(), "endless", &mapping, &options, &mut |_| Ok(())).is_err());
        assert!(swf::read(endless(), "endless", &options, &mut |_| Ok(())).is_err());
    }
    assert!(swf::read(repeated("", "; Note: more and more notes\n"), "notes", &options, &mut |_| Ok(())).is_err());
    // A small file that unpacks to a large one.
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let zeros = vec![0; 1 << 20];
    for _ in 0..64 {
        encoder.write_all(&zeros).unwrap();
    }
    let packed = io::Cursor::new(encoder.finish().unwrap());
    let input = connect::file::Input::from_reader(packed, "bomb", None).unwrap();
    assert!(swf::read(input, "bomb", &options, &mut |_| Ok(())).is_err());

    let growth = peak_kib().expect("it was there before") - before;
    assert!(growth < GROWTH_MAX_KIB, "memory grew by {growth} KiB over inputs of {INPUT_BYTES} bytes");
}
