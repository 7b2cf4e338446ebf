#![no_main]
//! An image of any kind, drawn small.

use feed::image::jpeg::{Planes, Region};
use feed::image::{Decoder, Normalise, Renderer, Target};

libfuzzer_sys::fuzz_target!(|file: &[u8]| {
    let mut planes = Planes::new();
    let mut chosen = None;
    let decoded = Decoder::new(1 << 20).decode(
        file,
        |size| *chosen.insert(Region { left: 0, top: 0, width: size.width, height: size.height }),
        1 << 26,
        &mut planes,
    );
    let Ok(size) = decoded else { return };
    let region = Region { left: size.width / 3, top: 0, width: size.width - size.width / 3, height: size.height };
    let target = Target { width: 9, height: 17, mirrored: true };
    let mut output = [f32::NAN; 3 * 9 * 17];
    let normalise = Normalise::new([0.0; 3], [1.0; 3]);
    Renderer::default().render(&planes, region, target, &normalise, &mut output);
    assert!(output.iter().all(|sample| (-0.001..=1.001).contains(sample)), "{output:?}");
});
