use std::fs::File;
use std::io::BufReader;

use fleet::event::EndCause;
use fleet::fleet_file::FleetFile;
use fleet::history::{Attempt, WorkloadRecord};
use fleet::quantity::{Bytes, Millis};
use fleet::workload::Spread;

use super::*;
use crate::import::BadRows;

const COMMENTS: &str = "; Version: 2.2\n;  UnixStartTime: 1400749079\n; TimeZoneString: Europe/Luxembourg\n; MaxNodes: 3\n\
    ; MaxProcs: 8\n; Queue: 1  night  the night queue\n; Queue: 2 - the day queue\n; Installation: A lab\n";
const JOB: &str = "7 60 30 3600 4 1800.50 2048 4 7200 4096 1 12 3 99 1 -1 -1 -1";

fn import(text: &str, options: &Options) -> Result<(Vec<Record>, Report), Stop> {
    let mut records = Vec::new();
    let report = read(text.as_bytes(), "log.swf", options, &mut |record| {
        records.push(record);
        Ok(())
    })?;
    Ok((records, report))
}

/// The workloads of a log of `rows` on the small machine of [`COMMENTS`].
fn jobs(rows: &str) -> (Vec<WorkloadRecord>, Report) {
    let (records, report) = import(&format!("{COMMENTS}{rows}\n"), &Options::default()).unwrap();
    let jobs = records.into_iter().filter_map(|record| match record {
        Record::Workload(workload) => Some(*workload),
        _ => None,
    });
    (jobs.collect(), report)
}

#[test]
fn all_fields_are_read() {
    let (jobs, report) = jobs(JOB);
    assert_eq!((report.workloads, report.problems.count(), report.remarks.len()), (1, 0, 0));
    let job = &jobs[0];
    assert_eq!((job.id.as_str(), job.queue.as_str(), job.tasks, job.spread), ("7", "night", 4, Spread::Any));
    assert_eq!((job.user.as_deref(), job.account.as_deref(), job.name.as_deref()), (Some("12"), Some("3"), Some("99")));
    assert_eq!(job.submit.to_string(), "2014-05-22T08:58:59Z");
    assert_eq!(job.time_limit_ms, Some(Millis::hours(2)));
    assert_eq!((job.request.cpu.0, job.request.memory), (1_000, Bytes::mebi(4)));
    // Averages per processor become sums over the four.
    assert_eq!((job.used.cpu_ms, job.used.memory_peak_bytes), (Some(Millis(7_202_000)), Some(Bytes::mebi(8))));
    let attempt = Attempt {
        start: Some(job.submit + Millis::seconds(30)),
        run: Some(Millis::hours(1)),
        cause: EndCause::Completed,
        nodes: Vec::new(),
        ..Attempt::default()
    };
    assert_eq!(job.attempts, [attempt]);
}

#[test]
fn the_machine_of_the_comments_is_dealt_evenly() {
    let (records, report) = import(&format!("{COMMENTS}{JOB}"), &Options::default()).unwrap();
    let Record::Header(header) = &records[0] else { panic!("a header first: {records:?}") };
    assert_eq!((header.source.as_str(), header.time_zone.as_deref()), ("swf", Some("Europe/Luxembourg")));
    assert!(header.notes.iter().any(|note| note.starts_with("assumed: the log tells 8 processors on 3 nodes")));
    assert!(header.notes.contains(&"queue 2 - the day queue".to_owned()), "{:?}", header.notes);
    let cores: Vec<_> = records
        .iter()
        .filter_map(|record| match record {
            Record::Node(node) => Some((node.name.as_str(), node.cpu_milli)),
            _ => None,
        })
        .collect();
    assert_eq!(cores, [("node-1", Some(3_000)), ("node-2", Some(3_000)), ("node-3", Some(2_000))]);
    assert_eq!(report.from.map(|from| from.to_string()).as_deref(), Some("2014-05-22T08:57:59Z"));
}

#[test]
fn a_fleet_file_goes_before_the_comments() {
    let fleet = "version = 1\n[[nodes]]\nname = \"big\"\ncount = 2\ncores = 16\n[[queues]]\nname = \"night\"\n\
        [policy]\norder = \"fifo\"\n";
    let options = Options { fleet: Some(FleetFile::parse(fleet, "f").unwrap()), ..Options::default() };
    let large = JOB.replacen(" 4 ", " 32 ", 1);
    let (records, report) = import(&format!("{COMMENTS}{large}"), &options).unwrap();
    let kinds: Vec<_> = records
        .iter()
        .map(|record| match record {
            Record::Header(_) => "header",
            Record::Node(_) => "node",
            Record::Queue(_) => "queue",
            Record::Policy(_) => "policy",
            Record::Workload(_) => "workload",
            _ => "other",
        })
        .collect();
    assert_eq!(kinds, ["header", "node", "node", "queue", "policy", "workload"]);
    assert_eq!(report.remarks.len(), 1, "32 held, 4 asked: {:?}", report.remarks);
}

#[test]
fn a_fleet_file_without_nodes_leaves_the_machine_of_the_comments() {
    let fleet = FleetFile::parse("version = 1\n[[queues]]\nname = \"night\"\n", "f").unwrap();
    let options = Options { fleet: Some(fleet), ..Options::default() };
    let (records, _) = import(&format!("{COMMENTS}{JOB}"), &options).unwrap();
    assert_eq!(records.iter().filter(|record| matches!(record, Record::Node(_))).count(), 3);
    assert_eq!(records.iter().filter(|record| matches!(record, Record::Queue(_))).count(), 1);
}

#[test]
fn ends_are_told_apart() {
    let with = |run: &str, status: &str| format!("1 60 30 {run} 4 -1 -1 4 -1 -1 {status} -1 -1 -1 -1 -1 -1 -1");
    let cases = [
        ("10", "0", Some(EndCause::Failed)),
        ("10", "1", Some(EndCause::Completed)),
        ("10", "5", Some(EndCause::Cancelled)),
        ("10", "-1", Some(EndCause::Unknown)),
        ("0", "0", Some(EndCause::Failed)),
        ("-1", "5", None),
        ("0", "5", None),
    ];
    for (run, status, expected) in cases {
        let (jobs, report) = jobs(&with(run, status));
        assert_eq!(report.problems.count(), 0, "{run} {status}");
        assert_eq!(jobs[0].attempts.first().map(|attempt| attempt.cause), expected, "{run} {status}");
        assert_eq!(jobs[0].withdrawn.is_some(), expected.is_none(), "{run} {status}");
        assert_eq!((jobs[0].queue.as_str(), jobs[0].user.as_ref()), ("unknown", None));
    }
}

const PUT_BACK: &str = "5 100 10 300 2 -1 -1 2 -1 -1 1 -1 -1 -1 -1 -1 -1 -1\n\
    5 100 10 100 2 -1 -1 2 -1 -1 2 -1 -1 -1 -1 -1 -1 -1\n\
    5 100 50 200 2 -1 -1 2 -1 -1 3 -1 -1 -1 -1 -1 -1 -1\n\
    6 100 10 300 2 -1 -1 2 -1 -1 1 -1 -1 -1 -1 -1 -1 -1";

#[test]
fn a_job_that_was_put_back_has_a_run_a_line() {
    let (jobs, report) = jobs(PUT_BACK);
    assert_eq!((jobs.len(), report.problems.count()), (2, 0), "{:?}", report.problems);
    let runs = jobs[0].attempts.iter().map(|run| (run.start.unwrap().since(jobs[0].submit), run.run, run.cause));
    let seconds = Millis::seconds;
    assert_eq!(
        runs.collect::<Vec<_>>(),
        [
            (seconds(10), Some(seconds(100)), EndCause::Requeued),
            (seconds(160), Some(seconds(200)), EndCause::Completed),
        ]
    );
}

#[test]
fn a_job_with_an_unreadable_part_is_its_sum() {
    let (jobs, report) = jobs(&PUT_BACK.replace("100 10 100", "100 10 x"));
    assert_eq!((jobs.len(), report.problems.count()), (2, 1), "{:?}", report.problems);
    assert_eq!((jobs[0].attempts.len(), jobs[0].attempts[0].run), (1, Some(Millis::seconds(300))));
}

#[test]
fn parts_without_a_sum_are_jobs_of_their_own() {
    let (jobs, report) = jobs("5 100 10 300 2 -1 -1 2 -1 -1 2 -1 -1 -1 -1 -1 -1 -1");
    assert_eq!(jobs[0].attempts[0].cause, EndCause::Unknown);
    assert_eq!(report.remarks.values().sum::<u64>(), 1);
}

#[test]
fn impossible_cpu_times_stay_unknown() {
    let (jobs, report) = jobs(&JOB.replace("1800.50", "14402"));
    assert_eq!(jobs[0].used.cpu_ms, None);
    assert_eq!(report.remarks.values().sum::<u64>(), 1);
}

#[test]
fn bad_rows_are_named_and_left_out() {
    let cases = [
        ("8 60 30", "log.swf:10: the line has 3 numbers; expected 18"),
        ("8 60 30 3600 4 0 0 4 0 0 1 1 1 1 1 1 1 1 1", "the line has 19 numbers"),
        ("8 x 30 3600 4 -1 -1 4 -1 -1 1 1 1 1 1 1 -1 -1", "field `submit time`: `x` is not a number"),
        ("8 60 -2 3600 4 -1 -1 4 -1 -1 1 1 1 1 1 1 -1 -1", "field `wait time`: -2; expected at least 0"),
        ("8 60 1 -1 4 -1 -1 4 -1 -1 1 1 1 1 1 1 -1 -1", "field `run time`: it is unknown (-1)"),
        ("8 60 1 1 9 -1 -1 4 -1 -1 1 1 1 1 1 1 -1 -1", "field `allocated processors`: 9 processors; the machine has 8"),
        ("8 60 1 1 0 -1 -1 -1 -1 -1 1 1 1 1 1 1 -1 -1", "neither allocated nor requested"),
        ("8 60 1 1 2.5 -1 -1 -1 -1 -1 1 1 1 1 1 1 -1 -1", "field `allocated processors`: expected a whole number"),
        ("8 60 1 999999999 4 -1 -1 4 -1 -1 1 1 1 1 1 1 -1 -1", "field `run time`: 999999999 s; expected at most"),
        ("8 60 1 1 4 -1 999999999999999 4 -1 -1 1 1 1 1 1 1 -1 -1", "field `used memory`"),
        ("8 60 1 1 4 -1 -1 4 -1 -1 9 1 1 1 1 1 -1 -1", "field `status`: expected 0 to 5"),
        ("7 60 1 1 4 -1 -1 4 -1 -1 1 1 1 1 1 1 -1 -1", "field `job number`: job 7 stands twice"),
        ("-1 60 1 1 4 -1 -1 4 -1 -1 1 1 1 1 1 1 -1 -1", "field `job number`: it is unknown"),
    ];
    for (row, expected) in cases {
        let text = format!("{COMMENTS}{JOB}\n{row}\n");
        let (_, report) = import(&text, &Options::default()).unwrap();
        assert_eq!((report.workloads, report.problems.count()), (1, 1), "{row}");
        let problem = report.problems.kept()[0].to_string();
        assert!(problem.contains(expected), "{problem} lacks {expected}");
        let strict = Options { bad_rows: BadRows::Refuse, ..Options::default() };
        let stop = import(&text, &strict).unwrap_err().to_string();
        assert!(stop.contains(expected), "{stop} lacks {expected}");
    }
}

#[test]
fn one_good_row_tells_a_bad_file_from_a_foreign_one() {
    let bad = "8 60 30\n".repeat(2_000);
    let (_, report) = import(&format!("{COMMENTS}{JOB}\n{bad}"), &Options::default()).unwrap();
    assert_eq!((report.workloads, report.problems.count()), (1, 2_000));
    let stop = import(&format!("{COMMENTS}{bad}{JOB}"), &Options::default()).unwrap_err().to_string();
    assert!(stop.contains("none of its first 1000 rows could be read"), "{stop}");
}

#[test]
fn a_machine_without_a_size_is_said() {
    let (records, _) = import(JOB, &Options::default()).unwrap();
    let Record::Header(header) = &records[0] else { panic!("a header first") };
    assert!(header.notes.iter().any(|note| note.contains("--fleet")), "{:?}", header.notes);
    assert!(header.notes.iter().any(|note| note.contains("2000-01-01")), "{:?}", header.notes);
    assert_eq!(records.len(), 2);
}

/// Sums over all jobs, in whole seconds.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sums {
    jobs: u64,
    nodes: u64,
    cores: u64,
    core_seconds: i128,
    cpu_seconds: i128,
    wait_seconds: i128,
}

#[test]
fn a_real_cluster_is_read() {
    let path = testkit::shared_data!("gaia/UniLu-Gaia-2014-2.swf.gz");
    let file = BufReader::new(flate2::read::GzDecoder::new(File::open(path).unwrap()));
    let mut sums = Sums::default();
    let report = read(file, "gaia.swf", &Options::default(), &mut |record| {
        match record {
            Record::Workload(job) => {
                let attempt = &job.attempts[0];
                sums.core_seconds += i128::from(attempt.run.unwrap().0 / 1_000) * i128::from(job.tasks);
                sums.cpu_seconds += i128::from(job.used.cpu_ms.unwrap_or_default().0 / 1_000);
                sums.wait_seconds += i128::from(attempt.start.unwrap().since(job.submit).0 / 1_000);
                sums.jobs += 1;
            }
            Record::Node(node) => {
                sums.nodes += 1;
                sums.cores += node.cpu_milli.unwrap() / 1_000;
            }
            _ => {}
        }
        Ok(())
    })
    .unwrap();
    // Summed from the file by awk, over the jobs that have a run time: 28 of the 51,987 have none.
    let expected = Sums {
        jobs: 51_959,
        nodes: 151,
        cores: 2_004,
        core_seconds: 6_978_070_499,
        cpu_seconds: 1_269_480_995,
        wait_seconds: 46_010_092,
    };
    assert_eq!(sums, expected, "{report:?}");
    assert_eq!(report.problems.count(), 28);
}
