use std::fs::File;
use std::io::BufReader;

use super::*;
use crate::import::BadRows;

const SAMPLE: &str = "timestamp,duration,num_gpus,gpu_time,cluster\n\
    2020-03-02 10:00:05,120.0,8,960.0,vision\n\
    2020-03-01 09:30:00,3.5,1,3.5,speech\n";

fn import(text: &str, options: &Options) -> Result<(Vec<Record>, Report), Stop> {
    let mut records = Vec::new();
    let report = read(text.as_bytes(), "jobs.csv", options, &mut |record| {
        records.push(record);
        Ok(())
    })?;
    Ok((records, report))
}

#[test]
fn a_row_becomes_a_workload_without_a_start() {
    let (records, report) = import(SAMPLE, &Options::default()).unwrap();
    assert_eq!((report.workloads, report.problems.count()), (2, 0));
    let [Record::Header(header), Record::Workload(first), Record::Workload(second)] = &records[..] else {
        panic!("a header and two workloads: {records:?}")
    };
    assert_eq!((header.source.as_str(), header.time_zone.as_deref()), ("philly", Some("UTC")));
    assert_eq!((first.id.as_str(), first.queue.as_str(), first.tasks), ("2", "vision", 8));
    assert_eq!(first.request, Resources::devices(1));
    assert_eq!(first.submit.to_string(), "2020-03-02T10:00:05Z");
    let [Attempt { start: None, run, cause: EndCause::Unknown, .. }] = second.attempts[..] else {
        panic!("one attempt without a start: {second:?}")
    };
    assert_eq!(run, Some(Millis(3_500)));
}

#[test]
fn times_are_in_the_zone_given() {
    let options = Options { time_zone: Some(Zone::named("America/Los_Angeles").unwrap()), ..Options::default() };
    let (records, _) = import(SAMPLE, &options).unwrap();
    let Record::Workload(first) = &records[1] else { panic!("a workload") };
    assert_eq!(first.submit.to_string(), "2020-03-02T18:00:05Z");
}

#[test]
fn bad_rows_are_named_and_left_out() {
    let cases = [
        ("2020-03-02 10:00:05,120.0,8,960.0", "jobs.csv:4: the row has 4 fields; expected 5"),
        ("yesterday,120.0,8,960.0,vision", "jobs.csv:4: field `timestamp`: `yesterday` is not a time"),
        ("2020-03-02 10:00:05,-1,8,960.0,vision", "jobs.csv:4: field `duration`: -1 s; expected 0 to 631152000 s"),
        ("2020-03-02 10:00:05,1e9,8,960.0,vision", "field `duration`: `1e9` is not a number"),
        ("2020-03-02 10:00:05,1,0,960.0,vision", "field `num_gpus`: 0 devices; expected 1 to"),
        ("2020-03-02 10:00:05,1,1.5,960.0,vision", "field `num_gpus`: `1.5` is not a whole number"),
        ("2020-03-02 10:00:05,1,99999999999,1,vision", "field `num_gpus`: 99999999999 devices"),
        ("2020-03-02 10:00:05,1,1,x,vision", "field `gpu_time`: `x` is not a number"),
        ("2020-03-02 10:00:05,1,1,1,", "field `cluster`: expected a name"),
        ("0001-03-02 10:00:05,1,1,1,vision", "field `timestamp`: the time is"),
    ];
    for (row, expected) in cases {
        let text = format!("{SAMPLE}{row}\n");
        let (records, report) = import(&text, &Options::default()).unwrap();
        assert_eq!((records.len(), report.problems.count()), (3, 1), "{row}");
        let problem = report.problems.kept()[0].to_string();
        assert!(problem.contains(expected), "{problem} lacks {expected}");
        let strict = Options { bad_rows: BadRows::Refuse, ..Options::default() };
        let stop = import(&text, &strict).unwrap_err().to_string();
        assert!(stop.contains(expected), "{stop} lacks {expected}");
    }
}

#[test]
fn another_file_is_told_from_a_bad_one() {
    let many = "a,b,c,d,e\n".repeat(2_000);
    let cases = [
        (String::new(), "jobs.csv:1: it is empty"),
        ("id,name\n1,x\n".to_owned(), "jobs.csv:1: there is no column `timestamp`; expected timestamp, duration"),
        ("timestamp,duration,num_gpus,gpu_time,cluster\n".to_owned(), "jobs.csv: it holds no job"),
        (format!("{}{many}", &SAMPLE[..45]), "jobs.csv:2: none of its first 1000 rows could be read"),
    ];
    for (text, expected) in cases {
        let stop = import(&text, &Options::default()).unwrap_err().to_string();
        assert!(stop.contains(expected), "{stop} lacks {expected}");
    }
}

#[test]
fn contradictions_and_changed_clocks_are_remarked() {
    let text =
        format!("{SAMPLE}2020-03-02 10:00:05,10,2,10,a\n2020-03-02 10:00:05Z,10,2,20,a\n2020-10-25 02:30:00,1,1,1,a\n");
    let options = Options { time_zone: Some(Zone::named("Europe/Paris").unwrap()), ..Options::default() };
    let (_, report) = import(&text, &options).unwrap();
    let remarks: Vec<_> = report.remarks.iter().map(|(what, times)| (&what[..12], *times)).collect();
    assert_eq!(remarks, [("gpu_time is ", 1), ("the clock wa", 1), ("the time nam", 1)]);
}

#[test]
fn the_whole_list_is_read() {
    let path = testkit::shared_data!("philly/philly.csv");
    let file = BufReader::new(File::open(path).unwrap());
    let mut device_ms = 0_i128;
    let report = read(file, "philly.csv", &Options::default(), &mut |record| {
        if let Record::Workload(workload) = record {
            let run = workload.run().expect("a recorded run");
            device_ms += i128::from(run.0) * i128::from(workload.tasks);
        }
        Ok(())
    })
    .unwrap();
    assert_eq!((report.workloads, report.problems.count()), (82_247, 0));
    // The sum of the column `gpu_time`, which the importer does not use.
    assert_eq!(device_ms / 1_000, 3_521_082_502_i128, "{:?}", report.remarks);
}
