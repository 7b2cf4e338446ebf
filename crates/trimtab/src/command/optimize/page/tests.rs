//! The page of a small history with a hostile name in it.

use std::sync::Arc;

use advise::ground::Options;
use advise::optimize::optimize;
use fleet::history::{Header, NodeRecord, Record, WorkloadRecord};
use fleet::node::Resources;
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use replay::history::History;
use replay::scenario::Scenario;

use crate::replayer::Threads;

fn page() -> String {
    let node = NodeRecord { name: "n".into(), devices: 4, ..NodeRecord::default() };
    let jobs = (0..40).map(|number| {
        Record::Workload(Box::new(WorkloadRecord {
            id: number.to_string(),
            queue: "<script>alert(1)</script>".into(),
            submit: Timestamp::from_seconds(number * 600),
            tasks: 1,
            request: Resources::devices(1 + number as u64 % 4),
            attempts: vec![fleet::history::Attempt {
                start: None,
                run: Some(Millis::minutes(30)),
                cause: fleet::event::EndCause::Completed,
                nodes: Vec::new(),
                ..fleet::history::Attempt::default()
            }],
            ..WorkloadRecord::default()
        }))
    });
    let header = Header { synthetic: true, ..Header::default() };
    let history = History::from_records(header, std::iter::once(Record::Node(node)).chain(jobs));
    let options = Options {
        p95_wait: Millis::minutes(10),
        protected: Vec::new(),
        seed: 1,
        slow: Vec::new(),
        baseline: Scenario::recorded(),
        name: "small".into(),
        hash: "0".into(),
    };
    let replayer = Threads::new(&history, 1, Arc::default());
    super::render(&optimize(&history, &options, &replayer, &mut |_| {}).expect("the history has a node"))
}

#[test]
fn names_are_escaped_and_nothing_is_loaded_from_elsewhere() {
    let page = page();
    assert!(page.contains("&lt;script&gt;alert(1)"));
    for forbidden in ["<script", "src=", "url(", "http:", "https:"] {
        assert!(!page.contains(forbidden), "the page has {forbidden}");
    }
    assert_eq!(page.matches("href=").count(), page.matches("href=\"#").count(), "links stay within the page");
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn the_page_says_that_a_history_is_made_up_and_draws_its_allocation() {
    let page = page();
    assert!(page.contains("This history is made up"));
    assert!(page.contains("<svg") && page.contains("Allocation over time"));
}
