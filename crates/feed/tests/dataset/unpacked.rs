//! Compressed files, unpacked once and read as if they had never been packed.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use feed::dataset::{Dataset, Format};
use feed::format::ShardKind;
use feed::spec::CacheSpec;
use feed::unpack::Unpacker;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use tempfile::TempDir;

use crate::made::{all, files, sample, tar};

pub(crate) fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zst(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// Unpacks to a folder that may hold so many bytes.
pub(crate) fn unpacker(folder: &Path, bytes: u64) -> Arc<Unpacker> {
    Arc::new(Unpacker::new(Some(CacheSpec { folder: folder.display().to_string(), bytes })))
}

/// The dataset of a file, unpacked to a folder; or what was said of it.
pub(crate) fn open(name: &Path, unpacker: &Arc<Unpacker>) -> Result<Dataset, String> {
    Dataset::open_with(&files(name), Format::ByName, unpacker).map_err(|error| error.to_string())
}

/// What lies in a folder's part for what is unpacked: whole, and half.
fn held(cache: &Path) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let listed = |folder: PathBuf| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let whole = listed(cache.join("unpacked")).filter(|path| path.file_name().unwrap().len() == 40);
    (whole.collect(), listed(cache.join("unpacked/writing")).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn lines_are_those_that_were_packed(
        parts in prop::collection::vec(prop::collection::vec("[a-z ]{0,20}", 0..8), 1..4),
        is_gz: bool,
    ) {
        let folder = TempDir::new().unwrap();
        let plain: String = parts.iter().flatten().map(|line| format!("{line}\n")).collect();
        let plain_path = folder.path().join("a.txt");
        fs::write(&plain_path, &plain).unwrap();
        // Each part is a member or a frame of its own, some of them empty.
        let pack = if is_gz { gz } else { zst };
        let packed: Vec<u8> = parts
            .iter()
            .flat_map(|lines| pack(lines.iter().map(|line| format!("{line}\n")).collect::<String>().as_bytes()))
            .collect();
        let path = folder.path().join(if is_gz { "a.txt.gz" } else { "a.txt.zst" });
        fs::write(&path, packed).unwrap();
        let unpacker = unpacker(&folder.path().join("cache"), 1 << 20);
        let expected = Dataset::open(&files(&plain_path), Format::ByName).map(|dataset| all(&dataset));
        match (open(&path, &unpacker), expected) {
            (Ok(dataset), Ok(expected)) => prop_assert_eq!(all(&dataset), expected),
            (Err(said), Err(expected)) => prop_assert_eq!(said, expected.to_string()),
            (opened, expected) => prop_assert!(false, "{:?} and {:?}", opened.err(), expected),
        }
    }
}

#[test]
fn each_format_is_read_under_each_packing() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    tar(&path("a.tar"), &[sample("x", &[("jpg", b"image"), ("cls", b"7")]), sample("y", &[("cls", b"")])]);
    fs::write(path("b.jsonl"), "{\"text\": \"a\", \"id\": 7}\n{}\n").unwrap();
    fs::write(path("c.txt"), "one\r\ntwo two\n").unwrap();
    fs::copy(path("b.jsonl"), path("d.ndjson")).unwrap();
    let unpacker = unpacker(&path("cache"), 1 << 20);
    for (name, kind) in [
        ("a.tar", ShardKind::WebDataset),
        ("b.jsonl", ShardKind::JsonLines),
        ("c.txt", ShardKind::Text),
        ("d.ndjson", ShardKind::JsonLines),
    ] {
        let plain = fs::read(path(name)).unwrap();
        let expected = all(&Dataset::open(&files(&path(name)), Format::ByName).unwrap());
        let mut packed = vec![(format!("{name}.gz"), gz(&plain)), (format!("{name}.zst"), zst(&plain))];
        if let Some(stem) = name.strip_suffix(".tar") {
            packed.push((format!("{stem}.tgz"), gz(&plain)));
        }
        for (name, bytes) in packed {
            fs::write(path(&name), bytes).unwrap();
            let dataset = open(&path(&name), &unpacker).unwrap();
            assert_eq!(all(&dataset), expected, "{name}");
            let (shard, _) = dataset.find(0);
            assert_eq!((shard.kind(), shard.name()), (kind, path(&name).to_str().unwrap()));
        }
    }
    fs::write(path("a.csv.gz"), gz(b"1,2")).unwrap();
    let refused = open(&path("a.csv.gz"), &unpacker).err().unwrap();
    assert!(refused.contains("a.csv.gz: what this is cannot be told by its name"), "{refused}");
}

#[test]
fn what_is_damaged_is_named_and_leaves_nothing() {
    let folder = TempDir::new().unwrap();
    let text: String = (0..20_000).map(|line| format!("line {line}\n")).collect();
    let (gz, zst) = (gz(text.as_bytes()), zst(text.as_bytes()));
    let changed = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        let end = bytes.len() - 6;
        bytes[end] ^= 0x55;
        bytes
    };
    let cut = |bytes: &[u8]| bytes[..bytes.len() / 2].to_vec();
    for (name, bytes, expected) in [
        ("a.txt.gz", cut(&gz), "a.txt.gz: failed to read it as gzip: it ends too early: it was cut"),
        ("b.txt.zst", cut(&zst), "b.txt.zst: failed to read it as Zstandard: it ends too early: it was cut"),
        ("c.txt.gz", zst.clone(), "c.txt.gz: failed to read it as gzip: it does not begin as such files do"),
        ("d.txt.zst", gz.clone(), "d.txt.zst: failed to read it as Zstandard: it does not begin as such files do"),
        ("e.txt.gz", Vec::new(), "e.txt.gz: failed to read it as gzip: it is empty"),
        ("f.txt.zst", b"\x28".to_vec(), "f.txt.zst: failed to read it as Zstandard: it does not begin as"),
        ("g.txt.gz", changed(&gz), "g.txt.gz: failed to read it as gzip: "),
        ("h.txt.gz", [&gz[..], b"more"].concat(), "h.txt.gz: failed to read it as gzip: "),
        ("i.txt.zst", [&zst[..], b"more"].concat(), "i.txt.zst: failed to read it as Zstandard: "),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let cache = folder.path().join("cache");
        let said = open(&path, &unpacker(&cache, 1 << 20)).err().unwrap();
        assert!(said.contains(expected), "{name}: {said}");
        assert_eq!(held(&cache), (vec![], vec![]), "{name}");
    }
}

#[test]
fn what_goes_beyond_the_limit_is_refused_and_its_room_is_free_again() {
    let folder = TempDir::new().unwrap();
    let (bomb, small) = (folder.path().join("bomb.txt.gz"), folder.path().join("small.txt.gz"));
    let cache = folder.path().join("cache");
    fs::write(&bomb, gz(&vec![b'\n'; 8 << 20])).unwrap();
    // The small one fits only where nothing of the other is counted any more.
    fs::write(&small, gz(&[[b'x'; 999].as_slice(), b"\n"].concat().repeat(2900))).unwrap();
    let limited = unpacker(&cache, 3 << 20);
    for _ in 0..2 {
        let said = open(&bomb, &limited).err().unwrap();
        for part in ["bomb.txt.gz", cache.to_str().unwrap(), "as much as it may, 3 MiB", "cache_limit", "cache_dir"] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert_eq!(held(&cache), (vec![], vec![]));
    }
    let used = || u64::from_le_bytes(fs::read(cache.join("usage")).unwrap().try_into().unwrap());
    assert_eq!(used(), 0);
    assert_eq!(open(&small, &limited).unwrap().samples(), 2900);
    let is_near = |used: u64| (2_900_000..2_901_000).contains(&used);
    assert!(is_near(used()), "{}", used());
    // What is in use makes no room.
    fs::write(&small, gz(&[[b'y'; 999].as_slice(), b"\n"].concat().repeat(2900))).unwrap();
    let said = open(&small, &limited).err().unwrap();
    assert!(said.contains("small.txt.gz: after"), "{said}");
    assert!(is_near(used()), "{}", used());
}

#[test]
fn a_file_is_unpacked_once_however_many_want_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.txt.zst");
    let text: String = (0..200_000).map(|line| format!("line {line}\n")).collect();
    fs::write(&path, zst(text.as_bytes())).unwrap();
    let cache = folder.path().join("cache");
    // Locks are those of open files, so that threads with files of their own are to each other as processes are.
    thread::scope(|scope| {
        let opened: Vec<_> = (0..4).map(|_| scope.spawn(|| open(&path, &unpacker(&cache, 5 << 20)))).collect();
        for dataset in opened {
            assert_eq!(dataset.join().unwrap().unwrap().samples(), 200_000);
        }
    });
    let (whole, half) = held(&cache);
    assert_eq!((whole.len(), half.len()), (1, 0));
    // Whoever comes later reads what is there, and whoever has another file does not.
    let content = whole[0].join("content");
    let before = fs::metadata(&content).unwrap().modified().unwrap();
    drop(open(&path, &unpacker(&cache, 5 << 20)).unwrap());
    assert_eq!(fs::metadata(&content).unwrap().modified().unwrap(), before);
    fs::write(&path, zst(b"another\n")).unwrap();
    assert_eq!(open(&path, &unpacker(&cache, 5 << 20)).unwrap().samples(), 1);
    assert_eq!(held(&cache).0.len(), 2);
}

#[test]
fn what_a_process_left_half_done_is_not_taken_for_the_whole() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.txt.gz");
    fs::write(&path, gz(b"one\ntwo\n")).unwrap();
    let cache = folder.path().join("cache");
    let unpack = || open(&path, &unpacker(&cache, 1 << 20)).unwrap().samples();
    assert_eq!(unpack(), 2);
    let whole = held(&cache).0[0].clone();
    let name = whole.file_name().unwrap();
    let writing = cache.join("unpacked/writing");
    // Killed while it wrote: the folder and the lock's file are there, and nobody holds the lock.
    fs::remove_dir_all(&whole).unwrap();
    fs::create_dir(writing.join(name)).unwrap();
    fs::write(writing.join(name).join("content"), "one\nt").unwrap();
    fs::write(writing.join(name).with_extension("lock"), (16_u64 << 20).to_le_bytes()).unwrap();
    assert_eq!(unpack(), 2);
    assert_eq!(held(&cache), (vec![whole.clone()], vec![]));
    // The same of a file that nobody asks for any more, and of its user.
    let (half, user) = (writing.join("f".repeat(40)), cache.join("unpacked/users/4294967295-0"));
    fs::create_dir(&half).unwrap();
    fs::write(half.with_extension("lock"), "").unwrap();
    fs::write(&user, "").unwrap();
    assert_eq!(unpack(), 2);
    assert!(!half.exists() && !half.with_extension("lock").exists() && !user.exists());
    // The machine died, and what was written is not all there; or what tells of it.
    fs::write(whole.join("content"), "one\n").unwrap();
    assert_eq!(unpack(), 2);
    fs::remove_file(whole.join("complete.json")).unwrap();
    assert_eq!(unpack(), 2);
    fs::write(whole.join("complete.json"), "{\"files\": [").unwrap();
    assert_eq!(unpack(), 2);
}

#[test]
fn nothing_hangs_on_where_it_is_unpacked() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.jsonl.gz");
    fs::write(&path, gz(b"{\"id\": 7}\n{\"id\": 8}\n[]\n")).unwrap();
    let digest = |cache: &str| open(&path, &unpacker(&folder.path().join(cache), 1 << 20)).unwrap().digest();
    assert_eq!(digest("one"), digest("two"));
    fs::write(folder.path().join("file"), "").unwrap();
    let said = open(&path, &unpacker(&folder.path().join("file"), 1 << 20)).err().unwrap();
    assert!(said.contains("a.jsonl.gz: the folder to unpack it to, ") && said.contains("cache_dir"), "{said}");
}

/// A dataset of MDS with one shard, compressed; what the index says of it and what the file is called.
fn mds(folder: &Path, compression: &str, zip: &str, bytes: &[u8]) {
    let raw: Vec<u8> = [2_u32, 16, 17, 19].iter().flat_map(|word| word.to_le_bytes()).chain(*b"abb").collect();
    // Each sample has one column, whose size stands in front; a fixed one has none.
    let index = format!(
        "{{\"version\": 2, \"shards\": [{{\"format\": \"mds\", \"samples\": 2, \"column_names\": [\"c\"], \"column_encodings\": \
         [\"bytes\"], \"column_sizes\": [1], \"compression\": \"{compression}\", \"hashes\": [], \"raw_data\": {{\"basename\": \
         \"shard.00000.mds\", \"bytes\": {}, \"hashes\": {{}}}}, \"zip_data\": {{\"basename\": \"{zip}\", \"bytes\": {}, \"hashes\": \
         {{}}}}}}]}}",
        raw.len(),
        bytes.len()
    );
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("index.json"), index).unwrap();
    fs::write(folder.join(zip), bytes).unwrap();
}

#[test]
fn compressed_shards_of_mds_are_read() {
    let folder = TempDir::new().unwrap();
    let raw: Vec<u8> = [2_u32, 16, 17, 19].iter().flat_map(|word| word.to_le_bytes()).chain(*b"abb").collect();
    let unpacker = unpacker(&folder.path().join("cache"), 1 << 20);
    for (compression, zip, bytes) in [
        ("zstd", "shard.00000.mds.zstd", zst(&raw)),
        ("zstd:3", "a.zst", zst(&raw)),
        ("gz", "shard.00000.mds.gz", gz(&raw)),
    ] {
        let at = folder.path().join(compression);
        mds(&at, compression, zip, &bytes);
        let dataset = open(&at, &unpacker).unwrap();
        assert_eq!(all(&dataset)[0], sample("", &[("c", b"a")]), "{compression}");
        assert_eq!(dataset.find(0).0.name(), at.join(zip).to_str().unwrap());
        assert_eq!(dataset.samples(), 2);
    }
    for (compression, zip, bytes, expected) in [
        ("br", "shard.00000.mds.br", vec![1], "shard.00000.mds is compressed by br; zstd and gz are read"),
        ("gz", "../outside.gz", gz(&raw), "does not lie in the folder of the index"),
        ("gz", "other.gz", gz(&raw[..9]), "shard.00000.mds has 9 bytes, and the index says 19"),
        ("gz", "cut.gz", gz(&raw)[..9].to_vec(), "cut.gz: failed to read it as gzip"),
    ] {
        let at = folder.path().join("refused");
        mds(&at, compression, zip, &bytes);
        let said = open(&at, &unpacker).err().unwrap();
        assert!(said.contains(expected), "{said}");
    }
    // Where what is unpacked lies beside it, it is read.
    let at = folder.path().join("beside");
    mds(&at, "br", "shard.00000.mds.br", &[1]);
    fs::write(at.join("shard.00000.mds"), &raw).unwrap();
    assert_eq!(open(&at, &unpacker).unwrap().samples(), 2);
}
