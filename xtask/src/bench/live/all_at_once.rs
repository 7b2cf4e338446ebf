//! Bar 2: 1,000 workloads `true`, handed in with one request: how many end in a second, from the request to the last end that is stored.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::{Value, json};

use super::installation;
use crate::bench::row::{Row, Target};
use crate::bench::session::Session;

const BAR: u32 = 2;
const COUNT: usize = 1_000;
const PATIENCE: Duration = Duration::from_secs(300);

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    // What `trimtab submit --array 1000 -- true` asks for, and what lets many run at once.
    for (case, cpu_milli) in [("a core each, as `submit` asks", 1_000), ("a tenth of a core each", 100)] {
        let (done, time) = measure(cpu_milli)?;
        let at_least = |bound: f64| Target::AtLeast(bound);
        session.add(Row::new(BAR, format!("completed, {case}"), done as f64, at_least(COUNT as f64), "workloads"));
        session.add(Row::new(
            BAR,
            format!("end to end, {case}"),
            done as f64 / time.as_secs_f64(),
            at_least(100.0),
            "/s",
        ));
    }
    Ok(())
}

/// How many completed, and how long all took.
fn measure(cpu_milli: u64) -> anyhow::Result<(u64, Duration)> {
    let mut installation = installation()?;
    let mut client = installation.up()?;
    let workload = json!({ "command": ["true"], "directory": "/", "request": { "cpu_milli": cpu_milli } });
    let body = json!({ "workloads": vec![workload; COUNT] });
    let begun = Instant::now();
    let answer = client.post("workloads", &body)?;
    ensure!(answer.status == 201, "{}", answer.json());
    loop {
        let counts = client.read("workloads?limit=1")?["counts"].take();
        let count = |state: &str| counts[state].as_u64().unwrap_or(0);
        let open: u64 = ["held", "waiting", "backing_off", "starting", "running"].into_iter().map(count).sum();
        if open == 0 || begun.elapsed() > PATIENCE {
            let time = begun.elapsed();
            ensure!(counts != Value::Null, "the list has no counts");
            installation.stop()?;
            return Ok((count("completed"), time));
        }
        sleep(Duration::from_millis(10));
    }
}
