//! Handing in, looking, stopping, draining, queues.

use serde_json::json;

use crate::session::Session;

#[test]
fn what_is_handed_in_runs_and_is_shown() {
    let session = Session::new();
    let id = session.submit(&["--name", "hello", "-e", "WHO=world", "--", "sh", "-c", "echo hello $WHO; pwd"]);
    let job = session.wait(id, "completed");
    assert_eq!((&job["name"], &job["runs"][0]["ended"]), (&json!("hello"), &json!("exit code 0")));
    let folder = session.installation.beside().canonicalize().unwrap();
    assert_eq!(session.run(&["logs", &id.to_string()]), format!("hello world\n{}\n", folder.display()));
    assert_eq!(session.run(&["logs", "-f", &id.to_string()]), format!("hello world\n{}\n", folder.display()));
    let jobs = session.run(&["jobs"]);
    assert!(jobs.contains("hello") && jobs.contains("completed"), "{jobs}");
    assert!(session.run(&["job", &id.to_string()]).contains("exit code 0"));
    let page: serde_json::Value = serde_json::from_str(&session.run(&["jobs", "--format", "json", "hello"])).unwrap();
    assert_eq!((&page["workloads"][0]["id"], &page["counts"]), (&json!(id), &json!({ "completed": 1 })));
}

#[test]
fn what_is_cancelled_stops_whether_it_waits_or_runs() {
    let session = Session::new();
    let runs = session.submit(&["--", "sleep", "1000"]);
    session.wait(runs, "running");
    let held = session.submit(&["--after", &runs.to_string(), "--", "true"]);
    session.wait(held, "held");
    session.run(&["cancel", &runs.to_string()]);
    session.wait(runs, "cancelled");
    let job = session.wait(held, "cancelled");
    assert!(job["reason"].as_str().unwrap().contains(&format!("depends on workload {runs}")), "{job}");
    session.fails(&["cancel", &runs.to_string()], 2, &[&format!("no workload {runs} is waiting or running")]);
}

#[test]
fn one_that_gives_way_runs_again() {
    let session = Session::new();
    let id = session.submit(&["--", "sh", "-c", "[ -e second ] && exit 0; touch second; sleep 1000"]);
    session.wait(id, "running");
    while session.installation.beside().join("second").exists().eq(&false) {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    session.run(&["cancel", "--requeue", &id.to_string()]);
    let job = session.wait(id, "completed");
    assert_eq!(job["runs"].as_array().unwrap().len(), 2, "{job}");
}

#[test]
fn nothing_new_starts_on_a_drained_node() {
    let session = Session::new();
    let nodes = session.client().read("nodes").unwrap();
    let node = nodes[0]["name"].as_str().unwrap();
    let before = session.submit(&["--", "sleep", "1000"]);
    session.wait(before, "running");
    session.run(&["drain", node]);
    assert!(session.run(&["nodes"]).contains("drained"));
    let after = session.submit(&["--", "true"]);
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!((&session.job(before)["state"], &session.job(after)["state"]), (&json!("running"), &json!("waiting")));
    session.run(&["drain", node, "--undo"]);
    session.wait(after, "completed");
    session.fails(&["drain", "elsewhere"], 2, &["there is no node `elsewhere`"]);
}

#[test]
fn how_busy_the_machine_is_is_measured_and_told() {
    let session = Session::new();
    let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let node = loop {
        let node = session.client().read("nodes").unwrap()[0].clone();
        if node["busy"]["cpu_busy_cores"].is_number() {
            break node;
        }
        assert!(std::time::Instant::now() < end, "{node}");
        std::thread::sleep(std::time::Duration::from_millis(200));
    };
    let name = node["name"].as_str().unwrap();
    let samples = session.client().read(&format!("nodes/{name}/samples?metric=memory_used_bytes")).unwrap();
    assert!(samples["points"][0]["mean"].as_f64().unwrap() > 0.0, "{samples}");
    let told = session.run(&["nodes"]);
    assert!(told.contains("cores busy") && told.contains("memory used"), "{told}");
}

#[test]
fn a_queue_holds_its_workloads_to_its_rules() {
    let session = Session::new();
    session.run(&["queues", "set", "narrow", "--limit-running", "1", "--time-limit-max", "1h"]);
    assert!(session.run(&["queues"]).contains("narrow"));
    let first = session.submit(&["-Q", "narrow", "--", "sleep", "1000"]);
    session.wait(first, "running");
    let second = session.submit(&["-Q", "narrow", "--", "true"]);
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert_eq!(session.job(second)["state"], "waiting");
    assert_eq!(session.job(second)["time_limit_ms"], 3_600_000);
    session.run(&["queues", "set", "narrow", "--limit-running", "2"]);
    session.wait(second, "completed");
    session.run(&["cancel", &first.to_string()]);
    session.fails(&["submit", "-Q", "broad", "--", "true"], 2, &["there is no queue `broad`; there are: narrow"]);
}

#[test]
fn an_array_runs_each_of_its_members_once() {
    let session = Session::new();
    let work = "echo $TRIMTAB_ARRAY_INDEX of $TRIMTAB_ARRAY_COUNT >>members";
    let ids = session.run(&["submit", "--cpus", "0.1", "--array", "20", "--", "sh", "-c", work]);
    assert_eq!(ids.trim(), "1-20");
    for id in 1..=20 {
        session.wait(id, "completed");
    }
    let mut members: Vec<String> = session.read("members").lines().map(str::to_owned).collect();
    members.sort_unstable();
    let mut expected: Vec<String> = (0..20).map(|index| format!("{index} of 20")).collect();
    expected.sort_unstable();
    assert_eq!(members, expected);
}

#[test]
fn a_file_of_workloads_is_handed_in_as_a_whole() {
    let session = Session::new();
    let file = "[[workload]]\nname = \"prepare\"\ncpus = 0.1\ncommand = [\"sh\", \"-c\", \"sleep 0.2; echo prepared >>order\"]\n\
        [[workload]]\nname = \"train\"\ncpus = 0.1\ncommand = [\"sh\", \"-c\", \"echo trained >>order\"]\nafter = [\"prepare\"]\n";
    session.write("jobs.toml", file);
    assert_eq!(session.run(&["submit", "-f", "jobs.toml"]).trim(), "1-2");
    session.wait(2, "completed");
    assert_eq!(session.read("order"), "prepared\ntrained\n");
    session.write("wrong.toml", &file.replace("after = [\"prepare\"]", "after = [\"later\"]"));
    let words = "wrong.toml: workload 2: `after` names `later`, which comes not before it";
    session.fails(&["submit", "-f", "wrong.toml"], 2, &[words]);
    session.write("wrong.toml", &file.replace("cpus", "cores"));
    session.fails(&["submit", "-f", "wrong.toml"], 2, &["wrong.toml: ", "unknown field `cores`"]);
    assert_eq!(session.client().read("workloads").unwrap()["counts"], json!({ "completed": 2 }));
}
