//! What the view shows, as lines. No terminal.

use ::feed::meter::{Bottleneck, Remedy, remedies};
use ::feed::serve::Told;
use anstyle::{AnsiColor, Style};
use fleet::quantity::{Bytes, Millis};

use super::super::amounts::{percent, rate, times};
use super::super::data::count;
use super::super::explain::shares;
use super::terminal::Paint;
use super::trend::Trend;
use crate::shown;

/// No wider than this: bars become no clearer.
const WIDTH_MAX: usize = 100;
/// Letters before a bar: what it is of, and the figure.
const LABEL: usize = 14;
const FIGURE: usize = 20;
/// Remedies that are shown.
const REMEDIES: usize = 2;

/// What is shown.
pub(super) struct Screen {
    /// The loader's socket.
    pub(super) socket: String,
    /// What it reported last.
    pub(super) told: Told,
    /// Why it has not reported since, if it has not.
    pub(super) trouble: Option<String>,
}

impl Screen {
    /// The view, in lines of at most `width` letters.
    pub(super) fn lines(&self, trend: &Trend, width: usize, paint: Paint) -> Vec<String> {
        let width = width.min(WIDTH_MAX);
        let mut view = View { width, paint, lines: Vec::new() };
        self.head(&mut view);
        view.gap();
        self.pace(trend, &mut view);
        view.gap();
        self.threads(&mut view);
        view.gap();
        self.room(&mut view);
        view.gap();
        for remedy in remedies(&self.told.report).iter().take(REMEDIES) {
            view.words(&told(remedy));
        }
        match &self.trouble {
            Some(trouble) => view.styled(AnsiColor::Red.on_default().bold(), &trouble.clone()),
            None => view.styled(Style::new().dimmed(), "q ends; trimtab feed explain says more"),
        }
        view.lines
    }

    /// The same in one line, for where nobody looks.
    pub(super) fn line(&self, trend: &Trend) -> String {
        let report = &self.told.report;
        let memory = &report.memory;
        if let Some(trouble) = &self.trouble {
            return format!("{}: {trouble}\n", Millis((report.seconds as i64) * 1_000));
        }
        format!(
            "{}: {} samples/s, waits {}, held back by {}; {} of {} batches ready, {} of {} for batches\n",
            Millis((report.seconds as i64) * 1_000),
            rate(trend.now().unwrap_or(report.recent.samples_per_second)),
            percent(report.recent.starved),
            report.recent.bottleneck.name(),
            report.ready,
            report.prefetch,
            Bytes(memory.batches as u64),
            Bytes(memory.batches_limit as u64),
        )
    }

    fn head(&self, view: &mut View) {
        let report = &self.told.report;
        let process = self.told.pid.map_or_else(|| self.socket.clone(), |pid| format!("process {pid}"));
        let given = &report.given;
        let rank =
            if given.world_size > 1 { format!(", rank {} of {}", given.rank, given.world_size) } else { String::new() };
        let running = Millis((report.seconds as i64) * 1_000);
        view.styled(Style::new().bold(), &format!("{process}{rank}, running for {running}"));
        view.words(&given.data.replace(char::is_control, "\u{fffd}"));
    }

    fn pace(&self, trend: &Trend, view: &mut View) {
        let recent = &self.told.report.recent;
        let now = trend.now().unwrap_or(recent.samples_per_second);
        let room = view.room();
        view.row("samples/s", &rate(now), &trend.letters(room.min(60)), Style::new());
        let most =
            if trend.most() > 0.0 { format!("the last minute, at most {}", rate(trend.most())) } else { String::new() };
        view.row("read", &format!("{}/s", Bytes(recent.bytes_per_second.max(0.0) as u64)), &most, Style::new());
        let waits = if recent.starved < 0.02 { AnsiColor::Green } else { AnsiColor::Red };
        view.bar("step waits", &percent(recent.starved), recent.starved, waits.on_default());
        let held = match recent.bottleneck {
            Bottleneck::Consumer => "consumer: the training step takes what time there is",
            Bottleneck::Unknown => "nothing yet: no batch was taken",
            other => other.name(),
        };
        view.row("held back by", held, "", Style::new());
    }

    fn threads(&self, view: &mut View) {
        let report = &self.told.report;
        view.styled(
            Style::new().bold(),
            &format!("{}, {}", shown::count(report.threads, "thread"), shown::count(report.cores, "core")),
        );
        for (activity, share) in shares(&report.recent.spent) {
            let short = match activity {
                "wait for the store" if report.store.is_none() => continue,
                "wait for memory" if share <= 0.0 => continue,
                "wait for the store" => "wait: store",
                "wait for memory" => "wait: memory",
                "wait for the consumer" => "wait: step",
                other => other,
            };
            view.bar(short, &percent(share), share, Style::new());
        }
        if let Some(stage) = report.transform {
            let each = 1_000.0 * stage.busy_seconds / (stage.samples.max(1)) as f64;
            let workers = shown::count(stage.workers, "worker");
            view.row("transform", &format!("{workers}, {each:.1} ms a sample"), "", Style::new());
        }
    }

    fn room(&self, view: &mut View) {
        let report = &self.told.report;
        let of = |part: usize, all: usize| if all == 0 { 0.0 } else { part as f64 / all as f64 };
        let amount = |bytes: usize| Bytes(bytes as u64).to_string();
        let ready = format!("{} of {}", report.ready, report.prefetch);
        view.bar("ready", &ready, of(report.ready, report.prefetch), Style::new());
        let memory = &report.memory;
        let batches = format!("{} of {}", amount(memory.batches), amount(memory.batches_limit));
        view.bar("batches", &batches, of(memory.batches, memory.batches_limit), Style::new());
        let used = memory.batches + memory.fetched + memory.decoded;
        let all = format!("{} of {}", amount(used), amount(memory.limit));
        view.bar("memory", &all, of(used, memory.limit), Style::new());
        if let Some(store) = report.store {
            let again =
                if store.retries > 0 { format!(", {} sent again", count(store.retries)) } else { String::new() };
            let words = format!(
                "{} requests, {} at once, {} came{again}",
                count(store.requests),
                store.under_way_max,
                Bytes(store.bytes)
            );
            view.row("store", &words, "", Style::new());
        }
        if let Some(cache) = report.cache {
            let full = if cache.unwritten > 0 {
                format!(", no room for {} blocks", count(cache.unwritten))
            } else {
                String::new()
            };
            let words = format!("{} read, {} written{full}", Bytes(cache.read_bytes), Bytes(cache.written_bytes));
            view.row("cache", &words, "", Style::new());
        }
        if let Some(cost) = &report.stall_cost_per_hour {
            let words = format!("{} {:.2} an hour for waiting", cost.currency, cost.micros as f64 / 1e6);
            view.row("costs", &words, "", Style::new());
        }
    }
}

/// A remedy in a few words.
fn told(remedy: &Remedy) -> String {
    use ::feed::meter::Change;
    let what = match remedy.change {
        Change::MoreThreads { cores } => format!("threads={cores}"),
        Change::AnotherCore => "one more core".to_owned(),
        Change::DecodedCache { bytes } => format!("decoded_cache={bytes}"),
        Change::MoreMemory => "more memory_limit".to_owned(),
        Change::CacheOnDisk => "a cache_dir".to_owned(),
        Change::MoreCache => "more cache_limit".to_owned(),
        Change::NearerStore => "a nearer store".to_owned(),
        Change::StoreLimits => "the store is asked too often, and says so".to_owned(),
        Change::FasterDisk => "a faster disk".to_owned(),
        Change::Processes => "a transform within=\"processes\"".to_owned(),
    };
    remedy.times.map_or_else(|| what.clone(), |as_fast| format!("{what}: {}", times(as_fast)))
}

/// Lines that are being made.
struct View {
    width: usize,
    paint: Paint,
    lines: Vec<String>,
}

impl View {
    /// Letters for a bar.
    fn room(&self) -> usize {
        self.width.saturating_sub(LABEL + FIGURE + 1)
    }

    fn gap(&mut self) {
        self.lines.push(String::new());
    }

    fn words(&mut self, words: &str) {
        self.lines.push(cut(words, self.width));
    }

    fn styled(&mut self, style: Style, words: &str) {
        self.lines.push(self.paint.set(style, &cut(words, self.width)));
    }

    /// A label, a figure, and something behind it.
    fn row(&mut self, label: &str, figure: &str, behind: &str, style: Style) {
        let front = format!("{label:<LABEL$}{figure:<FIGURE$} ");
        let front = cut(front.trim_end_matches(' '), self.width);
        if behind.trim().is_empty() {
            self.lines.push(front);
            return;
        }
        let room = self.width.saturating_sub(LABEL + FIGURE + 1);
        let behind = cut(behind, room);
        let front = format!("{front:<width$}", width = (LABEL + FIGURE + 1).min(self.width));
        self.lines.push(format!("{front}{}", self.paint.set(style, &behind)));
    }

    /// A label, a figure, and a bar of that share.
    fn bar(&mut self, label: &str, figure: &str, share: f64, style: Style) {
        let room = self.room().min(44);
        let full = ((share.clamp(0.0, 1.0) * room as f64).round() as usize).max(usize::from(share > 0.0 && room > 0));
        self.row(label, figure, &"█".repeat(full), style);
    }
}

/// At most so many letters.
fn cut(words: &str, width: usize) -> String {
    if words.chars().count() <= width {
        return words.to_owned();
    }
    words.chars().take(width.saturating_sub(1)).chain(['…']).take(width).collect()
}
