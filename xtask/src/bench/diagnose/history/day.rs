//! A day of seconds, made of shorter recordings.
//!
//! Stretches of 20 to 120 s of what was recorded follow one another, drawn at random, the same for all that was recorded together: levels are what they
//! were, counters go on by what they rose by. So values keep their own noise and their bearing on one another, and no counter comes to the
//! same place twice. Of this machine's signals those that change most often are taken, and shares of time as an agent would
//! reckon them, with all their digits. Of the use of devices only the distribution was published: the place in it moves by up to a twentieth a
//! second, back and forth between its ends, which leaves the distribution as it is. Counters of a recorded scrape rise by what this
//! machine's rose by, in units of their last digit.

use std::path::Path;

use anyhow::ensure;

use super::live::Live;
use super::recorded::{self, Counter};

/// When the day begins, in milliseconds since 1970.
pub(super) const BEGIN: i64 = 1_764_460_800_000;

const SECONDS: usize = 86_400;

/// How many of this machine's signals are taken.
const LIVE: usize = 60;

/// A series, with a value for each moment of the day.
pub(super) struct Column {
    group: &'static str,
    pub(super) name: String,
    pub(super) values: Vec<f64>,
}

/// All that is written.
pub(super) struct Day {
    pub(super) moments: Vec<i64>,
    pub(super) columns: Vec<Column>,
}

impl Day {
    pub(super) fn of(live: &Live, steps: &Path, devices: &Path, scrapes: &Path, series: usize) -> anyhow::Result<Self> {
        let mut noise = Noise(2);
        let rows = stretches(live.moments.len(), &mut noise);
        let mut at = BEGIN;
        let moments = rows.iter().map(|row| {
            at += live.moments[*row] - live.moments[row - 1];
            at
        });
        let mut day = Self { moments: moments.collect(), columns: Vec::new() };
        let mut often: Vec<(&String, &Vec<f64>)> = live.signals.iter().collect();
        often.sort_by_key(|(_, values)| std::cmp::Reverse(changes(values)));
        for (name, values) in often.iter().take(LIVE) {
            day.add("live", (*name).clone(), along(values, &rows));
        }
        for (name, values) in shares(live) {
            day.add("shares", name, rows.iter().map(|row| values[*row]).collect());
        }
        for job in ["job_1", "job_3"] {
            let workers = recorded::steps(steps, job)?;
            let rows = stretches(workers.iter().map(Vec::len).min().unwrap_or(0), &mut noise);
            for (worker, values) in workers.iter().enumerate() {
                day.add("steps", format!("{job} {worker}"), rows.iter().map(|row| values[*row]).collect());
            }
        }
        for name in ["util_gpu_kalos", "util_gpu_seren", "server_power"] {
            for (curve, values) in recorded::curves(devices, name)?.iter().enumerate() {
                day.add("devices", format!("{name} {curve}"), wandering(values, &mut noise));
            }
        }
        let counters = recorded::counters(&scrapes.join("node_exporter_1.5.0.prom"))?;
        let rising: Vec<&Vec<f64>> =
            often.iter().map(|(_, values)| *values).filter(|values| is_counter(values)).collect();
        ensure!(!rising.is_empty(), "nothing of this machine rose");
        let left = series.saturating_sub(day.columns.len());
        for (counter, rises) in counters.iter().take(left).zip(rising.iter().cycle()) {
            day.add("scrapes", counter.name.clone(), going_on(counter, rises, &rows));
        }
        ensure!(day.columns.len() == series, "{} series instead of {series}", day.columns.len());
        let constant = day.columns.iter().find(|column| changes(&column.values) == 0);
        ensure!(constant.is_none(), "{} is constant", constant.map_or("", |column| &column.name));
        Ok(day)
    }

    fn add(&mut self, group: &'static str, name: String, values: Vec<f64>) {
        self.columns.push(Column { group, name, values });
    }

    /// Values in all.
    pub(super) fn samples(&self) -> usize {
        self.moments.len() * self.columns.len()
    }

    /// The names of the groups, in order.
    pub(super) fn groups(&self) -> Vec<&'static str> {
        let mut groups: Vec<&str> = self.columns.iter().map(|column| column.group).collect();
        groups.dedup();
        groups
    }

    /// The series of one group.
    pub(super) fn part(&self, group: &str) -> Self {
        let of = |column: &&Column| column.group == group;
        let copy =
            |Column { group, name, values }: &Column| Column { group, name: name.clone(), values: values.clone() };
        Self { moments: self.moments.clone(), columns: self.columns.iter().filter(of).map(copy).collect() }
    }
}

/// A place in a recording for each second; never the first, so that each has one before it.
fn stretches(recorded: usize, noise: &mut Noise) -> Vec<usize> {
    let mut rows = Vec::with_capacity(SECONDS);
    while rows.len() < SECONDS && recorded > 1 {
        let first = 1 + noise.below(recorded as u64 - 1) as usize;
        let length = 20 + noise.below(100) as usize;
        rows.extend((first..recorded.min(first + length)).take(SECONDS - rows.len()));
    }
    rows
}

fn along(values: &[f64], rows: &[usize]) -> Vec<f64> {
    if !is_counter(values) {
        return rows.iter().map(|row| values[*row]).collect();
    }
    let mut level = values[0];
    let rise = |row: &usize| {
        level += values[*row] - values[row - 1];
        level
    };
    rows.iter().map(rise).collect()
}

fn going_on(counter: &Counter, rises: &[f64], rows: &[usize]) -> Vec<f64> {
    let mut units = counter.units;
    let tens = 10_f64.powi(counter.decimals);
    let rise = |row: &usize| {
        units += (rises[*row] - rises[row - 1]) as i64;
        units as f64 / tens
    };
    rows.iter().map(rise).collect()
}

fn wandering(curve: &[f64], noise: &mut Noise) -> Vec<f64> {
    let mut place = 0.5;
    let step = |_| {
        place += (noise.below(1 << 20) as f64 / f64::from(1 << 20) - 0.5) / 10.0;
        place = if place < 0.0 {
            -place
        } else if place > 1.0 {
            2.0 - place
        } else {
            place
        };
        curve[((place * curve.len() as f64) as usize).min(curve.len() - 1)]
    };
    (0..SECONDS).map(step).collect()
}

/// Shares of time: of each processor busy, and of what waited for processors, memory and disks.
fn shares(live: &Live) -> Vec<(String, Vec<f64>)> {
    let mut shares = Vec::new();
    for processor in ["cpu", "cpu0", "cpu1"] {
        let field = |place| live.signals.get(&format!("/proc/stat {processor} {place}"));
        let Some(fields) = (0..8).map(field).collect::<Option<Vec<_>>>() else { continue };
        let share = |row: usize| {
            let took: Vec<f64> = fields.iter().map(|values| values[row] - values[row - 1]).collect();
            let all: f64 = took.iter().sum();
            // Idle, and idle while something waits for a disk.
            1.0 - (took[3] + took[4]) / all.max(1.0)
        };
        shares.push((format!("{processor}_busy_share"), over(live, share)));
    }
    for of in ["cpu", "io", "memory"] {
        let name = format!("/proc/pressure/{of} some avg10 avg60 avg300 total 3");
        let Some(total) = live.signals.get(&name) else { continue };
        let share = |row: usize| {
            let waited_us = total[row] - total[row - 1];
            waited_us / ((live.moments[row] - live.moments[row - 1]).max(1) as f64 * 1_000.0)
        };
        let values = over(live, share);
        if changes(&values) > 0 {
            shares.push((format!("{of}_pressure_some_share"), values));
        }
    }
    shares
}

fn over(live: &Live, share: impl Fn(usize) -> f64) -> Vec<f64> {
    std::iter::once(0.0).chain((1..live.moments.len()).map(share)).collect()
}

fn is_counter(values: &[f64]) -> bool {
    values.is_sorted() && changes(values) > 0
}

fn changes(values: &[f64]) -> usize {
    values.windows(2).filter(|pair| pair[0].to_bits() != pair[1].to_bits()).count()
}

/// Numbers that look drawn, the same each time.
pub(super) struct Noise(pub(super) u64);

impl Noise {
    pub(super) fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}
