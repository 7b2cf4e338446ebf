//! A writer that is killed at any moment loses nothing that it acknowledged.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use fleet::event::EndCause;
use fleet::live::Entry;
use fleet::time::Timestamp;
use store::{Reader, Store, check};

use crate::story::{Folder, eligible, finished, submission, submitted};

/// Names the store to the child: this test, run again by itself.
const CHILD: &str = "TRIMTAB_TEST_STORE_CHILD";
const ROUNDS: usize = 40;

#[test]
fn what_was_acknowledged_is_there_after_a_kill() {
    if let Some(file) = std::env::var_os(CHILD) {
        write_for_ever(&mut Store::create_or_open(file).unwrap());
    }
    let folder = Folder::new();
    let mut acknowledged = 0;
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::what_was_acknowledged_is_there_after_a_kill", "--nocapture"])
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
        if acknowledged == 0 {
            continue;
        }
        let report = check(folder.file()).unwrap();
        assert!(report.is_sound(), "round {round}: {report}");
        assert!(report.entries >= acknowledged, "round {round}: {acknowledged} were acknowledged; {report}");
    }
    assert!(acknowledged > ROUNDS as u64, "the writers wrote");
    let entries = Reader::open(folder.file()).unwrap().entries_since(0, Reader::ENTRIES_MAX).unwrap();
    assert!(entries.len() as u64 >= acknowledged.min(Reader::ENTRIES_MAX as u64));
    let mut store = Store::open(folder.file()).unwrap();
    let loaded = store.load(0).unwrap();
    store.commit(loaded.at.unwrap(), &batch(loaded.next_workload.0)).unwrap();
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
        let mut out = std::io::stdout().lock();
        writeln!(out, "ack {}", logged.last().unwrap().seq).unwrap();
        out.flush().unwrap();
    }
    unreachable!("ids do not run out while anyone waits");
}
