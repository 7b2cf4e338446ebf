//! An explanation in sentences and tables.

use std::fmt::Write;

use ::feed::meter::{Bottleneck, Change, Remedy};
use fleet::quantity::Bytes;

use super::super::amounts::{percent, rate, times};
use super::super::data::count;
use super::explanation::{Explanation, StoreSeen};
use crate::shown;
use crate::table::{Align, Table};
use crate::wrap::{paragraph, section};

/// The whole explanation, in lines of `width` letters.
pub(super) fn explanation(of: &Explanation, width: usize, text: &mut String) {
    head(of, width, text);
    if of.bottleneck == Bottleneck::Unknown {
        paragraph(text, width, "  ", "No batch was taken in the last seconds: there is nothing to explain yet.");
        return;
    }
    section(text, "What holds it back");
    paragraph(text, width, "  ", &bottleneck(of));
    section(text, "Who waits for whom");
    paragraph(text, width, "  ", &waits(of));
    section(text, "Where the threads' time goes");
    activities(of, text);
    section(text, "What the next of each would bring");
    next(of, text);
    section(text, "What to change");
    remedies(of, width, text);
    section(text, "What the waiting costs");
    paragraph(text, width, "  ", &cost(of));
}

fn head(of: &Explanation, width: usize, text: &mut String) {
    let bold = anstyle::Style::new().bold();
    let process = of.pid.map_or_else(|| "A saved report".to_owned(), |pid| format!("Process {pid}"));
    let rank = if of.world_size > 1 { format!(", rank {} of {}", of.rank, of.world_size) } else { String::new() };
    let _ = writeln!(text, "{bold}{process}{rank}{bold:#}");
    paragraph(text, width, "  ", &format!("reads {}", plain(&of.data)));
    if of.seconds > 0.0 {
        let (samples, bytes) = (rate(of.samples_per_second), Bytes(of.bytes_per_second.max(0.0) as u64));
        let failed = if of.failed == 0 { String::new() } else { format!("; {} could not be read", count(of.failed)) };
        let words = format!("In the last {:.0} s: {samples} samples a second, {bytes}/s read{failed}.", of.seconds);
        paragraph(text, width, "  ", &words);
    }
}

/// Names come from elsewhere: what would move the cursor is shown as a mark.
fn plain(name: &str) -> String {
    name.replace(char::is_control, "\u{fffd}")
}

fn bottleneck(of: &Explanation) -> String {
    let working = of.threads.min(of.cores);
    let cores = shown::count(working, "core");
    let faster = faster(of.prediction.without_bottleneck, of.samples_per_second)
        .map_or_else(String::new, |(rate, times)| format!(" Without that: {rate} samples a second, {times}."));
    match of.bottleneck {
        Bottleneck::Unknown => String::new(),
        Bottleneck::Consumer => {
            let could = faster_words(of, "The loader could deliver");
            format!("The training step: batches wait for it, and nothing here would make it faster.{could}")
        }
        Bottleneck::Transform => {
            format!(
                "The transform, the function of Python: the loader waits for it, and the training step too.{faster}"
            )
        }
        Bottleneck::Network => {
            let share = percent(of.share("wait for the store"));
            format!("The store of objects: threads wait {share} of their time for what they asked of it.{faster}")
        }
        Bottleneck::Disk => {
            let share = percent(of.share("read"));
            format!("Reading: threads spend {share} of their time getting bytes from files.{faster}")
        }
        Bottleneck::Decode => {
            let share = percent(of.share("decode") + of.share("make"));
            format!("Decoding: threads spend {share} of their time making of bytes what comes out, on {cores}.{faster}")
        }
    }
}

/// What would be, where it is more than what is.
fn faster(then: Option<f64>, now: f64) -> Option<(String, String)> {
    let then = then.filter(|then| now > 0.0 && *then > 1.05 * now)?;
    Some((rate(then), times(then / now)))
}

fn faster_words(of: &Explanation, what: &str) -> String {
    faster(of.prediction.without_bottleneck, of.samples_per_second)
        .map_or_else(String::new, |(rate, times)| format!(" {what} {rate} samples a second, {times}."))
}

fn waits(of: &Explanation) -> String {
    let (step, seconds) = (some(of.waits), (3_600.0 * of.waits).round() as u64);
    let by_threads = |activity: &str| some(of.share(activity));
    let mut parts = vec![format!("{} of theirs for a batch to be taken", by_threads("wait for the consumer"))];
    if of.store.is_some() {
        parts.push(format!("{} for the store", by_threads("wait for the store")));
    }
    if of.share("wait for memory") > 0.0 {
        parts.push(format!("{} for memory that batches have", by_threads("wait for memory")));
    }
    let last = parts.pop().unwrap_or_default();
    let threads = if parts.is_empty() { last } else { format!("{} and {last}", parts.join(", ")) };
    let step_waits =
        format!("The training step waits {step} of its time for a batch, {} s of each hour.", count(seconds));
    format!("{step_waits} The loader's threads wait {threads}.")
}

fn activities(of: &Explanation, text: &mut String) {
    let what = format!("{}, {}", shown::count(of.threads, "thread"), shown::count(of.cores, "core"));
    let last = format!("last {:.0} s", of.seconds);
    let mut table = Table::new([(&*what, Align::Left), (&*last, Align::Right), ("since the beginning", Align::Right)]);
    for activity in of.activities.iter().filter(|activity| activity.recent > 0.0 || activity.all > 0.0) {
        table.row([activity.activity.to_owned(), percent(activity.recent), percent(activity.all)]);
    }
    let _ = write!(text, "{table}");
}

/// A core, memory and caches: what each would bring, and that it would bring nothing.
fn next(of: &Explanation, text: &mut String) {
    let mut table = Table::new([("with", Align::Left), ("samples a second", Align::Right), ("that is", Align::Left)]);
    let mut row = |what: String, then: Option<f64>, nothing: &str| {
        let (rate, times) = faster(then, of.samples_per_second).unwrap_or_else(|| (String::new(), nothing.to_owned()));
        table.row([what, rate, times]);
    };
    let prediction = &of.prediction;
    row("one more core".to_owned(), prediction.another_core, "no faster: it is not cores that are lacking");
    row("more memory".to_owned(), prediction.more_memory, "no faster: threads do not wait for any");
    if let Some(bytes) = prediction.decoded_bytes {
        let what = format!("all images kept decoded, in {}", Bytes(bytes.ceil() as u64));
        row(what, prediction.decoded_cache, "no faster");
    }
    match of.store {
        Some(StoreSeen { from_cache: None, .. }) => {
            let then = prediction.without_bottleneck.filter(|_| of.bottleneck == Bottleneck::Network);
            row("a cache on disk, at its best".to_owned(), then, "no faster: it is not the store that is waited for");
        }
        Some(StoreSeen { from_cache: Some(share), .. }) => {
            let what = format!("more from the cache on disk, which gives {}", percent(share));
            let then = prediction.without_bottleneck.filter(|_| of.bottleneck == Bottleneck::Network);
            row(what, then, "no faster: it is not the store that is waited for");
        }
        None => {}
    }
    let _ = write!(text, "{}", table.without_empty_columns());
}

fn remedies(of: &Explanation, width: usize, text: &mut String) {
    if of.remedies.is_empty() {
        paragraph(text, width, "  ", "Nothing of the loader: what would help is a faster training step.");
    }
    for found in &of.remedies {
        let then = match (found.samples_per_second, found.times) {
            (Some(then), Some(as_fast)) => format!(": {} samples a second, {}", rate(then), times(as_fast)),
            _ => String::new(),
        };
        paragraph(text, width, "  ", &format!("- {}{then}{}.", remedy(of, found), from_when(found.change)));
    }
}

fn remedy(of: &Explanation, found: &Remedy) -> String {
    match found.change {
        Change::MoreThreads { cores } => {
            format!("Leave threads out, or give threads={cores}, since {} of {cores} cores have one", of.threads)
        }
        Change::AnotherCore => {
            "Give the process one more core (cpus-per-task, or the container's CPU limit)".to_owned()
        }
        Change::DecodedCache { bytes } => {
            format!("decoded_cache={bytes} keeps all images decoded; it counts in memory_limit")
        }
        Change::MoreMemory => {
            "Raise memory_limit, or let go of batches sooner, since threads wait for memory".to_owned()
        }
        Change::CacheOnDisk => "cache_dir=\"/a/fast/disk\" keeps what comes from the store".to_owned(),
        Change::MoreCache => "Raise cache_limit, since blocks were left out for lack of room".to_owned(),
        Change::NearerStore => "Read from a store that is nearer, or that answers faster".to_owned(),
        Change::StoreLimits => {
            let throttled = of.store.map_or(0, |store| store.throttled);
            format!(
                "The store said {} times that it is asked too often: raise its limits, or spread the data",
                count(throttled)
            )
        }
        Change::FasterDisk => "Put the files on a faster disk".to_owned(),
        Change::Processes => {
            "transform=Transform(f, within=\"processes\") if the function computes in Python itself, and no workers= that bounds it"
                .to_owned()
        }
    }
}

/// A cache is of use once it is full.
fn from_when(change: Change) -> &'static str {
    match change {
        Change::DecodedCache { .. } | Change::CacheOnDisk | Change::MoreCache => ", from the second epoch on",
        _ => "",
    }
}

fn cost(of: &Explanation) -> String {
    let Some(stall) = of.stall else {
        return "It is not known: say --accelerators N --price-per-hour PRICE, or Loader(..., price_per_hour=PRICE)."
            .to_owned();
    };
    let who = match stall.accelerators {
        Some(1) => " for 1 accelerator".to_owned(),
        Some(accelerators) => format!(" for {} accelerators", count(accelerators.into())),
        None => String::new(),
    };
    let (all, waiting) = (stall.price_per_hour, stall.cost_per_hour);
    format!("Of {all} an hour{who}, {waiting} is paid for waiting: {} of the time.", some(of.waits))
}

/// A share of time that is told also where it is nothing.
fn some(share: f64) -> String {
    if share > 0.0 { percent(share) } else { "0 %".to_owned() }
}
