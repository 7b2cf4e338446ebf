//! Agents on other machines: what each measures arrives once and in order, whatever is killed; what each finds is told with its node.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fleet::time::Timestamp;
use live_rig::{Installation, Request};
use serde_json::{Value, json};
use store::{AgentReport, Frame, Reader, Scrape, Scrapes, Series, SeriesQuery, ValueQuery};

use crate::elsewhere::{Agent, Called, Way, command, known, spool, wait};
use crate::session::{Session, check};
use crate::{findings, tls};

/// Of agents: one may report for `n1`, one for any node; the third may look.
const ONE: &str = "11111111111111111111111111111111";
const ANY: &str = "22222222222222222222222222222222";
const VIEW: &str = "33333333333333333333333333333333";

/// Agents report so often, and a little.
const REPORTS_EVERY: Duration = Duration::from_secs(11);

fn session(besides: &[&str]) -> Session {
    let installation = Installation::new(env!("CARGO_BIN_EXE_trimtab")).unwrap();
    let tokens = installation.beside().join("tokens");
    fs::write(&tokens, format!("report n1 {ONE}\nreport * {ANY}\nview ada {VIEW}\n")).unwrap();
    let tokens = tokens.to_str().unwrap().to_owned();
    Session::called_with(installation, &[&["--token-file", &tokens], besides].concat())
}

fn called<'a>(node: &'a str, url: &'a str) -> Called<'a> {
    Called { node, url, secret: ANY, besides: &[] }
}

/// The moments of what was measured once a second on a node, as they are kept.
fn moments(session: &Session, node: &str) -> Vec<i64> {
    let reader = Reader::open(session.installation.store()).unwrap();
    let name = Some("memory_total_bytes".to_owned());
    let of = SeriesQuery { source: Some(node.into()), name, ..SeriesQuery::default() };
    let query = ValueQuery { of, from: Timestamp(0), until: Timestamp(1 << 52), limit: 100_000 };
    let lines = reader.values(&query).unwrap();
    lines.first().map_or_else(Vec::new, |line| line.points.iter().map(|point| point.at.0).collect())
}

/// The seconds between one and the next, where that is not one.
fn gaps(moments: &[i64]) -> Vec<f64> {
    let between = moments.windows(2).map(|pair| (pair[1] - pair[0]) as f64 / 1_000.0);
    between.filter(|seconds| !(0.4..1.6).contains(seconds)).collect()
}

#[test]
fn what_agents_measure_arrives_once_and_in_order_whatever_is_killed() {
    let mut session = session(&[]);
    let way = Way::new();
    way.leads_to(Some(&session));
    let url = way.url();
    let first = Agent::start(&session, &Called { secret: ONE, ..called("n1", &url) });
    let second = Agent::start(&session, &called("n2", &url));
    for node in ["n1", "n2"] {
        wait(&session, node, |agent| agent["reports_taken"].as_u64() > Some(0));
    }
    // The server is killed while they go on; one of them is killed while it waits.
    session.installation.kill().unwrap();
    way.leads_to(None);
    first.says("cannot be reached");
    std::thread::sleep(2 * REPORTS_EVERY);
    first.kill();
    let first = Agent::start(&session, &Called { secret: ONE, ..called("n1", &url) });
    std::thread::sleep(REPORTS_EVERY);
    session.installation.up().unwrap();
    way.leads_to(Some(&session));
    second.says("takes reports again");
    for node in ["n1", "n2"] {
        let agent = wait(&session, node, |agent| {
            agent["reports_taken"].as_u64() >= Some(4) && agent["behind_ms"].as_i64() < Some(12_000)
        });
        assert_eq!((&agent["reports_lost"], &agent["reports_refused"]), (&json!(0), &json!(0)), "{agent:#}");
        assert_eq!(agent["is_silent"], false);
    }
    first.stop();
    second.stop();
    assert!(session.installation.stop().unwrap().success());

    let whole = moments(&session, "n2");
    assert!(whole.len() > 40, "{whole:?}");
    assert_eq!(gaps(&whole), [] as [f64; 0], "every second is there, once");
    // What was measured and not yet written when it was killed is missing, and nothing else.
    let cut = moments(&session, "n1");
    assert!(cut.windows(2).all(|pair| pair[0] < pair[1]), "{cut:?}");
    let gaps = gaps(&cut);
    assert!(gaps.len() <= 1 && gaps.iter().all(|gap| *gap < 15.0), "{gaps:?}");
    let report = store::check(session.installation.store()).unwrap();
    assert!(report.is_sound(), "{report}");
}

#[test]
fn a_record_that_a_kill_cut_off_is_dropped_and_said_and_the_others_arrive() {
    let session = session(&[]);
    let way = Way::new();
    let url = way.url();
    let agent = Agent::start(&session, &called("n3", &url));
    agent.says("cannot be reached");
    std::thread::sleep(2 * REPORTS_EVERY);
    agent.kill();
    let folder = spool(&session, "n3");
    let mut segments: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    segments.retain(|path| path.extension().is_some_and(|is| is == "spool"));
    let segment = segments.pop().expect("reports waited");
    let bytes = fs::read(&segment).unwrap();
    fs::write(&segment, &bytes[..bytes.len() - 7]).unwrap();
    way.leads_to(Some(&session));
    let agent = Agent::start(&session, &called("n3", &url));
    agent.says("a record that was cut off; it is dropped, and the 1 before it are kept");
    let told = wait(&session, "n3", |agent| agent["reports_taken"] == json!(1));
    assert!(told["behind_ms"].as_i64() > Some(10_000), "it tells of what was: {told:#}");
    wait(&session, "n3", |agent| agent["reports_taken"] == json!(2));
}

/// A small file system in memory, over a folder until dropped.
struct Disk(PathBuf);

impl Disk {
    fn over(folder: PathBuf) -> Option<Self> {
        fs::create_dir_all(&folder).unwrap();
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(&folder).output();
        mount.is_ok_and(|output| output.status.success()).then_some(Self(folder))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _status = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn an_agent_on_a_full_disk_says_so_and_goes_on_reporting() {
    let session = session(&[]);
    let Some(disk) = Disk::over(spool(&session, "n4")) else {
        testkit::skip!(testkit::Need::Privilege, "mounting a small file system takes root");
    };
    let filler = disk.0.join("filler");
    let _full = fs::write(&filler, vec![0; 2 << 20]);
    let way = Way::new();
    let url = way.url();
    let agent = Agent::start(&session, &called("n4", &url));
    agent.says("the disk is full; make room or write elsewhere; they wait in memory");
    way.leads_to(Some(&session));
    wait(&session, "n4", |agent| agent["reports_taken"].as_u64() >= Some(1));
    fs::remove_file(filler).unwrap();
    agent.says("reports are written to");
    wait(&session, "n4", |agent| agent["reports_taken"].as_u64() >= Some(2));
    assert_eq!(known(&session, "n4")["reports_lost"], 0);
    drop(agent);
    drop(disk);
}

#[test]
fn whoever_may_not_report_is_told_what_to_do() {
    let session = session(&[]);
    let way = Way::new();
    way.leads_to(Some(&session));
    let url = way.url();
    let says = |node: &str, secret: &str, url: &str, besides: &[&str], words: &[&str]| {
        let output = command(&session, &Called { node, url, secret, besides }).output().unwrap();
        check(&output, 2, words);
        assert!(!String::from_utf8_lossy(&output.stderr).contains(secret), "no secret is said");
    };
    says(
        "n1",
        &"9".repeat(32),
        &url,
        &[],
        &["does not take reports: it does not know this token", "report NODE SECRET"],
    );
    says("n1", VIEW, &url, &[], &["this token may only look", "report NODE SECRET"]);
    says("n5", ONE, &url, &[], &["this token reports for node `n1`, and for no other", "--node n1"]);
    says("a/b", ANY, &url, &[], &["no node is called `a/b`", "--node"]);
    says("n1", "short", &url, &[], &["a secret has 32 letters at least"]);
    says("n1", ONE, "http://192.0.2.1:1", &[], &["say https"]);
    says("n1", ONE, &url, &["--token-file", "none"], &["none: there is no such file"]);
    says("n1", ONE, &url, &["--spool-max", "1k"], &["at least are expected"]);
    let own = session.client().read("nodes").unwrap()[0]["name"].as_str().unwrap().to_owned();
    says(&own, ANY, &url, &[], &["the machine of this server is called so itself", "--node"]);
    let mut unset = command(&session, &called("n1", &url));
    check(&unset.env_remove("TRIMTAB_TOKEN").output().unwrap(), 2, &["say --token-file FILE, or set TRIMTAB_TOKEN"]);
    check(&session.installation.run(&["agent", "--node", "n1"]).unwrap(), 2, &["--report-to"]);

    // And the token of an agent opens nothing else.
    let port = way.port;
    let mut client = live_rig::Client::new(&format!("127.0.0.1:{port}"), ONE);
    for path in ["agents", "workloads", "nodes"] {
        let answer = client.get(path).unwrap();
        assert_eq!(
            (answer.status, answer.json()["error"].as_str()),
            (403, Some("this token may only report for an agent"))
        );
    }
    assert_eq!(client.post("workloads", &json!({ "workloads": [] })).unwrap().status, 403);
    let form = format!("token={ONE}&next=/");
    let headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
    let sign_in = Request { method: "POST", path: "/login", headers, body: form.as_bytes() };
    assert_eq!(client.send(&sign_in).unwrap().status, 401);
    assert_eq!(session.run(&["agents"]), "", "nobody was heard");
}

/// A report of one moment.
fn report(at: i64) -> Vec<u8> {
    let scrapes = vec![Scrape { at: Timestamp(at), values: vec![Some(0.1)] }];
    let scrapes = vec![Scrapes { source: String::new(), series: vec![Series::named("memory_total_bytes")], scrapes }];
    let report = AgentReport { at: Timestamp(at), started: Timestamp(at), open: Vec::new(), scrapes };
    report.write().unwrap()
}

#[test]
fn what_comes_twice_is_taken_once_and_what_never_can_be_holds_up_nobody() {
    let mut session = session(&[]);
    let address = fs::read_to_string(session.installation.folder().join("address")).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
    let mut client = live_rig::Client::new(address.trim(), ONE);
    let path = format!("/api/v1/agents/n1/reports?spool={}&now_ms={now}&version=0", "a".repeat(32));
    let mut hand_in = |records: &[(u64, u64, &[u8])]| {
        let mut body = Vec::new();
        records.iter().for_each(|&(number, lost, body_)| Frame { number, lost, body: body_ }.write(&mut body));
        let headers = vec![("content-type", "application/octet-stream".to_owned())];
        client.send(&Request { method: "POST", path: &path, headers, body: &body }).unwrap()
    };
    assert_eq!(hand_in(&[]).json()["acknowledged"], Value::Null);
    let [first, second, third, ahead] = [now - 3_000, now - 2_000, now - 1_000, now + 3_600_000].map(report);
    assert_eq!(hand_in(&[(7, 0, &first)]).json(), json!({ "acknowledged": 7, "refused": [] }));
    // Its answer was lost: it comes again, with what is new.
    assert_eq!(hand_in(&[(7, 0, &first), (9, 2, &second)]).json()["acknowledged"], 9);
    assert_eq!(hand_in(&[(8, 0, &first)]).json()["acknowledged"], 9, "late, and known to be lost");
    let answer = hand_in(&[(10, 0, b"no report"), (11, 0, &ahead), (12, 0, &third)]).json();
    let refused = answer["refused"].as_array().unwrap();
    assert_eq!((answer["acknowledged"].as_u64(), refused.len()), (Some(12), 2), "{answer:#}");
    assert!(refused[1]["why"].as_str().unwrap().contains("ahead of the clock of the server"), "{answer:#}");
    let falling = hand_in(&[(14, 0, &first), (13, 0, &first)]);
    assert_eq!((falling.status, hand_in(&[]).json()["acknowledged"].as_u64()), (400, Some(12)));
    let told = known(&session, "n1");
    let counts = ["reports_taken", "reports_lost", "reports_refused"].map(|name| told[name].as_u64());
    assert_eq!(counts, [Some(4), Some(2), Some(2)], "{told:#}");
    assert!(session.installation.stop().unwrap().success());
    assert_eq!(moments(&session, "n1"), [now - 3_000, now - 2_000, now - 1_000]);
}

#[test]
fn an_agent_reports_by_tls_to_a_server_that_it_trusts() {
    let installation = Installation::new(env!("CARGO_BIN_EXE_trimtab")).unwrap();
    let [chain, key] = tls::certify(&installation);
    let tokens = installation.beside().join("tokens").to_str().unwrap().to_owned();
    fs::write(&tokens, format!("report * {ANY}\n")).unwrap();
    let arguments = ["--token-file", &tokens, "--tls-cert", &chain, "--tls-key", &key];
    let session = Session::called_with(installation, &arguments);
    let said = session.installation.said();
    let port = said.split("listening on https://127.0.0.1:").nth(1).and_then(|rest| rest.split(';').next()).unwrap();
    let url = format!("https://localhost:{port}");
    fs::write(session.installation.beside().join("secret"), ANY).unwrap();
    let trusting = Called { besides: &["--ca-file", &chain, "--token-file", "secret"], ..called("n6", &url) };
    let trusted = Agent::start(&session, &trusting);
    let wary = Agent::start(&session, &called("n7", &url));
    wary.says("cannot be reached");
    assert!(wary.said().to_lowercase().contains("certificate"), "{}", wary.said());
    wait(&session, "n6", |agent| agent["reports_taken"].as_u64() > Some(0));
    trusted.stop();
    assert_eq!(known(&session, "n7"), Value::Null);
}

#[test]
fn a_finding_of_another_machine_has_its_node_and_is_unsure_once_nobody_is_heard_from_there() {
    if Command::new("python3").arg("--version").output().is_err() {
        testkit::skip!(testkit::Need::Program, "python3 is needed: a job tells its steps with it");
    }
    let session = session(&[]);
    let way = Way::new();
    way.leads_to(Some(&session));
    let url = way.url();
    let agent = Agent::start(&session, &called("n8", &url));
    wait(&session, "n8", |agent| agent["heard_ms"].is_number());
    session.write("train.py", findings::TRAINING);
    let mut training = Command::new("python3");
    training.arg("train.py").current_dir(session.installation.beside()).stdout(Stdio::null()).stderr(Stdio::null());
    training.env("TRIMTAB_STEPS", session.installation.beside().join("n8.sock")).env("TRIMTAB_JOB", "far");
    let mut training = training.spawn().unwrap();
    std::thread::sleep(findings::USUAL);
    findings::signal(&session, 1, "-STOP");
    let found = findings::wait(&session, "", |one| one["finding"]["rule"] == "hang");
    assert_eq!(
        (&found["node"], &found["unheard_since_ms"], &found["workload"]),
        (&json!("n8"), &Value::Null, &Value::Null)
    );
    let places =
        json!([{ "kind": "node", "name": "n8" }, { "kind": "job", "name": "far" }, { "kind": "rank", "name": "1" }]);
    assert_eq!(found["finding"]["places"], places);
    assert!(session.run(&["findings"]).contains("on n8"));
    assert_eq!(known(&session, "n8")["findings_open"], 1);
    // What shows it is what was measured there.
    let number = &found["id"];
    let path = format!("/findings/{number}/course.json");
    let course = session.client().send(&Request { path: &path, ..Request::default() }).unwrap().json();
    let lines = course["panels"]["steps"]["lines"].as_array().unwrap();
    assert_eq!(lines.iter().map(|line| &line["name"]).collect::<Vec<_>>(), ["rank 0", "rank 1"], "{course}");

    agent.kill();
    let silent = wait(&session, "n8", |agent| agent["is_silent"] == true);
    assert!(session.run(&["agents"]).contains("silent"));
    let one = session.client().read(&format!("findings/{number}")).unwrap();
    assert_eq!((&one["state"], &one["unheard_since_ms"]), (&json!("open"), &silent["heard_ms"]));
    assert!(session.run(&["findings"]).contains("on n8, which was last heard"));
    findings::signal(&session, 0, "-KILL");
    findings::signal(&session, 1, "-KILL");
    drop(training.wait());
}
