//! Reports in the text format of Prometheus (version 0.0.4).
//!
//! Each family is one entry of `FAMILIES`. Times are seconds, amounts are bytes, and what only grows is called `_total`. Each sample is
//! labelled with its process, its loader and its rank, so that those of several loaders stand together.

use std::fmt::Write;

use super::told::Told;
use crate::meter::{Bottleneck, Report};

/// What is counted, and how it is called.
struct Family {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    /// A label beside those of the loader.
    label: &'static str,
    /// Values of that label, and samples; none where they do not apply.
    samples: fn(&Report) -> Vec<(&'static str, f64)>,
}

/// The reports of some loaders, together.
pub fn exposition(told: &[Told]) -> String {
    let mut text = String::new();
    info(told, &mut text);
    for family in FAMILIES {
        let Family { name, kind, help, label, samples } = family;
        let mut is_first = true;
        for told in told {
            for (value_of_label, value) in samples(&told.report) {
                if std::mem::take(&mut is_first) {
                    head(&mut text, name, kind, help);
                }
                let own = if label.is_empty() { String::new() } else { format!(",{label}=\"{value_of_label}\"") };
                let _ = writeln!(text, "{name}{{{}{own}}} {value}", labels(told));
            }
        }
    }
    prices(told, &mut text);
    text
}

const FAMILIES: &[Family] = &[
    Family {
        name: "trimtab_feed_running_seconds",
        kind: "gauge",
        help: "Since the first batch was asked for.",
        label: "",
        samples: |report| vec![("", report.seconds)],
    },
    Family {
        name: "trimtab_feed_samples_total",
        kind: "counter",
        help: "Samples that were delivered.",
        label: "",
        samples: |report| vec![("", report.samples as f64)],
    },
    Family {
        name: "trimtab_feed_batches_total",
        kind: "counter",
        help: "Batches that were delivered.",
        label: "",
        samples: |report| vec![("", report.batches as f64)],
    },
    Family {
        name: "trimtab_feed_failed_samples_total",
        kind: "counter",
        help: "Samples that could not be read.",
        label: "",
        samples: |report| vec![("", report.failed as f64)],
    },
    Family {
        name: "trimtab_feed_read_bytes_total",
        kind: "counter",
        help: "Bytes that were read.",
        label: "",
        samples: |report| vec![("", report.bytes_read as f64)],
    },
    Family {
        name: "trimtab_feed_consumer_wait_seconds_total",
        kind: "counter",
        help: "Time for which whoever takes batches waited for one.",
        label: "",
        samples: |report| vec![("", report.waited_seconds())],
    },
    Family {
        name: "trimtab_feed_thread_seconds_total",
        kind: "counter",
        help: "Time of threads by what they did: read, decode, make, and waits for the store, for memory and for the consumer.",
        label: "activity",
        samples: |report| {
            let spent = report.spent;
            vec![
                ("read", spent.read_seconds),
                ("decode", spent.decode_seconds),
                ("make", (spent.make_seconds - spent.decode_seconds).max(0.0)),
                ("wait_for_store", spent.fetch_seconds),
                ("wait_for_memory", spent.memory_seconds),
                ("wait_for_consumer", spent.ahead_seconds),
            ]
        },
    },
    Family {
        name: "trimtab_feed_threads",
        kind: "gauge",
        help: "Threads that make batches.",
        label: "",
        samples: |report| vec![("", report.threads as f64)],
    },
    Family {
        name: "trimtab_feed_cores",
        kind: "gauge",
        help: "Cores that the process may use.",
        label: "",
        samples: |report| vec![("", report.cores as f64)],
    },
    Family {
        name: "trimtab_feed_ready_batches",
        kind: "gauge",
        help: "Batches that are made and not taken.",
        label: "",
        samples: |report| vec![("", report.ready as f64)],
    },
    Family {
        name: "trimtab_feed_prefetch_batches",
        kind: "gauge",
        help: "Batches that are made ahead, at most.",
        label: "",
        samples: |report| vec![("", report.prefetch as f64)],
    },
    Family {
        name: "trimtab_feed_memory_bytes",
        kind: "gauge",
        help: "Memory by what it holds.",
        label: "part",
        samples: |report| {
            let memory = report.memory;
            vec![
                ("batches", memory.batches as f64),
                ("fetched", memory.fetched as f64),
                ("decoded", memory.decoded as f64),
            ]
        },
    },
    Family {
        name: "trimtab_feed_memory_limit_bytes",
        kind: "gauge",
        help: "Memory that may be used: for batches, and for all.",
        label: "part",
        samples: |report| vec![("batches", report.memory.batches_limit as f64), ("all", report.memory.limit as f64)],
    },
    Family {
        name: "trimtab_feed_store_requests_total",
        kind: "counter",
        help: "Requests to stores of objects.",
        label: "",
        samples: |report| report.store.map(|store| ("", store.requests as f64)).into_iter().collect(),
    },
    Family {
        name: "trimtab_feed_store_retries_total",
        kind: "counter",
        help: "Requests to stores of objects that failed and were sent again.",
        label: "",
        samples: |report| report.store.map(|store| ("", store.retries as f64)).into_iter().collect(),
    },
    Family {
        name: "trimtab_feed_store_throttled_total",
        kind: "counter",
        help: "Times that a store said that it is asked too often.",
        label: "",
        samples: |report| report.store.map(|store| ("", store.throttled as f64)).into_iter().collect(),
    },
    Family {
        name: "trimtab_feed_store_received_bytes_total",
        kind: "counter",
        help: "Bytes that came from stores of objects.",
        label: "",
        samples: |report| report.store.map(|store| ("", store.bytes as f64)).into_iter().collect(),
    },
    Family {
        name: "trimtab_feed_store_requests_limit",
        kind: "gauge",
        help: "Requests to stores of objects that may be under way at once.",
        label: "",
        samples: |report| report.store.map(|store| ("", store.under_way_max as f64)).into_iter().collect(),
    },
    Family {
        name: "trimtab_feed_cache_read_bytes_total",
        kind: "counter",
        help: "Bytes that came from the cache on this machine's disk.",
        label: "",
        samples: |report| report.cache.map(|cache| ("", cache.read_bytes as f64)).into_iter().collect(),
    },
    Family {
        name: "trimtab_feed_cache_written_bytes_total",
        kind: "counter",
        help: "Bytes that were written to the cache on this machine's disk.",
        label: "",
        samples: |report| report.cache.map(|cache| ("", cache.written_bytes as f64)).into_iter().collect(),
    },
    Family {
        name: "trimtab_feed_cache_unwritten_blocks_total",
        kind: "counter",
        help: "Blocks for which the cache had no room.",
        label: "",
        samples: |report| report.cache.map(|cache| ("", cache.unwritten as f64)).into_iter().collect(),
    },
    Family {
        name: "trimtab_feed_cache_damaged_blocks_total",
        kind: "counter",
        help: "Blocks of the cache that were damaged and removed.",
        label: "",
        samples: |report| report.cache.map(|cache| ("", cache.damaged as f64)).into_iter().collect(),
    },
    Family {
        name: "trimtab_feed_transform_workers",
        kind: "gauge",
        help: "Workers of the transform that may work at once.",
        label: "",
        samples: |report| report.transform.map(|stage| ("", stage.workers as f64)).into_iter().collect(),
    },
    Family {
        name: "trimtab_feed_transform_samples_total",
        kind: "counter",
        help: "Samples that the transform delivered.",
        label: "",
        samples: |report| report.transform.map(|stage| ("", stage.samples as f64)).into_iter().collect(),
    },
    Family {
        name: "trimtab_feed_transform_busy_seconds_total",
        kind: "counter",
        help: "Time of the transform's workers.",
        label: "",
        samples: |report| report.transform.map(|stage| ("", stage.busy_seconds)).into_iter().collect(),
    },
    Family {
        name: "trimtab_feed_bottleneck",
        kind: "gauge",
        help: "What holds the loader back, in the last seconds: 1 for what does, and 0 for all else.",
        label: "bottleneck",
        samples: |report| {
            let is_it = |bottleneck: Bottleneck| f64::from(u8::from(report.recent.bottleneck == bottleneck));
            Bottleneck::ALL.into_iter().map(|bottleneck| (bottleneck.name(), is_it(bottleneck))).collect()
        },
    },
    Family {
        name: "trimtab_feed_predicted_samples_per_second",
        kind: "gauge",
        help: "Samples a second if one thing were different, as it follows from the last seconds.",
        label: "change",
        samples: |report| {
            let prediction = report.recent.prediction;
            let all = [
                ("without_bottleneck", prediction.without_bottleneck),
                ("another_core", prediction.another_core),
                ("more_memory", prediction.more_memory),
                ("decoded_cache", prediction.decoded_cache),
            ];
            all.into_iter().filter_map(|(change, rate)| Some((change, rate?))).collect()
        },
    },
];

/// Which loaders there are.
fn info(told: &[Told], text: &mut String) {
    const NAME: &str = "trimtab_feed_loader_info";
    if told.is_empty() {
        return;
    }
    head(text, NAME, "gauge", "Loaders, with what they read. Always 1.");
    for told in told {
        let (data, world) = (escaped(&told.report.given.data), told.report.given.world_size);
        let _ = writeln!(text, "{NAME}{{{},data=\"{data}\",world_size=\"{world}\"}} 1", labels(told));
    }
}

/// What stalls cost, where a price is known; each in its currency.
fn prices(told: &[Told], text: &mut String) {
    const NAME: &str = "trimtab_feed_stall_cost_per_hour";
    let mut is_first = true;
    for told in told {
        let Some(price) = &told.report.stall_cost_per_hour else { continue };
        if std::mem::take(&mut is_first) {
            let help = "What waiting for batches costs in an hour, as in the last seconds, in units of the currency.";
            head(text, NAME, "gauge", help);
        }
        let currency = escaped(&price.currency);
        let _ = writeln!(text, "{NAME}{{{},currency=\"{currency}\"}} {}", labels(told), price.micros as f64 / 1e6);
    }
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let help = help.replace('\\', "\\\\").replace('\n', "\\n");
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// Which loader a sample is of.
fn labels(told: &Told) -> String {
    let number = |number: Option<u32>| number.map_or_else(String::new, |number| number.to_string());
    format!("pid=\"{}\",loader=\"{}\",rank=\"{}\"", number(told.pid), number(told.loader), told.report.given.rank)
}

/// A label's value.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
