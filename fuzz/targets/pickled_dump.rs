#![no_main]
//! Pickles, and dumps of two ranks that are pickles: the second is the rest of the first.

use diagnose::hang::{findings, hang, matrix, read};
use diagnose::pickle::Pickle;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(pickle) = Pickle::read(bytes) {
        let _root = pickle.value(pickle.root());
    }
    let half = bytes.iter().position(|byte| *byte == b'.').map_or(bytes.len(), |end| end + 1);
    let begun = |rest: &[u8]| [b"\x80\x02", rest].concat();
    let dumps = [begun(&bytes[..half]), begun(&bytes[half..])].into_iter().zip(0..);
    let dumps = dumps.filter_map(|(bytes, rank)| Some((rank, read(&bytes[..], "fuzz").ok()?.0))).collect();
    if let Some(hang) = hang(&dumps) {
        let (_findings, _matrix) = (findings(&hang), matrix(&dumps, &hang));
    }
});
