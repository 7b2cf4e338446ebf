//! What is wrong, on pages and in the API: seen, muted, drawn.

use serde_json::{Value, json};

use crate::http::{get, post, sign_in};
use crate::made;
use crate::rig::{OPERATE, Rig, VIEW};

fn rig() -> Rig {
    Rig::new(|store| {
        made::hostile(store);
        made::wrong(store);
    })
}

fn ids(rig: &Rig, query: &str) -> Vec<u64> {
    let found: Value = serde_json::from_str(&get(rig, &format!("/api/v1/findings{query}")).body).unwrap();
    found["findings"].as_array().unwrap().iter().map(|one| one["id"].as_u64().unwrap()).collect()
}

#[test]
fn what_is_wrong_is_on_the_overview_its_own_pages_and_that_of_its_job() {
    let rig = rig();
    let says = |path: &str, expected: &[&str], not: &str| {
        let page = get(&rig, path).body;
        for words in expected {
            assert!(page.contains(words), "{path} does not say {words:?}:\n{page}");
        }
        assert!(!page.contains(not), "{path} says {not:?}");
    };
    says("/", &["What is wrong now", "Rank 1 is stopped", "2 × as fast", "24 device-hours"], "It was slow");
    says("/findings", &["Rank 1 is stopped"], "It was slow");
    says("/findings?state=closed", &["It was slow"], "Rank 1 is stopped");
    says("/findings?workload=9", &["No finding is like that"], "Rank 1");
    says("/jobs/2", &["What is wrong with it", "Rank 1 is stopped", "1 finding of before"], "It was slow");
    says("/jobs/4", &["Why it has not started"], "What is wrong with it");
    says(
        "/findings/1",
        &["found stopped", "50 % of looks", "usually 0 % of looks", "Find who stops it", "Mute"],
        "Muted by",
    );
    says("/findings/2", &["nothing any more"], "id=\"mute\"");
    assert_eq!(get(&rig, "/findings/9").status, 404);
    assert_eq!(get(&rig, "/findings?state=new").status, 400);
    assert_eq!(get(&rig, "/api/v1/findings?limit=0").status, 400);
    assert_eq!(
        (ids(&rig, ""), ids(&rig, "?state=all&workload=2"), ids(&rig, "?workload=3")),
        (vec![1], vec![1, 2], vec![])
    );
}

#[test]
fn whoever_may_operate_mutes_with_a_reason_and_an_end() {
    let rig = rig();
    let (ada, eve) = (sign_in(&rig, OPERATE), sign_in(&rig, VIEW));
    let post = |cookie: &str, path: &str, body: &str| post(&rig, path, cookie, body).status;
    assert_eq!(post(&eve, "/findings/1/mute", "reason=known&hours=24"), 403);
    assert_eq!(post(&ada, "/findings/1/mute", "reason=&hours=24"), 422);
    assert_eq!(post(&ada, "/findings/1/mute", "reason=known&hours=0"), 422);
    assert_eq!(post(&ada, "/findings/9/mute", "reason=known&hours=24"), 404);
    assert_eq!(ids(&rig, ""), [1]);
    assert_eq!(post(&ada, "/findings/1/mute", "reason=%3Cb%3Eknown&hours=24"), 303);
    assert_eq!((ids(&rig, ""), ids(&rig, "?state=muted")), (vec![], vec![1]));
    let metrics = get(&rig, "/metrics").body;
    assert!(metrics.contains("trimtab_findings{state=\"open\"} 0\n"), "{metrics}");
    assert!(metrics.contains("trimtab_findings{state=\"muted\"} 1\n"), "{metrics}");
    let page = get(&rig, "/findings/1").body;
    assert!(page.contains("Muted by ada until") && page.contains("&lt;b&gt;known"), "{page}");
    assert_eq!(post(&ada, "/findings/1/unmute", ""), 303);
    assert_eq!(ids(&rig, ""), [1]);
}

#[test]
fn what_shows_a_finding_is_drawn_from_what_is_pinned() {
    let rig = rig();
    let course: Value = serde_json::from_str(&get(&rig, "/findings/1/course.json").body).unwrap();
    assert_eq!(course["marks"].as_array().unwrap().len(), 1);
    let panel = |name: &str| course["panels"][name]["lines"].as_array().unwrap();
    let names = |name: &str| panel(name).iter().map(|line| line["name"].clone()).collect::<Vec<_>>();
    assert_eq!(names("steps"), [json!("rank 0"), json!("rank 1")]);
    assert_eq!(names("process_stopped_ratio"), [json!("rank 0"), json!("rank 1")]);
    let stopped = panel("process_stopped_ratio")[1]["values"].as_array().unwrap();
    assert!(stopped.contains(&json!(50.0)) && stopped.contains(&json!(0.0)), "{course}");
    let none: Value = serde_json::from_str(&get(&rig, "/findings/2/course.json").body).unwrap();
    assert!(none["panels"]["steps"]["empty"].as_str().unwrap().starts_with("Nothing was measured"), "{none}");
}
