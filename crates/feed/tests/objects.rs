//! Data in a store of objects: the same samples in the same order as from files, whatever goes wrong on the way.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_ipc::writer::FileWriter;
use feed::loader::Loader;
use feed::pipeline::{Cell, Made, Next};
use feed::spec::Spec;
use object_rig::{Behaviour, Behind, Fault, Server};
use parquet::arrow::ArrowWriter;
use tempfile::TempDir;

/// Members of a tar file, one behind the other.
fn tar(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, data) in members {
        let mut header = [0_u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..136].copy_from_slice(format!("{:011o}\0", data.len()).as_bytes());
        header[148..156].fill(b' ');
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bytes.extend(header);
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

/// Bytes that differ from number to number, in size too.
fn data(number: usize) -> Vec<u8> {
    (0..100 + number * 7919 % 5000).map(|at| (at * 31 + number * 17) as u8).collect()
}

fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    fs::write(path, bytes).expect("files can be written");
}

/// Shards of each kind.
fn fill(folder: &Path) {
    for shard in 0..3 {
        let members: Vec<_> = (0..50)
            .flat_map(|sample| {
                let number = shard * 50 + sample;
                [
                    (format!("{number:04}.bin"), data(number)),
                    (format!("{number:04}.cls"), number.to_string().into_bytes()),
                ]
            })
            .collect();
        write(&folder.join(format!("part-{shard}.tar")), tar(&members));
        let lines: String = (0..100).map(|line| format!("{{\"text\": \"{shard} and {line}\"}}\n")).collect();
        write(&folder.join(format!("part-{shard}.jsonl")), lines);
    }
    let tokens: Vec<u8> = (0..40_000_u32).flat_map(|token| (token as u16).to_le_bytes()).collect();
    write(&folder.join("tokens.bin"), tokens);
    for class in ["cats", "dogs"] {
        fs::create_dir_all(folder.join("animals").join(class)).expect("folders can be made");
        for number in 0..20 {
            write(&folder.join("animals").join(class).join(format!("{number:02}.raw")), data(number));
        }
    }
    mds(&folder.join("mds"));
}

/// A dataset of MDS with two shards.
fn mds(folder: &Path) {
    fs::create_dir_all(folder).expect("folders can be made");
    let mut entries = Vec::new();
    for shard in 0..2 {
        let samples: Vec<Vec<u8>> = (0..30)
            .map(|sample| {
                let data = data(shard * 30 + sample);
                let mut bytes = (data.len() as u32).to_le_bytes().to_vec();
                bytes.extend(data);
                bytes
            })
            .collect();
        let mut offset = 4 + 4 * (samples.len() as u32 + 1);
        let mut bytes = (samples.len() as u32).to_le_bytes().to_vec();
        bytes.extend(offset.to_le_bytes());
        for sample in &samples {
            offset += sample.len() as u32;
            bytes.extend(offset.to_le_bytes());
        }
        bytes.extend(samples.concat());
        let name = format!("shard.{shard:05}.mds");
        entries.push(format!(
            "{{\"format\": \"mds\", \"samples\": 30, \"column_names\": [\"data\"], \"column_encodings\": [\"bytes\"], \
             \"column_sizes\": [null], \"compression\": null, \"raw_data\": {{\"basename\": \"{name}\", \"bytes\": {}}}}}",
            bytes.len()
        ));
        write(&folder.join(name), bytes);
    }
    let index = format!("{{\"version\": 2, \"shards\": [{}]}}", entries.join(", "));
    write(&folder.join("index.json"), index);
}

/// What is asked of each kind of shards: what names them, and the column.
const ASKED: [(&str, &str); 5] = [
    ("part-{0..2}.tar", r#"{"name": "data", "fields": ["bin"], "kind": "bytes"}"#),
    ("part-*.jsonl", r#"{"name": "text", "fields": ["text"], "kind": "text"}"#),
    ("tokens.bin", r#"{"name": "tokens", "kind": {"tokens": {"length": 64}}}"#),
    ("animals", r#"{"name": "file", "fields": ["raw"], "kind": "bytes"}"#),
    ("mds", r#"{"name": "data", "fields": ["data"], "kind": "bytes"}"#),
];

fn open(data: &str, column: &str) -> Result<Loader, String> {
    open_with(data, column, "")
}

/// A loader that is told more.
fn open_with(data: &str, column: &str, more: &str) -> Result<Loader, String> {
    let spec = format!(
        r#"{{"data": ["{data}"], "columns": [{column}], "batch": 16, "shuffle": "global", "seed": 3, "threads": 3{more}}}"#
    );
    let spec: Spec = serde_json::from_str(&spec).expect("the loader is told in its own words");
    Loader::open(&spec).map_err(|error| error.to_string())
}

/// What was said instead of a loader.
fn refused(opened: Result<Loader, String>) -> String {
    opened.err().expect("it is refused")
}

/// Each sample's bytes, of a whole epoch; or what was said of the first that could not be read.
fn epoch(loader: &Loader) -> Result<Vec<Vec<u8>>, String> {
    let mut samples = Vec::new();
    loop {
        match loader.next(Duration::from_secs(60)) {
            Next::EndOfEpoch(_) => return Ok(samples),
            Next::NotYet | Next::NoRoom { .. } => panic!("nothing came for a minute"),
            Next::Batch(batch) => {
                if let Some(error) = batch.failed.first() {
                    return Err(error.to_string());
                }
                for column in batch.columns() {
                    match column.made {
                        Made::Numbers(numbers) => samples
                            .extend(numbers.chunks_exact(numbers.slot_bytes()).take(batch.samples).map(<[u8]>::to_vec)),
                        Made::Bytes(cells) => samples.extend(cells[..batch.samples].iter().map(|cell| cell.to_vec())),
                        Made::Joined { .. } => unreachable!("none was asked for"),
                    }
                }
            }
        }
    }
}

fn start(folder: &TempDir, behaviour: Behaviour) -> Server {
    Server::start(Behind::Folder(folder.path().to_owned()), behaviour).expect("loopback has a free port")
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn samples_are_those_of_files_whatever_goes_wrong() {
    let folder = TempDir::new().unwrap();
    fill(folder.path());
    let faults = vec![
        (7, Fault::Status(503)),
        (11, Fault::Status(500)),
        (13, Fault::Reset),
        (17, Fault::Cut),
        (19, Fault::Status(429)),
    ];
    let faulty = start(&folder, Behaviour { latency: ms(1), faults, ..Behaviour::default() });
    let sound = start(&folder, Behaviour { latency: ms(5), ..Behaviour::default() });
    for (name, column) in ASKED {
        let here = epoch(&open(&folder.path().join(name).display().to_string(), column).unwrap()).unwrap();
        assert!(here.len() >= 40, "{name}");
        for server in [&sound, &faulty] {
            let loader = open(&server.url(name), column).unwrap();
            assert_eq!(epoch(&loader), Ok(here.clone()), "{name}");
        }
    }
    assert!(faulty.faults() > 0);
}

#[test]
fn sources_are_mixed_wherever_each_of_them_lies() {
    let folder = TempDir::new().unwrap();
    fill(folder.path());
    let server = start(&folder, Behaviour { latency: ms(2), ..Behaviour::default() });
    let here = |name: &str| folder.path().join(name).display().to_string();
    let mixed = |tar: &str, animals: &str, buckets: &str| {
        let spec = format!(
            r#"{{"mix": {{"sources": [{{"name": "tar", "data": ["{tar}"], "weight": 0.5}},
                                      {{"name": "animals", "data": ["{animals}"], "weight": 1}}]}},
                "columns": [{{"name": "data", "fields": ["bin", "raw"], "kind": "bytes"}}],
                "batch": 16, "shuffle": "global", "seed": 3, "threads": 3{buckets}}}"#
        );
        let spec: Spec = serde_json::from_str(&spec).expect("the loader is told in its own words");
        let loader = Loader::open(&spec).map_err(|error| error.to_string())?;
        // A hundred and fifty samples last longest, at a third.
        assert_eq!(loader.samples(), 450);
        let epoch = epoch(&loader)?;
        let counts: Vec<u64> = loader.report().sources.iter().map(|source| source.samples).collect();
        Ok::<_, String>((epoch, counts))
    };
    let (tar, animals) = ("part-{0..2}.tar", "animals");
    for buckets in ["", r#", "buckets": {"group": 16, "groups": 8}"#] {
        let (expected, counts) = mixed(&here(tar), &here(animals), buckets).unwrap();
        assert_eq!((expected.len(), counts[0].abs_diff(150) < 60, counts[0] + counts[1]), (450, true, 450));
        for (tar, animals) in [(server.url(tar), server.url(animals)), (server.url(tar), here(animals))] {
            assert_eq!(mixed(&tar, &animals, buckets), Ok((expected.clone(), counts.clone())));
        }
    }
    assert!(server.requests() > 0);
}

#[test]
fn one_list_and_few_requests() {
    let folder = TempDir::new().unwrap();
    fill(folder.path());
    for (name, column) in ASKED {
        let server = start(&folder, Behaviour::default());
        let loader = open(&server.url(name), column).unwrap();
        let lists = u64::from(!name.ends_with(".bin") && !name.contains('{'));
        // The folder of folders is listed once to see what it is, and once with all that is in it.
        let lists = if name == "animals" { 2 } else { lists };
        assert_eq!(server.requests_of("PROPFIND"), lists, "{name}");
        let opening = server.requests();
        let samples = epoch(&loader).unwrap().len() as u64;
        let reading = server.requests() - opening;
        // What comes next is asked for ahead, and that is up to two more epochs of so few samples.
        assert!(reading <= 3 * samples, "{name}: {reading} requests for {samples} samples");
        assert!(opening <= 12, "{name}: {opening} requests to begin");
    }
}

/// The index of part-0.tar, as DALI's wds2idx writes it.
fn index() -> String {
    let mut text = "v1.2 50\n".to_owned();
    let mut at = 0;
    for number in 0..50 {
        let (bytes, digits) = (data(number).len(), number.to_string().len());
        let class = at + 512 + bytes.next_multiple_of(512);
        text += &format!("bin {} {bytes} {number:04}.bin cls {} {digits} {number:04}.cls\n", at + 512, class + 512);
        at = class + 1024;
    }
    text
}

#[test]
fn whoever_keeps_batches_stops_nothing_and_changes_none() {
    let folder = TempDir::new().unwrap();
    let data = |number: usize| vec![number as u8; 64 << 10];
    let members: Vec<_> = (0..200).map(|number| (format!("{number:04}.bin"), data(number))).collect();
    write(&folder.path().join("large.tar"), tar(&members));
    let server = start(&folder, Behaviour::default());
    // A tenth of that is for what is fetched, less than what is kept below.
    let (_, column) = ASKED[0];
    let loader = open_with(&server.url("large.tar"), column, r#", "memory": 41943040"#).unwrap();
    let (mut kept, mut shared, mut own) = (Vec::new(), 0, 0);
    loop {
        match loader.next(Duration::from_secs(60)) {
            Next::EndOfEpoch(_) => break,
            Next::Batch(batch) => kept.push(batch),
            Next::NotYet | Next::NoRoom { .. } => panic!("nothing came for a minute"),
        }
    }
    for batch in &kept {
        let cells = batch.columns().next().unwrap().made.cells().unwrap();
        for (number, cell) in batch.numbers.iter().zip(cells) {
            assert!(**cell == data(*number as usize), "sample {number} is as it was read");
            match cell {
                Cell::Shared(_) => shared += 1,
                Cell::Own(_) => own += 1,
            }
        }
    }
    // As long as there was room for them, they lie where they were fetched to; the others were copied.
    assert_eq!(shared + own, 200);
    assert!(shared > 0 && own > 0, "{shared} shared, {own} copied");
}

#[test]
fn an_index_beside_a_tar_file_spares_its_headers() {
    let folder = TempDir::new().unwrap();
    fill(folder.path());
    let (_, column) = ASKED[0];
    let path = |name: &str| folder.path().join(name);
    let address = path("part-0.tar").display().to_string();
    let expected = epoch(&open(&address, column).unwrap());
    write(&path("part-0.idx"), index());
    assert_eq!(epoch(&open(&address, column).unwrap()), expected);
    let server = start(&folder, Behaviour::default());
    let loader = open(&server.url("part-0.tar"), column).unwrap();
    assert_eq!(server.requests(), 2, "the index, and the file's size");
    assert_eq!(epoch(&loader), expected);

    // The index of another file of the same size, and one that cannot be.
    write(&path("part-0.idx"), index().replacen("bin 512 100 ", "bin 512 99 ", 50));
    let all: String = index().lines().map(|line| line.replace(" cls", " x")).collect::<Vec<_>>().join("\n");
    write(&path("part-1.idx"), all);
    let error = epoch(&open(&path("part-1.tar").display().to_string(), column).unwrap()).err();
    let error = error.expect("part-1.tar has other sizes");
    assert!(error.contains("part-1.tar") && error.contains("is of another file"), "{error}");
    write(&path("part-2.idx"), "v1.2 1\nbin 512 100000000 a.bin\n");
    let error = refused(open(&path("part-2.tar").display().to_string(), column));
    assert!(error.contains("part-2.idx, line 2"), "{error}");
}

#[test]
fn what_is_kept_on_this_machine_is_not_asked_for_again() {
    let (folder, cache) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    fill(folder.path());
    for (name, column) in ASKED {
        let server = start(&folder, Behaviour::default());
        let here = epoch(&open(&folder.path().join(name).display().to_string(), column).unwrap()).unwrap();
        let kept = |bytes: u64| {
            let more = format!(r#", "cache": {{"folder": "{}", "bytes": {bytes}}}"#, cache.path().display());
            open_with(&server.url(name), column, &more).unwrap()
        };
        // The first loader writes, the second one reads: whole blocks came, so that all is there.
        let first = kept(1 << 30);
        assert_eq!(epoch(&first), Ok(here.clone()), "{name}");
        drop(first);
        let second = kept(1 << 30);
        let opening = server.requests();
        assert_eq!(epoch(&second), Ok(here.clone()), "{name}");
        assert_eq!(server.requests(), opening, "{name}");
        drop(second);
        // Without room, everything comes from the store.
        fs::remove_dir_all(cache.path()).unwrap();
        let third = kept(100);
        assert_eq!(epoch(&third), Ok(here.clone()), "{name}");
        drop(third);
        fs::remove_dir_all(cache.path()).unwrap();
    }
}

#[test]
fn what_cannot_be_had_is_named() {
    let folder = TempDir::new().unwrap();
    fill(folder.path());
    let server = start(&folder, Behaviour::default());
    let (_, column) = ASKED[0];
    let error = refused(open(&server.url("nowhere.tar"), column));
    assert_eq!(error, format!("{}: failed to open: the store has no such object", server.url("nowhere.tar")));
    let error = refused(open(&server.url("none-*.tar"), column));
    assert!(error.contains("there is no such file"), "{error}");
    let error = refused(open(&format!("{}?signature=secret", server.url("part-0.tar")), column));
    assert!(error.contains("with a query") && !error.contains("secret"), "{error}");
    let error = refused(open("ftp://host/part-0.tar", column));
    assert!(error.contains("ftp"), "{error}");

    // An object that vanishes, and one that is replaced, after they were opened. What was read to find the samples may still be there
    // when they are asked for, and then nothing is missed: it is tried again.
    let after = |name: &str, change: &dyn Fn()| {
        let failed = || {
            fill(folder.path());
            let loader = open(&server.url(name), column).unwrap();
            change();
            epoch(&loader).err()
        };
        (0..20).find_map(|_| failed()).expect("a sample cannot be read")
    };
    let part = |number: usize| folder.path().join(format!("part-{number}.tar"));
    let error = after("part-{0..2}.tar", &|| fs::remove_file(part(1)).unwrap());
    assert!(error.contains("part-1.tar") && error.contains("no such object"), "{error}");
    let error = after("part-0.tar", &|| fs::write(part(0), [0; 1000]).unwrap());
    assert!(error.contains("part-0.tar"), "{error}");

    // A store that always says no.
    let server = start(&folder, Behaviour { faults: vec![(1, Fault::Status(400))], ..Behaviour::default() });
    let error = refused(open(&server.url("part-2.tar"), column));
    assert!(error.contains("status 400"), "{error}");
    assert_eq!(server.requests(), 1, "it is asked once");
}

#[test]
fn a_loader_that_waits_for_a_store_can_be_dropped() {
    let folder = TempDir::new().unwrap();
    fill(folder.path());
    let server = start(&folder, Behaviour::default());
    let loader = open(&server.url("part-{0..2}.tar"), ASKED[0].1).unwrap();
    server.behave(Behaviour { faults: vec![(1, Fault::Silence)], ..Behaviour::default() });
    assert!(matches!(loader.next(ms(50)), Next::NotYet));
    drop(loader);
}

#[test]
fn compressed_objects_are_unpacked_on_this_machine() {
    let folder = TempDir::new().unwrap();
    fill(folder.path());
    for shard in 0..3 {
        for name in [format!("part-{shard}.tar"), format!("part-{shard}.jsonl")] {
            let plain = fs::read(folder.path().join(&name)).unwrap();
            let packed = zstd::encode_all(&plain[..], 1).unwrap();
            write(&folder.path().join(format!("{name}.zst")), packed);
        }
    }
    let faults = vec![(3, Fault::Status(503)), (5, Fault::Cut)];
    let server = start(&folder, Behaviour { latency: ms(1), faults, ..Behaviour::default() });
    let cache = TempDir::new().unwrap();
    let more = format!(r#", "cache": {{"folder": "{}", "bytes": 50000000}}"#, cache.path().display());
    for (data, column) in &ASKED[..2] {
        let plain = epoch(&open(&format!("{}/{data}", folder.path().display()), column).unwrap()).unwrap();
        let at = server.url(&format!("{}.zst", data.replace('*', "{0..2}")));
        let loader = open_with(&at, column, &more).unwrap();
        assert_eq!(epoch(&loader).unwrap(), plain, "{data}");
        // They are there for whoever comes next, who asks for their sizes alone.
        let before = server.requests();
        assert_eq!(epoch(&open_with(&at, column, &more).unwrap()).unwrap(), plain);
        assert!(server.requests() - before <= 9, "{data}");
    }
}

#[test]
fn tables_in_stores_are_brought_here_and_unpacked() {
    let folder = TempDir::new().unwrap();
    let texts: Vec<String> = (0..500).map(|row| format!("row {row}")).collect();
    let column: ArrayRef = Arc::new(StringArray::from(texts));
    let batch = RecordBatch::try_from_iter([("text", column)]).unwrap();
    let mut parquet = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    parquet.write(&batch).unwrap();
    write(&folder.path().join("a.parquet"), parquet.into_inner().unwrap());
    let mut arrow = FileWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    arrow.write(&batch).unwrap();
    write(&folder.path().join("a.arrow"), arrow.into_inner().unwrap());
    let server = start(&folder, Behaviour::default());
    let cache = TempDir::new().unwrap();
    let more = format!(r#", "cache": {{"folder": "{}", "bytes": 50000000}}"#, cache.path().display());
    let column = r#"{"name": "text", "fields": ["text"], "kind": "text"}"#;
    for name in ["a.parquet", "a.arrow"] {
        let here = open_with(&folder.path().join(name).display().to_string(), column, &more).unwrap();
        let there = epoch(&open_with(&server.url(name), column, &more).unwrap()).unwrap();
        assert_eq!(there, epoch(&here).unwrap(), "{name}");
        assert_eq!(there.len(), 500);
    }
    // What was brought here is not kept beside the rows.
    let unpacked = fs::read_dir(cache.path().join("unpacked")).unwrap();
    let kept = unpacked.filter(|entry| entry.as_ref().unwrap().path().join("source").exists());
    assert_eq!(kept.count(), 0);
    write(&folder.path().join("cut.parquet"), b"PAR1 and no more");
    let error = refused(open_with(&server.url("cut.parquet"), column, &more));
    assert!(error.contains("cut.parquet: failed to read it as Parquet"), "{error}");
}

#[test]
fn chunks_of_litdata_in_stores_are_read_as_those_of_files() {
    let folder = TempDir::new().unwrap();
    let item = |number: usize| [&(data(number).len() as u32).to_le_bytes()[..], &data(number)].concat();
    let chunk = |items: &[Vec<u8>]| {
        let mut offset = 4 * (items.len() as u32 + 2);
        let mut bytes = [(items.len() as u32).to_le_bytes(), offset.to_le_bytes()].concat();
        for item in items {
            offset += item.len() as u32;
            bytes.extend(offset.to_le_bytes());
        }
        [bytes, items.concat()].concat()
    };
    let index = |name: &str, bytes: usize, packing: &str| {
        format!(
            "{{\"chunks\": [{{\"filename\": \"{name}\", \"chunk_bytes\": {bytes}, \"chunk_size\": 60, \"dim\": null}}], \
             \"config\": {{\"data_format\": [\"bytes\"], \"data_spec\": null, {packing}}}}}"
        )
    };
    let items: Vec<Vec<u8>> = (0..60).map(item).collect();
    let plain = chunk(&items);
    let each: Vec<Vec<u8>> = items.iter().map(|item| zstd::encode_all(&item[..], 1).unwrap()).collect();
    for (kind, name, bytes, told, packing) in [
        ("plain", "a.bin", plain.clone(), plain.len(), r#""compression": null"#),
        ("whole", "a.zstd.bin", zstd::encode_all(&plain[..], 1).unwrap(), plain.len(), r#""compression": "zstd""#),
        ("each", "a.bin", chunk(&each), chunk(&each).len(), r#""compression": "zstd", "compression_level": "sample""#),
    ] {
        fs::create_dir(folder.path().join(kind)).unwrap();
        write(&folder.path().join(kind).join(name), bytes);
        write(&folder.path().join(kind).join("index.json"), index(name, told, packing));
    }
    let faults = vec![(3, Fault::Status(503)), (5, Fault::Cut)];
    let server = start(&folder, Behaviour { latency: ms(1), faults, ..Behaviour::default() });
    let cache = TempDir::new().unwrap();
    let more = format!(r#", "cache": {{"folder": "{}", "bytes": 50000000}}"#, cache.path().display());
    let column = r#"{"name": "data", "kind": "bytes"}"#;
    let expected = epoch(&open(&folder.path().join("plain").display().to_string(), column).unwrap()).unwrap();
    assert_eq!(expected.len(), 60);
    for kind in ["plain", "whole", "each"] {
        let loader = open_with(&server.url(kind), column, &more).unwrap();
        assert_eq!(epoch(&loader).unwrap(), expected, "{kind}");
    }
}
