//! Which of Slurm's programs to run for an import, with which arguments. Pure: whoever runs them keeps what they print in
//! files, and hands these to [`super::read`].

use fleet::time::Timestamp;

/// The columns that an import reads. Columns that users write freely (comments, submit lines) are not among them: they may
/// hold the delimiter.
pub const COLUMNS: &str = "JobID,JobIDRaw,Cluster,User,Account,Partition,QOS,ReservationId,Constraints,Suspended,Submit,\
                           Eligible,Start,End,State,TimelimitRaw,NodeList,AllocNodes,ReqNodes,ReqTRES,AllocTRES,ReqCPUS,\
                           ReqMem,TotalCPU,MaxRSS,TRESUsageInTot,NTasks,JobName";

/// The columns of associations. Without a format `sacctmgr` does not tell an account's parent.
const ASSOCIATIONS: &str =
    "format=Cluster,Account,User,Partition,ParentName,Share,Priority,GrpJobs,GrpTRES,MaxJobs,MaxTRES,MaxWall,QOS";

/// A program to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What its output is usually called.
    pub file: &'static str,
    /// Its name.
    pub program: &'static str,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Variables set for it.
    pub environment: Vec<(&'static str, &'static str)>,
}

/// The form in which jobs are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// `sacct -P`: every release has it, and it is the smaller one.
    #[default]
    Table,
    /// `sacct --json`: 21.08 and later.
    Json,
}

/// Everything an import can use of the jobs that ran between two moments.
///
/// Moments go as `uts` and seconds, which need no zone (`src/common/parse_time.c`), but not to `sacct --json` of 22.05: it
/// writes them out again for itself, in a form that `SLURM_TIME_FORMAT` changes and its own reader then refuses. So the
/// variable is set for tables only, where times would otherwise be local and name no zone.
#[must_use]
pub fn all(form: Form, from: Timestamp, until: Timestamp) -> Vec<Request> {
    let mut requests = vec![jobs(form, from, until)];
    let text = |list: &[&str]| list.iter().map(|&word| word.to_owned()).collect::<Vec<String>>();
    let plain: [(&str, &str, &[&str]); 5] = [
        ("nodes.txt", "scontrol", &["show", "node"]),
        ("partitions.txt", "scontrol", &["show", "partition"]),
        ("config.txt", "scontrol", &["show", "config"]),
        ("qos.txt", "sacctmgr", &["-P", "show", "qos"]),
        ("associations.txt", "sacctmgr", &["-P", "show", "assoc", ASSOCIATIONS]),
    ];
    for (file, program, arguments) in plain {
        requests.push(Request { file, program, arguments: text(arguments), environment: Vec::new() });
    }
    let span = [format!("start={}", moment(from)), format!("end={}", moment(until))];
    let arguments = [text(&["-P", "show", "event"]), span.to_vec()].concat();
    requests.push(Request { file: "events.txt", program: "sacctmgr", arguments, environment: SECONDS.to_vec() });
    requests
}

/// The jobs alone.
#[must_use]
pub fn jobs(form: Form, from: Timestamp, until: Timestamp) -> Request {
    let mut arguments: Vec<String> = ["--allusers", "--duplicates"].map(str::to_owned).to_vec();
    arguments.push(format!("--starttime={}", moment(from)));
    arguments.push(format!("--endtime={}", moment(until)));
    let (file, environment) = match form {
        Form::Json => {
            arguments.push("--json".to_owned());
            ("jobs.json", Vec::new())
        }
        Form::Table => {
            arguments.push("--parsable2".to_owned());
            arguments.push(format!("--format={COLUMNS}"));
            ("jobs.txt", SECONDS.to_vec())
        }
    };
    Request { file, program: "sacct", arguments, environment }
}

/// Times as seconds since 1970: no zone can be mistaken.
const SECONDS: [(&str, &str); 1] = [("SLURM_TIME_FORMAT", "%s")];

fn moment(at: Timestamp) -> String {
    format!("uts{}", at.0.div_euclid(1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_asked_for_without_a_time_format() {
        let json = jobs(Form::Json, Timestamp::from_seconds(1_000_000), Timestamp::from_seconds(2_000_000));
        assert_eq!(json.environment, []);
        assert!(json.arguments.contains(&"--starttime=uts1000000".to_owned()), "{:?}", json.arguments);
        let table = jobs(Form::Table, Timestamp::from_seconds(1_000_000), Timestamp::from_seconds(2_000_000));
        assert_eq!(table.environment, SECONDS);
        assert!(table.arguments.contains(&"--duplicates".to_owned()));
    }
}
