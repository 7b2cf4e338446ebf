use fleet::history::{End, Writer};

use super::*;
use crate::lab;

fn surveyed(records: Vec<Record>) -> Survey {
    let mut records = records.into_iter();
    let Some(Record::Header(header)) = records.next() else { panic!("a header first") };
    let mut writer = Writer::begin(Vec::new(), header).unwrap();
    records.for_each(|record| writer.write(&record).unwrap());
    let bytes = writer.finish(End::default()).unwrap();
    survey(Reader::begin(&bytes[..], "lab").unwrap(), "lab").unwrap()
}

#[test]
fn the_sums_of_groups_are_the_whole() {
    let survey = surveyed(lab::records(lab::SEED));
    for groups in [&survey.queues, &survey.sizes, &survey.ends] {
        assert_eq!(groups.iter().map(|group| group.workloads).sum::<u64>(), survey.workloads);
        let hours: f64 = groups.iter().map(|group| group.use_of.device_hours).sum();
        assert!((hours - survey.use_of.device_hours).abs() < 1e-6, "{hours}");
    }
    assert_eq!((survey.nodes.len(), survey.nodes[0].count, survey.queues.len()), (1, 8, 6));
    assert_eq!(survey.waits.recorded, survey.workloads);
    assert!(survey.oddities.is_empty(), "{:?}", survey.oddities);
}

#[test]
fn what_should_not_be_is_told() {
    let mut records = lab::records(lab::SEED);
    let Some(Record::Workload(last)) = records.last().cloned() else { panic!("a workload last") };
    let mut early = last.clone();
    early.id = "early".into();
    early.attempts[0].start = Some(early.submit - fleet::quantity::Millis(1));
    early.attempts[0].nodes = vec!["elsewhere".into()];
    records.push(Record::Workload(last));
    records.push(Record::Workload(early));
    let survey = surveyed(records);
    let odd: Vec<_> = survey.oddities.iter().map(|odd| (odd.what, odd.times)).collect();
    assert_eq!(
        odd,
        [
            ("a node is named that the history does not describe", 1),
            ("an id stands twice", 1),
            ("it starts before it was eligible", 1)
        ]
    );
}

#[test]
fn the_report_names_what_is_there_and_what_is_not() {
    let text = words::report(&surveyed(lab::records(lab::SEED)));
    for expected in ["SYNTHETIC", "8 × 96 cores, 1 TiB, 8 H100-80GB devices", "limit 8", "Queues\n", "language"] {
        assert!(text.contains(expected), "{text}\nlacks {expected}");
    }
}
