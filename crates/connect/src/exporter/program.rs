//! Hears `neuron-monitor`: a program that writes a line of JSON every few seconds. It is ours, and ends with us.

use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fleet::text::lines::{Line, Lines};

use super::heard::Heard;
use super::neuron::Neuron;

/// One that ended is started again after so long.
const AGAIN_AFTER: Duration = Duration::from_secs(60);

/// The program, killed when this is dropped.
#[derive(Debug)]
pub(super) struct Running {
    child: Arc<Mutex<Option<Child>>>,
    stop: Option<SyncSender<()>>,
}

/// Starts it.
pub(super) fn begin(path: PathBuf, heard: Heard, tell: SyncSender<String>) -> Running {
    let (on, stop) = sync_channel(1);
    let running = Running { child: Arc::default(), stop: Some(on) };
    let (child, told) = (Arc::clone(&running.child), tell.clone());
    let started = std::thread::Builder::new()
        .name("neuron-monitor".into())
        .spawn(move || hear(&path, &heard, &tell, &child, &stop));
    if let Err(error) = started {
        let _full = told.try_send(format!("neuron-monitor is not heard: no thread: {error}"));
    }
    running
}

impl Drop for Running {
    fn drop(&mut self) {
        // The thread sees this first: what it would start after the kill it does not start.
        self.stop = None;
        end(&self.child);
    }
}

fn end(child: &Mutex<Option<Child>>) {
    if let Some(mut child) = child.lock().unwrap_or_else(PoisonError::into_inner).take() {
        // It may have ended by itself.
        let _gone = child.kill();
        let _status = child.wait();
    }
}

fn hear(path: &Path, heard: &Heard, tell: &SyncSender<String>, child: &Mutex<Option<Child>>, stop: &Receiver<()>) {
    let mut is_told = false;
    loop {
        let why = match start(path, child, stop) {
            Ok(Some(output)) => {
                let lines = listen(output, heard);
                heard.forget();
                is_told &= lines == 0;
                format!("it ended after {lines} lines")
            }
            Ok(None) => return,
            Err(error) => error.to_string(),
        };
        end(child);
        if !is_told {
            is_told = true;
            let again = AGAIN_AFTER.as_secs();
            let notice =
                format!("{} tells nothing of devices: {why}; it is tried again each {again} s", path.display());
            // Nobody listens, or too much is said already.
            let _full = tell.try_send(notice);
        }
        if !matches!(stop.recv_timeout(AGAIN_AFTER), Err(RecvTimeoutError::Timeout)) {
            return;
        }
    }
}

/// Nothing where it is not wanted any more.
fn start(path: &Path, kept: &Mutex<Option<Child>>, stop: &Receiver<()>) -> std::io::Result<Option<ChildStdout>> {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    if !matches!(stop.try_recv(), Err(std::sync::mpsc::TryRecvError::Empty)) {
        return Ok(None);
    }
    let mut child = Command::new(path).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let output = child.stdout.take();
    *kept = Some(child);
    Ok(output)
}

/// Until it ends; how many lines told something.
fn listen(output: ChildStdout, heard: &Heard) -> u64 {
    let (mut neuron, mut told) = (Neuron::default(), 0);
    let mut lines = Lines::new(BufReader::new(output));
    while let Ok(Some(line)) = lines.next_line() {
        let Line::Text(line) = line else { continue };
        if let Ok(values) = neuron.take(line) {
            heard.hear(Arc::new(values));
            told += 1;
        }
    }
    told
}
