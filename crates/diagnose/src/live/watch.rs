//! Whoever watches a node tells what comes, and asks what is wrong.

use std::collections::{BTreeMap, VecDeque};

use fleet::finding::Finding;
use fleet::quantity::Millis;
use fleet::series::Scrape;
use fleet::step::{Rank, Told};
use fleet::time::Timestamp;

use super::cause::{self, Case, moment};
use super::excess::Excess;
use super::job::Job;
use super::kernel::Kernel;
use super::life::{Change, Life, Open, WANES};
use super::node::Node;
use super::row::Row;
use super::signals::{Signals, Span};
use super::{crash, hang, node};
use crate::median::mean;

/// What is so now is what the steps of so much time say.
const WINDOW: Millis = Millis(6_000);
/// And so many steps at least.
const STEPS_MIN: usize = 3;
/// Signals are looked at over so much time at least.
const SPAN_MIN: Millis = Millis(2_500);
/// What was so before is what signals say of so much time.
const BEFORE: Millis = Millis(60_000);
/// So many evaluations are remembered that found steps slow: as many as there are from before a finding begins to end until it is closed.
const PACES_MAX: usize = 16;
/// How often it is asked what is wrong.
const EVERY: Millis = Millis(1_000);
/// What jobs do now is what they did for so long.
const LATELY: Millis = Millis(60_000);
/// What is over is told of for so long: whoever missed it hears of it again.
const OVER_FOR: Millis = Millis::minutes(1);
/// So many jobs are watched; those that come after are not.
const JOBS_MAX: usize = 256;
/// A job that nobody tells of any more is forgotten.
const FORGOTTEN_AFTER: Millis = Millis(900_000);

/// What is known of a node and its jobs.
#[derive(Debug, Default)]
pub struct Watch {
    signals: Signals,
    kernel: Kernel,
    jobs: BTreeMap<String, Watched>,
    clients: BTreeMap<u64, (String, u32)>,
    life: Life,
}

#[derive(Debug, Default)]
struct Watched {
    job: Job,
    /// When it was last looked at and nothing was wrong.
    sound: Timestamp,
    /// Whether the window has been slow from its first step on, since then.
    slow: bool,
    /// How long steps took when they were found slow lately, in microseconds, the oldest first.
    paces: VecDeque<(Timestamp, f64)>,
}

impl Watch {
    /// Takes in what was measured of the node.
    pub fn scrape(&mut self, scrape: &Scrape) {
        self.signals.take(scrape);
    }

    /// Takes in a line of the kernel log, without what stands before its text.
    pub fn kernel(&mut self, line: &str, now: Timestamp) {
        self.kernel.take(line, now);
    }

    /// A step clock tells something; `client` is its connection.
    pub fn heard(&mut self, client: u64, told: Told, now: Timestamp) {
        if let Told::Began(Rank { job, rank, pid, .. }) = told {
            if !self.jobs.contains_key(&job) && self.jobs.len() >= JOBS_MAX {
                return;
            }
            let watched = self.jobs.entry(job.clone()).or_insert_with(|| Watched { sound: now, ..Watched::default() });
            watched.job.began(rank, pid, client, now);
            self.clients.insert(client, (job, rank));
            return;
        }
        let Some((job, rank)) = self.clients.get(&client) else { return };
        if let Some(watched) = self.jobs.get_mut(job) {
            watched.job.told(*rank, &told, now);
        }
    }

    /// A connection is over.
    pub fn gone(&mut self, client: u64, now: Timestamp) {
        let Some((job, rank)) = self.clients.remove(&client) else { return };
        if let Some(watched) = self.jobs.get_mut(&job) {
            watched.job.gone(rank, client, now);
        }
    }

    /// The processes that tell their steps.
    pub fn processes(&self) -> impl Iterator<Item = u32> {
        let ranks = self.jobs.values().flat_map(|watched| watched.job.ranks.values());
        ranks.filter(|member| member.client.is_some()).filter_map(|member| member.pid)
    }

    /// What changed in what is wrong. To be asked once a second.
    pub fn evaluate(&mut self, now: Timestamp) -> Vec<Change> {
        self.jobs.retain(|_, watched| !watched.job.is_over(now, FORGOTTEN_AFTER));
        let processes: Vec<u32> = self.processes().collect();
        let shares = self.jobs.values().filter_map(|watched| watched.job.computing(now - LATELY));
        let computing = shares.reduce(f64::min);
        let node = Node { signals: &self.signals, kernel: &self.kernel, processes: &processes, computing, now };
        let mut found = node::find(&node);
        for (name, watched) in &mut self.jobs {
            found.extend(watched.evaluate(name, &self.signals, now));
        }
        let jobs = &self.jobs;
        self.life.take(now, found, &|open| jobs.get(open.finding.place("job")?)?.realised(open))
    }

    /// What was wrong until a while ago, and is over: what was made of it stays known for a minute.
    pub fn over(&self, now: Timestamp) -> impl Iterator<Item = &Open> {
        self.life.over(now - OVER_FOR)
    }

    /// What is wrong now.
    pub fn open(&self) -> impl Iterator<Item = &Open> {
        self.life.open()
    }
}

impl Watched {
    fn evaluate(&mut self, name: &str, signals: &Signals, now: Timestamp) -> Vec<Finding> {
        let typical = self.job.usual.typical();
        let usual_us = typical.as_ref().map(|typical| typical.step_us);
        if let Some(crash) = crash::find(name, &self.job, now) {
            return vec![crash];
        }
        if let Some(hang) = hang::find(name, &self.job, usual_us, signals, now) {
            return vec![hang];
        }
        let first = self.first_of_window(now);
        let rows = self.job.rows.make_contiguous();
        let window = rows.get(first..).unwrap_or_default();
        let excess = typical.as_ref().and_then(|typical| Excess::of(window, typical)).filter(Excess::is_slow);
        let found = excess.filter(|_| window.len() >= STEPS_MIN).map(|excess| {
            self.paces.push_back((now, excess.step_us));
            if self.paces.len() > PACES_MAX {
                self.paces.pop_front();
            }
            let onset = if self.slow { 0 } else { excess.onset() };
            self.slow |= onset == 0;
            let slow = &window[onset.min(window.len() - STEPS_MIN)..];
            let excess = typical.as_ref().and_then(|typical| Excess::of(slow, typical)).unwrap_or(excess);
            let begun = slow.first().map_or(now - WINDOW, |row| row.begun());
            let numbers: Vec<u32> = self.job.ranks.keys().copied().collect();
            let pids: Vec<Option<u32>> = self.job.ranks.values().map(|member| member.pid).collect();
            let case = Case {
                job: name,
                numbers: &numbers,
                pids: &pids,
                excess: &excess,
                signals,
                // Of what is measured once a second, two values say how much it has grown.
                now: Span { from: begun.min(now - SPAN_MIN), until: now },
                before: Span { from: self.sound - BEFORE, until: self.sound },
            };
            cause::explain(&case)
        });
        found.unwrap_or_else(|| {
            self.nothing_wrong(first, now);
            Vec::new()
        })
    }

    /// How many times faster steps have become since something was last found that is over: beside those from before it began to end.
    fn realised(&self, open: &Open) -> Option<f64> {
        let before = open.seen - Millis(EVERY.0 * WANES as i64);
        let slow = self.paces.iter().rev().find(|(at, _)| *at <= before).or(self.paces.front());
        let since = self.job.rows.iter().skip_while(|row| row.begun() < open.seen);
        let steps_us: Vec<f64> = since.map(|row| row.took_us(None, 1.0)).collect();
        if steps_us.len() < STEPS_MIN {
            return None;
        }
        Some(slow?.1 / mean(&steps_us).filter(|us| *us > 0.0)?)
    }

    /// Where the window begins among the rows.
    fn first_of_window(&self, now: Timestamp) -> usize {
        let rows = &self.job.rows;
        let in_time = rows.partition_point(|row| moment(row.ended_us) < now - WINDOW);
        in_time.min(rows.len().saturating_sub(STEPS_MIN))
    }

    /// What is older than the window becomes part of what is usual; what is slower than usual while nothing is wrong as well, since it is
    /// not slow enough to be anything.
    fn nothing_wrong(&mut self, first: usize, now: Timestamp) {
        let rows: Vec<Row> = self.job.rows.drain(..first).collect();
        for row in rows {
            self.job.usual.add(row);
        }
        self.slow = false;
        // The window may hold the first steps of something.
        self.sound = self.sound.max(now - WINDOW);
    }
}
