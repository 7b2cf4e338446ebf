//! Tells steps on a Unix socket, as lines of the step-clock protocol, version 1.
//!
//! A thread of its own writes, so that a slow reader delays no step; what does not fit into its line is dropped and the training goes on,
//! with or without anybody who listens. While a step is under way it says once a second which phase that is in.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Context;

use super::clock::{Shown, UnderWay};
use crate::phase::Phase;
use crate::truth::Step;

/// The variable that names the socket.
pub(crate) const SOCKET_ENV: &str = "TRIMTAB_STEPS";
/// Lines that wait for the reader.
const WAITING: usize = 1024;
/// How often a step that is under way is told.
const EVERY: Duration = Duration::from_secs(1);
/// How long one line may wait for its reader.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whoever tells.
#[derive(Debug)]
pub(super) struct Teller {
    lines: SyncSender<String>,
    thread: JoinHandle<()>,
}

impl Teller {
    /// Connects, says who it is, and tells from then on.
    pub(super) fn start(socket: &OsString, job: &str, rank: u32, ranks: u32, shown: Shown) -> anyhow::Result<Self> {
        let mut stream = UnixStream::connect(socket)
            .with_context(|| format!("nobody listens at {SOCKET_ENV}={}", socket.display()))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let pid = std::process::id();
        writeln!(stream, "trimtab-steps 1 job={job} rank={rank} ranks={ranks} local_rank={rank} pid={pid}")?;
        let (lines, waiting) = sync_channel(WAITING);
        let name = "teller".to_owned();
        let thread = thread::Builder::new().name(name).spawn(move || tell(&mut stream, &waiting, &shown))?;
        Ok(Self { lines, thread })
    }

    /// Tells a step.
    pub(super) fn step(&self, step: &Step) {
        drop(self.lines.try_send(step_line(step)));
    }

    /// Tells that this is the end, and waits until it is told.
    pub(super) fn end(self) {
        let Self { lines, thread } = self;
        drop(lines.send("end\n".to_owned()));
        drop(lines);
        drop(thread.join());
    }
}

fn tell(stream: &mut UnixStream, waiting: &Receiver<String>, shown: &Shown) {
    let mut told = Instant::now();
    loop {
        let line = match waiting.recv_timeout(EVERY.saturating_sub(told.elapsed())) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => {
                told = Instant::now();
                let Some(under_way) = shown.get() else { continue };
                now_line(&under_way)
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        if stream.write_all(line.as_bytes()).is_err() {
            return;
        }
    }
}

fn step_line(step: &Step) -> String {
    let mut line = format!("step {} at={} us={}", step.number, step.at_us, step.us);
    for (phase, us) in Phase::TOLD.iter().zip(step.phases_us) {
        let _ = write!(line, " {}={us}", phase.name());
    }
    line + "\n"
}

fn now_line(under_way: &UnderWay) -> String {
    let UnderWay { step, step_since_us, phase, phase_since_us } = under_way;
    format!("now {step} in={} since={phase_since_us} step_since={step_since_us}\n", phase.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_the_protocol() {
        let step = Step { number: 3, at_us: 90, us: 70, cpu_us: 1, phases_us: [1, 2, 3, 4, 5, 6, 0] };
        assert_eq!(
            step_line(&step),
            "step 3 at=90 us=70 data_wait=1 host_to_device=2 forward=3 backward=4 optimizer=5 communication=6 checkpoint=0\n"
        );
        let under_way = UnderWay { step: 4, step_since_us: 90, phase: Phase::DataWait, phase_since_us: 95 };
        assert_eq!(now_line(&under_way), "now 4 in=data_wait since=95 step_since=90\n");
    }
}
