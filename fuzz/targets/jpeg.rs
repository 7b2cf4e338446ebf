#![no_main]
//! A JPEG, of which a part is decoded, and how much smaller than it is: the first bytes say which. What is decoded must be the same as when
//! all is.

use feed::image::jpeg::{Decoder, Look, Planes, Region, Scale};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some(([left, top, width, height], file)) = bytes.split_first_chunk() else { return };
    let part = |all: usize, start: u8, length: u8| {
        let start = usize::from(start) % all;
        (start, 1 + usize::from(length) % (all - start))
    };
    let scale = [Scale::Whole, Scale::Half, Scale::Quarter, Scale::Eighth][usize::from(*left) % 4];
    let mut decoder = Decoder::new(1 << 20);
    let (mut some, mut all) = (Planes::new(), Planes::new());
    let whole = decoder.decode(
        file,
        |size| Look { region: Region { left: 0, top: 0, width: size.width, height: size.height }, scale },
        usize::MAX,
        &mut all,
    );
    let mut chosen = None;
    let partly = decoder.decode(
        file,
        |size| {
            let ((left, width), (top, height)) = (part(size.width, *left, *width), part(size.height, *top, *height));
            Look { region: *chosen.insert(Region { left, top, width, height }), scale }
        },
        usize::MAX,
        &mut some,
    );
    // A part may lie before what is broken.
    let (Ok(_), Ok(_), Some(region)) = (whole, partly, chosen) else { return };
    for (some, all) in some.planes.iter().zip(&all.planes) {
        for x in (region.left / some.step_x)..(region.left + region.width).div_ceil(some.step_x) {
            for y in (region.top / some.step_y)..(region.top + region.height).div_ceil(some.step_y) {
                let of = |plane: &feed::image::jpeg::Plane| plane.sample(x - plane.first_column, y - plane.first_row);
                assert_eq!(of(some), of(all), "at {x}, {y}");
            }
        }
    }
});
