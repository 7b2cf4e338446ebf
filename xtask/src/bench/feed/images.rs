//! Bars 1 and 2: photographs, cut, resized, flipped and normalised: for each core-second, and how near to a plain computation.

use std::ffi::OsString;

use serde::Deserialize;

use super::super::row::{Row, Target};
use super::super::session::Session;
use super::peers::{Home, Peers, ROUNDS, median};
use super::photographs;

/// Enough for all decoded images.
const ROOM: &str = "2000000000";

/// Without anything kept from epoch to epoch.
pub(super) fn drawn(session: &mut Session) -> anyhow::Result<()> {
    let Some(source) = session.data(1, "images") else { return Ok(()) };
    let folder: OsString = photographs::make(&source)?.into();
    let peers = Peers::install()?;
    let (mut ours, mut to_dali, mut to_torch) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let own = peers.measure(Home::Torch, "images_trimtab.py", &[&folder, &"0".into()])?.per_core_second();
        let dali = peers.measure(Home::Dali, "images_dali.py", &[&folder])?.per_core_second();
        let torch = peers.measure(Home::Torch, "images_torch.py", &[&folder])?.per_core_second();
        ours.push(own);
        to_dali.push(own / dali);
        to_torch.push(own / torch);
    }
    session.add(Row::new(1, "images", median(ours), Target::Stated, "per core-second"));
    session.add(Row::new(1, "images, to DALI", median(to_dali), Target::AtLeast(2.0), "x"));
    session.add(Row::new(1, "images, to torch with Pillow", median(to_torch), Target::AtLeast(3.0), "x"));
    quality(session, &peers, 1, &folder, "0")
}

/// With all images kept decoded.
pub(super) fn kept(session: &mut Session) -> anyhow::Result<()> {
    let Some(source) = session.data(2, "images") else { return Ok(()) };
    let folder: OsString = photographs::make(&source)?.into();
    let peers = Peers::install()?;
    let (mut ours, mut to_dali) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let own = peers.measure(Home::Torch, "images_trimtab.py", &[&folder, &ROOM.into()])?.per_core_second();
        let dali = peers.measure(Home::Dali, "images_dali.py", &[&folder])?.per_core_second();
        ours.push(own);
        to_dali.push(own / dali);
    }
    session.add(Row::new(2, "images kept decoded", median(ours), Target::Stated, "per core-second"));
    session.add(Row::new(2, "images kept decoded, to DALI", median(to_dali), Target::AtLeast(8.0), "x"));
    quality(session, &peers, 2, &folder, ROOM)
}

/// What comes of comparing every image of two epochs with Pillow's, and with what comes without anything kept.
#[derive(Debug, Deserialize)]
struct Quality {
    images: u64,
    decibels_min: f64,
    decibels_median: f64,
    changed_by_keeping: u64,
}

fn quality(session: &mut Session, peers: &Peers, bar: u32, folder: &OsString, room: &str) -> anyhow::Result<()> {
    let printed = peers.run(Home::Torch, "images_quality.py", &[folder, &room.into()])?;
    let quality: Quality = serde_json::from_str(&printed)?;
    let case = |what: &str| format!("{what}, of {} images", quality.images);
    session.add(Row::new(bar, case("least PSNR to Pillow"), quality.decibels_min, Target::AtLeast(50.0), "dB"));
    session.add(Row::new(bar, case("median PSNR to Pillow"), quality.decibels_median, Target::Stated, "dB"));
    if bar == 2 {
        let changed = quality.changed_by_keeping as f64;
        session.add(Row::new(bar, case("changed by being kept"), changed, Target::AtMost(0.0), "images"));
    }
    Ok(())
}
