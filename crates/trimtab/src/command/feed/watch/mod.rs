//! `trimtab feed watch`. One loop: what is reported, a key, or an interrupt comes in, and the screen is drawn.

mod screen;
mod terminal;
mod trend;

use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use ::feed::serve::Told;
use clap::Args;

use self::screen::Screen;
use self::terminal::Terminal;
use self::trend::Trend;
use super::data::count;
use super::loaders::{self, Which};
use crate::failure::Outcome;
use crate::global::Global;
use crate::interrupt;
use crate::printed::print;

/// Watch a running loader of training data: a live view, drawn anew each second
///
/// It shows samples a second of the last minute, how long the training step waits, what threads spend their time on, how many batches are
/// ready, memory, store and cache. Where standard output is no terminal, it is a line each second. It ends with the loader, with q, or
/// with Ctrl-C; the loader goes on.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trimtab feed watch                       # the loader of this user: Loader(..., metrics=True)
  trimtab feed watch 4242                  # a process
  trimtab feed watch /run/trimtab/4242-0.sock
  trimtab feed watch /run/trimtab --pid 4242 | tee watched.txt")]
pub(super) struct Arguments {
    #[command(flatten)]
    which: Which,
}

/// What comes in while it is waited for the next second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    /// A byte was typed.
    Key(u8),
    /// Whoever watches wants it to end.
    Interrupted,
}

/// How often the view is drawn.
const STEP: Duration = Duration::from_secs(1);

pub(super) fn run(arguments: &Arguments, global: Global) -> Outcome {
    let (socket, told) = arguments.which.one()?;
    let (events, received) = mpsc::channel();
    let interrupted = events.clone();
    // Whoever is not there any more does not need to be told.
    interrupt::instead(move || {
        let _sent = interrupted.send(Event::Interrupted);
    });
    let terminal = Terminal::take(events)?;
    let ended = watch(&socket, told, terminal.as_ref(), &received);
    // The terminal is given back before anything is said.
    drop(terminal);
    let last = ended?;
    if let (Some(last), false) = (last, global.quiet) {
        eprintln!(
            "the loader has ended: {} samples in {} batches until it was last asked",
            count(last.report.samples),
            count(last.report.batches)
        );
    }
    Ok(())
}

/// Draws until it is to end, or until the loader does: then what it reported last.
fn watch(socket: &Path, told: Told, terminal: Option<&Terminal>, events: &Receiver<Event>) -> Outcome<Option<Told>> {
    let mut trend = Trend::default();
    let mut screen = Screen { socket: socket.display().to_string(), told, trouble: None };
    let mut next = Instant::now();
    loop {
        trend.note(screen.told.report.seconds, screen.told.report.samples);
        match terminal {
            Some(terminal) => terminal.draw(|width, paint| screen.lines(&trend, width, paint))?,
            None => print(&screen.line(&trend))?,
        }
        next = (next + STEP).max(Instant::now());
        if is_to_end(events, next) {
            return Ok(None);
        }
        match loaders::asked(socket) {
            Ok(Some(told)) => (screen.told, screen.trouble) = (told, None),
            Ok(None) => return Ok(Some(screen.told)),
            // It may answer again: a process can be stopped and go on.
            Err(failure) => screen.trouble = Some(failure.to_string()),
        }
    }
}

/// Waits for the next moment to draw; whether it is to end instead.
fn is_to_end(events: &Receiver<Event>, next: Instant) -> bool {
    /// As a terminal sends it where it makes no signal of it.
    const CTRL_C: u8 = 3;
    loop {
        match events.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(Event::Interrupted | Event::Key(b'q' | b'Q' | CTRL_C)) => return true,
            Ok(Event::Key(_)) => {}
            Err(RecvTimeoutError::Timeout) => return false,
            // The handler of interrupts holds one end for as long as the program runs.
            Err(RecvTimeoutError::Disconnected) => return true,
        }
    }
}
