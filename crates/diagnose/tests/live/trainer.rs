//! A job that is made up, second by second: its steps, and what the machine would tell of it. The time it takes is virtual.

use diagnose::live::{Change, Open, Watch};
use fleet::series::{Scrape, Thing};
use fleet::signal::{Signal, group, host, process, storage};
use fleet::step::{Doing, Phase, PhasesUs, Rank, Step, Told};
use fleet::time::Timestamp;

/// Ranks of a job.
pub(crate) const RANKS: usize = 4;

/// What is wrong with a step, and with what the machine tells.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fault {
    /// Microseconds that a phase of these ranks takes longer.
    pub(crate) longer: Option<(Phase, &'static [usize], u64)>,
    /// Every so many steps only.
    pub(crate) every: u64,
    /// A signal of the processes of these ranks: by the second for a counter, a value for a gauge.
    pub(crate) signals: Vec<(&'static Signal, &'static [usize], f64)>,
    /// Processors that work outside the job takes.
    pub(crate) others: f64,
    /// Bytes that it reads from the disk in a second.
    pub(crate) others_read: f64,
}

/// The job, and who watches it.
pub(crate) struct Trainer {
    pub(crate) watch: Watch,
    /// The connection of rank 0; the others follow.
    clients: u64,
    random: u64,
    now_us: i64,
    step: u64,
    counters: Vec<(&'static Signal, usize, f64)>,
    cpu: [f64; RANKS + 1],
    /// What a disk has read, for whomever.
    read: f64,
    /// Whatever changed, with the second in which it did.
    pub(crate) changes: Vec<(i64, Change)>,
}

const ALL: &[usize] = &[0, 1, 2, 3];

impl Trainer {
    pub(crate) fn new(seed: u64) -> Self {
        let random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let watch = Watch::default();
        let mut trainer = Self {
            watch,
            clients: 0,
            random,
            now_us: 0,
            step: 0,
            counters: Vec::new(),
            cpu: [0.0; RANKS + 1],
            read: 0.0,
            changes: Vec::new(),
        };
        trainer.begin();
        trainer
    }

    /// From 0 to 1.
    fn draw(&mut self) -> f64 {
        // xorshift64 (Marsaglia, Xorshift RNGs, 2003).
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Lives for so many seconds.
    pub(crate) fn live(&mut self, seconds: i64, fault: &Fault) {
        for _ in 0..seconds {
            let end = self.now_us / 1_000_000 * 1_000_000 + 1_000_000;
            while self.now_us < end {
                self.step(fault);
            }
            self.scrape(Timestamp(end / 1_000), fault);
            let changes = self.watch.evaluate(Timestamp(end / 1_000));
            self.changes.extend(changes.into_iter().map(|change| (end / 1_000_000, change)));
        }
    }

    /// Lives for so many seconds in which no step ends; what each rank says that it does, nothing where it is silent.
    pub(crate) fn hang(&mut self, seconds: i64, doing: [Option<Phase>; RANKS]) {
        let since_us = self.now_us;
        for _ in 0..seconds {
            self.now_us += 1_000_000;
            let now = Timestamp(self.now_us / 1_000);
            for (client, phase) in (0..).zip(doing) {
                if let Some(phase) = phase {
                    self.watch.heard(
                        self.clients + client,
                        Told::Doing(Doing { step: self.step, phase, since_us }),
                        now,
                    );
                }
            }
            let changes = self.watch.evaluate(now);
            self.changes.extend(changes.into_iter().map(|change| (self.now_us / 1_000_000, change)));
        }
    }

    /// Rank `rank` crashes, the others follow, and the job is started again: its clients are those from `clients` on.
    pub(crate) fn crash(&mut self, rank: u64, clients: u64) {
        for client in [rank].into_iter().chain(0..RANKS as u64) {
            self.watch.gone(self.clients + client, Timestamp(self.now_us / 1_000));
        }
        self.hang(3, [None; RANKS]);
        self.clients = clients;
        self.begin();
    }

    fn begin(&mut self) {
        for rank in 0..RANKS as u32 {
            let pid = Some(100 + self.clients as u32 + rank);
            let began = Rank { job: "job".into(), rank, ranks: RANKS as u32, pid, group: None };
            self.watch.heard(self.clients + u64::from(rank), Told::Began(began), Timestamp(self.now_us / 1_000));
        }
    }

    fn step(&mut self, fault: &Fault) {
        let mut ranks = [PhasesUs::default(); RANKS];
        for (rank, phases) in ranks.iter_mut().enumerate() {
            for (phase, us) in [
                (Phase::DataWait, 1_000.0),
                (Phase::HostToDevice, 2_000.0),
                (Phase::Forward, 40_000.0),
                (Phase::Backward, 80_000.0),
                (Phase::Optimizer, 5_000.0),
                (Phase::Communication, 12_000.0),
            ] {
                *phases.of_mut(phase) = (us * (0.9 + 0.2 * self.draw())) as u64;
            }
            if self.step.is_multiple_of(20) {
                *phases.of_mut(Phase::Checkpoint) = 60_000;
            }
            if let Some((phase, of, us)) = fault.longer
                && of.contains(&rank)
                && (fault.every == 0 || self.step.is_multiple_of(fault.every))
            {
                *phases.of_mut(phase) += us;
            }
        }
        // Whoever is early waits in the exchange.
        let own = |phases: &PhasesUs| phases.sum() - phases.of(Phase::Communication);
        let last = ranks.iter().map(own).max().unwrap_or(0);
        let exchange = ranks.iter().map(|phases| phases.of(Phase::Communication)).max().unwrap_or(0);
        self.now_us += (last + exchange) as i64;
        self.step += 1;
        for (client, phases) in (0..).zip(&mut ranks) {
            *phases.of_mut(Phase::Communication) = last + exchange - own(phases);
            let step = Step { number: self.step, ended_us: self.now_us, us: phases.sum(), phases: *phases };
            self.watch.heard(self.clients + client, Told::Step(step), Timestamp(self.now_us / 1_000));
        }
    }

    fn scrape(&mut self, at: Timestamp, fault: &Fault) {
        let mut scrape = Scrape { at, values: Vec::new() };
        for rank in ALL.iter().copied() {
            let of = Thing::Process(100 + self.clients as u32 + rank as u32);
            self.cpu[rank] += 0.2;
            scrape.add(&process::CPU_USED, &of, Some(self.cpu[rank]));
            for signal in [&process::RUN_DELAY, &group::CPU_THROTTLED, &group::MEMORY_HITS, &group::MEMORY_REFAULTS] {
                scrape.add(signal, &of, Some(self.counted(signal, rank, fault)));
            }
            for signal in [&process::STOPPED, &process::HELPERS_WAITING_DISK, &process::HELPER_BUSY] {
                scrape.add(signal, &of, Some(told(signal, rank, fault)));
            }
            let throttled = told(&group::CPU_THROTTLED, rank, fault) > 0.0;
            let seconds = at.0 as f64 / 1e3;
            scrape.add(&group::CPU_PERIODS, &of, Some(10.0 * seconds));
            scrape.add(&group::CPU_THROTTLED_PERIODS, &of, Some(if throttled { 8.0 * seconds } else { 0.0 }));
        }
        self.cpu[RANKS] += 0.2 * RANKS as f64 + 0.1 + fault.others;
        scrape.add(&host::CPU_USER, &Thing::Node, Some(self.cpu[RANKS]));
        scrape.add(&host::CPU_SYSTEM, &Thing::Node, Some(0.0));
        self.read += fault.others_read + 1e6;
        scrape.add(&storage::READ, &Thing::Disk("vda".into()), Some(self.read));
        for rank in ALL {
            let of = Thing::Process(100 + self.clients as u32 + *rank as u32);
            for signal in [&process::READ_DISK, &process::WRITTEN_DISK] {
                scrape.add(signal, &of, Some(0.0));
            }
        }
        self.watch.scrape(&scrape);
    }

    fn counted(&mut self, signal: &'static Signal, rank: usize, fault: &Fault) -> f64 {
        let by = told(signal, rank, fault);
        match self.counters.iter_mut().find(|(found, of, _)| *found == signal && *of == rank) {
            Some((_, _, count)) => {
                *count += by;
                *count
            }
            None => {
                self.counters.push((signal, rank, by));
                by
            }
        }
    }

    /// What was opened, by its rule, in order.
    pub(crate) fn opened(&self) -> Vec<&Open> {
        let opened = |change| match change {
            Change::Opened(open) => Some(open),
            Change::Updated(_) | Change::Closed(_) => None,
        };
        self.changes.iter().filter_map(|(_, change)| opened(change.clone()).and(Some(change))).map(of).collect()
    }
}

/// What a change is about.
pub(crate) fn of(change: &Change) -> &Open {
    let (Change::Opened(open) | Change::Updated(open) | Change::Closed(open)) = change;
    open
}

fn told(signal: &Signal, rank: usize, fault: &Fault) -> f64 {
    let found = fault.signals.iter().find(|(found, ranks, _)| *found == signal && ranks.contains(&rank));
    found.map_or(0.0, |(_, _, value)| *value)
}
