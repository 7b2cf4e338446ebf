//! Every reader against input that is nothing, nearly something, or something damaged: it never panics, hands out what it
//! counts, and always ends with records or with words.

use std::io::{Cursor, Read};

use connect::csv::Mapping;
use connect::file::Input;
use connect::import::{Each, Options, Report, Stop};
use connect::{csv, philly, swf};
use fleet::fleet_file::FleetFile;
use fleet::history::{Reader, Record};
use proptest::prelude::*;

const PHILLY: &str = "timestamp,duration,num_gpus,gpu_time,cluster\n\
    2020-03-02 10:00:05,120.0,8,960.0,vision\n2020-03-01 09:30:00,3.5,1,3.5,\"sp\"\"eech\"\n";
const SWF: &str = "; UnixStartTime: 1400749079\n; MaxNodes: 3\n; MaxProcs: 8\n; Queue: 1 night\n\
    7 60 30 3600 4 1800.50 2048 4 7200 4096 1 12 3 99 1 -1 -1 -1\n8 61 3 60 4 -1 -1 4 -1 -1 2 -1 -1 -1 1 -1 7 10\n";
const MAPPING: &str = "version = 1\ndelimiter = ','\ntime_format = '%d/%m/%Y %H:%M'\n[columns]\nid = 'a'\n\
    submit = { column = 'b', format = 'iso' }\nrun = { column = 'c', unit = 'min' }\nend = 'd'\n\
    cause = { column = 'e', other = 'failed' }\ndevices = { column = 'f', per = 'job' }\ntasks = { value = 2 }\n";
const TABLE: &str =
    "a,b,c,d,e,f\nx,2020-03-02T10:00:05+01:00,5,,completed,4\ny,2020-03-02 10:00,1:30,03/03/2020 11:00,?,0.5\n";
const FLEET: &str =
    "version = 1\n[[nodes]]\nname = 'gpu'\ncount = 2\ndevices = 8\nprice_per_hour = '1.5'\n[[queues]]\nname = 'a'\n";
const HISTORY: &str = "{\"header\":{\"version\":1,\"source\":\"csv\"}}\n\
    {\"workload\":{\"id\":\"1\",\"queue\":\"a\",\"submit\":1000,\"tasks\":2,\"request\":{\"devices_milli\":1000},\
    \"attempts\":[{\"start\":3000,\"run_ms\":4000,\"cause\":\"completed\"}]}}\n{\"end\":{\"workloads\":1}}\n";

/// Reads, and holds the reader to what it says.
fn check(read: impl Fn(&[u8], Each<'_>) -> Result<Report, Stop>, bytes: &[u8]) {
    let (mut headers, mut workloads) = (0, 0);
    let result = read(bytes, &mut |record| {
        headers += u64::from(matches!(record, Record::Header(_)));
        if let Record::Workload(workload) = record {
            assert!(workload.tasks > 0);
            assert!(workload.attempts.iter().all(|attempt| attempt.run.is_none_or(|run| run.0 >= 0)));
            assert!(workload.attempts.iter().all(|attempt| attempt.start.is_none_or(|at| at >= workload.submit)));
            workloads += 1;
        }
        Ok(())
    });
    match result {
        Ok(report) => {
            assert_eq!((report.workloads, headers), (workloads, 1));
            assert!(workloads > 0, "an import without a workload is an error");
        }
        Err(Stop::Input(problem)) => assert!(!problem.reason.is_empty()),
        Err(Stop::Output(error)) => panic!("nothing refuses records here: {error}"),
    }
}

fn check_all(bytes: &[u8]) {
    let options = Options::default();
    check(|bytes, each| philly::read(bytes, "x", &options, each), bytes);
    check(|bytes, each| swf::read(bytes, "x", &options, each), bytes);
    let mapping = Mapping::parse(MAPPING, "map.toml").expect("a mapping");
    check(|bytes, each| csv::read(bytes, "x", &mapping, &options, each), bytes);
    if let Ok(mut reader) = Reader::begin(bytes, "x") {
        while let Ok(Some(_)) = reader.next_record() {}
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _parsed = FleetFile::parse(text, "x");
        if let Ok(mapping) = Mapping::parse(text, "x") {
            check(|bytes, each| csv::read(bytes, "x", &mapping, &options, each), TABLE.as_bytes());
        }
    }
    if let Ok(input) = Input::from_reader(Cursor::new(bytes.to_vec()), "x", None) {
        // A small file may unpack to a large one.
        let _read = input.take(1 << 20).read_to_end(&mut Vec::new());
    }
}

/// A sound input with some bytes changed, put in or taken out.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let samples = prop::sample::select(vec![PHILLY, SWF, MAPPING, TABLE, FLEET, HISTORY]);
    let change =
        (any::<prop::sample::Index>(), 0..3_u8, prop::sample::select(b"0129-+.,;:\"\n\r\t \0\xff\xc3aZ".to_vec()));
    (samples, prop::collection::vec(change, 0..6)).prop_map(|(sample, changes)| {
        let mut bytes = sample.as_bytes().to_vec();
        for (index, what, byte) in changes {
            if bytes.is_empty() {
                break;
            }
            let at = index.index(bytes.len());
            match what {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => {
                    bytes.remove(at);
                }
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn junk_is_survived(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        check_all(&bytes);
    }

    #[test]
    fn damage_is_survived(bytes in damaged()) {
        check_all(&bytes);
    }
}

#[test]
fn the_samples_are_sound() {
    for (index, sample) in [PHILLY, SWF, TABLE].into_iter().enumerate() {
        let mut workloads = 0;
        let mut count = |record| {
            workloads += u64::from(matches!(record, Record::Workload(_)));
            Ok(())
        };
        let options = Options::default();
        let mapping = Mapping::parse(MAPPING, "map.toml").expect("a mapping");
        let report = match index {
            0 => philly::read(sample.as_bytes(), "x", &options, &mut count),
            1 => swf::read(sample.as_bytes(), "x", &options, &mut count),
            _ => csv::read(sample.as_bytes(), "x", &mapping, &options, &mut count),
        };
        let report = report.expect("a sound sample");
        assert_eq!((report.problems.count(), workloads), (0, 2), "{sample}: {:?}", report.problems);
    }
}
