//! What is told of datasets, and of what is wrong with them.

use std::fs;
use std::path::Path;

use feed::dataset::{DatasetError, Format};
use feed::format::ShardKind;
use feed::inspect::{Depth, Ended, Inspection, PROBLEMS_KEPT_MAX, Problem, ProblemKind, inspect};
use feed::progress::Progress;
use tempfile::TempDir;

use crate::made::{files, jpeg, png, sample, tar};

fn inspected(name: &Path, depth: Depth) -> Inspection {
    inspect(&files(name), Format::ByName, depth, &Progress::default()).unwrap()
}

/// What kind of problem lies where: the file's last part, the sample, the field.
fn places(found: &Inspection) -> Vec<(ProblemKind, String)> {
    let place = |problem: &Problem| {
        let file = problem.file.rsplit('/').next().unwrap_or_default();
        let parts = [Some(file), problem.sample.as_deref(), problem.field.as_deref()];
        (problem.kind, parts.into_iter().flatten().collect::<Vec<_>>().join(" "))
    };
    found.problems.first.iter().map(place).collect()
}

#[test]
fn photographs_are_told_of() {
    let found = inspected(&testkit::shared_data!("images"), Depth::Check);
    assert_eq!((found.samples, found.samples_checked, found.ended), (400, Some(400), Ended::Complete));
    let [format] = &found.formats[..] else { panic!("one format: {:?}", found.formats) };
    assert_eq!((format.format, format.shards, format.samples), (ShardKind::WebDataset, 4, 400));
    let names: Vec<&str> = format.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["jpg", "cls"]);
    let images = format.fields[0].images.as_ref().unwrap();
    assert_eq!((images.jpeg, images.png, images.webp), (400, 0, 0));
    assert_eq!((found.problems.count, found.names_across_shards), (0, Some(0)));
    let balance = format.balance.as_ref().unwrap();
    assert_eq!((balance.samples.smallest, balance.samples.largest), (100, 100));
}

#[test]
fn each_kind_of_corruption_is_named() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (good, mut cut) = (jpeg(40, 30), jpeg(40, 30));
    cut.truncate(cut.len() / 2);
    let fields = |image: &[u8], extra: &[(&str, &[u8])]| {
        let mut all = vec![("jpg", image), ("cls", &b"1"[..])];
        all.extend_from_slice(extra);
        sample("", &all).1
    };
    let samples = [
        ("a", fields(&good, &[("json", b"{\"a\": 1}"), ("txt", b"fine")])),
        ("b", fields(&cut, &[])),
        ("c", fields(b"no image", &[])),
        ("d", fields(&good, &[("json", b"{"), ("txt", b"\xff")])),
        ("a", fields(&good, &[("jpg", &good)])),
        ("e", sample("", &[("jpg", &png(3, 50))]).1),
    ];
    tar(&path("a.tar"), &samples.map(|(key, fields)| (key.to_owned(), fields)));
    fs::write(path("b.jsonl"), "{\"a\": 1}\n[1]\n{\"a\": 2}\n").unwrap();
    fs::write(path("c.txt"), b"fine\n\xff\n").unwrap();
    fs::write(path("d.tar"), &fs::read(path("a.tar")).unwrap()[..700]).unwrap();

    let found = inspected(folder.path(), Depth::Check);
    let place = |kind, place: &str| (kind, place.to_owned());
    assert_eq!(
        places(&found),
        [
            place(ProblemKind::File, "d.tar"),
            place(ProblemKind::Sample, "b.jsonl the line at byte 9"),
            place(ProblemKind::Image, "a.tar b jpg"),
            place(ProblemKind::Image, "a.tar c jpg"),
            place(ProblemKind::Json, "a.tar d json"),
            place(ProblemKind::Text, "a.tar d txt"),
            place(ProblemKind::Text, "c.txt the line at byte 5"),
            place(ProblemKind::MissingField, "a.tar e cls"),
            place(ProblemKind::RepeatedField, "a.tar a jpg"),
            place(ProblemKind::RepeatedName, "a.tar a"),
        ]
    );
    assert_eq!(found.problems.count, 10);
    let reasons: Vec<&str> = found.problems.first.iter().map(|problem| problem.reason.as_str()).collect();
    assert!(reasons[2].starts_with("the JPEG ends within"), "{}", reasons[2]);
    assert_eq!(reasons[3], "it is no JPEG, PNG or WebP");
    assert_eq!(reasons[9], "sample 0 of the file, counted from 0, has the same name");
    assert_eq!(reasons[7], "it is missing; 5 of 6 samples have it");
    assert_eq!(reasons[0], "byte 0: the file ends within the member that starts here: copy it again");
    let images = found.formats[0].fields[0].images.as_ref().unwrap();
    assert_eq!((images.jpeg, images.png), (3, 1));
    assert_eq!((images.width.smallest, images.width.largest, images.height.largest), (3, 40, 50));

    // Without reading everything, only what its index and its lines tell.
    let kinds: Vec<ProblemKind> =
        inspected(folder.path(), Depth::Survey).problems.kinds.iter().map(|kind| kind.kind).collect();
    assert_eq!(kinds, [ProblemKind::File, ProblemKind::Sample, ProblemKind::RepeatedField]);
}

#[test]
fn images_are_known_by_what_their_first_is() {
    let folder = TempDir::new().unwrap();
    let samples = [
        sample("a", &[("picture", &jpeg(8, 8)), ("blob", b"\xff\xd8\x00")]),
        sample("b", &[("picture", b"\xff\xd8\xff"), ("blob", b"\x00")]),
    ];
    tar(&folder.path().join("a.tar"), &samples);
    let found = inspected(folder.path(), Depth::Check);
    assert_eq!(places(&found), [(ProblemKind::Image, "a.tar b picture".to_owned())]);
}

#[test]
fn names_may_begin_anew_in_each_shard() {
    let folder = TempDir::new().unwrap();
    for name in ["a.tar", "b.tar", "c.tar"] {
        tar(&folder.path().join(name), &[sample("000000", &[("cls", b"1")]), sample("000001", &[("cls", b"1")])]);
    }
    let found = inspected(folder.path(), Depth::Check);
    assert_eq!((found.problems.count, found.names_across_shards), (0, Some(4)));
}

#[test]
fn problems_are_all_counted_and_the_first_are_kept_in_order() {
    let folder = TempDir::new().unwrap();
    let samples: Vec<_> = (0..500).map(|number| sample(&format!("{number:04}"), &[("png", b"none")])).collect();
    tar(&folder.path().join("a.tar"), &samples);
    let found = inspected(folder.path(), Depth::Check);
    assert_eq!((found.problems.count, found.problems.first.len()), (500, PROBLEMS_KEPT_MAX));
    assert_eq!(places(&found)[99].1, "a.tar 0099 png");
    assert_eq!(found, inspected(folder.path(), Depth::Check), "threads change nothing");
}

#[test]
fn fields_and_sizes_are_told_by_format_and_shard() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("a.jsonl"), "{\"text\": \"abc\", \"id\": 1}\n{\"text\": \"\"}\n").unwrap();
    fs::write(path("b.jsonl"), "{\"text\": \"abcdefg\"}\n").unwrap();
    fs::create_dir_all(path("images/cats")).unwrap();
    fs::write(path("images/cats/a.png"), png(2, 2)).unwrap();
    let mut names = files(folder.path());
    names.extend(files(&path("images")));
    let found = inspect(&names, Format::ByName, Depth::Survey, &Progress::default()).unwrap();
    let [lines, images] = &found.formats[..] else { panic!("two formats: {:?}", found.formats) };
    let told: Vec<_> =
        lines.fields.iter().map(|field| (field.name.as_str(), field.samples, field.missing, field.bytes)).collect();
    assert_eq!(told, [("text", 3, 0, 10), ("id", 1, 2, 1)]);
    let sizes = lines.fields[0].sizes.unwrap();
    assert_eq!((sizes.smallest, sizes.median, sizes.largest), (0, 3, 7));
    assert_eq!((images.format, images.bytes), (ShardKind::Folder, png(2, 2).len() as u64));
    let shard: Vec<_> = found.shards[1].fields.iter().map(|field| (field.name.as_str(), field.samples)).collect();
    assert_eq!((shard, found.shards[1].samples, found.shards[1].bytes), (vec![("text", 1)], 1, 20));
    assert_eq!((found.samples, found.samples_checked, found.names_across_shards), (4, None, None));
}

#[test]
fn names_of_fields_have_a_bound() {
    let folder = TempDir::new().unwrap();
    let lines: String = (0..1_500).map(|number| format!("{{\"f{number}\": 1}}\n")).collect();
    fs::write(folder.path().join("a.jsonl"), lines).unwrap();
    let found = inspected(folder.path(), Depth::Check);
    assert_eq!((found.formats[0].fields.len(), found.formats[0].fields_untold), (1_000, 500));
}

#[test]
fn a_stop_tells_what_was_found_and_nothing_usable_is_an_error() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a.jsonl"), "{\"a\": 1}\n").unwrap();
    let progress = Progress::default();
    progress.stop();
    let found = inspect(&files(folder.path()), Format::ByName, Depth::Check, &progress).unwrap();
    assert_eq!((found.ended, found.samples_checked), (Ended::Interrupted, None));
    fs::write(folder.path().join("b.what"), "").unwrap();
    let unknown = inspect(&files(&folder.path().join("b.what")), Format::ByName, Depth::Survey, &Progress::default());
    assert!(matches!(unknown, Err(DatasetError::Unknown { .. })));
}
