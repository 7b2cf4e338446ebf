use fleet::event::EndCause;
use fleet::history::{Record, WorkloadRecord};
use fleet::quantity::{Bytes, MilliDevice, Millis};
use fleet::workload::Spread;

use super::*;
use crate::import::{BadRows, Options};
use crate::philly;

/// The Philly list as a mapping.
const PHILLY: &str = include_str!("philly.toml");

const MAPPING: &str = r#"
version = 1
delimiter = ";"
time_zone = "Europe/Paris"
time_format = "%d/%m/%Y %H:%M:%S"
unknown = ["n/a"]

[columns]
id = "Job"
queue = { column = "Team", map = { A = "alpha" } }
user = "Who"
submit = "Handed in"
start = { column = "Started", format = "epoch_s" }
end = { column = "Ended", format = "epoch_ms" }
tasks = "Nodes"
devices = { column = "GPUs", per = "job" }
memory = { column = "Mem", unit = "GiB" }
time_limit = { column = "Limit", unit = "min" }
cause = { column = "State", map = { OK = "completed", KILLED = "cancelled" }, other = "failed" }
spread = { value = "one_per_node" }
models = { value = "H100|A100", split = "|" }
nodes = { column = "Where", split = " " }
"#;

const HEAD: &str = "Job;Team;Who;Handed in;Started;Ended;Nodes;GPUs;Mem;Limit;State;Where\n";
const ROW: &str = "7;A;ann;02/03/2020 10:00:05;1583139610;1583143210500;2;16;1.5;90;OK;n1 n2\n";

fn import(mapping: &str, text: &str, options: &Options) -> Result<(Vec<WorkloadRecord>, Report), Stop> {
    let mapping = Mapping::parse(mapping, "map.toml")?;
    let mut workloads = Vec::new();
    let report = read(text.as_bytes(), "jobs.csv", &mapping, options, &mut |record| {
        if let Record::Workload(workload) = record {
            workloads.push(*workload);
        }
        Ok(())
    })?;
    Ok((workloads, report))
}

#[test]
fn every_kind_of_column_is_read() {
    let (workloads, report) = import(MAPPING, &format!("{HEAD}{ROW}"), &Options::default()).unwrap();
    assert_eq!((workloads.len(), report.problems.count(), report.remarks.len()), (1, 0, 0));
    let job = &workloads[0];
    assert_eq!((job.id.as_str(), job.queue.as_str(), job.user.as_deref()), ("7", "alpha", Some("ann")));
    assert_eq!(job.submit.to_string(), "2020-03-02T09:00:05Z");
    let attempt = &job.attempts[0];
    assert_eq!(attempt.start.map(|start| start.since(job.submit)), Some(Millis::seconds(5)));
    assert_eq!((attempt.run, attempt.cause), (Some(Millis(3_600_500)), EndCause::Completed));
    assert_eq!(attempt.nodes, ["n1", "n2"]);
    assert_eq!((job.tasks, job.request.devices, job.spread), (2, MilliDevice::whole(8), Spread::OnePerNode));
    assert_eq!((job.request.memory, job.time_limit_ms), (Bytes(3 << 29), Some(Millis::minutes(90))));
    assert_eq!(job.models, ["H100", "A100"]);
}

#[test]
fn philly_is_such_a_mapping() {
    let text = "cluster,timestamp,duration,gpu_time,num_gpus\n\
        vision,2020-03-02 10:00:05,120.0,960.0,8\n\
        \"speech\",2020-10-25 02:30:00,3.5,3.5,1\n\
        vision,2020-03-02 10:00:05,-1,960.0,8\n\
        vision,yesterday,1,960.0,8\n";
    for zone in ["UTC", "Europe/Paris"] {
        let options = Options { time_zone: Some(Zone::named(zone).unwrap()), ..Options::default() };
        let (mapped, report) = import(PHILLY, text, &options).unwrap();
        let mut own = Vec::new();
        let own_report = philly::read(text.as_bytes(), "jobs.csv", &options, &mut |record| {
            if let Record::Workload(workload) = record {
                own.push(*workload);
            }
            Ok(())
        })
        .unwrap();
        assert_eq!(mapped.len(), 2);
        assert_eq!(mapped, own);
        assert_eq!(report.problems.count(), own_report.problems.count());
    }
}

#[test]
fn what_became_of_a_workload_is_told_apart() {
    let mapping = "version = 1\n[columns]\nsubmit = 'submit'\nstart = 'start'\nend = 'end'\nrun = 'run'\nwait = 'wait'\ncause = 'cause'\n";
    let import_row = |row: &str| {
        let text = format!("submit,start,end,run,wait,cause\n2020-01-01 00:00:00,{row}\n");
        import(mapping, &text, &Options::default()).unwrap().0.remove(0)
    };
    let seconds = |count| Some(Millis::seconds(count));
    let run_of = |row: &str| {
        let workload = import_row(row);
        let attempt = workload.attempts[0].clone();
        (attempt.start.map(|start| start.since(workload.submit)), attempt.run)
    };
    assert_eq!(run_of("2020-01-01 00:00:10,2020-01-01 00:01:10,,,completed"), (seconds(10), seconds(60)));
    assert_eq!(run_of(",2020-01-01 00:01:10,60,,completed"), (seconds(10), seconds(60)));
    assert_eq!(run_of(",,60,10,completed"), (seconds(10), seconds(60)));
    assert_eq!(run_of(",,1:00,10,completed"), (seconds(10), seconds(60)));
    assert_eq!(run_of("2020-01-01 00:00:10,,,,unknown"), (seconds(10), None));
    let withdrawn = import_row(",2020-01-01 00:01:00,,,cancelled");
    assert_eq!(withdrawn.withdrawn.map(|at| at.since(withdrawn.submit)), seconds(60));
    assert!(import_row(",,,,").attempts.is_empty());
}

#[test]
fn bad_rows_are_named_and_left_out() {
    let cases = [
        (
            ROW.replace("7;A", "8;A").replace("1583143210500", "1583139600000"),
            "field `end`: it ends 10s before it starts",
        ),
        (
            ROW.replace("7;A", "8;A").replace("1583139610", "1583136005"),
            "field `start`: it starts 1h before it was submitted",
        ),
        (
            ROW.replace("7;A", "8;A").replace("02/03/2020", "2020-03-02"),
            "field `submit`: `2020-03-02 10:00:05` is not a time",
        ),
        (ROW.replace("7;A", "8;A").replace(";16;", ";3;"), "field `devices`: expected whole devices a task"),
        (ROW.replace("7;A", "8;A").replace(";16;", ";-8;"), "field `devices`: expected 0 to"),
        (ROW.replace("7;A", "8;A").replace(";2;16", ";0;16"), "field `tasks`: expected a whole number"),
        (ROW.replace("7;A", "8;A").replace(";1.5;", ";9999999;"), "field `memory`"),
        (ROW.replace("7;A", "8;A").replace(";90;", ";99999999;"), "field `time_limit`"),
        (ROW.to_owned(), "field `id`: `7` stands twice"),
        (ROW.replace("7;A", "8;A").replace("02/03/2020 10:00:05", "n/a"), "field `submit`: it is unknown"),
        (ROW.replace("7;A", &format!("{};A", "8".repeat(2_000))), "field `id`: it is longer than 1024 bytes"),
    ];
    for (row, expected) in cases {
        let text = format!("{HEAD}{ROW}{row}");
        let (workloads, report) = import(MAPPING, &text, &Options::default()).unwrap();
        assert_eq!((workloads.len(), report.problems.count()), (1, 1), "{row}");
        let problem = report.problems.kept()[0].to_string();
        assert!(problem.starts_with("jobs.csv:3: ") && problem.contains(expected), "{problem} lacks {expected}");
        let strict = Options { bad_rows: BadRows::Refuse, ..Options::default() };
        assert!(import(MAPPING, &text, &strict).unwrap_err().to_string().contains(expected));
    }
}

#[test]
fn words_without_a_meaning_are_named() {
    let mapping = MAPPING.replace(", other = \"failed\"", "");
    let text = format!("{HEAD}{ROW}{}", ROW.replace("7;A", "8;A").replace("OK", "FINE"));
    let (_, report) = import(&mapping, &text, &Options::default()).unwrap();
    let problem = report.problems.kept()[0].to_string();
    assert!(problem.contains("`FINE` means nothing here; say in the mapping's columns.cause.map"), "{problem}");
}

#[test]
fn mappings_that_make_no_sense_are_refused() {
    let cases = [
        (MAPPING.replace("version = 1", "version = 2"), "map.toml: field `version`: 2 is not known"),
        (MAPPING.replace("\";\"", "\";;\""), "field `delimiter`: `;;` is not one ASCII character"),
        (
            MAPPING.replace("submit = ", "submitted = "),
            "columns.submitted cannot be used: it is not known; expected one of id, queue",
        ),
        (MAPPING.replace("submit = \"Handed in\"", ""), "the mapping has no columns.submit"),
        (
            MAPPING.replace("\"Who\"", "\"Whom\""),
            "columns.user cannot be used: there is no column `Whom`; found Job, Team",
        ),
        (MAPPING.replace("\"GiB\"", "\"gigs\""), "`gigs` is not a unit of memory"),
        (MAPPING.replace("\"min\"", "\"minutes\""), "`minutes` is not a unit of time; expected ms, s, min, h or d"),
        (MAPPING.replace("\"Who\"", "{ field = \"Who\" }"), "map.toml:11: unknown field `field`"),
        (
            MAPPING.replace("\"Who\"", "{ column = \"Who\", unit = \"s\" }"),
            "columns.user cannot be used: `unit` means nothing there",
        ),
        (MAPPING.replace("\"Who\"", "7"), "expected a column's name, or a table"),
        (MAPPING.replace("\"Who\"", "{ column = \"Who\", value = 3 }"), "both `column` and `value`"),
        (MAPPING.replace("Europe/Paris", "Europe/Lutetia"), "`Europe/Lutetia` is not a time zone"),
    ];
    for (mapping, expected) in cases {
        let stop = import(&mapping, &format!("{HEAD}{ROW}"), &Options::default()).expect_err(expected).to_string();
        assert!(stop.contains(expected), "{stop} lacks {expected}");
    }
}
