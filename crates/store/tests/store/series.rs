//! Series: what was measured comes back as it was, from heads, chunks and intervals.

use std::collections::BTreeMap;

use fleet::quantity::Millis;
use fleet::time::Timestamp;
use store::{
    CHUNK_SCRAPES, Fault, IntervalQuery, Latest, Point, Reader, Scrape, Scrapes, Series, SeriesQuery, Store,
    ValueQuery, check,
};

use crate::kept::pin;
use crate::story::{Folder, Noise};

const NOTHING: &str = "nothing";

pub(crate) fn batch(
    source: &str,
    names: &[&str],
    scrapes: impl IntoIterator<Item = (i64, Vec<Option<f64>>)>,
) -> Scrapes {
    Scrapes {
        source: source.into(),
        series: names.iter().map(|name| Series::named(name)).collect(),
        scrapes: scrapes.into_iter().map(|(at, values)| Scrape { at: Timestamp(at), values }).collect(),
    }
}

pub(crate) fn named(source: &str, name: &str) -> SeriesQuery {
    SeriesQuery { source: Some(source.into()), name: Some(name.into()), ..SeriesQuery::default() }
}

/// Moments, with the bits of what is known.
pub(crate) type Bits = Vec<(i64, Option<u64>)>;

/// Every value of a series, with its bits.
pub(crate) fn all(reader: &Reader, source: &str, name: &str) -> Bits {
    let query =
        ValueQuery { of: named(source, name), from: Timestamp::MIN, until: Timestamp::MAX, limit: Reader::POINTS_MAX };
    let lines = reader.values(&query).unwrap();
    assert!(lines.len() <= 1 && lines.iter().all(|line| !line.is_cut));
    lines.iter().flat_map(|line| &line.points).map(|point| (point.at.0, point.value.map(f64::to_bits))).collect()
}

pub(crate) fn is_sound(folder: &Folder) {
    let report = check(folder.file()).unwrap();
    assert!(report.is_sound(), "{report}");
}

#[test]
fn all_of_it_comes_back_however_it_is_handed_in() {
    let folder = Folder::new();
    let mut store = Store::create_or_open(folder.file()).unwrap();
    let mut noise = Noise(7);
    let mut model: BTreeMap<(&str, &str), Bits> = BTreeMap::new();
    let (mut at, mut handed_in) = (1_700_000_000_000, 0);
    while handed_in < 6 * CHUNK_SCRAPES {
        let source = ["one", "other"][noise.below(2) as usize];
        let names: Vec<&str> = ["a", "b", "c", "d"].into_iter().filter(|_| noise.below(4) > 0).collect();
        let count = [1, 10, 300, 1_500][noise.below(4) as usize];
        // Backwards now and then, and often not at all.
        let scrapes: Vec<(i64, Vec<Option<f64>>)> = (0..count)
            .map(|_| {
                at += noise.below(1_200) as i64 - 100;
                let mut value = || {
                    (noise.below(50) > 0)
                        .then(|| noise.below(1_000) as f64 / [1.0, 8.0, 10.0, 0.0][noise.below(4) as usize])
                };
                (at, names.iter().map(|_| value()).collect())
            })
            .collect();
        for (at, values) in &scrapes {
            for (name, value) in names.iter().zip(values) {
                model.entry((source, name)).or_default().push((*at, value.map(f64::to_bits)));
            }
        }
        store.append_scrapes(&[batch(source, &names, scrapes)]).unwrap();
        handed_in += count;
    }
    let reader = store.reader().unwrap();
    assert_eq!(model.len(), 8);
    for ((source, name), mut expected) in model {
        // In order of time; those of one moment in the order in which they came.
        expected.sort_by_key(|(at, _)| *at);
        assert_eq!(all(&reader, source, name), expected, "{source} {name}");
    }
    drop(store);
    is_sound(&folder);
}

#[test]
fn what_is_unknown_is_neither_zero_nor_absent() {
    let folder = Folder::new();
    let mut store = Store::create_or_open(folder.file()).unwrap();
    let scrapes =
        [batch("agent", &["a", "b"], [(1, vec![None, Some(0.0)])]), batch("agent", &["b"], [(2, vec![Some(-0.0)])])];
    store.append_scrapes(&scrapes).unwrap();
    let expected = [vec![(1, None)], vec![(1, Some(0.0_f64.to_bits())), (2, Some((-0.0_f64).to_bits()))]];
    let holds = |store: &Store| {
        let reader = store.reader().unwrap();
        assert_eq!([all(&reader, "agent", "a"), all(&reader, "agent", "b")], expected);
        assert_eq!(all(&reader, "agent", "c"), []);
        assert_eq!(all(&reader, NOTHING, "a"), []);
    };
    holds(&store);
    // In a chunk, too.
    let more = (0..CHUNK_SCRAPES as i64).map(|second| (10 + second, vec![Some(1.0)]));
    store.append_scrapes(&[batch("agent", &["later"], more)]).unwrap();
    holds(&store);
}

#[test]
fn series_are_found_by_name_and_labels() {
    let folder = Folder::new();
    let mut store = Store::create_or_open(folder.file()).unwrap();
    let of = |device: &str, unit: &str| Series {
        name: "memory_used".into(),
        labels: [("device".to_owned(), device.to_owned()), ("vendor".into(), "any".into())].into(),
        unit: unit.into(),
    };
    let series = vec![of("1", "bytes"), of("0", "bytes"), Series::named("load"), of("0", "share")];
    let scrapes = vec![Scrape { at: Timestamp(5), values: vec![Some(1.0), Some(2.0), None, Some(4.0)] }];
    store.append_scrapes(&[Scrapes { source: "agent/n1".into(), series, scrapes }]).unwrap();
    let reader = store.reader().unwrap();
    let check = |query: SeriesQuery, expected: &[(&str, &str, &str)]| {
        let found = reader.series(&query).unwrap();
        let told = |series: &Series| {
            (series.name.clone(), series.labels.get("device").cloned().unwrap_or_default(), series.unit.clone())
        };
        let found: Vec<_> = found.iter().map(|found| told(&found.series)).collect();
        let expected: Vec<_> =
            expected.iter().map(|(name, device, unit)| ((*name).into(), (*device).into(), (*unit).into())).collect();
        assert_eq!(found, expected, "{query:?}");
    };
    let any = SeriesQuery::default;
    let (used, zero) = ("memory_used", [("device".to_owned(), "0".to_owned())]);
    check(any(), &[("load", "", ""), (used, "0", "bytes"), (used, "0", "share"), (used, "1", "bytes")]);
    check(SeriesQuery { labels: zero.into(), ..any() }, &[(used, "0", "bytes"), (used, "0", "share")]);
    check(SeriesQuery { name: Some("load".into()), ..any() }, &[("load", "", "")]);
    check(SeriesQuery { source: Some("agent/n2".into()), ..any() }, &[]);
    let query = ValueQuery { of: any(), from: Timestamp(5), until: Timestamp(6), limit: 9 };
    let values: Vec<Option<f64>> = reader.values(&query).unwrap().iter().map(|line| line.points[0].value).collect();
    assert_eq!(values, [None, Some(2.0), Some(4.0), Some(1.0)]);
}

#[test]
fn the_latest_are_what_a_limit_leaves() {
    let folder = Folder::new();
    let mut store = Store::create_or_open(folder.file()).unwrap();
    let count = 3 * CHUNK_SCRAPES as i64 + 5;
    store.append_scrapes(&[batch("s", &["a"], (0..count).map(|at| (at, vec![Some(at as f64)])))]).unwrap();
    let reader = store.reader().unwrap();
    let check = |from: i64, until: i64, limit: usize| {
        let query = ValueQuery { of: named("s", "a"), from: Timestamp(from), until: Timestamp(until), limit };
        let line = reader.values(&query).unwrap().remove(0);
        let in_span: Vec<i64> = (from.max(0)..until.min(count)).collect();
        let expected = &in_span[in_span.len().saturating_sub(limit)..];
        assert_eq!(line.points.iter().map(|point| point.at.0).collect::<Vec<_>>(), expected, "{query:?}");
        assert_eq!(line.is_cut, expected.len() < in_span.len(), "{query:?}");
        let query = IntervalQuery { of: query.of, from: query.from, until: query.until, interval: Millis(1), limit };
        let line = reader.intervals(&query).unwrap().remove(0);
        assert_eq!(line.intervals.iter().map(|interval| interval.at.0).collect::<Vec<_>>(), expected, "{query:?}");
        assert_eq!(line.is_cut, expected.len() < in_span.len(), "{query:?}");
    };
    for limit in [0, 1, 4, 5, 6, 1_000, 1_029, 1_030, 5_000] {
        check(i64::MIN, i64::MAX, limit);
        check(500, 2_500, limit);
        check(0, 1, limit);
    }
}

#[test]
fn what_cannot_be_kept_is_refused_whole() {
    let folder = Folder::new();
    let mut store = Store::create_or_open(folder.file()).unwrap();
    let good = || batch("s", &["a"], [(1, vec![Some(1.0)])]);
    let mut refused = |bad: Scrapes, expected: &str| {
        let error = store.append_scrapes(&[good(), bad]).unwrap_err();
        assert!(matches!(error.fault, Fault::Misshapen { .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(store.reader().unwrap().series(&SeriesQuery::default()).unwrap(), []);
    };
    refused(
        batch("s", &["a", "b"], [(1, vec![None, None]), (2, vec![None])]),
        "scrape 1 of source \"s\" has 1 values for 2 series",
    );
    refused(batch("s", &["a", "b", "a"], [(1, vec![None; 3])]), "names series \"a\" twice");
    refused(batch("s", &[""], [(1, vec![None])]), "a series has a name");
    refused(batch("", &["a"], [(1, vec![None])]), "a source has a name");
    refused(batch("s", &["a"], [(i64::MIN, vec![None])]), "no clock tells");
    let many: Vec<String> = (0..16_385).map(|number| number.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    refused(batch("s", &many, [(1, vec![None; 16_385])]), "16385 series at once");
    store.append_scrapes(&[good()]).unwrap();
    let error = store.pin(&pin("f", NOTHING, 0, 1)).unwrap_err();
    assert!(matches!(error.fault, Fault::Unknown { .. }), "{error}");
    assert!(matches!(store.pin(&pin("f", "s", 1, 1)).unwrap_err().fault, Fault::Misshapen { .. }));
}

#[test]
fn wide_scrapes_have_shorter_chunks() {
    let folder = Folder::new();
    let mut store = Store::create_or_open(folder.file()).unwrap();
    let names: Vec<String> = (0..16_384).map(|number| number.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let scrapes = (0..130).map(|at| (at, (0..16_384).map(|value| Some(f64::from(value))).collect()));
    store.append_scrapes(&[batch("wide", &names, scrapes)]).unwrap();
    store.append_scrapes(&[batch("wide", &names[..2], [(130, vec![Some(1.0), None])])]).unwrap();
    let report = check(folder.file()).unwrap();
    assert_eq!((report.chunks, report.scrapes), (1, 3), "{report}");
    assert_eq!(all(&store.reader().unwrap(), "wide", "1").len(), 131);
}

#[test]
fn the_latest_values_tell_how_things_stand() {
    let folder = Folder::new();
    let mut store = Store::create_or_open(folder.file()).unwrap();
    let latest = |store: &Store, from: i64| -> Vec<(String, i64, Option<f64>)> {
        let told = |Latest { series, point: Point { at, value } }| (series.name, at.0, value);
        store.reader().unwrap().latest_values("s", Timestamp(from)).unwrap().into_iter().map(told).collect()
    };
    assert_eq!(latest(&store, 0), []);
    let long = (0..CHUNK_SCRAPES as i64).map(|at| (at, vec![Some(at as f64), Some(0.5)]));
    store.append_scrapes(&[batch("s", &["a", "gone"], long)]).unwrap();
    let (a, gone) = (("a".to_owned(), 1_023, Some(1_023.0)), ("gone".to_owned(), 1_023, Some(0.5)));
    assert_eq!(latest(&store, 0), [a, gone.clone()]);
    store.append_scrapes(&[batch("s", &["a"], [(2_000, vec![Some(1.0)]), (2_001, vec![None])])]).unwrap();
    let a = ("a".to_owned(), 2_001, None);
    assert_eq!(latest(&store, 0), [a.clone(), gone]);
    assert_eq!(latest(&store, 2_000), [a]);
}
