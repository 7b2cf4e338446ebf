//! The waste that is told of a real cluster, held against sums taken straight from the text of its log (docs/WASTE.md).

use std::io::Read;

use advise::timeline::Timeline;
use advise::waste::{What, account};
use advise::window::Window;
use connect::file::Input;
use fleet::history::Header;
use replay::history::History;

/// Core-seconds of failed jobs, of cores that idled under jobs, and of time limits that were not used.
fn by_hand(text: &str) -> [f64; 3] {
    let [mut failed, mut idle, mut over_asked] = [0.0; 3];
    for line in text.lines().filter(|line| !line.starts_with(';') && !line.trim().is_empty()) {
        let field: Vec<f64> = line.split_whitespace().map(|word| word.parse().expect("a number")).collect();
        let (run, cpu, limit, status) = (field[3], field[5], field[8], field[10]);
        let processors = if field[4] > 0.0 { field[4] } else { field[7] };
        if run < 0.0 {
            continue;
        }
        if status.abs() < 0.5 {
            failed += run * processors;
        }
        if cpu >= 0.0 && cpu - 60.0 <= run * 1.02 {
            idle += (run - cpu).max(0.0) * processors;
        }
        if limit > 0.0 {
            over_asked += (limit - run).max(0.0) * processors;
        }
    }
    [failed, idle, over_asked]
}

#[test]
fn waste_is_what_the_log_adds_up_to() {
    let path = testkit::shared_data!("gaia/UniLu-Gaia-2014-2.swf.gz");
    let mut text = String::new();
    Input::open(&path).unwrap().read_to_string(&mut text).unwrap();

    let mut records = Vec::new();
    let report = connect::swf::read(text.as_bytes(), "gaia.swf", &connect::import::Options::default(), &mut |record| {
        records.push(record);
        Ok(())
    })
    .unwrap();
    let mut history = History::from_records(Header::default(), records.into_iter());
    history.from = report.from.unwrap_or(history.from);
    let timeline = Timeline::recorded(&history);
    let account = account(&history, &timeline, Window::of(&history, &timeline));

    let failed = account.spent.iter().find(|spent| spent.ending.name() == "failed").unwrap().hours;
    let idle = account.unused.iter().find(|unused| unused.what == What::Cores).unwrap().unused_hours;
    let told = [failed, idle, account.limits.unused_hours].map(|hours| hours.as_hours() * 3_600.0);
    for ((told, expected), name) in told.into_iter().zip(by_hand(&text)).zip(["failed", "idle CPU", "over-asked"]) {
        assert!(expected > 0.0, "{name}");
        assert!((told / expected - 1.0).abs() < 0.001, "{name}: told {told}, by hand {expected}");
    }
    assert!(account.capacity.unwrap().balances());
}
