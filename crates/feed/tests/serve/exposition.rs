//! The text for Prometheus, read by a parser that takes nothing but what the format allows (exposition formats, version 0.0.4).

use std::collections::{BTreeMap, BTreeSet};

use feed::meter::{Cache, Store, Transform};
use feed::serve::{Told, exposition};

use super::{folder, loader};

#[derive(Debug, Default)]
struct Family {
    help: String,
    kind: String,
    /// By their labels.
    samples: BTreeMap<Vec<(String, String)>, f64>,
}

/// Reads it, or panics where anything is not as the format says.
fn parsed(text: &str) -> BTreeMap<String, Family> {
    assert!(text.is_empty() || text.ends_with('\n'), "the last line ends");
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').unwrap();
            assert!(is_name(name) && !help.is_empty(), "{line}");
            let family = Family { help: unescaped(help, false), ..Family::default() };
            assert!(families.insert(name.to_owned(), family).is_none(), "{name} comes once, all of it together");
            name.clone_into(&mut current);
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert!(matches!(kind, "counter" | "gauge"), "{line}");
            assert_eq!(name, current, "the type follows the help");
            let family = families.get_mut(name).unwrap();
            assert!(family.kind.is_empty() && family.samples.is_empty(), "{line}");
            kind.clone_into(&mut family.kind);
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = series.strip_suffix('}').unwrap().split_once('{').unwrap();
            assert_eq!(name, current, "samples stand behind their head");
            let family = families.get_mut(name).unwrap();
            let value: f64 = value.parse().unwrap();
            assert!(value.is_finite() && (family.kind != "counter" || value >= 0.0), "{line}");
            assert!(family.samples.insert(labels_of(labels), value).is_none(), "{line} comes once");
        }
    }
    for (name, family) in &families {
        assert!(!family.kind.is_empty() && !family.samples.is_empty(), "{name}: {family:?}");
        assert_eq!(name.ends_with("_total"), family.kind == "counter", "{name}: counters are called so");
        assert!(!name.contains("milli") && !name.contains("_mb"), "{name} has a base unit");
    }
    families
}

fn is_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn labels_of(text: &str) -> Vec<(String, String)> {
    let (mut labels, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        let (name, behind) = rest.split_once("=\"").unwrap();
        assert!(is_name(name), "{text}");
        let mut escapes = false;
        let end = behind.find(|c| {
            let is_end = c == '"' && !escapes;
            escapes = c == '\\' && !escapes;
            is_end
        });
        let end = end.unwrap();
        labels.push((name.to_owned(), unescaped(&behind[..end], true)));
        rest = &behind[end + 1..];
        if !rest.is_empty() {
            rest = rest.strip_prefix(',').unwrap();
        }
    }
    let names: BTreeSet<&String> = labels.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), labels.len(), "{text}: a label comes once");
    labels.sort();
    labels
}

fn unescaped(text: &str, is_label: bool) -> String {
    let (mut plain, mut letters) = (String::new(), text.chars());
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            plain.push(letter);
            continue;
        }
        plain.push(match letters.next() {
            Some('\\') => '\\',
            Some('n') => '\n',
            Some('"') if is_label => '"',
            other => panic!("{text}: no letter is escaped as {other:?}"),
        });
    }
    plain
}

fn value(families: &BTreeMap<String, Family>, name: &str, labels: &[(&str, &str)]) -> f64 {
    let mut labels: Vec<(String, String)> = labels.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    labels.sort();
    families[name].samples[&labels]
}

#[test]
fn reports_of_several_loaders_are_one_exposition() {
    let folder = folder();
    let report = loader(folder.path()).report();
    let mut other = report.clone();
    other.given.data = "a\\b\n\"c\"".to_owned();
    other.given.rank = 0;
    other.samples = 12;
    other.store = Some(Store { requests: 5, throttled: 2, ..Store::default() });
    other.cache = Some(Cache { read_bytes: 7, ..Cache::default() });
    other.transform = Some(Transform { workers: 3, starved_seconds: 1.5, ..Transform::default() });
    let told = [
        Told { pid: Some(7), loader: Some(0), report: report.clone() },
        Told { pid: Some(8), loader: Some(1), report: other },
    ];
    let families = parsed(&exposition(&told));
    let (first, second) =
        ([("pid", "7"), ("loader", "0"), ("rank", "1")], [("pid", "8"), ("loader", "1"), ("rank", "0")]);
    let of = |own: &[(&'static str, &'static str)], more: (&'static str, &'static str)| [own, &[more]].concat();
    assert!((value(&families, "trimtab_feed_samples_total", &first) - 10.0).abs() < 1e-9);
    assert!((value(&families, "trimtab_feed_samples_total", &second) - 12.0).abs() < 1e-9);
    let threads = &families["trimtab_feed_thread_seconds_total"];
    assert_eq!(threads.samples.len(), 12, "six activities of two loaders");
    let sum: f64 =
        threads.samples.iter().filter(|(labels, _)| labels.contains(&("pid".into(), "7".into()))).map(|(_, s)| s).sum();
    let spent = report.spent;
    let all =
        spent.read_seconds + spent.make_seconds + spent.fetch_seconds + spent.memory_seconds + spent.ahead_seconds;
    assert!((sum - all).abs() < 1e-9 && sum > 0.0, "activities add up to all of the threads' time: {sum}, {all}");
    let named = families["trimtab_feed_bottleneck"].samples.values().sum::<f64>();
    assert!((named - 2.0).abs() < 1e-9, "one for each loader");
    assert!((value(&families, "trimtab_feed_consumer_wait_seconds_total", &second) - 1.5).abs() < 1e-9);
    assert_eq!(families["trimtab_feed_store_throttled_total"].samples.len(), 1, "only one has a store");
    let cost = value(&families, "trimtab_feed_stall_cost_per_hour", &of(&first, ("currency", "EUR")));
    assert!((cost - 2.5 * report.recent.starved).abs() < 1e-5, "{cost}");
    let info: Vec<_> =
        families["trimtab_feed_loader_info"].samples.keys().flatten().map(|(_, value)| value.as_str()).collect();
    assert!(info.contains(&"a\\b\n\"c\""), "{info:?}");
    for family in families.values() {
        assert!(family.help.ends_with('.'), "{family:?}");
    }
    assert!(parsed(&exposition(&[])).is_empty());
}

/// What Prometheus itself says of it, where its tools are here.
#[test]
fn promtool_finds_nothing_to_complain_of() {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let started =
        Command::new("promtool").args(["check", "metrics"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut promtool) = started else {
        testkit::skip!(testkit::Need::Program, "there is no promtool: it comes with Prometheus");
    };
    let folder = folder();
    let report = loader(folder.path()).report();
    let text = exposition(&[Told { pid: Some(7), loader: Some(0), report }]);
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
