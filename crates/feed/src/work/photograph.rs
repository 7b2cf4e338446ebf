//! A photograph for training: a random part of it, resized, mirrored by chance, its colours changed by chance, normalised.

use std::sync::atomic::Ordering;
use std::time::Instant;

use super::columns::Reason;
use super::darkroom::{Darkroom, Darkrooms};
use super::decoded::{Decoded, Image};
use super::desk::Seat;
use crate::buffer::Slot;
use crate::image::crop::Crop;
use crate::image::jitter::{Jitter, Operation, apply};
use crate::image::jpeg::{Look, Plane, Planes, Region, Scale, Size};
use crate::image::{ImageError, Normalise, Renderer, Target, finish};
use crate::meter::Meter;
use crate::pipeline::{Output, Turn, Type};
use crate::random::Draws;

/// What is done to each image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Photograph {
    /// The part that is looked at.
    pub crop: Crop,
    /// The width that it is drawn to.
    pub width: usize,
    /// The height that it is drawn to.
    pub height: usize,
    /// How often left and right change places.
    pub mirror: f64,
    /// Whether a JPEG is decoded smaller where it is to be drawn smaller.
    pub dct_scaling: bool,
    /// How colours are changed.
    pub jitter: Option<Jitter>,
    /// What is written for a sample of 0 to 255.
    pub pixels: Pixels,
    /// Names the draws.
    pub seed: u64,
}

/// What is written for the samples of an image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pixels {
    /// Floating-point numbers, normalised.
    Normalised(Normalise),
    /// Bytes, as they are: a quarter of the memory, for whoever normalises on the device.
    Bytes,
}

/// Bytes that an area of an image takes decoded, in planes as these are.
fn decoded_bytes(alike: &Planes, area: Size) -> u64 {
    let Size { width, height } = area;
    let pixels = |plane: &Plane| (width.div_ceil(plane.step_x)) * height.div_ceil(plane.step_y);
    alike.planes.iter().map(pixels).sum::<usize>() as u64
}

/// What is drawn by chance for one image.
struct View {
    /// The part that is looked at.
    region: Region,
    /// What it is drawn to.
    target: Target,
    /// What is done to its colours.
    operations: Vec<Operation>,
}

impl Photograph {
    /// Bytes of the picture, before it is where it belongs, and of the rows it is made from.
    pub fn drawn_bytes(&self) -> usize {
        2 * 3 * self.width * self.height * size_of::<f32>()
    }

    /// What comes out.
    pub(super) fn output(&self, name: &str) -> Output {
        let number = match self.pixels {
            Pixels::Normalised(_) => Type::F32,
            Pixels::Bytes => Type::U8,
        };
        Output::numbers(name, number, &[3, self.height, self.width])
    }

    /// What is drawn by chance in this turn. It depends on nothing but the turn, the image's size, and the seed.
    fn view(&self, turn: Turn, size: Size) -> View {
        let mut draws = Draws::of(&[self.seed, turn.epoch, turn.position]);
        let region = self.crop.part(size, Size { width: self.width, height: self.height }, &mut draws);
        let mirrored = draws.chance(self.mirror);
        let target = Target { width: self.width, height: self.height, mirrored };
        // Last, so that the same part is looked at with changed colours as without.
        let operations = self.jitter.map_or_else(Vec::new, |jitter| jitter.draw(&mut draws));
        View { region, target, operations }
    }

    /// Writes the part that is looked at in this turn: left, top, width, height, and 1 where it is mirrored.
    pub(super) fn tell_part(&self, turn: Turn, size: Size, numbers: &mut [i64]) {
        let View { region, target, .. } = self.view(turn, size);
        let Region { left, top, width, height } = region;
        let told = [left, top, width, height, usize::from(target.mirrored)];
        numbers.iter_mut().zip(told).for_each(|(number, told)| *number = told as i64);
    }

    /// Makes the photograph of a turn; its file is read into a buffer where it is not kept decoded.
    pub(super) fn make(
        &self,
        turn: Turn,
        (file, read): (&mut Vec<u8>, impl FnOnce(&mut Vec<u8>) -> Result<(), Reason>),
        (kept, image): (&Decoded, Image),
        (rooms, seat, meter): (&Darkrooms, &mut Seat<'_>, &Meter),
        slot: &mut Slot<'_>,
    ) -> Result<(), Reason> {
        if let Some(planes) = kept.get(image) {
            let view = self.view(turn, Size { width: planes.width, height: planes.height });
            let Darkroom { renderer, drawn, .. } = &mut *rooms.enter();
            self.draw(renderer, &planes, &view, drawn, slot);
            return Ok(());
        }
        read(file)?;
        let mut room = rooms.enter();
        let made = self.make_in(&mut room, turn, file, (kept, image), (seat, meter), slot);
        if seat.is_large() {
            // What it took must not stay taken, for the next one's turn to begin.
            room.tear_down();
        }
        made
    }

    /// Makes the photograph of a file.
    fn make_in(
        &self,
        room: &mut Darkroom,
        turn: Turn,
        file: &[u8],
        (kept, image): (&Decoded, Image),
        (seat, meter): (&mut Seat<'_>, &Meter),
        slot: &mut Slot<'_>,
    ) -> Result<(), Reason> {
        let whole = |size: Size| Region { left: 0, top: 0, width: size.width, height: size.height };
        let is_to_keep = kept.takes_more();
        let seen = |size: Size| {
            if is_to_keep {
                return whole(size).into();
            }
            let region = self.view(turn, size).region;
            let scale = if self.dct_scaling { Scale::enough(region, self.width, self.height) } else { Scale::Whole };
            Look { region, scale }
        };
        let start = Instant::now();
        let mut decoded = room.decoder.decode(file, seen, seat.left(), &mut room.planes);
        if let Err(ImageError::NoRoom { bytes }) = decoded {
            seat.grow(bytes)?;
            decoded = room.decoder.decode(file, seen, seat.left(), &mut room.planes);
        }
        let size = decoded?;
        meter.decode.stop(start);
        let view = self.view(turn, size);
        // Those that are made smaller are never kept.
        if !self.dct_scaling {
            // What lies beside the part is brought along with it.
            let rows = Size { width: size.width, height: view.region.height };
            meter.decoded.fetch_add(1, Ordering::Relaxed);
            meter.decoded_bytes.fetch_add(decoded_bytes(&room.planes, size), Ordering::Relaxed);
            meter.seen_bytes.fetch_add(decoded_bytes(&room.planes, rows), Ordering::Relaxed);
        }
        if is_to_keep {
            room.renderer.survey(&mut room.planes);
            kept.keep(image, &room.planes);
        }
        let finding_before = room.renderer.finding();
        self.draw(&mut room.renderer, &room.planes, &view, &mut room.drawn, slot);
        // That is spared, too, where it is kept decoded.
        meter.decode.add(room.renderer.finding() - finding_before);
        Ok(())
    }

    fn draw(&self, renderer: &mut Renderer, planes: &Planes, view: &View, drawn: &mut Vec<f32>, slot: &mut Slot<'_>) {
        let View { region, target, operations } = view;
        if let (Pixels::Normalised(normalise), []) = (&self.pixels, operations.as_slice()) {
            // Straight to where it belongs.
            renderer.render(planes, *region, *target, normalise, slot.as_numbers());
            return;
        }
        drawn.resize(3 * self.width * self.height, 0.0);
        renderer.render(planes, *region, *target, &Normalise::none(), drawn);
        apply(operations, drawn);
        match &self.pixels {
            Pixels::Normalised(normalise) => finish::normalise(drawn, normalise, slot.as_numbers()),
            Pixels::Bytes => finish::round(drawn, slot.bytes()),
        }
    }
}
