//! Bar 9: what `trimtab agent` takes of the machine that it watches, beside node_exporter, which tells about as much and is asked once a
//! second. Both run at the same time, so that both see the same machine. The agent is cut off from the server that it reports to, so that all it
//! measures goes to its spool, and that server is tried again and again.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::bench::program;
use crate::bench::row::{Row, Target};
use crate::bench::session::Session;

const BAR: u32 = 9;
/// So long both run.
const LASTS: Duration = Duration::from_secs(60);
/// Debian's name of it.
const PEER: &str = "prometheus-node-exporter";

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let trimtab = program::build()?;
    let folder = tempfile::tempdir()?;
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let mut command = Command::new(PEER);
    command.arg(format!("--web.listen-address=127.0.0.1:{port}")).stderr(Stdio::null());
    let Ok(child) = command.spawn() else {
        session.skip(BAR, format!("there is no {PEER} here"));
        return Ok(());
    };
    let peer = Ended(child);
    let mut command = Command::new(trimtab);
    command.args(["--quiet", "agent", "--steps"]).arg(folder.path().join("steps.sock")).stdout(Stdio::null());
    let spool = folder.path().join("spool");
    // Nobody listens there: what was bound is let go.
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    command.args(["--report-to", &format!("http://{nobody}"), "--spool"]).arg(&spool);
    command.env("TRIMTAB_TOKEN", "0".repeat(32));
    let agent = Ended(command.spawn().context("the agent did not start")?);
    // Both have begun, and have been asked once.
    sleep(Duration::from_secs(3));
    ask(port)?;
    let before = [used(&agent)?, used(&peer)?];
    let begun = Instant::now();
    let mut told = 0;
    for second in 1..=LASTS.as_secs() {
        sleep((begun + Duration::from_secs(second)).saturating_duration_since(Instant::now()));
        told = ask(port)?;
    }
    let [ours, theirs] = [used(&agent)?, used(&peer)?];
    let spooled: u64 = fs::read_dir(&spool)?.map(|file| Ok(file?.metadata()?.len())).sum::<std::io::Result<u64>>()?;
    ensure!(spooled > 0, "the agent has written nothing to its spool");
    let cpu_ms = |after: &Used, before: &Used| (after.ticks - before.ticks) as f64 * 10.0 / LASTS.as_secs_f64();
    let (own, other) = (cpu_ms(&ours, &before[0]), cpu_ms(&theirs, &before[1]));
    let kib_s = spooled as f64 / 1_024.0 / LASTS.as_secs_f64();
    let case = format!(
        "agent, spooling {kib_s:.1} KiB a second: {own:.2} ms of a processor a second; node_exporter ({told} values): {other:.2}; ratio"
    );
    session.add(Row::new(BAR, case, own / other, Target::Below(1.0), ""));
    let case = format!("agent: {:.1} MB at its peak; node_exporter: {:.1}; ratio", ours.peak_mb, theirs.peak_mb);
    session.add(Row::new(BAR, case, ours.peak_mb / theirs.peak_mb, Target::Below(1.0), ""));
    Ok(())
}

/// A process that is ended with this.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

struct Used {
    /// Hundredths of a second on a processor.
    ticks: u64,
    peak_mb: f64,
}

fn used(process: &Ended) -> anyhow::Result<Used> {
    let folder = Path::new("/proc").join(process.0.id().to_string());
    let stat = fs::read_to_string(folder.join("stat"))?;
    let (_, fields) = stat.rsplit_once(')').context("no stat")?;
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    let ticks = |number: usize| fields.get(number - 3).and_then(|field| field.parse::<u64>().ok()).context("no ticks");
    let status = fs::read_to_string(folder.join("status"))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB"));
    let peak_kb: f64 = peak.context("no peak")?.trim().parse()?;
    Ok(Used { ticks: ticks(14)? + ticks(15)?, peak_mb: peak_kb / 1_024.0 })
}

/// Asks the exporter; how many values it tells.
fn ask(port: u16) -> anyhow::Result<usize> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.write_all(b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let values = text.lines().filter(|line| line.starts_with("node_")).count();
    ensure!(values > 0, "{PEER} tells nothing");
    Ok(values)
}
