//! The table of signals is checked in, made from the registry: whoever changes a signal changes it too, and sees what changed.
#![cfg(target_os = "linux")]

use std::ffi::OsStr;
use std::fmt::Write;
use std::path::Path;

use connect::exporter::{self, Many, Named, Worth};
use connect::machine::{Nvml, Signals};
use fleet::series::{Scrape, Thing};
use fleet::signal::{Signal, nvidia};
use fleet::time::Timestamp;
use tempfile::TempDir;

/// Set to write the page anew.
const WRITE_ENV: &str = "TRIMTAB_WRITE_GOLDEN";

#[test]
fn the_table_is_as_checked_in() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/signals.md");
    let now = page();
    if std::env::var_os(WRITE_ENV).is_some() {
        std::fs::write(&path, &now).expect("the page can be written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        now == kept,
        "signals changed: write docs/signals.md with {WRITE_ENV}=1 cargo test -p connect --test signals"
    );
}

fn page() -> String {
    let mut text = String::from(
        "# Signals\n\n\
         What Trimtab measures, made from the registry in `crates/fleet/src/signal`. Names follow Prometheus: the unit last, `_total` for what\n\
         only grows. A value that is not known is shown as unknown, never as zero; how that looks at each source is said below. Without root\n\
         everything is read but what the system keeps from other users.\n\n\
         *Busy* and *working* are two things: `device_busy_ratio` says that something ran on a device, however little of it;\n\
         `device_working_ratio` says how much of the device had work.\n",
    );
    for source in fleet::signal::SOURCES.iter().chain(fleet::signal::AGAIN) {
        let _ = writeln!(text, "\n## {}\n", source.name);
        let _ = writeln!(text, "Of {}. Unknown: {}. Cost: {}.\n", source.of, source.unknown, source.cost);
        text.push_str("| signal | unit | what it is |\n| --- | --- | --- |\n");
        for signal in source.signals {
            let _ = writeln!(text, "| `{}` | {} | {} |", signal.name, signal.unit, signal.about);
        }
    }
    exporters(&mut text);
    text
}

fn exporters(text: &mut String) {
    text.push_str(
        "\n## What exporters tell\n\n\
         `trimtab agent --exporter URL` (and `trimtab up`) asks an exporter each five seconds. These metrics are taken, and are the signals beside\n\
         them; what this machine tells by itself is not replaced. Tried on recorded and made-up answers, and not yet beside devices.\n",
    );
    for vendor in exporter::ALL {
        let named = match vendor.named {
            Named::Index(labels) => format!("the label `{}`", labels.join("`, or `")),
            Named::Word(word, labels) => format!("`{word}-` and the label `{}`", labels.join("`, or `")),
        };
        let _ = writeln!(text, "\n### {}\n", vendor.name);
        let _ = writeln!(text, "Names: {}. A device is {named}.\n", vendor.source);
        text.push_str("| metric | signal | how |\n| --- | --- | --- |\n");
        for entry in vendor.entries {
            let only = entry.only.map_or_else(String::new, |(label, value)| format!("{{{label}=\"{value}\"}}"));
            let worth = match entry.worth {
                Worth::Times(factor) if factor.to_bits() == 1.0_f64.to_bits() => "as it is".to_owned(),
                Worth::Times(factor) => format!("times {factor}"),
                Worth::AnyBit(bits) => format!("whether a bit of {bits:#x} is set"),
                Worth::More => "whether it is more than 0".to_owned(),
            };
            let many = match entry.many {
                Many::Last => "",
                Many::Sum => ", added up",
                Many::Highest => ", the highest",
            };
            let _ = writeln!(text, "| `{}{only}` | `{}` | {worth}{many} |", entry.metric, entry.signal.name);
        }
    }
}

#[test]
fn every_signal_that_is_told_is_in_the_table() {
    let told = Signals::new("/", Nvml::open_at(OsStr::new("/no/such/library"))).scrape(Timestamp(0));
    let known: Vec<&Signal> = fleet::signal::all().collect();
    for measured in &told.values {
        assert!(known.contains(&measured.signal), "{} is in no source's list", measured.signal.name);
    }
}

#[test]
fn a_device_tells_what_its_library_does_and_the_rest_is_unknown() {
    let folder = TempDir::new().unwrap();
    let library = match live_rig::nvml::build(folder.path(), 2) {
        Ok(library) => library,
        Err(error) => testkit::skip!(testkit::Need::Program, "a C compiler `cc` is needed: {error:#}"),
    };
    let root = TempDir::new().unwrap();
    let scrape = Signals::new(root.path(), Nvml::open_at(library.as_os_str())).scrape(Timestamp(0));
    let value = |scrape: &Scrape, signal: &Signal, device| {
        let found =
            scrape.values.iter().find(|measured| measured.signal == signal && measured.of == Thing::Device(device));
        found.expect("it is asked for").value
    };
    assert_eq!(value(&scrape, &nvidia::PRESENT, 1), Some(1.0));
    assert_eq!(value(&scrape, &nvidia::BUSY, 0), Some(0.37));
    assert_eq!(value(&scrape, &nvidia::BUSY, 1), None, "a device that does not tell is not at rest");
    assert_eq!(value(&scrape, &nvidia::MEMORY_USED, 1), Some(f64::from(1 << 30) * 2.0));
    assert_eq!(value(&scrape, &nvidia::POWER, 0), None);
    assert_eq!(value(&scrape, &nvidia::SM_ACTIVE, 0), None);
}
