//! Red, green and blue from luminance and the two differences of colour.

use super::lanes::Lanes;

/// JFIF 1.02, page 3. The differences lie around 128.
pub(super) struct Mix<L: Lanes> {
    red_of_redness: L::Floats,
    green_of_blueness: L::Floats,
    green_of_redness: L::Floats,
    blue_of_blueness: L::Floats,
    middle: L::Floats,
}

impl<L: Lanes> Mix<L> {
    #[inline(always)]
    pub(super) fn new(lanes: L) -> Mix<L> {
        Mix {
            red_of_redness: lanes.floats(1.402),
            green_of_blueness: lanes.floats(-0.344_136),
            green_of_redness: lanes.floats(-0.714_136),
            blue_of_blueness: lanes.floats(1.772),
            middle: lanes.floats(-128.0),
        }
    }

    #[inline(always)]
    pub(super) fn colours(
        &self,
        lanes: L,
        luminance: L::Floats,
        blueness: L::Floats,
        redness: L::Floats,
    ) -> [L::Floats; 3] {
        let (blueness, redness) = (lanes.add(blueness, self.middle), lanes.add(redness, self.middle));
        let red = lanes.multiply(self.red_of_redness, redness);
        let green =
            lanes.add(lanes.multiply(self.green_of_blueness, blueness), lanes.multiply(self.green_of_redness, redness));
        let blue = lanes.multiply(self.blue_of_blueness, blueness);
        [lanes.add(luminance, red), lanes.add(luminance, green), lanes.add(luminance, blue)]
    }
}
