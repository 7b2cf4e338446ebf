//! What was recorded, read as a history.

use fleet::event::EndCause;
use fleet::history::{self, Header, NodeChange, QueueRecord, Record};
use fleet::ids::NodeId;
use fleet::live::{Entry, Exit};
use fleet::policy::Policy;
use fleet::quantity::{Bytes, Millis};
use fleet::time::Timestamp;
use store::{Retention, Sample, Store, StoreError, export};

use crate::story::{Folder, decided, eligible, ended, finished, life, node, started, submission, submitted};

#[test]
fn a_history_tells_what_was_recorded_and_nothing_of_commands() {
    let folder = Folder::new();
    let mut store = Store::create_or_open(folder.file()).unwrap();
    let queue = QueueRecord { name: "default".into(), ..QueueRecord::default() };
    let policy = || Entry::PolicySet { policy: Policy::default(), by: None };
    let drained = Entry::NodeChanged { node: NodeId(0), change: NodeChange::Drained, by: Some("ann".into()) };
    let first = [node(0, "here"), Entry::QueueSet { rules: queue.clone(), by: None }, policy()];
    store.commit(Timestamp(1), &first).unwrap();
    store.commit(Timestamp(10), &life(1, 1, submission("done"))).unwrap();
    let mut after = submission("retried");
    after.depends_on = vec![fleet::ids::WorkloadId(1)];
    store.commit(Timestamp(20), &[submitted(2, after), policy(), drained]).unwrap();
    let twice = [eligible(2), decided(2, 2), started(2, 2, 25), ended(2, 2, Exit::Code(1)), decided(3, 2)];
    store.commit(Timestamp(30), &[&twice[..], &[started(3, 2, 30)]].concat()).unwrap();
    let never = [submitted(3, submission("never")), submitted(4, submission("held")), finished(3, EndCause::Cancelled)];
    store.commit(Timestamp(40), &never).unwrap();
    let measured = |at| Sample {
        at: Timestamp(at),
        node: NodeId(0),
        device: None,
        metric: "cpu_busy_ratio".into(),
        value: Some(1.0),
    };
    store.append_samples(&[measured(35), measured(45)], Retention::default()).unwrap();

    let mut records = Vec::new();
    export(&store.reader().unwrap(), |record| -> Result<(), StoreError> {
        records.push(record);
        Ok(())
    })
    .unwrap();
    let text = written(&records);
    for private in ["train.py", "/home/ann", "/work"] {
        assert!(!text.contains(private), "{private}");
    }
    assert_eq!(read(&text), records[1..records.len() - 1], "and it is read back the same");

    let Record::End(end) = records.last().unwrap() else { panic!("no end") };
    assert_eq!(
        (end.workloads, end.from, end.until),
        (4, Some(Timestamp(1)), Some(Timestamp(45))),
        "it was looked at until then"
    );
    let Record::Node(here) = &records[1] else { panic!("no node") };
    assert_eq!((here.name.as_str(), here.at), ("here", Some(Timestamp(1))));
    assert_eq!(records[2], Record::Queue(queue));
    let times: Vec<_> = records
        .iter()
        .filter_map(|record| match record {
            Record::Policy(policy) => Some(policy.at),
            _ => None,
        })
        .collect();
    assert_eq!(times, [None, Some(Timestamp(20))]);
    let workloads: Vec<_> = records
        .iter()
        .filter_map(|record| match record {
            Record::Workload(workload) => Some(workload),
            _ => None,
        })
        .collect();
    let [done, retried, never, held] = workloads[..] else { panic!("four workloads") };
    assert_eq!((done.submit, done.eligible_at(), done.run()), (Timestamp(10), Timestamp(10), Some(Millis(500))));
    assert_eq!(done.used.memory_peak_bytes, Some(Bytes::mebi(3)));
    assert_eq!(
        (done.attempts[0].nodes.as_slice(), done.attempts[0].cause),
        (&["here".to_owned()][..], EndCause::Completed)
    );
    assert_eq!((retried.depends_on.as_slice(), retried.eligible), (&["1".to_owned()][..], Some(Timestamp(30))));
    assert_eq!(retried.attempts.iter().map(|attempt| attempt.run).collect::<Vec<_>>(), [Some(Millis(500)), None]);
    assert_eq!((never.withdrawn, never.eligible), (Some(Timestamp(40)), Some(Timestamp(40))));
    assert_eq!((held.withdrawn, held.eligible, held.attempts.len()), (None, Some(Timestamp(45)), 0));
}

#[test]
fn whoever_takes_the_records_can_stop() {
    let folder = Folder::new();
    let store = Store::create_or_open(folder.file()).unwrap();
    #[derive(Debug)]
    struct Enough;
    impl From<StoreError> for Enough {
        fn from(error: StoreError) -> Self {
            panic!("{error}")
        }
    }
    let mut taken = 0;
    let result = export(&store.reader().unwrap(), |_| {
        taken += 1;
        Err(Enough)
    });
    assert!(result.is_err());
    assert_eq!(taken, 1);
}

fn written(records: &[Record]) -> String {
    let mut writer = history::Writer::begin(Vec::new(), header(records)).unwrap();
    records[1..records.len() - 1].iter().for_each(|record| writer.write(record).unwrap());
    let Some(Record::End(end)) = records.last() else { panic!("no end") };
    String::from_utf8(writer.finish(end.clone()).unwrap()).unwrap()
}

fn header(records: &[Record]) -> Header {
    let Record::Header(header) = &records[0] else { panic!("no header") };
    assert_eq!(header.source, "trimtab");
    header.clone()
}

fn read(text: &str) -> Vec<Record> {
    let mut reader = history::Reader::begin(text.as_bytes(), "exported").unwrap();
    let mut records = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        records.push(record);
    }
    records
}
