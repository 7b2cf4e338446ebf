#![no_main]
//! Lines of step clocks, and what a watch makes of whatever they tell: it must say nothing that it could not, and never stop.

use connect::steps::parse::line;
use diagnose::live::Watch;
use fleet::time::Timestamp;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let mut watch = Watch::default();
    for (number, text) in text.lines().enumerate() {
        let now = Timestamp(number as i64 * 700);
        // The first letter says which connection it comes over.
        let client = text.bytes().next().map_or(0, |letter| u64::from(letter % 4));
        match line(text.get(1..).unwrap_or_default()) {
            Ok(Some(told)) => watch.heard(client, told, now),
            Ok(None) => watch.gone(client, now),
            Err(_) => {}
        }
        let _changes = watch.evaluate(now);
    }
});
