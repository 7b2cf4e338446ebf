//! A writer that is killed at any moment loses nothing that it acknowledged.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use fleet::event::EndCause;
use fleet::live::Entry;
use fleet::time::Timestamp;
use store::{CHUNK_SCRAPES, Reader, Scrape, Scrapes, Series, SeriesQuery, Store, ValueQuery, check};

use crate::story::{Folder, eligible, finished, submission, submitted};

/// Names the store to the child: this test, run again by itself.
const CHILD: &str = "TRIMTAB_TEST_STORE_CHILD";
const ROUNDS: usize = 40;

#[test]
fn what_was_acknowledged_is_there_after_a_kill() {
    let folder = Folder::new();
    let acknowledged =
        storm(&folder, "kill::what_was_acknowledged_is_there_after_a_kill", write_for_ever, |acknowledged| {
            let report = check(folder.file()).unwrap();
            assert!(report.is_sound(), "{report}");
            assert!(report.entries >= acknowledged, "{acknowledged} were acknowledged; {report}");
        });
    let entries = Reader::open(folder.file()).unwrap().entries_since(0, Reader::ENTRIES_MAX).unwrap();
    assert!(entries.len() as u64 >= acknowledged.min(Reader::ENTRIES_MAX as u64));
    let mut store = Store::open(folder.file()).unwrap();
    let loaded = store.load(0).unwrap();
    store.commit(loaded.at.unwrap(), &batch(loaded.next_workload.0)).unwrap();
}

#[test]
fn scrapes_are_there_once_after_a_kill() {
    let folder = Folder::new();
    let acknowledged = storm(&folder, "kill::scrapes_are_there_once_after_a_kill", scrape_for_ever, |acknowledged| {
        let report = check(folder.file()).unwrap();
        assert!(report.is_sound(), "{report}");
        let moments = moments(&Reader::open(folder.file()).unwrap());
        assert!(moments.len() as u64 >= acknowledged, "{acknowledged} were acknowledged, {} are there", moments.len());
        assert!(moments.iter().copied().eq(0..moments.len() as i64), "each is there once");
    });
    assert!(acknowledged > 3 * CHUNK_SCRAPES as u64, "some were in chunks");
}

/// Kills writers until it has seen enough; `holds` looks at what each left, and how far it said that it was.
fn storm(folder: &Folder, test: &str, writes: fn(&mut Store) -> !, holds: impl Fn(u64)) -> u64 {
    if let Some(file) = std::env::var_os(CHILD) {
        writes(&mut Store::create_or_open(file).unwrap())
    }
    let mut acknowledged = 0;
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(CHILD, folder.file())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Some are killed at once, in the middle of making the file or of finding it as the last one left it.
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut heard = lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("ack ")?.parse::<u64>().ok());
        acknowledged = heard.by_ref().take(round * 7 % 23).last().unwrap_or(acknowledged);
        child.kill().unwrap();
        child.wait().unwrap();
        // What it said before it died counts too.
        acknowledged = heard.last().unwrap_or(acknowledged);
        if acknowledged > 0 {
            holds(acknowledged);
        }
    }
    assert!(acknowledged > ROUNDS as u64, "the writers wrote");
    acknowledged
}

fn acknowledge(count: u64) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "ack {count}").unwrap();
    out.flush().unwrap();
}

fn moments(reader: &Reader) -> Vec<i64> {
    let query = ValueQuery {
        of: SeriesQuery { name: Some("moment".into()), ..SeriesQuery::default() },
        from: Timestamp(0),
        until: Timestamp::MAX,
        limit: Reader::POINTS_MAX,
    };
    let points = reader.values(&query).unwrap().into_iter().flat_map(|line| line.points);
    points.map(|point| if point.value == Some(point.at.0 as f64) { point.at.0 } else { -1 }).collect()
}

/// A scrape a moment; batches are of 1 to 400 scrapes.
fn scrape_for_ever(store: &mut Store) -> ! {
    let mut at = moments(&store.reader().unwrap()).len() as i64;
    loop {
        let count = 1 + at * 7_919 % 400;
        let scrape = |at: i64| Scrape { at: Timestamp(at), values: vec![Some(at as f64), None] };
        let scrapes = Scrapes {
            source: "storm".into(),
            series: vec![Series::named("moment"), Series::named("unknown")],
            scrapes: (at..at + count).map(scrape).collect(),
        };
        store.append_scrapes(&[scrapes]).unwrap();
        at += count;
        acknowledge(at.unsigned_abs());
    }
}

fn batch(id: u32) -> Vec<Entry> {
    let mut entries = vec![submitted(id, submission("of the storm"))];
    match id % 3 {
        0 => {}
        1 => entries.push(eligible(id)),
        _ => entries.push(finished(id, EndCause::Cancelled)),
    }
    entries
}

fn write_for_ever(store: &mut Store) -> ! {
    let first = store.load(0).unwrap().next_workload.0;
    for id in first.. {
        let logged = store.commit(Timestamp(i64::from(id)), &batch(id)).unwrap();
        acknowledge(logged.last().unwrap().seq);
    }
    unreachable!("ids do not run out while anyone waits");
}
