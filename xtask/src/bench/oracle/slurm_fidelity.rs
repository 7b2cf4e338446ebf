//! Bar 1: a real Slurm runs jobs that sleep, more than fit; its export is imported and lived again as it was. The starts must
//! come out as Slurm gave them. It needs no data: the jobs are made up, by a seed, and run here in about twelve minutes.
//!
//! All ask for the same limit. With limits that differ, a fraction of a second decides who goes ahead and for minutes who does not,
//! and Slurm itself does not do twice the same (docs/POLICIES.md has figures): no replay of whole seconds could hold the bar.

use std::time::{Duration, SystemTime};

use anyhow::Context;
use connect::import::{BadRows, Options};
use connect::slurm::request::{self, Form};
use connect::slurm::{Printed, QueuesAre};
use fleet::history::{Header, Record};
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use replay::history::History;
use replay::scenario::Scenario;
use replay::setup::Setup;
use slurm_rig::{Cluster, Layout, Run, scenario};

use crate::bench::row::{Row, Target};
use crate::bench::session::Session;

const BAR: u32 = 1;
const SEED: u64 = 1;
const JOBS: u32 = 300;
/// Slurm needs about twelve minutes; the machine may be slow.
const AT_MOST: Duration = Duration::from_secs(25 * 60);

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    if let Some(reason) = slurm_rig::unavailable() {
        session.skip(BAR, reason.to_string());
        return Ok(());
    }
    let history = recorded().context("failed to record what a real Slurm does")?;
    let setup = Setup::new(&history, &Scenario::recorded()).context("failed to apply the scenario")?;
    let outcome = replay::run(&setup, SEED);
    let compared = history.workloads.iter().zip(&outcome.workloads).filter_map(|(recorded, fate)| {
        let start = recorded.attempts.first()?.start?;
        let (start_s, replayed_s) =
            (start.since(history.from).as_seconds(), fate.start()?.since(history.from).as_seconds());
        Some(Start {
            error_s: (replayed_s - start_s).abs(),
            wait_s: recorded.wait()?.as_seconds(),
            replayed_wait_s: fate.wait()?.as_seconds(),
        })
    });
    let span_s = history.until.since(history.from).as_seconds();
    for row in rows(compared.collect(), span_s) {
        session.add(row);
    }
    Ok(())
}

/// One job's start, in both worlds.
#[derive(Clone, Copy, Debug)]
struct Start {
    error_s: f64,
    wait_s: f64,
    replayed_wait_s: f64,
}

fn rows(mut starts: Vec<Start>, span_s: f64) -> Vec<Row> {
    starts.sort_by(|a, b| a.error_s.total_cmp(&b.error_s));
    let count = starts.len() as f64;
    let median_s = starts.get(starts.len() / 2).map_or(f64::NAN, |start| start.error_s);
    let near_s = f64::max(10.0, span_s * 0.05);
    let near = starts.iter().filter(|start| start.error_s <= near_s).count() as f64 * 100.0 / count;
    let wait_s = starts.iter().map(|start| start.wait_s).sum::<f64>() / count;
    let replayed_wait_s = starts.iter().map(|start| start.replayed_wait_s).sum::<f64>() / count;
    let off = (replayed_wait_s / wait_s - 1.0).abs() * 100.0;
    let case = |what: String| format!("real Slurm, {span_s:.0} s, {what}");
    vec![
        Row::new(BAR, case("jobs".into()), count, Target::AtLeast(200.0), ""),
        Row::new(
            BAR,
            case("median error of start".into()),
            median_s,
            Target::AtMost(f64::max(3.0, span_s * 0.02)),
            "s",
        ),
        Row::new(BAR, case(format!("starts within {near_s:.0} s")), near, Target::AtLeast(95.0), "%"),
        Row::new(
            BAR,
            case(format!("mean wait {replayed_wait_s:.1} s against {wait_s:.1} s, off by")),
            off,
            Target::AtMost(5.0),
            "%",
        ),
    ]
}

/// Runs the jobs and imports what Slurm says of them.
fn recorded() -> anyhow::Result<History> {
    eprintln!("a real Slurm runs {JOBS} jobs; that takes about twelve minutes");
    let cluster = Cluster::start(Layout::default())?;
    let begin = now();
    scenario::live(&cluster, &scenario::rush(JOBS, SEED), AT_MOST)?;
    let mut printed = Vec::new();
    for request in request::all(Form::Table, begin - Millis::minutes(1), now() + Millis::minutes(1)) {
        let run = Run {
            program: request.program.to_owned(),
            arguments: request.arguments,
            environment: request.environment.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        };
        printed.push((request.file, cluster.answer(&run)?));
    }
    drop(cluster);
    let inputs = printed
        .iter()
        .map(|(file, content)| Printed { name: (*file).to_owned(), content: Box::new(content.as_slice()) })
        .collect();
    let options = Options { bad_rows: BadRows::Refuse, ..Options::default() };
    let mut records = Vec::new();
    connect::slurm::read(inputs, QueuesAre::Partitions, &options, &mut |record: Record| {
        records.push(record);
        Ok(())
    })?;
    Ok(History::from_records(Header::default(), records.into_iter()))
}

fn now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_hold_the_starts_against_the_bar() {
        let start = |error_s| Start { error_s, wait_s: 40.0, replayed_wait_s: 41.0 };
        let passes = |starts: Vec<Start>, span_s| rows(starts, span_s).iter().map(Row::pass).collect::<Vec<_>>();
        let mut starts: Vec<Start> = (0..200).map(|_| start(2.0)).collect();
        assert_eq!(passes(starts.clone(), 100.0), [true, true, true, true]);
        starts.extend((0..20).map(|_| start(17.0)));
        assert_eq!(passes(starts.clone(), 100.0), [true, true, false, true]);
        assert_eq!(passes(starts.clone(), 400.0), [true, true, true, true]);
        assert_eq!(passes(starts[..199].to_vec(), 100.0), [false, true, true, true]);
    }
}
