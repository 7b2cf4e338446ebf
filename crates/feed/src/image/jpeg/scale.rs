//! Fewer samples than an image has, from fewer coefficients of each block: what is to be made smaller anyway need not be whole first.

use super::frame::{BLOCK, Component, Frame};
use super::planes::Region;

/// What is decoded of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// The part, in pixels of the image as it is.
    pub region: Region,
    /// How much smaller than it is.
    pub scale: Scale,
}

impl From<Region> for Look {
    fn from(region: Region) -> Look {
        Look { region, scale: Scale::Whole }
    }
}

/// How much smaller an image is decoded than it is, both ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// As it is.
    #[default]
    Whole,
    /// Four samples of a block by four.
    Half,
    /// Two by two.
    Quarter,
    /// One, which is the block's mean.
    Eighth,
}

impl Scale {
    /// The smallest that leaves of a region at least as many samples as are drawn of it, both ways.
    pub fn enough(region: Region, width: usize, height: usize) -> Scale {
        let leaves = |scale: &Scale| region.width / scale.step() >= width && region.height / scale.step() >= height;
        [Scale::Eighth, Scale::Quarter, Scale::Half].into_iter().find(leaves).unwrap_or(Scale::Whole)
    }

    /// Pixels for each sample of luminance, either way.
    pub fn step(self) -> usize {
        match self {
            Scale::Whole => 1,
            Scale::Half => 2,
            Scale::Quarter => 4,
            Scale::Eighth => 8,
        }
    }

    /// How much smaller a component is then made. One with fewer samples than pixels is made less small, as far as luminance is: nothing
    /// would be gained by leaving it coarser.
    pub(super) fn of(self, frame: &Frame, component: &Component) -> Scale {
        let (horizontal, vertical) = frame.factors_max();
        let own = (horizontal / component.horizontal).min(vertical / component.vertical);
        match self.step() / own.min(self.step()) {
            8.. => Scale::Eighth,
            4.. => Scale::Quarter,
            2.. => Scale::Half,
            _ => Scale::Whole,
        }
    }

    /// Samples of a block, either way.
    pub(super) fn samples(self) -> usize {
        BLOCK / self.step()
    }
}

/// For each coefficient along one side, its part in each sample: the cosines of a transform of so many points, and half of them, since
/// coefficients are those of a transform of eight (A.3.3).
type Basis<const N: usize> = [[f32; N]; N];

const MEAN: f32 = std::f32::consts::FRAC_1_SQRT_2 / 2.0;
/// Halves of the cosines of an eighth, a quarter and three eighths of a half turn.
const C1: f32 = 0.461_939_77;
const C2: f32 = MEAN;
const C3: f32 = 0.191_341_72;
const FOUR: Basis<4> = [[MEAN; 4], [C1, C3, -C3, -C1], [C2, -C2, -C2, C2], [C3, -C1, C1, -C3]];
const TWO: Basis<2> = [[MEAN; 2], [C2, -C2]];

/// Gives the samples of a block from its coefficients, which are dequantised, in rows: each with its column and row.
pub(super) fn inverse(scale: Scale, coefficients: &[i32; 64], put: impl FnMut(usize, usize, u8)) {
    match scale {
        Scale::Whole => unreachable!("whole blocks have a transform of their own"),
        Scale::Half => inverse_of(&FOUR, coefficients, put),
        Scale::Quarter => inverse_of(&TWO, coefficients, put),
        Scale::Eighth => inverse_of(&[[MEAN]], coefficients, put),
    }
}

fn inverse_of<const N: usize>(basis: &Basis<N>, coefficients: &[i32; 64], mut put: impl FnMut(usize, usize, u8)) {
    let mut halfway = [[0.0; N]; N];
    for (row, sums) in halfway.iter_mut().enumerate() {
        for (place, parts) in basis.iter().enumerate() {
            let coefficient = coefficients[BLOCK * row + place] as f32;
            sums.iter_mut().zip(parts).for_each(|(sum, part)| *sum += coefficient * part);
        }
    }
    for row in 0..N {
        let mut sums = [128.5; N];
        for (from, parts) in halfway.iter().zip(basis) {
            sums.iter_mut().zip(from).for_each(|(sum, from)| *sum += from * parts[row]);
        }
        // What is below zero becomes it, and what is above 255 that.
        sums.into_iter().enumerate().for_each(|(column, sum)| put(column, row, sum as u8));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_never_drawn_from_fewer_samples_than_come_out() {
        let region = |width, height| Region { left: 3, top: 5, width, height };
        for (width, height, expected) in [
            (223, 4000, Scale::Whole),
            (447, 448, Scale::Whole),
            (448, 448, Scale::Half),
            (1000, 900, Scale::Quarter),
            (900, 895, Scale::Half),
            (5000, 1792, Scale::Eighth),
            (50_000, 50_000, Scale::Eighth),
        ] {
            assert_eq!(Scale::enough(region(width, height), 224, 224), expected, "{width} x {height}");
        }
    }

    #[test]
    fn samples_are_those_of_the_formula() {
        let mut coefficients = [0; 64];
        for (place, coefficient) in coefficients.iter_mut().enumerate() {
            *coefficient = (place as i32 * 37 % 91 - 45) * 6 / (1 + place as i32 / 8 + place as i32 % 8);
        }
        coefficients[0] = 160;
        for scale in [Scale::Half, Scale::Quarter, Scale::Eighth] {
            let count = scale.samples();
            let mut found = vec![vec![0; count]; count];
            inverse(scale, &coefficients, |column, row, sample| found[row][column] = sample);
            for (y, row) in found.iter().enumerate() {
                for (x, sample) in row.iter().enumerate() {
                    let part = |place: usize, at: usize| {
                        let turn = (2 * at + 1) as f64 * place as f64 * std::f64::consts::PI / (2 * count) as f64;
                        turn.cos() * if place == 0 { 0.5_f64.sqrt() } else { 1.0 } / 2.0
                    };
                    let all = (0..count).flat_map(|v| (0..count).map(move |u| (u, v)));
                    let sum: f64 = all.map(|(u, v)| f64::from(coefficients[8 * v + u]) * part(u, x) * part(v, y)).sum();
                    let expected = (sum + 128.0).clamp(0.0, 255.0);
                    assert!((f64::from(*sample) - expected).abs() <= 0.51, "{scale:?}, {x}, {y}: {sample}, {expected}");
                }
            }
        }
    }
}
