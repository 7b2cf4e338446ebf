//! Whole imports, of recorded and of hand-written exports. `fixture/sacct-22.05.json` was recorded on a rig of ours;
//! `sacct-24.11.json` is written by hand after Slurm's `src/plugins/data_parser/v0.0.42/parsers.c`.

use fleet::event::EndCause;
use fleet::history::{Record, WorkloadRecord};
use fleet::quantity::{Bytes, MilliDevice, Millis};
use fleet::workload::Spread;

use super::{Printed, QueuesAre, read};
use crate::import::{BadRows, Options, Report, Stop};

const JSON_22_05: &str = include_str!("fixture/sacct-22.05.json");
const JSON_24_11: &str = include_str!("fixture/sacct-24.11.json");
const HEADER: &str =
    "State|End|JobID|Submit|Start|Eligible|TimelimitRaw|Partition|NodeList|AllocTRES|ReqTRES|TotalCPU|MaxRSS";

fn import_as(texts: &[&str], bad_rows: BadRows) -> Result<(Vec<WorkloadRecord>, Report), Stop> {
    let printed = texts
        .iter()
        .enumerate()
        .map(|(number, text)| Printed { name: format!("export-{number}"), content: Box::new(text.as_bytes()) })
        .collect();
    let mut workloads = Vec::new();
    let options = Options { bad_rows, ..Options::default() };
    let report = read(printed, QueuesAre::Partitions, &options, &mut |record| {
        if let Record::Workload(workload) = record {
            workloads.push(*workload);
        }
        Ok(())
    })?;
    Ok((workloads, report))
}

fn import(text: &str) -> (Vec<WorkloadRecord>, Report) {
    import_as(&[text], BadRows::LeaveOut).unwrap()
}

#[track_caller]
fn find<'a>(workloads: &'a [WorkloadRecord], id: &str) -> &'a WorkloadRecord {
    workloads.iter().find(|workload| workload.id == id).expect("the job is there")
}

fn causes(workload: &WorkloadRecord) -> Vec<EndCause> {
    workload.attempts.iter().map(|attempt| attempt.cause).collect()
}

#[test]
fn json_of_22_05() {
    let (workloads, report) = import(JSON_22_05);
    assert_eq!((workloads.len(), report.problems.count()), (5, 0), "{:?}", report.problems.kept());
    assert_eq!(causes(find(&workloads, "13")), [EndCause::Requeued, EndCause::Completed]);
    assert_eq!(causes(find(&workloads, "26")), [EndCause::OutOfMemory]);
    let second = find(&workloads, "35");
    assert_eq!(second.eligible_at().since(second.submit), Millis::seconds(14), "it waited for another job");
    let task = find(&workloads, "36_5");
    assert_eq!((task.array.as_deref(), task.user.as_deref()), (Some("36"), Some("ada")));
    let given_up = find(&workloads, "40");
    assert_eq!((given_up.attempts.len(), given_up.withdrawn.is_some(), given_up.tasks), (0, true, 4));
    assert_eq!((given_up.spread, given_up.request.devices), (Spread::OnePerNode, MilliDevice::whole(8)));
}

#[test]
fn json_of_24_11() {
    let (workloads, report) = import(JSON_24_11);
    assert_eq!(report.problems.count(), 0, "{:?}", report.problems.kept());
    let job = find(&workloads, "501");
    assert_eq!((job.tasks, job.request.devices, job.spread), (2, MilliDevice::whole(8), Spread::OnePerNode));
    assert_eq!(job.request.memory, Bytes::gibi(32));
    assert_eq!((job.models.as_slice(), job.time_limit_ms), (&["h100".to_owned()][..], Some(Millis::minutes(120))));
    assert_eq!(job.attempts[0].nodes, ["n1", "n2"]);
    assert_eq!((job.used.cpu_ms, job.used.memory_peak_bytes), (Some(Millis(7_200_500)), Some(Bytes(2_000_000_000))));
    let task = find(&workloads, "502_4");
    assert_eq!((task.attempts.len(), task.withdrawn, task.time_limit_ms), (0, None, None));
    assert_eq!((task.request.memory, workloads.len()), (Bytes::gibi(8), 3));
}

#[test]
fn a_table_in_any_order_with_steps() {
    let text = format!(
        "{HEADER}\n\
         COMPLETED|1795480100|7|1795480000|1795480010|1795480005|10|main|n[1-2]|cpu=4,gres/gpu=16,node=2|node=2|00:00:02|\n\
         COMPLETED|1795480100|7.batch|1795480000|1795480010|||||||00:00:02.500|2M\n\
         CANCELLED by 0|2026-11-24T01:00:00|8|2026-11-24T00:30:00|None|2026-11-24T00:30:00|10|main|None assigned||gres/gpu=1||\n"
    );
    let (workloads, report) = import(&text);
    assert_eq!(report.problems.count(), 0, "{:?}", report.problems.kept());
    let job = find(&workloads, "7");
    assert_eq!((job.tasks, job.request.devices), (2, MilliDevice::whole(8)));
    assert_eq!((job.used.cpu_ms, job.used.memory_peak_bytes), (Some(Millis(2_500)), Some(Bytes::mebi(2))));
    assert!(find(&workloads, "8").withdrawn.is_some());
    assert!(report.remarks.keys().any(|remark| remark.contains("name no zone")), "{:?}", report.remarks);
}

#[test]
fn bad_rows_are_told_and_left_out_whole() {
    let good = "COMPLETED|1795480100|7|1795480000|1795480010|1795480005|10|main|n1|gres/gpu=1|gres/gpu=1|00:00:02|";
    let cases = [
        (good.replace("1795480100", "1795480009"), "field `end`: it ends"),
        (good.replace("1795480010", "1795479000"), "field `start`: it starts"),
        (good.replace("gres/gpu=1", "gres/gpu=-1"), "field `ReqTRES`"),
        (good.replace("gres/gpu=1", "gres/gpu=99999999999"), "expected at most"),
        (good.replace("COMPLETED", "FINE"), "field `State`: `FINE`"),
        (good.replace("1795480100", "Unknown"), "field `end`: the job is over and has no end"),
        (good.replace("1795480000", "1795480000|"), "14 fields; expected 13"),
        (good.replace("|10|", "|-10|"), "field `TimelimitRaw`"),
        (good.replace("|n1|", "|n[1-|"), "field `nodes`"),
    ];
    for (bad, expected) in cases {
        let text = format!("{HEADER}\n{bad}\n{}\n", good.replace("|7|", "|9|"));
        let (workloads, report) = import(&text);
        assert_eq!((workloads.len(), report.problems.count()), (1, 1), "{expected}");
        let told = report.problems.kept()[0].to_string();
        assert!(told.starts_with("export-0:2: ") && told.contains(expected), "{told} lacks {expected}");
        assert!(import_as(&[&text], BadRows::Refuse).is_err());
    }
}

#[test]
fn doubled_and_repeated_jobs() {
    let good = "COMPLETED|1795480100|7|1795480000|1795480010|1795480005|10|main|n1|gres/gpu=1|gres/gpu=1|00:00:02|";
    let again = good.replace("1795480", "1795490");
    let (workloads, report) = import(&format!("{HEADER}\n{good}\n{good}\n{again}\n"));
    assert_eq!(report.problems.count(), 1);
    let ids: Vec<&str> = workloads.iter().map(|workload| workload.id.as_str()).collect();
    assert_eq!(ids, ["7", "7#1795490000"]);
}

#[test]
fn a_file_that_is_cut_off_is_told_with_its_place() {
    let cut = &JSON_22_05[..JSON_22_05.len() - 3_000];
    let (workloads, report) = import(cut);
    assert!(!workloads.is_empty());
    let told = report.problems.kept()[0].to_string();
    assert!(told.contains("the file is cut off after") && told.contains("line "), "{told}");
    assert!(import_as(&[cut], BadRows::Refuse).is_err());
}

#[test]
fn inputs_that_are_nothing_of_slurms_are_refused() {
    for (texts, expected) in [
        (&["; Version: 2.2\n"][..], "nothing that Slurm prints"),
        (&["NodeName=n1 CPUTot=4\n"][..], "no input holds jobs"),
        (&["JobID|State|Submit\n"][..], "the columns lack Start, End"),
        (&["{\"jobs\": [{\"job_id\": 1, \"job_state\": \"RUNNING\"}]}"][..], "scontrol show job"),
    ] {
        let stop = import_as(texts, BadRows::LeaveOut).unwrap_err().to_string();
        assert!(stop.contains(expected), "{stop} lacks {expected}");
    }
}
