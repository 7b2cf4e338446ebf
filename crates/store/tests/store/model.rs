//! Random lives: what is loaded is what the same entries add up to in memory.

use std::collections::BTreeMap;

use fleet::event::EndCause;
use fleet::ids::{ActionId, WorkloadId};
use fleet::live::{Entry, Exit, Live, Phase, StopReason};
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use store::{Counts, Fault, Query, State, Store, check};

use crate::story::{Folder, decided, eligible, ended, finished, node, started, submission, submitted};

/// What the store should hold.
#[derive(Clone, Default)]
struct Model {
    lives: BTreeMap<WorkloadId, Live>,
    finished: Vec<WorkloadId>,
    actions: u64,
    seq: u64,
}

impl Model {
    /// An entry about a workload: in most cases one that can follow.
    fn draw(&mut self, which: u32, choice: u8) -> Entry {
        let id = WorkloadId(which);
        let Some(live) = self.lives.get(&id) else {
            let mut asked = submission(if choice.is_multiple_of(2) { "a" } else { "b" });
            asked.queue = format!("queue-{}", choice % 3);
            return submitted(which, asked);
        };
        let action = live.open_run().map_or(self.actions, |run| run.action.0);
        match (live.phase, choice % 8) {
            (_, 0) => Entry::StopAsked { workload: id, why: StopReason::Cancel, by: None },
            (_, 1) => finished(which, EndCause::ALL[usize::from(choice) % 8]),
            (Phase::Held | Phase::BackingOff { .. }, _) => eligible(which),
            (Phase::Waiting, 2) => Entry::Retrying { workload: id, after: Timestamp(i64::from(choice)) },
            (Phase::Waiting, _) => decided(self.actions, which),
            (Phase::Starting, 3) => {
                Entry::StartFailed { action: ActionId(action), workload: id, reason: "no such program".into() }
            }
            (Phase::Starting, _) => started(action, which, i64::from(choice)),
            (Phase::Running, _) => ended(action, which, Exit::Code(i32::from(choice % 2))),
            (Phase::Finished { .. }, _) => eligible(which),
        }
    }

    /// Takes a batch in whole, or not at all.
    fn commit(&self, at: Timestamp, choices: &[(u32, u8)]) -> (Vec<Entry>, Option<Self>) {
        let mut next = self.clone();
        let mut entries = Vec::new();
        let mut fits = true;
        for &(which, choice) in choices {
            let entry = next.draw(which, choice);
            entries.push(entry.clone());
            fits = fits && next.apply(&entry, at);
        }
        (entries, fits.then_some(next))
    }

    fn apply(&mut self, entry: &Entry, at: Timestamp) -> bool {
        let Some(id) = entry.workload() else { return false };
        self.seq += 1;
        if let Entry::Submitted { submission, by, .. } = entry {
            return self.lives.insert(id, Live::new(id, (**submission).clone(), by.clone(), at)).is_none();
        }
        let Some(live) = self.lives.get_mut(&id) else { return false };
        let applied = live.apply(entry, at).is_ok();
        if applied && live.is_finished() {
            self.finished.push(id);
        }
        self.actions += u64::from(matches!(entry, Entry::Decided { .. }));
        applied
    }

    fn counts(&self) -> Counts {
        let mut counts = Counts::new();
        self.lives.values().for_each(|live| *counts.entry(State::of(live.phase)).or_insert(0) += 1);
        counts
    }
}

fn holds(store: &Store, model: &Model) {
    let loaded = store.load(5).unwrap();
    let unfinished: Vec<&Live> = model.lives.values().filter(|live| !live.is_finished()).collect();
    assert_eq!(loaded.unfinished.iter().collect::<Vec<_>>(), unfinished);
    let latest = &model.finished[model.finished.len().saturating_sub(5)..];
    assert_eq!(
        loaded.finished.iter().collect::<Vec<_>>(),
        latest.iter().map(|id| &model.lives[id]).collect::<Vec<_>>()
    );
    // One more than the workloads' entries: the node's.
    assert_eq!((loaded.seq, loaded.next_action), (model.seq + 1, ActionId(model.actions)));
    let page = store.reader().unwrap().page(&Query { limit: 500, ..Query::default() }).unwrap();
    assert_eq!(page.counts, model.counts());
    assert_eq!(
        page.rows.iter().map(|row| row.id).rev().collect::<Vec<_>>(),
        model.lives.keys().copied().collect::<Vec<_>>()
    );
    for row in &page.rows {
        let live = &model.lives[&row.id];
        let run = live.runs.last();
        assert_eq!((row.state, row.runs), (State::of(live.phase), live.runs.len() as u64));
        assert_eq!((row.eligible, row.finished), (live.eligible, live.finished));
        assert_eq!(row.started, run.and_then(|run| run.started));
        assert_eq!(row.slots, run.map_or(Vec::new(), |run| run.slots.clone()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("seeds"))), ..ProptestConfig::default() })]

    #[test]
    fn a_store_is_what_its_entries_add_up_to(
        batches in prop::collection::vec(prop::collection::vec((0_u32..12, any::<u8>()), 0..12), 1..30),
        reopen_at in 0_usize..30,
    ) {
        let folder = Folder::new();
        let mut store = Store::create_or_open(folder.file()).unwrap();
        store.commit(Timestamp(0), &[node(0, "here")]).unwrap();
        let mut model = Model::default();
        let mut at = Timestamp(0);
        for (index, choices) in batches.iter().enumerate() {
            at = at + Millis(10);
            let (entries, next) = model.commit(at, choices);
            match (store.commit(at, &entries), next) {
                (Ok(_), Some(next)) => model = next,
                (Err(error), None) => prop_assert!(matches!(error.fault, Fault::OutOfPlace { .. }), "{error}"),
                (result, next) => panic!("the store says {result:?}, and the entries fit: {}", next.is_some()),
            }
            if index == reopen_at {
                drop(store);
                store = Store::open(folder.file()).unwrap();
                holds(&store, &model);
            }
        }
        holds(&store, &model);
        let report = check(folder.file()).unwrap();
        prop_assert!(report.is_sound(), "{report}");
    }
}
