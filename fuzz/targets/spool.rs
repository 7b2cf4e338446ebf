#![no_main]
//! What a spool of an agent holds, and what reports are, behind checksums and compression. The first byte says as what the others are read.

use fleet::time::Timestamp;
use store::{AgentReport, Frame, Frames, SPOOL_MIN, Spool, read_inflated_report};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((as_what, rest)) = bytes.split_first() else { return };
    match as_what % 4 {
        0 => drop(Frames::of(rest).map(|frame| frame.map(|frame| AgentReport::read(frame.body))).collect::<Vec<_>>()),
        1 => drop(AgentReport::read(rest)),
        2 => drop(read_inflated_report(rest)),
        _ => segment(rest),
    }
});

/// Records of what is there, one byte of which is then changed, or all beyond which is cut off.
fn segment(bytes: &[u8]) {
    let Some(([at_low, at_high, change], rest)) = bytes.split_first_chunk() else { return };
    let mut file = b"trimspl\x01".to_vec();
    for (number, body) in (1..).zip(rest.chunks(40)) {
        Frame { number, lost: number % 5, body }.write(&mut file);
    }
    let at = usize::from(u16::from_le_bytes([*at_low, *at_high])) % file.len();
    match change {
        0 => file.truncate(at),
        change => file[at] ^= change,
    }
    let folder = tempfile::tempdir().expect("a folder can be made");
    std::fs::write(folder.path().join("00000000000000000001.spool"), file).expect("a file can be written");
    let (mut spool, _) = Spool::open(folder.path(), SPOOL_MIN, Timestamp(1)).expect("whatever it holds, it is opened");
    let batch = spool.batch(usize::MAX).expect("whatever it holds, it is read");
    let numbers: Vec<u64> =
        Frames::of(&batch.bytes).map(|frame| frame.expect("what is handed in is whole").number).collect();
    assert!(numbers.is_sorted_by(|before, after| before < after), "{numbers:?}");
    if let Some(last) = batch.last {
        spool.acknowledge(last).expect("it can be let go");
        assert_eq!(spool.batch(usize::MAX).expect("it is read").last, None);
    }
}
