//! Something that is done again and again while a fault lasts, by a thread of its own.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What goes on in the background. It has ended when this is dropped.
#[derive(Debug)]
pub(super) struct Background {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// Does this now, and again after each time that it returns, until it returns none.
    pub(super) fn start(mut work: impl FnMut() -> Option<Duration> + Send + 'static) -> anyhow::Result<Self> {
        let (stop, stopped) = channel();
        let thread = thread::Builder::new().name("fault".to_owned()).spawn(move || {
            while let Some(pause) = work() {
                if stopped.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
