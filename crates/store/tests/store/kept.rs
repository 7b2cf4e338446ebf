//! How long series are kept, how exactly, and what a finding holds on to.

use std::collections::BTreeMap;

use fleet::quantity::{Bytes, Millis};
use fleet::time::Timestamp;
use store::{CHUNK_SCRAPES, Interval, IntervalQuery, Pin, Retained, SeriesQuery, SeriesRule, SeriesRules, Store};

use crate::series::{Bits, all, batch, is_sound, named};
use crate::story::{Folder, Noise};

const SECOND: i64 = 1_000;

pub(crate) fn pin(finding: &str, source: &str, from: i64, until: i64) -> Pin {
    Pin { finding: finding.into(), source: source.into(), from: Timestamp(from), until: Timestamp(until) }
}

fn keep(store: &mut Store, now: i64, rules: SeriesRules<'_>) -> Retained {
    let mut sum = Retained::default();
    for _ in 0..100 {
        let Retained { taken_together, let_go, bytes, is_done } = store.keep_series(Timestamp(now), rules).unwrap();
        sum = Retained {
            taken_together: sum.taken_together + taken_together,
            let_go: sum.let_go + let_go,
            bytes,
            is_done,
        };
        if is_done {
            return sum;
        }
    }
    panic!("it is never done: {sum:?}");
}

/// An hour of every scrape, a day of minutes.
const RULE: SeriesRule = SeriesRule {
    sources: "",
    every_scrape_for: Millis::hours(1),
    interval: Millis::minutes(1),
    intervals_for: Millis::hours(24),
};

fn rules(bytes_max: Bytes) -> SeriesRules<'static> {
    SeriesRules { rules: &[RULE], bytes_max }
}

/// Six chunks of seconds, of a series with gaps in its knowledge and one that comes in the middle; ends at 6,144 s.
fn six_chunks(store: &mut Store) -> Vec<(i64, Option<f64>)> {
    let mut noise = Noise(3);
    let mut values = Vec::new();
    for second in 0..6 * CHUNK_SCRAPES as i64 {
        values.push((second * SECOND, (noise.below(10) > 0).then(|| noise.below(1_000) as f64 / 10.0)));
    }
    let (first, second) = values.split_at(3_000);
    store.append_scrapes(&[batch("s", &["a"], first.iter().map(|(at, value)| (*at, vec![*value])))]).unwrap();
    let second = second.iter().map(|(at, value)| (*at, vec![*value, Some(2.5)]));
    store.append_scrapes(&[batch("s", &["a", "late"], second)]).unwrap();
    values
}

fn minutes(store: &Store, name: &str) -> Vec<Interval> {
    let query = IntervalQuery {
        of: named("s", name),
        from: Timestamp::MIN,
        until: Timestamp::MAX,
        interval: Millis::minutes(1),
        limit: 100_000,
    };
    store.reader().unwrap().intervals(&query).unwrap().into_iter().flat_map(|line| line.intervals).collect()
}

/// Begin, mean in billionths, least, most, known, unknown.
type Minute = (i64, Option<i64>, Option<f64>, Option<f64>, u64, u64);

/// What minutes should come to; means in billionths, since they are added up in another order.
fn expected(values: &[(i64, Option<f64>)]) -> Vec<Minute> {
    let mut by_minute: BTreeMap<i64, Vec<Option<f64>>> = BTreeMap::new();
    values.iter().for_each(|(at, value)| by_minute.entry(at / 60_000 * 60_000).or_default().push(*value));
    let told = |(at, values): (i64, Vec<Option<f64>>)| {
        let known: Vec<f64> = values.iter().flatten().copied().collect();
        let mean = known.iter().sum::<f64>() / known.len() as f64;
        let any = !known.is_empty();
        (
            at,
            any.then_some((mean * 1e9).round() as i64),
            known.iter().copied().reduce(f64::min),
            known.iter().copied().reduce(f64::max),
            known.len() as u64,
            (values.len() - known.len()) as u64,
        )
    };
    by_minute.into_iter().map(told).collect()
}

fn told(minutes: &[Interval]) -> Vec<Minute> {
    let mean = |interval: &Interval| interval.mean.map(|mean| (mean * 1e9).round() as i64);
    minutes
        .iter()
        .map(|minute| (minute.at.0, mean(minute), minute.least, minute.most, minute.known, minute.unknown))
        .collect()
}

#[test]
fn what_is_old_is_taken_together_and_its_minutes_stay_what_they_were() {
    let folder = Folder::new();
    let mut store = Store::create_or_open(folder.file()).unwrap();
    let values = six_chunks(&mut store);
    let late: Vec<(i64, Option<f64>)> = values[3_000..].iter().map(|(at, _)| (*at, Some(2.5))).collect();
    let holds = |store: &Store| {
        assert_eq!(told(&minutes(store, "a")), expected(&values));
        assert_eq!(told(&minutes(store, "late")), expected(&late));
    };
    holds(&store);
    // Of four chunks nothing is younger than an hour, but they are few: they wait for more, for a day at most.
    let now = 3_600_000 + 4 * CHUNK_SCRAPES as i64 * SECOND;
    assert_eq!(keep(&mut store, now, rules(Bytes::gibi(1))).taken_together, 0);
    let patient = SeriesRule { intervals_for: Millis::hours(100), ..RULE };
    let patient = SeriesRules { rules: &[patient], bytes_max: Bytes::gibi(1) };
    let before = keep(&mut store, now, patient).bytes;
    let now = now + 24 * 3_600_000 - 3 * CHUNK_SCRAPES as i64 * SECOND;
    let kept = keep(&mut store, now, patient);
    assert_eq!((kept.taken_together, kept.let_go), (6, 0));
    assert!(kept.bytes.0 < before.0 / 4, "{kept:?}, before {before:?}");
    holds(&store);
    assert_eq!(all(&store.reader().unwrap(), "s", "a"), [], "every scrape is no more");
    assert_eq!(keep(&mut store, now, patient).taken_together, 0, "what is done is done");
    is_sound(&folder);
    // A day later nothing is left, not even names.
    let kept = keep(&mut store, now + 100 * 3_600_000, patient);
    assert_eq!((kept.let_go, kept.bytes), (1, Bytes(0)));
    assert_eq!(store.reader().unwrap().series(&SeriesQuery::default()).unwrap(), []);
    is_sound(&folder);
    six_chunks(&mut store);
    holds(&store);
}

#[test]
fn what_a_finding_pinned_stays_as_it_was_until_the_finding_lets_go() {
    let folder = Folder::new();
    let mut store = Store::create_or_open(folder.file()).unwrap();
    let values = six_chunks(&mut store);
    // In the third chunk.
    let (from, until) = (2_100 * SECOND, 2_200 * SECOND);
    store.pin(&pin("f1", "s", from, until)).unwrap();
    store.pin(&pin("f1", "s", from, until)).unwrap();
    store.pin(&pin("f2", "s", until - 1, until)).unwrap();
    assert_eq!(
        store.reader().unwrap().pins().unwrap(),
        [pin("f1", "s", from, until), pin("f2", "s", until - 1, until)]
    );
    let later = 23 * 3_600_000;
    keep(&mut store, 26 * 3_600_000, rules(Bytes::gibi(1)));
    let of_chunk = |values: &[(i64, Option<f64>)]| -> Bits {
        let bits = |(at, value): &(i64, Option<f64>)| (*at, value.map(f64::to_bits));
        values[2 * CHUNK_SCRAPES..3 * CHUNK_SCRAPES].iter().map(bits).collect()
    };
    assert_eq!(all(&store.reader().unwrap(), "s", "a"), of_chunk(&values));
    // Neither age nor want of room moves it.
    let kept = keep(&mut store, later + 100 * 3_600_000, rules(Bytes(1)));
    assert!(kept.is_done && kept.bytes > Bytes(1), "{kept:?}");
    assert_eq!(all(&store.reader().unwrap(), "s", "a"), of_chunk(&values));
    assert_eq!(store.unpin("f1").unwrap(), 1);
    keep(&mut store, later + 100 * 3_600_000, rules(Bytes(1)));
    assert_eq!(all(&store.reader().unwrap(), "s", "a"), of_chunk(&values), "another finding holds it");
    assert_eq!((store.unpin("f2").unwrap(), store.unpin("f2").unwrap()), (1, 0));
    let kept = keep(&mut store, later + 100 * 3_600_000, rules(Bytes(1)));
    assert_eq!((kept.let_go, kept.bytes), (1, Bytes(0)));
    is_sound(&folder);
}

#[test]
fn for_want_of_room_the_oldest_go() {
    let folder = Folder::new();
    let mut store = Store::create_or_open(folder.file()).unwrap();
    let values = six_chunks(&mut store);
    let whole = keep(&mut store, 0, rules(Bytes::gibi(1)));
    assert_eq!(whole.let_go, 0);
    let kept = keep(&mut store, 0, rules(Bytes(whole.bytes.0 / 2)));
    assert!((3..=5).contains(&kept.let_go) && kept.bytes.0 <= whole.bytes.0 / 2, "{kept:?} of {whole:?}");
    let left = all(&store.reader().unwrap(), "s", "a");
    assert_eq!(left.first().unwrap().0, values[kept.let_go as usize * CHUNK_SCRAPES].0);
    assert_eq!(left.len(), values.len() - kept.let_go as usize * CHUNK_SCRAPES);
    is_sound(&folder);
}
