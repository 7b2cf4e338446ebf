//! Bar 10: ten million samples of series in the store: what they take on the disk, how fast they are written, how fast a day is read.
//!
//! A day of scrapes of one source, one a second, of 116 series, none of them constant: this machine's own while it works in bursts (`live`), and what
//! others recorded (`recorded`), made a day long by drawing stretches of the recordings (`day`). They are written a minute at a
//! time, each minute on the disk before the next. All is counted: the whole file, names, moments and what is left of the head too.

mod day;
mod live;
mod recorded;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use fleet::quantity::{Bytes, Millis};
use fleet::time::Timestamp;
use store::{
    IntervalQuery, Reader, SERIES_RULES, Scrape, Scrapes, Series, SeriesQuery, SeriesRule, SeriesRules, Store,
    ValueQuery,
};

use crate::bench::row::{Row, Target};
use crate::bench::session::Session;
use crate::workspace;
use day::{Column, Day};

const BAR: u32 = 10;

/// So many series for a day of seconds are ten million samples.
const SERIES: usize = 116;

/// So many scrapes are handed in at once.
const BATCH: usize = 60;

const SOURCE: &str = "agent/bench";

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let folders = ["step-times", "util-acme", "scrapes"].map(|folder| session.data(BAR, folder));
    let [Some(steps), Some(use_of_devices), Some(scrapes)] = folders else { return Ok(()) };
    let day = Day::of(&live::record()?, &steps, &use_of_devices, &scrapes, SERIES)?;
    let folder = workspace::target_folder().join("bench/history");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    whole(session, &day, &folder.join("day.db"))?;
    for group in day.groups() {
        let part = day.part(group);
        let file = folder.join(format!("{group}.db"));
        write(&part, &file)?;
        let case = format!("{group}: {} series by themselves", part.columns.len());
        session.add(Row::new(BAR, case, bytes_a_sample(&part, &file)?, Target::Stated, "bytes a sample"));
    }
    Ok(std::fs::remove_dir_all(&folder)?)
}

fn whole(session: &mut Session, day: &Day, file: &Path) -> anyhow::Result<()> {
    let taken = write(day, file)?;
    let millions = day.samples() as f64 / 1e6;
    let case = format!("{millions:.2} million samples of {} series, all of the file", day.columns.len());
    session.add(Row::new(BAR, case, bytes_a_sample(day, file)?, Target::AtMost(2.0), "bytes a sample"));
    let case = format!("written, {BATCH} scrapes on the disk at a time");
    session.add(Row::new(BAR, case, millions / taken.as_secs_f64(), Target::AtLeast(1.0), "million samples/s"));

    let mut times_ms =
        day.columns.iter().map(|column| read(day, column, file)).collect::<anyhow::Result<Vec<f64>>>()?;
    times_ms.sort_by(f64::total_cmp);
    let (slowest, median) = (times_ms[times_ms.len() - 1], times_ms[times_ms.len() / 2]);
    session.add(Row::new(BAR, "a day of a series read, the slowest series", slowest, Target::AtMost(20.0), "ms"));
    session.add(Row::new(BAR, "a day of a series read, the median series", median, Target::Stated, "ms"));
    let by_minutes = minutes(day, file)?.as_secs_f64() * 1_000.0;
    session.add(Row::new(BAR, "a day of a series by minutes, read", by_minutes, Target::Stated, "ms"));
    taken_together(session, file)
}

/// Writes a day; how long that took, until all is in the file itself.
fn write(day: &Day, file: &Path) -> anyhow::Result<Duration> {
    let mut store = Store::create_or_open(file)?;
    let mut taken = Duration::ZERO;
    for first in (0..day.moments.len()).step_by(BATCH) {
        let scrapes = (first..day.moments.len().min(first + BATCH)).map(|at| Scrape {
            at: Timestamp(day.moments[at]),
            values: day.columns.iter().map(|column| Some(column.values[at])).collect(),
        });
        let scrapes = Scrapes {
            source: SOURCE.into(),
            series: day.columns.iter().map(|column| Series::named(&column.name)).collect(),
            scrapes: scrapes.collect(),
        };
        let began = Instant::now();
        store.append_scrapes(&[scrapes])?;
        taken += began.elapsed();
    }
    let began = Instant::now();
    drop(store);
    Ok(taken + began.elapsed())
}

fn bytes_a_sample(day: &Day, file: &Path) -> anyhow::Result<f64> {
    let mut bytes = std::fs::metadata(file)?.len();
    let beside = file.with_extension("db-wal");
    if beside.exists() {
        bytes += std::fs::metadata(beside)?.len();
    }
    Ok(bytes as f64 / day.samples() as f64)
}

fn of(column: &str) -> SeriesQuery {
    SeriesQuery { source: Some(SOURCE.into()), name: Some(column.into()), ..SeriesQuery::default() }
}

/// The median of so many readings of a series counts.
const READINGS: usize = 5;

/// Reads a series by readers that have read nothing before, and holds it against what was written, bit for bit; how many milliseconds that
/// took.
fn read(day: &Day, column: &Column, file: &Path) -> anyhow::Result<f64> {
    let query =
        ValueQuery { of: of(&column.name), from: Timestamp::MIN, until: Timestamp::MAX, limit: Reader::POINTS_MAX };
    let mut times_ms = Vec::with_capacity(READINGS);
    for _ in 0..READINGS {
        let reader = Reader::open(file)?;
        let began = Instant::now();
        let lines = reader.values(&query)?;
        times_ms.push(began.elapsed().as_secs_f64() * 1_000.0);
        let [line] = &lines[..] else { bail!("{} series are named {}", lines.len(), column.name) };
        let read = line.points.iter().map(|point| (point.at.0, point.value.map(f64::to_bits)));
        let written = day.moments.iter().zip(&column.values).map(|(at, value)| (*at, Some(value.to_bits())));
        ensure!(read.eq(written), "{} does not come back as it was written", column.name);
    }
    times_ms.sort_by(f64::total_cmp);
    Ok(times_ms[READINGS / 2])
}

fn minutes(day: &Day, file: &Path) -> anyhow::Result<Duration> {
    let reader = Reader::open(file)?;
    let query = IntervalQuery {
        of: of(&day.columns[0].name),
        from: Timestamp::MIN,
        until: Timestamp::MAX,
        interval: Millis::minutes(1),
        limit: Reader::POINTS_MAX,
    };
    let began = Instant::now();
    reader.intervals(&query)?;
    Ok(began.elapsed())
}

/// The day is old by now: what is left of it as minutes, and for how long each step holds the writer up.
fn taken_together(session: &mut Session, file: &Path) -> anyhow::Result<()> {
    let mut store = Store::open(file)?;
    let rule = SeriesRule { every_scrape_for: Millis::ZERO, ..SERIES_RULES[0].clone() };
    let rules = SeriesRules { rules: &[rule], bytes_max: Bytes::gibi(8) };
    let now = Timestamp(day::BEGIN) + Millis::hours(100);
    let mut longest = Duration::ZERO;
    let left = loop {
        let began = Instant::now();
        let kept = store.keep_series(now, rules)?;
        longest = longest.max(began.elapsed());
        if kept.is_done {
            break kept.bytes.0 as f64;
        }
    };
    let left = left / (24.0 * 60.0 * SERIES as f64);
    session.add(Row::new(
        BAR,
        "taken together to minutes, the longest step",
        longest.as_secs_f64() * 1_000.0,
        Target::Stated,
        "ms",
    ));
    session.add(Row::new(BAR, "a minute of a series (mean, least, most, counts)", left, Target::Stated, "bytes"));
    Ok(())
}
