//! What the streams of a device worked on.

use super::{Drawing, Kind, Lane, Segment, Tone};
use crate::kineto::{INTERVALS, Lanes, STREAMS_DRAWN, StreamLane};

/// Shares of an interval are told in steps of so many percent: neighbours that are alike become one segment.
const PERCENT: f64 = 5.0;

/// Lane by lane, in as many intervals as were kept.
#[must_use]
pub fn of_streams(streams: &Lanes) -> Drawing {
    let kinds = [
        ("computation", Tone::Work),
        ("communication", Tone::Transfer),
        ("memory", Tone::Memory),
        ("other", Tone::Plain),
    ];
    let interval_ms = streams.interval_us / 1_000.0;
    let several = streams.lanes.iter().any(|lane| lane.stream.is_some() && lane.device != streams.lanes[0].device);
    let device = |lane: &StreamLane| lane.device.filter(|_| several).map(|device| format!("device {device}"));
    let lanes = streams.lanes.iter().map(|lane| Lane {
        group: device(lane).unwrap_or_default(),
        name: lane.stream.map_or_else(|| "further streams".to_owned(), |stream| format!("stream {stream}")),
        segments: segments(&lane.shares, interval_ms),
    });
    let mut notes = vec![format!(
        "The height of a colour is the share of an interval in which its kind of work ran; what is empty was idle. Intervals are \
         {} long; the whole has at most {INTERVALS}.",
        if interval_ms < 1.0 { format!("{:.0} µs", streams.interval_us) } else { format!("{interval_ms:.1} ms") }
    )];
    if streams.lanes.iter().any(|lane| lane.stream.is_none()) {
        notes.push(format!("The first {} streams are told apart, all further ones are one.", STREAMS_DRAWN - 1));
    }
    Drawing {
        title: "What streams worked on".to_owned(),
        unit: "ms",
        from: 0.0,
        to: streams.total_us / 1_000.0,
        kinds: kinds.map(|(name, tone)| Kind { name: name.to_owned(), tone }).to_vec(),
        lanes: lanes.collect(),
        marks: Vec::new(),
        notes,
    }
}

/// One above the other, each as high as its share.
fn segments(shares: &[[f64; 4]], interval_ms: f64) -> Vec<Segment> {
    let levels: Vec<[u8; 5]> = shares.iter().map(levels).collect();
    let mut segments: Vec<Segment> = Vec::new();
    let mut at = 0;
    while at < levels.len() {
        let alike = levels[at..].iter().take_while(|level| **level == levels[at]).count();
        for kind in 0..4 {
            let (bottom, top) = (levels[at][kind], levels[at][kind + 1]);
            if top > bottom {
                let (start, length) = (at as f64 * interval_ms, alike as f64 * interval_ms);
                segments.push(Segment { kind, start, length, bottom, top });
            }
        }
        at += alike;
    }
    segments
}

/// Where each begins and the last ends, in percent of the lane's height.
fn levels(shares: &[f64; 4]) -> [u8; 5] {
    let (mut levels, mut sum) = ([0; 5], 0.0);
    for (level, share) in levels[1..].iter_mut().zip(shares) {
        sum += share;
        *level = ((100.0 * sum / PERCENT).round() * PERCENT).clamp(0.0, 100.0) as u8;
    }
    levels
}
