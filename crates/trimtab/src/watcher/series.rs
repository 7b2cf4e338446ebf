//! What was measured, as the store keeps it. Pure.
//!
//! A node and each job are a source of their own: what is measured of processes belongs to their jobs, by rank, so that a node's series do not
//! grow in number with every process that ever was.

use std::collections::BTreeMap;

use fleet::series::Thing;
use fleet::signal::{Signal, Unit, step};
use fleet::step::Phase;
use store::{Scrape, Scrapes, Series};

use super::Second;

/// So many ranks of a job are kept on one node, the first ones; a scrape holds no more values than the store takes.
const RANKS_MAX: u32 = 256;
/// A job with a longer name is watched, and its series are not kept.
const NAME_BYTES_MAX: usize = 512;

/// The source of a job's series.
pub(crate) fn source_of(job: &str) -> String {
    format!("job/{job}")
}

/// The values of one source at one moment.
type Values = BTreeMap<Series, Option<f64>>;

/// What was measured in some seconds, source by source.
pub(crate) fn scrapes(node: &str, seconds: &[Second]) -> Vec<Scrapes> {
    let mut all: BTreeMap<String, Vec<Scrapes>> = BTreeMap::new();
    for second in seconds {
        for (source, values) in by_source(node, second) {
            let (series, values): (Vec<Series>, Vec<Option<f64>>) = values.into_iter().unzip();
            let scrape = Scrape { at: second.at, values };
            let before = all.entry(source.clone()).or_default();
            match before.last_mut().filter(|last| last.series == series) {
                Some(last) => last.scrapes.push(scrape),
                None => before.push(Scrapes { source, series, scrapes: vec![scrape] }),
            }
        }
    }
    all.into_values().flatten().collect()
}

fn by_source(node: &str, second: &Second) -> BTreeMap<String, Values> {
    let mut sources: BTreeMap<String, Values> = BTreeMap::new();
    let kept = |teller: &&super::Teller| teller.rank < RANKS_MAX && teller.job.len() <= NAME_BYTES_MAX;
    let mut ranks: BTreeMap<u32, (String, u32)> = BTreeMap::new();
    for teller in second.tellers.iter().filter(kept) {
        let source = source_of(&teller.job);
        let values = sources.entry(source.clone()).or_default();
        let mut add = |signal, value| values.insert(series(signal, Some(("rank", teller.rank.to_string()))), value);
        add(&step::STEP, teller.step_seconds());
        for phase in Phase::ALL {
            add(step::of(phase), teller.phase_seconds(phase));
        }
        ranks.extend(teller.pid.map(|pid| (pid, (source, teller.rank))));
    }
    for measured in &second.scrape.values {
        let (source, label) = match &measured.of {
            Thing::Process(pid) => {
                let Some((source, rank)) = ranks.get(pid) else { continue };
                (source.as_str(), Some(("rank", rank.to_string())))
            }
            thing => (node, thing.kind().map(|kind| (kind, thing.to_string()))),
        };
        let values = match sources.get_mut(source) {
            Some(values) => values,
            None => sources.entry(source.to_owned()).or_default(),
        };
        values.insert(series(measured.signal, label), measured.value);
    }
    sources
}

fn series(signal: &Signal, label: Option<(&str, String)>) -> Series {
    let unit = match signal.unit {
        Unit::Ratio | Unit::Count | Unit::Flag => String::new(),
        unit => unit.to_string(),
    };
    let labels = label.into_iter().map(|(kind, name)| (kind.to_owned(), name)).collect();
    Series { name: signal.name.to_owned(), labels, unit }
}

#[cfg(test)]
mod tests {
    use fleet::series::Scrape as Measured;
    use fleet::signal::{host, nvidia, process};
    use fleet::step::{PhasesUs, Rank, Step, Told};
    use fleet::time::Timestamp;

    use super::super::tellers::Tellers;
    use super::*;

    fn second(at: i64, tellers: &mut Tellers, pids: &[u32]) -> Second {
        let mut scrape = Measured { at: Timestamp(at), values: Vec::new() };
        scrape.add(&host::CPU_USER, &Thing::Node, Some(1.0));
        scrape.add(&nvidia::SM_CLOCK, &Thing::Device(3), None);
        pids.iter().for_each(|pid| scrape.add(&process::STOPPED, &Thing::Process(*pid), Some(0.5)));
        Second { at: Timestamp(at), scrape, tellers: tellers.take(), changes: Vec::new() }
    }

    #[test]
    fn processes_belong_to_their_jobs_and_what_stays_alike_is_one_batch() {
        let mut tellers = Tellers::default();
        let began = |job: &str| Told::Began(Rank { job: job.into(), rank: 1, ranks: 2, pid: Some(70), group: None });
        let step = Step { number: 1, ended_us: 0, us: 2_000_000, phases: PhasesUs::default() };
        let mut seconds = vec![second(1, &mut tellers, &[])];
        tellers.heard(0, &began("a"));
        // It tells again, on another connection: a series is there once all the same.
        tellers.heard(1, &began("a"));
        tellers.heard(2, &began(&"long".repeat(200)));
        tellers.heard(1, &Told::Step(step));
        seconds.extend([2, 3].map(|at| second(at, &mut tellers, &[70, 71])));
        let all = scrapes("node", &seconds);
        let told: Vec<(&str, usize, usize)> =
            all.iter().map(|batch| (batch.source.as_str(), batch.series.len(), batch.scrapes.len())).collect();
        assert_eq!(told, [("job/a", 10, 2), ("node", 2, 3)]);
        let value = |name: &str, at: usize| {
            let place = all[0].series.iter().position(|series| series.name == name).unwrap();
            all[0].scrapes[at].values[place]
        };
        assert_eq!((value("step_seconds", 0), value("step_seconds", 1)), (Some(2.0), None), "unknown is not zero");
        assert_eq!(value("process_stopped_ratio", 1), Some(0.5));
        assert!(all[0].series.iter().all(|series| series.labels["rank"] == "1"));
        assert_eq!(all[1].series[1].labels.get("device").map(String::as_str), Some("3"));
    }
}
