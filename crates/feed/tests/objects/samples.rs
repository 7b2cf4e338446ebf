//! The samples are right, or what is wrong is named.

use std::fs;
use std::time::Duration;

use feed::loader::Loader;
use feed::pipeline::{Cell, Next};
use feed::spec::Spec;
use object_rig::{Behaviour, Fault};
use tempfile::TempDir;

use crate::made::*;
use crate::{epoch, ms, open, open_with, refused, start};

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
fn one_request_at_a_time_goes_on_whatever_is_kept() {
    let folder = TempDir::new().unwrap();
    let members: Vec<_> = (0..300).map(|number| (format!("{number:04}.bin"), vec![0; 100 << 10])).collect();
    write(&folder.path().join("large.tar"), tar(&members));
    let server = start(&folder, Behaviour::default());
    let (_, column) = ASKED[0];
    let loader = open_with(&server.url("large.tar"), column, r#", "requests": 1"#).unwrap();
    // All of it, much more than is under way at once.
    let mut kept = Vec::new();
    loop {
        match loader.next(Duration::from_secs(20)) {
            Next::EndOfEpoch(_) => break,
            Next::Batch(batch) => kept.push(batch),
            Next::NotYet | Next::NoRoom { .. } => panic!("nothing came after {} batches", kept.len()),
        }
    }
    assert_eq!(kept.iter().map(|batch| batch.samples).sum::<usize>(), 300);
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
    // A server that only knows files.
    let server = start(&folder, Behaviour { faults: vec![(1, Fault::Status(501))], ..Behaviour::default() });
    let error = refused(open(&server.url("part-*.tar"), column));
    assert!(error.contains("does not tell what lies there") && error.contains("{000..127}"), "{error}");
    assert_eq!(server.requests_of("PROPFIND"), 1, "it is asked once");
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
