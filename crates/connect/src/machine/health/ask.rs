//! The test in a process of its own: a driver or a disk that is broken may never answer, and then that is what is wrong.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use fleet::health::Report;

/// The most bytes of a report, and of what is said beside it.
const BYTES_MAX: u64 = 4 << 20;
/// How long a process that was killed has to end: inside the kernel it may never.
const KILLED_WITHIN: Duration = Duration::from_secs(1);

/// What came of a test.
#[derive(Debug)]
pub enum Asked {
    /// It was made.
    Told(Box<Report>),
    /// It did not end in time, with what it said last. A process that does not even die is handed out, so that no more of them are started.
    Hangs(String, Option<Child>),
    /// It could not be made: why. That says nothing of the node.
    Failed(String),
}

/// Has a program make the test, and tell its report on standard output and what it looks at on standard error. It is killed where it takes
/// longer than `limit`.
#[must_use]
pub fn ask(mut command: Command, limit: Duration) -> Asked {
    let began = Instant::now();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Asked::Failed(format!("it cannot be started: {error}")),
    };
    let out = read(child.stdout.take());
    let said = lines(child.stderr.take());
    let told = out.recv_timeout(limit);
    if told == Err(RecvTimeoutError::Timeout) || !has_ended(&mut child, limit.saturating_sub(began.elapsed())) {
        let _gone = child.kill();
        let stuck = (!has_ended(&mut child, KILLED_WITHIN)).then_some(child);
        return Asked::Hangs(last(&said), stuck);
    }
    match serde_json::from_slice::<Report>(&told.unwrap_or_default()) {
        Ok(report) if report.version == Report::VERSION => Asked::Told(Box::new(report)),
        Ok(report) => Asked::Failed(format!("it told version {}", report.version)),
        Err(_) => Asked::Failed(last(&said)),
    }
}

/// Reads to the end, aside: the other end may stay open for good.
fn read(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (told, tell) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _broken = pipe.map(|pipe| pipe.take(BYTES_MAX).read_to_end(&mut bytes));
        let _gone = told.send(bytes);
    });
    tell
}

/// The same, line by line: what was said last is told also of one that never ends.
fn lines(pipe: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (told, tell) = channel();
    thread::spawn(move || {
        let lines =
            pipe.into_iter().flat_map(|pipe| BufReader::new(pipe.take(BYTES_MAX)).lines().map_while(Result::ok));
        // Whoever asked may have gone on.
        lines.for_each(|line| drop(told.send(line)));
    });
    tell
}

/// What was said last: what has come by now, and where the other end is closed all of it.
fn last(said: &Receiver<String>) -> String {
    let until = Instant::now() + KILLED_WITHIN;
    let next = || said.recv_timeout(until.saturating_duration_since(Instant::now())).ok();
    let lines = std::iter::from_fn(next).filter(|line| !line.trim().is_empty());
    lines.last().unwrap_or_else(|| "it said nothing".to_owned())
}

fn has_ended(child: &mut Child, within: Duration) -> bool {
    let until = Instant::now() + within;
    loop {
        match child.try_wait() {
            Ok(None) if Instant::now() < until => thread::sleep(Duration::from_millis(2)),
            Ok(ended) => return ended.is_some(),
            Err(_) => return true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> Asked {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        ask(command, limit)
    }

    #[test]
    fn a_report_is_read_and_what_is_none_is_told() {
        let long = Duration::from_secs(20);
        let report = r#"{"version":1,"test":"quick","healthy":true,"problems":[],"measured":[],"kernel_log":[]}"#;
        // A node with a problem ends with a code that is not 0.
        let told = shell(&format!("echo 'looking at: links' >&2; echo '{report}'; exit 3"), long);
        assert!(matches!(&told, Asked::Told(report) if report.healthy), "{told:?}");
        let later = shell(&format!("echo '{}'", report.replace(":1", ":2")), long);
        assert!(matches!(&later, Asked::Failed(why) if why == "it told version 2"), "{later:?}");
        let failed = shell("echo 'error: no such folder' >&2; exit 2", long);
        assert!(matches!(&failed, Asked::Failed(why) if why == "error: no such folder"), "{failed:?}");
        let absent = ask(Command::new("/no/such/program"), long);
        assert!(matches!(&absent, Asked::Failed(why) if why.starts_with("it cannot be started")), "{absent:?}");
    }

    #[test]
    fn one_that_hangs_is_ended_and_tells_where() {
        let began = Instant::now();
        let hangs = shell("echo 'looking at: devices' >&2; exec sleep 60", Duration::from_millis(300));
        assert!(matches!(&hangs, Asked::Hangs(at, None) if at == "looking at: devices"), "{hangs:?}");
        assert!(began.elapsed() < Duration::from_secs(30));
    }
}
