//! What is written is read back the same.

use fleet::event::EndCause;
use fleet::history::{NodeChange, QueueRecord};
use fleet::ids::{ActionId, NodeId, WorkloadId};
use fleet::live::{Entry, Live, Phase};
use fleet::policy::Policy;
use fleet::time::Timestamp;
use store::{Fault, NodeStanding, Query, Reader, State, Store};

use crate::story::{Folder, decided, eligible, finished, life, node, started, submission, submitted};

#[test]
fn a_restart_finds_everything() {
    let folder = Folder::new();
    let mut store = Store::create_or_open(folder.file()).unwrap();
    let queue = QueueRecord { name: "default".into(), priority: 3, ..QueueRecord::default() };
    let mut entries = vec![
        node(0, "here"),
        Entry::QueueSet { rules: queue.clone(), by: None },
        Entry::PolicySet { policy: Policy::default(), by: Some("ann".into()) },
    ];
    entries.extend(life(4, 7, submission("first")));
    let written = store.commit(Timestamp(10), &entries).unwrap();
    assert_eq!(written.iter().map(|logged| logged.seq).collect::<Vec<_>>(), (1..=9).collect::<Vec<_>>());
    let drained = Entry::NodeChanged { node: NodeId(0), change: NodeChange::Drained, by: Some("ann".into()) };
    store.commit(Timestamp(20), &[submitted(5, submission("second")), eligible(5), drained]).unwrap();
    drop(store);

    let store = Store::open(folder.file()).unwrap();
    let loaded = store.load(10).unwrap();
    assert_eq!((loaded.seq, loaded.at), (12, Some(Timestamp(20))));
    assert_eq!((loaded.next_workload, loaded.next_action), (WorkloadId(6), ActionId(8)));
    assert_eq!((loaded.queues, loaded.policy), (vec![queue], Some(Policy::default())));
    let here = &loaded.nodes[0];
    assert_eq!((here.facts.name.as_str(), here.standing), ("here", NodeStanding::Drained));
    assert_eq!((here.found, here.since, here.by.as_deref()), (Timestamp(10), Timestamp(20), Some("ann")));
    let mut second = Live::new(WorkloadId(5), submission("second"), "ann".into(), Timestamp(20));
    second.apply(&eligible(5), Timestamp(20)).unwrap();
    assert_eq!(loaded.unfinished, vec![second]);
    assert_eq!(loaded.finished.len(), 1);
    assert_eq!(loaded.finished[0].phase, Phase::Finished { cause: EndCause::Completed });
    assert_eq!(store.load(0).unwrap().finished, vec![]);

    let reader = store.reader().unwrap();
    assert_eq!(reader.entries_of(WorkloadId(4)).unwrap(), written[3..]);
    assert_eq!(reader.entries_since(0, 2).unwrap(), written[..2]);
    assert_eq!(reader.workload(WorkloadId(4)).unwrap().as_ref(), loaded.finished.first());
    assert_eq!(reader.workload(WorkloadId(3)).unwrap(), None);
}

#[test]
fn what_cannot_follow_is_refused_whole() {
    let folder = Folder::new();
    let mut store = Store::create_or_open(folder.file()).unwrap();
    store.commit(Timestamp(10), &[node(0, "here"), submitted(1, submission("a")), eligible(1), decided(5, 1)]).unwrap();
    let before = store.load(10).unwrap();
    let refused = |store: &mut Store, index: usize, entries: &[Entry]| {
        let error = store.commit(Timestamp(11), entries).unwrap_err();
        assert!(matches!(error.fault, Fault::OutOfPlace { index: at, .. } if at == index), "{error}");
        assert_eq!(store.load(10).unwrap(), before, "{error}");
    };
    refused(&mut store, 1, &[submitted(2, submission("b")), submitted(1, submission("c"))]);
    refused(&mut store, 2, &[submitted(2, submission("b")), eligible(2), eligible(2)]);
    refused(&mut store, 0, &[eligible(9)]);
    refused(&mut store, 2, &[submitted(2, submission("b")), eligible(2), decided(5, 2)]);
    refused(&mut store, 0, &[node(1, "here")]);
    refused(&mut store, 0, &[node(0, "there")]);
    refused(&mut store, 0, &[Entry::NodeChanged { node: NodeId(3), change: NodeChange::Lost, by: None }]);
    let error = store.commit(Timestamp(9), &[eligible(1)]).unwrap_err();
    assert!(matches!(error.fault, Fault::Backwards { .. }), "{error}");
    assert_eq!(store.commit(Timestamp(11), &[started(5, 1, 3)]).unwrap()[0].seq, 5, "and the log has no gap");
}

#[test]
fn pages_go_from_the_newest_to_the_oldest() {
    let folder = Folder::new();
    let mut store = Store::create_or_open(folder.file()).unwrap();
    let mut entries = vec![node(0, "here")];
    for id in 1..=30 {
        let mut asked = submission(if id % 2 == 0 { "even" } else { "odd" });
        asked.queue = if id % 3 == 0 { "third".into() } else { "default".into() };
        asked.user = (id % 5 == 0).then(|| "bob".into());
        entries.push(submitted(id, asked));
        if id <= 10 {
            entries.extend([eligible(id), decided(id.into(), id), started(id.into(), id, 1)]);
        } else if id <= 20 {
            entries.push(finished(id, EndCause::Cancelled));
        }
    }
    store.commit(Timestamp(1), &entries).unwrap();
    let reader = Reader::open(folder.file()).unwrap();
    let check = |query: Query, kept: &dyn Fn(u32) -> bool| {
        let expected: Vec<u32> = (1..=30).rev().filter(|id| kept(*id)).collect();
        let mut query = Query { limit: 3, ..query };
        let mut found = Vec::new();
        loop {
            let page = reader.page(&query).unwrap();
            assert!(page.rows.len() <= 3);
            found.extend(page.rows.iter().map(|row| row.id.0));
            query.before = page.next;
            if page.next.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "{query:?}");
    };
    let cancelled = State::Finished(EndCause::Cancelled);
    let any = Query::default;
    check(any(), &|_| true);
    check(Query { states: vec![State::Running], ..any() }, &|id| id <= 10);
    check(Query { states: vec![State::Running, cancelled], ..any() }, &|id| id <= 20);
    check(Query { states: vec![State::Waiting], ..any() }, &|_| false);
    check(Query { queue: Some("third".into()), ..any() }, &|id| id % 3 == 0);
    check(Query { user: Some("bob".into()), ..any() }, &|id| id % 5 == 0);
    check(Query { user: Some("ann".into()), queue: Some("third".into()), states: vec![cancelled], ..any() }, &|id| {
        id % 5 != 0 && id % 3 == 0 && (11..=20).contains(&id)
    });
    check(Query { text: Some("EVE".into()), ..any() }, &|id| id % 2 == 0);
    check(Query { text: Some("odd".into()), states: vec![State::Held], ..any() }, &|id| id % 2 == 1 && id > 20);

    let page = reader.page(&Query { limit: 1_000, ..any() }).unwrap();
    assert_eq!(page.counts, [(State::Held, 10), (State::Running, 10), (cancelled, 10)].into());
    assert_eq!(reader.counts(Some("third")).unwrap()[&State::Running], 3);
    let row = &page.rows[29];
    assert_eq!((row.command.as_str(), row.started, row.runs), ("python3 train.py odd", Some(Timestamp(1)), 1));
    assert_eq!((row.user.as_str(), row.slots[0].devices), ("ann", 0b10));
}
