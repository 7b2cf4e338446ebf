//! Which part of an image is looked at.

use super::jpeg::{Region, Size};
use crate::random::Draws;

/// Which part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Crop {
    /// All of the image.
    Whole,
    /// The middle.
    Centre {
        /// The pixels of the image's shorter side, were it drawn small enough for the part to have the size that it is drawn to.
        shorter: usize,
    },
    /// A part drawn anew each time.
    Random(RandomCrop),
}

impl Crop {
    /// The part of an image that is drawn to `target`.
    pub fn part(&self, image: Size, target: Size, draws: &mut Draws) -> Region {
        match self {
            Crop::Whole => Region { left: 0, top: 0, width: image.width, height: image.height },
            Crop::Centre { shorter } => {
                let scale = image.width.min(image.height) as f64 / *shorter as f64;
                let side = |target: usize, all: usize| ((target as f64 * scale).round() as usize).clamp(1, all);
                let (width, height) = (side(target.width, image.width), side(target.height, image.height));
                Region { left: (image.width - width) / 2, top: (image.height - height) / 2, width, height }
            }
            Crop::Random(random) => random.draw(image, draws),
        }
    }
}

/// A part of random area and shape, as torchvision's `RandomResizedCrop` draws it (Szegedy et al.: "Going deeper with
/// convolutions", 2015, section 6).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomCrop {
    /// The least and the largest part of the image's area.
    pub area: (f64, f64),
    /// The least and the largest ratio of width to height.
    pub ratio: (f64, f64),
}

/// How often a part is drawn that does not fit, before one in the middle is taken.
const TRIES: usize = 10;

impl RandomCrop {
    /// Draws a part of an image.
    pub fn draw(&self, image: Size, draws: &mut Draws) -> Region {
        let (width, height) = (image.width as f64, image.height as f64);
        for _ in 0..TRIES {
            let area = width * height * draws.between(self.area.0, self.area.1);
            // In logarithms, so that wide and tall are as likely. libm computes the same on every machine.
            let ratio = libm::exp(draws.between(libm::log(self.ratio.0), libm::log(self.ratio.1)));
            let size =
                Size { width: (area * ratio).sqrt().round() as usize, height: (area / ratio).sqrt().round() as usize };
            let fits = (1..=image.width).contains(&size.width) && (1..=image.height).contains(&size.height);
            if fits {
                return Region {
                    left: draws.below((image.width - size.width + 1) as u64) as usize,
                    top: draws.below((image.height - size.height + 1) as u64) as usize,
                    width: size.width,
                    height: size.height,
                };
            }
        }
        self.middle(image)
    }

    /// The largest part in the middle whose ratio is allowed.
    fn middle(&self, image: Size) -> Region {
        let ratio = image.width as f64 / image.height as f64;
        let (mut width, mut height) = (image.width, image.height);
        if ratio < self.ratio.0 {
            height = ((width as f64 / self.ratio.0).round() as usize).clamp(1, image.height);
        } else if ratio > self.ratio.1 {
            width = ((height as f64 * self.ratio.1).round() as usize).clamp(1, image.width);
        }
        Region { left: (image.width - width) / 2, top: (image.height - height) / 2, width, height }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const USUAL: RandomCrop = RandomCrop { area: (0.08, 1.0), ratio: (0.75, 4.0 / 3.0) };

    proptest! {
        #[test]
        fn a_part_lies_in_its_image(width in 1_usize..3000, height in 1_usize..3000, seed: u64) {
            let image = Size { width, height };
            let part = USUAL.draw(image, &mut Draws::of(&[seed]));
            prop_assert!(part.width > 0 && part.height > 0);
            prop_assert!(part.left + part.width <= width && part.top + part.height <= height);
        }
    }

    #[test]
    fn the_middle_is_as_large_as_its_scale_says() {
        let target = Size { width: 224, height: 224 };
        let part =
            |width, height| Crop::Centre { shorter: 256 }.part(Size { width, height }, target, &mut Draws::of(&[]));
        assert_eq!(part(500, 375), Region { left: 86, top: 23, width: 328, height: 328 });
        assert_eq!(part(256, 256), Region { left: 16, top: 16, width: 224, height: 224 });
        // Of an image that is too narrow, all there is.
        assert_eq!(part(1, 1000), Region { left: 0, top: 499, width: 1, height: 1 });
        assert_eq!(
            Crop::Centre { shorter: 100 }.part(Size { width: 10, height: 90 }, target, &mut Draws::of(&[])).width,
            10
        );
    }

    #[test]
    fn areas_are_as_likely_as_each_other() {
        let image = Size { width: 4000, height: 4000 };
        let shares: Vec<f64> = (0..4000)
            .map(|seed| USUAL.draw(image, &mut Draws::of(&[seed])))
            .map(|part| (part.width * part.height) as f64 / 16e6)
            .collect();
        assert!(shares.iter().all(|share| (0.079..=1.0).contains(share)));
        // Few draws are refused for their shape: the mean is near that of a uniform draw, a little below.
        let mean = shares.iter().sum::<f64>() / shares.len() as f64;
        assert!((0.47..0.54).contains(&mean), "{mean}");
    }
}
