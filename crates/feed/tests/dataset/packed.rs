//! What is packed comes back as it was.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use feed::dataset::{Dataset, Format, Tokens};
use feed::order::Shuffle;
use feed::pack::{ColumnEncoding, Existing, Layout, PackError, Packed, Plan, ShardLimit, pack};
use feed::progress::Progress;
use feed::source::Location;
use feed::spec::TokenType;
use proptest::prelude::*;
use tempfile::TempDir;

use crate::made::{Sample, all, jpeg, open, png, sample, tar};

fn plan(to: &Path, layout: Layout) -> Plan {
    Plan {
        to: to.to_owned(),
        layout,
        limit: ShardLimit::Bytes(1 << 26),
        shuffle: Shuffle::None,
        seed: 0,
        fields: Vec::new(),
        existing: Existing::Keep,
    }
}

fn packed(dataset: &Dataset, plan: &Plan) -> Packed {
    pack(dataset, plan, &Progress::default()).unwrap()
}

fn refused(dataset: &Dataset, plan: &Plan) -> String {
    let error = pack(dataset, plan, &Progress::default()).expect_err("it cannot be packed");
    assert!(!plan.to.exists(), "nothing is left, not even the folder: {error}");
    error.to_string()
}

/// The names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Fields alone, by name: MDS has no names of samples, and its columns have one order.
fn fields(samples: &[Sample]) -> Vec<BTreeMap<String, Vec<u8>>> {
    samples.iter().map(|(_, fields)| fields.iter().cloned().collect()).collect()
}

/// Fields of samples that all have the same: digits, text, images, and any bytes.
fn same_fields() -> impl Strategy<Value = Vec<Sample>> {
    let value = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string().into_bytes()),
        "[0-9]{1,3}".prop_map(String::into_bytes),
        "[ -~é]{0,40}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..700),
        Just(b"\xff\xd8\xff not quite a JPEG".to_vec()),
    ];
    let names = prop::collection::btree_set("[a-z]{1,8}(\\.[a-z]{1,3})?", 1..4);
    names.prop_flat_map(move |names| {
        let values = prop::collection::vec(value.clone(), names.len());
        let key = "[a-z]{0,3}/?[a-z0-9]{1,5}|[a-zé]{90,120}";
        prop::collection::vec((key, values), 1..12).prop_map(move |samples| {
            let named = |values: Vec<Vec<u8>>| names.iter().cloned().zip(values).collect();
            samples.into_iter().map(|(key, values)| (key, named(values))).collect()
        })
    })
}

fn limits() -> impl Strategy<Value = ShardLimit> {
    prop_oneof![(1_u64..9_000).prop_map(ShardLimit::Bytes), (1_u64..6).prop_map(ShardLimit::Samples)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_packed_comes_back(samples in same_fields(), limit in limits()) {
        let folder = TempDir::new().unwrap();
        // Names that follow each other and are the same would be one sample in a tar file.
        let samples: Vec<Sample> = samples.into_iter().enumerate()
            .map(|(number, (key, fields))| (format!("{}{number}", key.trim_start_matches('/')), fields)).collect();
        tar(&folder.path().join("from.tar"), &samples);
        let from = open(&folder.path().join("from.tar"));

        let to = folder.path().join("webdataset");
        let told = packed(&from, &Plan { limit, ..plan(&to, Layout::WebDataset) });
        prop_assert_eq!(all(&open(&to)), samples.clone());
        check_limit(&told, limit, &to);
        check_indexes(&to, &told);

        let to = folder.path().join("mds");
        let told = packed(&open(&folder.path().join("webdataset")), &Plan { limit, ..plan(&to, Layout::Mds) });
        prop_assert_eq!(fields(&all(&open(&to))), fields(&samples));
        check_limit(&told, limit, &to);

        let back = folder.path().join("back");
        packed(&open(&to), &Plan { limit, ..plan(&back, Layout::WebDataset) });
        prop_assert_eq!(fields(&all(&open(&back))), fields(&samples));
    }
}

/// Each shard has as many bytes and samples as was told, and no more than it may; none could have taken in the next one's first.
fn check_limit(told: &Packed, limit: ShardLimit, to: &Path) {
    assert_eq!(told.shards.iter().map(|shard| shard.samples).sum::<u64>(), told.samples);
    for (number, shard) in told.shards.iter().enumerate() {
        assert_eq!(fs::metadata(to.join(&shard.name)).unwrap().len(), shard.bytes);
        match limit {
            ShardLimit::Bytes(bytes) => assert!(shard.bytes <= bytes || shard.samples == 1, "{shard:?}"),
            ShardLimit::Samples(samples) => {
                assert!(shard.samples == samples || number + 1 == told.shards.len(), "{shard:?}");
            }
        }
    }
}

/// The index of each tar file tells where its members' bytes lie.
fn check_indexes(to: &Path, told: &Packed) {
    for shard in &told.shards {
        let tar = fs::read(to.join(&shard.name)).unwrap();
        let index = fs::read_to_string(to.join(shard.name.replace(".tar", ".idx"))).unwrap();
        let mut lines = index.lines();
        assert_eq!(lines.next().unwrap(), format!("v1.2 {}", shard.samples));
        let dataset = open(&to.join(&shard.name));
        for (line, (key, fields)) in lines.by_ref().zip(all(&dataset)) {
            let words: Vec<&str> = line.split(' ').collect();
            assert_eq!(words.len(), 4 * fields.len(), "{line}");
            for (words, (name, bytes)) in words.chunks(4).zip(fields) {
                let (offset, size): (usize, usize) = (words[1].parse().unwrap(), words[2].parse().unwrap());
                assert_eq!((words[0], words[3]), (name.as_str(), format!("{key}.{name}").as_str()));
                assert!(offset % 512 == 0 && tar[offset..offset + size] == bytes, "{line}");
            }
        }
        assert_eq!(lines.next(), None);
    }
}

#[test]
fn photographs_go_to_mds_and_back() {
    let images = testkit::shared_data!("images");
    let folder = TempDir::new().unwrap();
    let from = open(&images);
    let mds = folder.path().join("mds");
    let told = packed(&from, &Plan { limit: ShardLimit::Bytes(4 << 20), ..plan(&mds, Layout::Mds) });
    assert_eq!((told.samples, told.shards.len()), (400, 6));
    let columns: Vec<_> = told.fields.iter().map(|field| (field.name.as_str(), field.encoding)).collect();
    assert_eq!(columns, [("jpg", Some(ColumnEncoding::Jpeg)), ("cls", Some(ColumnEncoding::Int))]);
    let back = folder.path().join("back");
    packed(&open(&mds), &plan(&back, Layout::WebDataset));
    // Their names are numbers of six digits, and so are those that packing gives.
    assert!(all(&open(&back)) == all(&from), "each photograph and each class is as it was");
}

#[test]
fn the_same_data_give_the_same_bytes_in_an_order_that_the_seed_names() {
    let folder = TempDir::new().unwrap();
    let samples: Vec<Sample> =
        (0..50).map(|number| sample(&format!("s{number}"), &[("txt", number.to_string().as_bytes())])).collect();
    tar(&folder.path().join("from.tar"), &samples);
    let from = open(&folder.path().join("from.tar"));
    for layout in [Layout::WebDataset, Layout::Mds] {
        let bytes = |name: &str, shuffle, seed| {
            let to = folder.path().join(format!("{name}-{layout:?}"));
            packed(&from, &Plan { shuffle, seed, limit: ShardLimit::Samples(20), ..plan(&to, layout) });
            let mut read = fields(&all(&open(&to)));
            let files: Vec<Vec<u8>> = names(&to).iter().map(|name| fs::read(to.join(name)).unwrap()).collect();
            let order = read.clone();
            read.sort();
            (files, order, read)
        };
        let (files, order, all) = bytes("one", Shuffle::Global, 7);
        let (again, ..) = bytes("again", Shuffle::Global, 7);
        let (_, other, all_of_other) = bytes("other", Shuffle::Global, 8);
        let (_, plain, all_of_plain) = bytes("plain", Shuffle::None, 7);
        assert!(files == again);
        assert!(order != other && order != plain && plain == fields(&samples));
        assert!(all == all_of_other && all == all_of_plain, "each sample is there once");
    }
}

#[test]
fn every_format_is_packed() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("b.jsonl"), "{\"text\": \"one\", \"id\": 1}\n{\"text\": \"two\", \"id\": 2}\n").unwrap();
    fs::write(path("c.txt"), "one\ntwo\n").unwrap();
    fs::write(path("d.bin"), [1, 2, 3, 4]).unwrap();
    for (class, image, ending) in [("my cats", png(2, 3), "png"), ("dogs", png(1, 1), "png")] {
        fs::create_dir_all(path("images").join(class)).unwrap();
        fs::write(path("images").join(class).join("rex.v2").with_extension(format!("v2.{ending}")), image).unwrap();
    }
    fs::create_dir_all(path("mixed/a")).unwrap();
    fs::write(path("mixed/a/x.png"), png(1, 1)).unwrap();
    fs::write(path("mixed/a/y.JPG"), jpeg(8, 8)).unwrap();
    let tokens = Format::Tokens(Tokens { length: 1, stride: 1, token: TokenType::UInt16 });
    let lines = [("text", ColumnEncoding::Str), ("id", ColumnEncoding::Int)];
    for (number, (dataset, key, columns)) in [
        (open(&path("b.jsonl")), "000000", &lines[..]),
        (open(&path("c.txt")), "000000", &[("text", ColumnEncoding::Str)]),
        (
            Dataset::open(&[Location::Path(path("d.bin"))], tokens).unwrap(),
            "000000",
            &[("tokens", ColumnEncoding::Bytes)],
        ),
        (open(&path("images")), "dogs/rex_v2", &[("image", ColumnEncoding::Png), ("cls", ColumnEncoding::Int)]),
        (open(&path("mixed")), "a/x", &[("image", ColumnEncoding::Bytes), ("cls", ColumnEncoding::Int)]),
    ]
    .into_iter()
    .enumerate()
    {
        let (tar, mds) = (path(&format!("tar-{number}")), path(&format!("mds-{number}")));
        packed(&dataset, &plan(&tar, Layout::WebDataset));
        let told = packed(&dataset, &plan(&mds, Layout::Mds));
        let found: Vec<_> = told.fields.iter().map(|field| (field.name.as_str(), field.encoding.unwrap())).collect();
        assert_eq!(found, columns);
        let values = |samples: Vec<Sample>| -> Vec<Vec<Vec<u8>>> {
            samples.into_iter().map(|(_, fields)| fields.into_iter().map(|(_, bytes)| bytes).collect()).collect()
        };
        let back = all(&open(&tar));
        assert_eq!(back[0].0, key);
        let expected = values(all(&dataset));
        assert_eq!((values(back), values(all(&open(&mds)))), (expected.clone(), expected));
    }
}

#[test]
fn samples_of_one_name_stay_two() {
    let folder = TempDir::new().unwrap();
    for name in ["a.tar", "b.tar"] {
        tar(&folder.path().join(name), &[sample("x", &[("txt", name.as_bytes())])]);
    }
    let to = folder.path().join("to");
    packed(&open(&folder.path().join("*.tar")), &plan(&to, Layout::WebDataset));
    let expected = [sample("x", &[("txt", b"a.tar")]), sample("x-000001", &[("txt", b"b.tar")])];
    assert_eq!(all(&open(&to)), expected);
}

#[test]
fn what_has_no_place_in_the_format_is_refused_before_anything_is_written() {
    let folder = TempDir::new().unwrap();
    let to = folder.path().join("deep/to");
    let from = |name: &str, content: &str| {
        fs::write(folder.path().join(name), content).unwrap();
        open(&folder.path().join(name))
    };
    let uneven = from("uneven.jsonl", "{\"a\": 1, \"b\": 2}\n{\"a\": 3}\n");
    let said = refused(&uneven, &plan(&to, Layout::Mds));
    assert!(said.contains("uneven.jsonl: the line at byte 17: it has no field b"), "{said}");
    let later = from("later.jsonl", "{\"a\": 1}\n{\"a\": 3, \"b\": 2}\n");
    let said = refused(&later, &plan(&to, Layout::Mds));
    assert!(said.contains("later.jsonl: the line at byte 0: it has no field b"), "{said}");
    let only_a = Plan { fields: vec!["a".to_owned()], ..plan(&to, Layout::Mds) };
    assert_eq!(packed(&uneven, &only_a).fields[0].encoding, Some(ColumnEncoding::Int));
    fs::remove_dir_all(folder.path().join("deep")).unwrap();

    let only_b = Plan { fields: vec!["b".to_owned()], ..plan(&to, Layout::WebDataset) };
    let said = refused(&uneven, &only_b);
    assert!(said.contains("the line at byte 17: it has no field b"), "{said}");
    let none = Plan { fields: vec!["a".to_owned(), "c".to_owned()], ..plan(&to, Layout::WebDataset) };
    assert_eq!(refused(&uneven, &none), "no sample has the field c; of those asked for, they have a");
    for (name, content, expected) in [
        ("broken.jsonl", "{\"a\": 1}\n7\n", "byte 9: the line is no JSON object"),
        ("empty.jsonl", "{\"a\": 1}\n{}\n", "byte 9: it has no field"),
        ("spaces.jsonl", "{\"a b\": 1}\n", "\"a b\" would be the ending of a file"),
        ("slash.jsonl", "{\"a/b\": 1}\n", "\"a/b\" would be the ending of a file"),
        ("unnamed.jsonl", "{\"\": 1}\n", "a field without a name"),
        ("twice.jsonl", "{\"a\": 1, \"A\": 2}\n", "its fields a and A would have the same name"),
    ] {
        let said = refused(&from(name, content), &plan(&to, Layout::WebDataset));
        assert!(said.contains(expected), "{said}");
    }
    let many: String = (0..1_001).map(|number| format!("{{\"f{number}\": 1}}\n")).collect();
    let said = refused(&from("many.jsonl", &many), &plan(&to, Layout::WebDataset));
    assert!(said.contains("more than 1000 names of fields"), "{said}");
}

#[test]
fn a_folder_that_holds_something_is_kept_unless_told() {
    let folder = TempDir::new().unwrap();
    tar(&folder.path().join("from.tar"), &[sample("x", &[("jpg", &jpeg(8, 8))]), sample("y", &[("jpg", &jpeg(9, 8))])]);
    let from = open(&folder.path().join("from.tar"));
    let to = folder.path().join("to");
    let by_sample = |layout| Plan { limit: ShardLimit::Samples(1), ..plan(&to, layout) };
    packed(&from, &by_sample(Layout::WebDataset));
    let before = ["shard-000000.idx", "shard-000000.tar", "shard-000001.idx", "shard-000001.tar"];
    assert_eq!(names(&to), before);

    let again = pack(&from, &by_sample(Layout::Mds), &Progress::default());
    assert!(matches!(&again, Err(PackError::Occupied { name, .. }) if name.starts_with("shard-00000")));
    assert_eq!(names(&to), before);

    let replacing = Plan { existing: Existing::Replace, ..by_sample(Layout::Mds) };
    fs::create_dir(to.join(".1-0.unfinished")).unwrap();
    assert_eq!(packed(&from, &replacing).unfinished, [to.join(".1-0.unfinished")]);
    assert_eq!(names(&to), [".1-0.unfinished", "index.json", "shard.00000.mds", "shard.00001.mds"]);
    assert_eq!(open(&to).samples(), 2);

    // What packing has not made is never removed, and never mixed with what it makes.
    fs::write(to.join("notes.txt"), "mine").unwrap();
    let foreign = pack(&from, &replacing, &Progress::default());
    assert!(matches!(&foreign, Err(PackError::Destination { reason, .. }) if reason.contains("notes.txt")));
    let itself = Plan { existing: Existing::Replace, ..plan(folder.path(), Layout::Mds) };
    let itself = pack(&from, &itself, &Progress::default());
    assert!(matches!(&itself, Err(PackError::Destination { reason, .. }) if reason.contains("both read and written")));
    assert!(folder.path().join("from.tar").exists());
}

#[test]
fn a_stop_leaves_nothing() {
    let folder = TempDir::new().unwrap();
    tar(&folder.path().join("from.tar"), &[sample("x", &[("jpg", b"1")])]);
    let from = open(&folder.path().join("from.tar"));
    let to = folder.path().join("to");
    let progress = Progress::default();
    progress.stop();
    assert!(matches!(pack(&from, &plan(&to, Layout::Mds), &progress), Err(PackError::Stopped)));
    assert!(!to.exists());
}
