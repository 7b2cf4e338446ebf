//! A line of progress on standard error, for work that takes long, where a person is looking.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use connect::file;
use fleet::quantity::Bytes;

use crate::global::Global;

/// Work that is done sooner shows nothing.
const QUIET_TIME: Duration = Duration::from_millis(800);
/// How often the line changes.
const PAUSE: Duration = Duration::from_millis(200);

/// A line that is kept up to date until it is dropped, and then wiped.
pub(crate) struct Line {
    running: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
}

impl Line {
    /// Shows how far an input was read.
    pub(crate) fn reading(name: &str, progress: file::Progress, global: Global) -> Self {
        let name = name.to_owned();
        Self::show(global, move || {
            let read = Bytes(progress.read_bytes());
            match progress.total_bytes().filter(|&total| total > 0) {
                Some(total) => format!("reading {name}: {} % of {}", read.0 * 100 / total, Bytes(total)),
                None => format!("reading {name}: {read}"),
            }
        })
    }

    /// Shows whatever `text` says, asked again several times a second.
    pub(crate) fn show(global: Global, text: impl Fn() -> String + Send + 'static) -> Self {
        if global.quiet || !std::io::stderr().is_terminal() {
            return Self { running: None };
        }
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            thread::park_timeout(QUIET_TIME);
            while !stopped.load(Ordering::Acquire) {
                let line: String = text().chars().take(78).collect();
                write_line(&format!("\r{line:<78}"));
                thread::park_timeout(PAUSE);
            }
            write_line(&format!("\r{:<78}\r", ""));
        });
        Self { running: Some((stop, thread)) }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            stop.store(true, Ordering::Release);
            thread.thread().unpark();
            // A line of progress that has panicked is no reason to fail.
            let _ended = thread.join();
        }
    }
}

fn write_line(text: &str) {
    let mut out = std::io::stderr().lock();
    // Nobody is served by failing because progress could not be shown.
    let _written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
