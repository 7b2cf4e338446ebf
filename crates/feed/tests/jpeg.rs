//! The decoder against another one, on images of every kind, and against itself on parts of them.

use feed::image::jpeg::{Colour, Decoder, JpegError, Look, Plane, Planes, Region, Scale, size};
use feed::image::{Normalise, Renderer, Target};
use feed::random::Draws;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use proptest::prelude::*;

/// How an image is encoded.
#[derive(Clone, Debug)]
struct Kind {
    width: u16,
    height: u16,
    gray: bool,
    sampling: SamplingFactor,
    progressive: bool,
    optimised: bool,
    restart: u16,
    quality: u8,
    seed: u64,
}

fn kinds() -> impl Strategy<Value = Kind> {
    let samplings = [
        SamplingFactor::F_1_1,
        SamplingFactor::F_2_1,
        SamplingFactor::F_1_2,
        SamplingFactor::F_2_2,
        SamplingFactor::F_4_1,
        SamplingFactor::F_4_2,
        SamplingFactor::F_1_4,
        SamplingFactor::F_2_4,
    ];
    let flags = (any::<bool>(), any::<bool>(), prop::bool::weighted(0.2));
    let sizes = (1_u16..150, 1_u16..150);
    (sizes, flags, prop::sample::select(samplings.to_vec()), 0_u16..20, 50_u8..100, any::<u64>()).prop_map(
        |((width, height), (progressive, optimised, gray), sampling, restart, quality, seed)| Kind {
            width,
            height,
            gray,
            sampling,
            progressive,
            // With restarts, this encoder forgets codes when it counts them.
            optimised: optimised && restart == 0,
            restart,
            quality,
            seed,
        },
    )
}

/// An image with slopes, edges and noise, and with no colour near the end of what can be told.
fn encoded(kind: &Kind) -> Vec<u8> {
    let channels = if kind.gray { 1 } else { 3 };
    let mut draws = Draws::of(&[kind.seed]);
    let waves: Vec<f64> = (0..3 * channels).map(|_| draws.between(0.01, 0.4)).collect();
    let mut pixels = Vec::new();
    for y in 0..kind.height {
        for x in 0..kind.width {
            for channel in 0..channels {
                let wave = &waves[3 * channel..][..3];
                let slope = (f64::from(x) * wave[0]).sin() + (f64::from(y) * wave[1]).cos();
                let edge = if f64::from(x) * wave[2] > f64::from(y) { 20.0 } else { 0.0 };
                pixels.push((105.0 + 25.0 * slope + edge + draws.between(-9.0, 9.0)) as u8);
            }
        }
    }
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, kind.quality);
    encoder.set_sampling_factor(kind.sampling);
    encoder.set_progressive(kind.progressive);
    encoder.set_optimized_huffman_tables(kind.optimised);
    encoder.set_restart_interval(kind.restart);
    let colours = if kind.gray { ColorType::Luma } else { ColorType::Rgb };
    encoder.encode(&pixels, kind.width, kind.height, colours).expect("the encoder takes any image");
    file
}

fn decoded(file: &[u8], region: Option<Region>) -> Result<Planes, JpegError> {
    let mut planes = Planes::new();
    let choose = |size: feed::image::jpeg::Size| {
        region.unwrap_or(Region { left: 0, top: 0, width: size.width, height: size.height })
    };
    Decoder::new(1 << 24).decode(file, choose, usize::MAX, &mut planes).map(|_| planes)
}

/// The luminance of an image by another decoder, in rows: mixed again from the colours that it gives (JFIF 1.02, page 3).
fn luminance_elsewhere(file: &[u8], gray: bool) -> Vec<f64> {
    let pixels = jpeg_decoder::Decoder::new(file).decode().expect("the image is well formed");
    if gray {
        return pixels.into_iter().map(f64::from).collect();
    }
    let parts = [0.299, 0.587, 0.114];
    let (pixels, _) = pixels.as_chunks::<3>();
    pixels.iter().map(|pixel| pixel.iter().zip(parts).map(|(colour, part)| f64::from(*colour) * part).sum()).collect()
}

/// The sample that covers a pixel.
fn sample(plane: &Plane, x: usize, y: usize) -> u8 {
    plane.sample(x / plane.step_x - plane.first_column, y / plane.step_y - plane.first_row)
}

/// The same, made smaller.
fn decoded_smaller(file: &[u8], scale: Scale, region: Option<Region>) -> Planes {
    let mut planes = Planes::new();
    let look = |size: feed::image::jpeg::Size| {
        let region = region.unwrap_or(Region { left: 0, top: 0, width: size.width, height: size.height });
        Look { region, scale }
    };
    let decoded = Decoder::new(1 << 24).decode(file, look, usize::MAX, &mut planes);
    decoded.expect("the image is well formed");
    planes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn made_smaller_it_is_nearly_the_mean_and_parts_are_those_of_the_whole(
        kind in kinds(),
        scale in prop::sample::select(vec![Scale::Half, Scale::Quarter, Scale::Eighth]),
        place in any::<[u16; 4]>(),
    ) {
        let file = encoded(&kind);
        let (whole, smaller) = (decoded(&file, None).expect("the image is well formed"), decoded_smaller(&file, scale, None));
        let step = scale.step();
        let (mut sum, mut count) = (0.0, 0.0);
        for (from, to) in whole.planes.iter().zip(&smaller.planes) {
            // What has fewer samples than pixels is made less small, as far as luminance is.
            let step = step / step.min(from.step_x.min(from.step_y));
            prop_assert_eq!((to.step_x, to.step_y), (from.step_x * step, from.step_y * step));
            prop_assert_eq!((to.columns, to.rows), (from.columns.div_ceil(step), from.rows.div_ceil(step)));
            // Those that lie in the image as a whole: what an encoder puts beside it is its own affair.
            for (column, row) in (0..from.columns / step).flat_map(|column| (0..from.rows / step).map(move |row| (column, row))) {
                let all = (0..step * step).map(|at| from.sample(column * step + at / step, row * step + at % step));
                let mean = all.map(f64::from).sum::<f64>() / (step * step) as f64;
                let away = (f64::from(to.sample(column, row)) - mean).abs();
                // What a block's mean is does not hang on how many samples it is told by, but for those that were cut off.
                let most = if step == 8 { 2.0 } else { 25.0 };
                prop_assert!(away <= most, "{away} away at {column}, {row}");
                (sum, count) = (sum + away, count + 1.0);
            }
        }
        prop_assert!(sum <= 3.0 * count, "{} away on the whole", sum / count);

        let (width, height) = (usize::from(kind.width), usize::from(kind.height));
        let [left, top, right, bottom] = place.map(usize::from);
        let (left, top) = (left % width, top % height);
        let region = Region { left, top, width: 1 + right % (width - left), height: 1 + bottom % (height - top) };
        let part = decoded_smaller(&file, scale, Some(region));
        for (whole, part) in smaller.planes.iter().zip(&part.planes) {
            for y in region.top..region.top + region.height {
                for x in region.left..region.left + region.width {
                    prop_assert_eq!(sample(whole, x, y), sample(part, x, y), "at {}, {}", x, y);
                }
            }
        }
    }

    #[test]
    fn luminance_is_what_another_decoder_finds(kind in kinds()) {
        let file = encoded(&kind);
        let planes = decoded(&file, None).expect("the image is well formed");
        prop_assert_eq!(planes.colour, if kind.gray { Colour::Gray } else { Colour::YCbCr });
        let other = luminance_elsewhere(&file, kind.gray);
        for y in 0..usize::from(kind.height) {
            for x in 0..usize::from(kind.width) {
                let (own, other) = (sample(&planes.planes[0], x, y), other[y * usize::from(kind.width) + x]);
                // Its inverse transform rounds in other places, and so do its colours.
                prop_assert!((f64::from(own) - other).abs() <= 3.0, "at {x}, {y}: {own} and {other}");
            }
        }
    }

    #[test]
    fn a_part_is_what_the_whole_has_there(kind in kinds(), parts in prop::collection::vec(any::<u64>(), 4)) {
        let file = encoded(&kind);
        let whole = decoded(&file, None).expect("the image is well formed");
        for part in parts {
            let mut draws = Draws::of(&[part]);
            let (width, height) = (usize::from(kind.width), usize::from(kind.height));
            let (left, top) = (draws.below(width as u64) as usize, draws.below(height as u64) as usize);
            let region = Region {
                left,
                top,
                width: 1 + draws.below((width - left) as u64) as usize,
                height: 1 + draws.below((height - top) as u64) as usize,
            };
            let some = decoded(&file, Some(region)).expect("the image is well formed");
            for (own, all) in some.planes.iter().zip(&whole.planes) {
                // Also the samples beside the edge, from which those inside are drawn.
                let beside = |step: usize| if step == 1 { 0 } else { step };
                let left = region.left.saturating_sub(beside(own.step_x));
                let top = region.top.saturating_sub(beside(own.step_y));
                let right = (region.left + region.width + beside(own.step_x)).min(width);
                let bottom = (region.top + region.height + beside(own.step_y)).min(height);
                for y in top..bottom {
                    for x in left..right {
                        prop_assert_eq!(sample(own, x, y), sample(all, x, y), "{:?} at {}, {}", region, x, y);
                    }
                }
            }
        }
    }

    #[test]
    fn a_file_that_was_cut_or_changed_is_an_error_or_an_image(kind in kinds(), at in 0.0..1.0, change: Option<u8>) {
        let mut file = encoded(&kind);
        let at = (file.len() as f64 * at) as usize;
        match change {
            Some(byte) => file[at] ^= byte,
            None => file.truncate(at),
        }
        // Sizes may change, too: whatever they say, there is an end to it.
        if let Ok(planes) = decoded(&file, None) {
            prop_assert_eq!(size(&file).map(|size| (size.width, size.height)), Ok((planes.width, planes.height)));
        }
    }
}

#[test]
fn a_file_that_was_cut_within_its_pixels_is_an_error() {
    for progressive in [false, true] {
        let kind = Kind {
            width: 100,
            height: 80,
            gray: false,
            sampling: SamplingFactor::F_2_2,
            progressive,
            optimised: false,
            restart: 0,
            quality: 90,
            seed: 1,
        };
        let file = encoded(&kind);
        let cut = decoded(&file[..file.len() * 2 / 3], None);
        assert!(matches!(cut, Err(JpegError::Truncated { .. })), "{:?}", cut.err());
    }
}

#[test]
fn images_that_are_too_large_are_refused_before_there_is_room_for_them() {
    let mut file = encoded(&Kind {
        width: 8,
        height: 8,
        gray: true,
        sampling: SamplingFactor::F_1_1,
        progressive: false,
        optimised: false,
        restart: 0,
        quality: 90,
        seed: 1,
    });
    let frame = file.windows(2).position(|bytes| bytes == [0xff, 0xc0]).expect("it has a frame");
    file[frame + 5..frame + 9].fill(0xff);
    assert_eq!(
        decoded(&file, None).err(),
        Some(JpegError::TooLarge { width: 65_535, height: 65_535, pixels_max: 1 << 24 })
    );
}

#[test]
fn an_image_with_more_samples_of_colour_than_of_luminance_is_drawn() {
    let kind = Kind {
        width: 32,
        height: 16,
        gray: false,
        sampling: SamplingFactor::F_1_1,
        progressive: false,
        optimised: false,
        restart: 0,
        quality: 90,
        seed: 1,
    };
    let mut file = encoded(&kind);
    let place =
        |file: &[u8], marker: u8| file.windows(2).position(|bytes| bytes == [0xff, marker]).expect("it is there");
    let frame = place(&file, 0xc0);
    // Blueness is sampled twice as often from left to right as the others are.
    file[frame + 14] = 0x21;
    let scan = place(&file, 0xda);
    for component in 0..3 {
        file[scan + 6 + 2 * component] = 0;
    }
    // Blocks of middle gray, in the codes of the standard's tables for luminance: no difference (00), and the end (1010).
    file.truncate(scan + 14);
    file.extend([0x28, 0xa2, 0x8a].repeat(8));
    file.extend([0xff, 0xd9]);
    let mut planes = Planes::new();
    let region = Region { left: 17, top: 3, width: 11, height: 9 };
    Decoder::new(1 << 24).decode(&file, |_| region, usize::MAX, &mut planes).expect("it is a JPEG");
    let mut output = vec![0.0; 3 * 8 * 8];
    let target = Target { width: 8, height: 8, mirrored: false };
    Renderer::default().render(&planes, region, target, &Normalise::new([0.0; 3], [1.0 / 255.0; 3]), &mut output);
    assert!(output.iter().all(|sample| (sample - 128.0).abs() < 0.01), "{output:?}");
}
