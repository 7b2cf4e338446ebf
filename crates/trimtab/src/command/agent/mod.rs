//! `trimtab agent`: one loop that hears step clocks, looks at their processes, measures the machine once a second, and says what is wrong
//! when it begins and when it ends.

mod words;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ::diagnose::live::{Change, Watch};
use clap::Args;
use connect::machine::{Nvml, Signals};
use connect::steps::{Client, Heard, Listener, default_path};
use fleet::time::Timestamp;

use crate::failure::{Failure, Outcome, words as plain};
use crate::format::Format;
use crate::global::Global;
use crate::interrupt;
use crate::printed::print;

/// Watch this machine and the training on it: what holds jobs up, as it begins and as it ends
///
/// It measures the machine once a second (docs/signals.md) and hears the step clocks of training processes (docs/STEPS.md). A job is held
/// against its own past: after some seconds of usual steps, what makes them slower is found, named and priced. It changes nothing.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trimtab agent                            # says what it finds, until Ctrl-C
  trimtab agent --format json | jq .       # a line each time something begins, changes or ends
  trimtab agent --steps /tmp/steps.sock    # and TRIMTAB_STEPS=/tmp/steps.sock python3 train.py

In a training loop, one line: `for batch in tt.StepClock().steps(loader): ...`; docs/STEPS.md has others.")]
pub(crate) struct Arguments {
    /// Where step clocks tell; they look at the same variable, and at the same place without it
    #[arg(long, value_name = "SOCKET", env = "TRIMTAB_STEPS")]
    steps: Option<PathBuf>,
    /// How to say it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// How often the machine is measured.
const SCRAPE_EVERY: Duration = Duration::from_secs(1);
/// How often processes that tell their steps are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

pub(crate) fn run(arguments: &Arguments, global: Global) -> Outcome {
    let path = default_path(arguments.steps.clone(), std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from));
    let listener = Listener::at(&path).map_err(|error| {
        Failure::outside(format!("cannot listen at {}: {}; --steps names another place", path.display(), plain(&error)))
    })?;
    let stopped = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&stopped);
    interrupt::at_first(move || stop.store(true, Ordering::Relaxed));
    if !global.quiet {
        anstream::eprintln!("step clocks tell at {}; Ctrl-C ends it", path.display());
    }
    let mut agent = Agent::new(listener, arguments.format, global);
    while !stopped.load(Ordering::Relaxed) {
        agent.turn()?;
    }
    Ok(())
}

struct Agent {
    listener: Listener,
    signals: Signals,
    watch: Watch,
    format: Format,
    quiet: bool,
    clock: Clock,
    scraped: Instant,
    looked: Instant,
}

/// Time that neither stands still nor goes back when the clock is set: what the wall clock said at first, and what has gone by since.
struct Clock {
    begun: Timestamp,
    since: Instant,
}

impl Clock {
    fn new() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { begun: Timestamp(i64::try_from(wall.as_millis()).unwrap_or(0)), since: Instant::now() }
    }

    fn now(&self) -> Timestamp {
        self.begun + fleet::quantity::Millis(i64::try_from(self.since.elapsed().as_millis()).unwrap_or(i64::MAX))
    }
}

impl Agent {
    fn new(listener: Listener, format: Format, global: Global) -> Self {
        let now = Instant::now();
        Self {
            listener,
            signals: Signals::new("/", Nvml::open()),
            watch: Watch::default(),
            format,
            quiet: global.quiet,
            clock: Clock::new(),
            scraped: now,
            looked: now,
        }
    }

    /// Hears what comes until the next moment to look or to measure, and does that.
    fn turn(&mut self) -> Outcome {
        let processes: Vec<u32> = self.watch.processes().collect();
        let next = match processes.is_empty() {
            true => self.scraped + SCRAPE_EVERY,
            false => (self.looked + LOOK_EVERY).min(self.scraped + SCRAPE_EVERY),
        };
        self.hear(next);
        let now = Instant::now();
        if now >= self.looked + LOOK_EVERY {
            self.looked = now;
            self.signals.watch(&processes);
            self.signals.look();
        }
        if now < self.scraped + SCRAPE_EVERY {
            return Ok(());
        }
        // What was missed, by a machine that slept, is not made up for.
        self.scraped = (self.scraped + SCRAPE_EVERY).max(now - SCRAPE_EVERY / 2);
        let at = self.clock.now();
        let scrape = self.signals.scrape(at);
        self.watch.scrape(&scrape);
        let changes = self.watch.evaluate(at);
        changes.iter().try_for_each(|change| self.say(change, at))
    }

    fn hear(&mut self, until: Instant) {
        let (watch, clock, quiet) = (&mut self.watch, &self.clock, self.quiet);
        self.listener.wait(until.saturating_duration_since(Instant::now()), &mut |heard| match heard {
            Heard::Told(Client(client), told) => watch.heard(client, told, clock.now()),
            Heard::Gone(Client(client)) => watch.gone(client, clock.now()),
            Heard::Notice(notice) if !quiet => anstream::eprintln!("note: {notice}"),
            Heard::Notice(_) => {}
        });
    }

    fn say(&self, change: &Change, at: Timestamp) -> Outcome {
        print(&match self.format {
            Format::Text => words::change(change, at),
            Format::Json => words::json(change, at),
        })
    }
}
