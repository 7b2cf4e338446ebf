//! What watches this machine and the training on it: `trimtab agent` says what it finds, `trimtab up` keeps it.
//!
//! One loop: it hears step clocks, looks at their processes ten times a second, measures the machine once a second, and asks what is wrong.
//! It decides nothing of that itself (`diagnose::live`). Start at [`Watcher::turn`].

mod bundle;
mod hand_on;
mod kernel;
pub(crate) mod series;
mod sources;
mod tellers;

use std::time::{Duration, Instant};

use ::diagnose::live::{Change, Open, Watch, rules};
use connect::exporter::{Asked, Exporters};
use connect::machine::{Nvml, Signals};
use connect::steps::{Client, Heard, Listener};
use fleet::series::Scrape;
use fleet::signal::Signal;
use fleet::time::Timestamp;

use crate::plane::Clock;
pub(crate) use bundle::Bundle;
pub(crate) use hand_on::{Watched, job_of, watch};
use kernel::Kernel;
pub(crate) use series::source_of;
pub(crate) use sources::Sources;
use tellers::{Teller, Tellers};

/// How often the machine is measured.
pub(crate) const SCRAPE_EVERY: Duration = Duration::from_secs(1);
/// How often processes that tell their steps are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Watches.
pub(crate) struct Watcher {
    /// Nothing where nobody can be heard.
    listener: Option<Listener>,
    signals: Signals,
    exporters: Exporters,
    kernel: Kernel,
    watch: Watch,
    tellers: Tellers,
    clock: Clock,
    scraped: Instant,
    looked: Instant,
}

/// What was measured at a moment, and what that changed.
pub(crate) struct Second {
    pub(crate) at: Timestamp,
    pub(crate) scrape: Scrape,
    /// The ranks that tell, with their steps since the second before.
    tellers: Vec<Teller>,
    pub(crate) changes: Vec<Change>,
}

/// The signals that a rule reads, for what is drawn of a finding.
pub(crate) fn signals_of(rule: &str) -> &'static [&'static Signal] {
    rules().find(|found| found.name == rule).map_or(&[], |found| found.signals)
}

impl Watcher {
    /// Of this machine, of whoever tells steps there, and of those that are to be asked of its devices.
    pub(crate) fn new(listener: Option<Listener>, nvml: Nvml, asked: Vec<Asked>) -> Self {
        let now = Instant::now();
        Self {
            listener,
            signals: Signals::new("/", nvml),
            exporters: Exporters::start(asked),
            kernel: Kernel::open(),
            watch: Watch::default(),
            tellers: Tellers::default(),
            clock: Clock::starting_at(None),
            scraped: now,
            looked: now,
        }
    }

    /// Hears what comes until the next moment to look or to measure, a tenth of a second at most, and does that. Gives what was measured, if
    /// it was the moment for it. What was told that cannot be used is told on, in words.
    pub(crate) fn turn(&mut self, notice: &mut dyn FnMut(&str)) -> Option<Second> {
        self.hear((self.looked + LOOK_EVERY).min(self.scraped + SCRAPE_EVERY), notice);
        let now = Instant::now();
        if now >= self.looked + LOOK_EVERY {
            self.looked = now;
            let processes: Vec<u32> = self.watch.processes().collect();
            self.signals.watch(&processes);
            self.signals.look();
        }
        if now < self.scraped + SCRAPE_EVERY {
            return None;
        }
        // What was missed, by a machine that slept, is not made up for.
        self.scraped = (self.scraped + SCRAPE_EVERY).max(now - SCRAPE_EVERY / 2);
        let at = self.clock.now();
        let mut scrape = self.signals.scrape(at);
        self.exporters.add(&mut scrape);
        self.exporters.notices().for_each(|text| notice(&text));
        self.watch.scrape(&scrape);
        let watch = &mut self.watch;
        self.kernel.hear(&mut |line| watch.kernel(line, at), notice);
        let changes = self.watch.evaluate(at);
        Some(Second { at, scrape, tellers: self.tellers.take(), changes })
    }

    /// What is wrong now, and what was until a while ago.
    pub(crate) fn told(&self) -> impl Iterator<Item = &Open> {
        self.watch.open().chain(self.watch.over(self.clock.now()))
    }

    fn hear(&mut self, until: Instant, notice: &mut dyn FnMut(&str)) {
        let patience = until.saturating_duration_since(Instant::now());
        let Some(listener) = &mut self.listener else { return std::thread::sleep(patience) };
        let (watch, tellers, clock) = (&mut self.watch, &mut self.tellers, &self.clock);
        listener.wait(patience, &mut |heard| match heard {
            Heard::Told(Client(client), told) => {
                tellers.heard(client, &told);
                watch.heard(client, told, clock.now());
            }
            Heard::Gone(Client(client)) => {
                tellers.gone(client);
                watch.gone(client, clock.now());
            }
            Heard::Notice(text) => notice(&text),
        });
    }
}
