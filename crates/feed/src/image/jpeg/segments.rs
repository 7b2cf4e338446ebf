//! The entropy-coded data of one scan, freed of its stuffing and cut at its restart markers.

use std::ops::Range;

use memchr::memchr;

/// Buffers that are used again for each image.
#[derive(Default)]
pub(super) struct Segments {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Segments {
    /// Reads the data of a scan, which starts at `from`; the place of the marker that ends it, or of the end of the file.
    ///
    /// B.1.1.5: a byte FF in the data is followed by 00, which is dropped; FF D0 to FF D7 are restart markers; FF may be
    /// repeated before a marker.
    pub(super) fn read(&mut self, file: &[u8], from: usize) -> usize {
        self.bytes.clear();
        self.ends.clear();
        let mut at = from;
        let end = loop {
            let rest = &file[at..];
            let Some(run) = memchr(0xff, rest) else {
                self.bytes.extend_from_slice(rest);
                break file.len();
            };
            self.bytes.extend_from_slice(&rest[..run]);
            at += run;
            match file.get(at + 1) {
                Some(0x00) => {
                    self.bytes.push(0xff);
                    at += 2;
                }
                Some(0xd0..=0xd7) => {
                    self.ends.push(self.bytes.len());
                    at += 2;
                }
                Some(0xff) => at += 1,
                Some(_) => break at,
                None => break file.len(),
            }
        };
        self.ends.push(self.bytes.len());
        end
    }

    /// How many there are: one more than restart markers.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.ends.len()
    }

    /// The bytes of one; none where the scan has fewer.
    pub(super) fn get(&self, index: usize) -> &[u8] {
        self.range(index).map_or(&[], |range| &self.bytes[range])
    }

    fn range(&self, index: usize) -> Option<Range<usize>> {
        let end = *self.ends.get(index)?;
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        Some(start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stuffing_goes_and_restarts_cut() {
        /// A file, its segments, and where they end.
        type Case<'a> = (&'a [u8], &'a [&'a [u8]], usize);
        let cases: &[Case<'_>] = &[
            (&[1, 2, 3], &[&[1, 2, 3]], 3),
            (&[1, 0xff, 0, 2, 0xff, 0xd9], &[&[1, 0xff, 2]], 4),
            (&[1, 0xff, 0xd0, 2, 0xff, 0xd1, 0xff, 0xda], &[&[1], &[2], &[]], 6),
            (&[1, 0xff, 0xff, 0xff, 0xd9], &[&[1]], 3),
            (&[1, 0xff], &[&[1]], 2),
        ];
        let mut segments = Segments::default();
        for (file, expected, end) in cases {
            assert_eq!(segments.read(file, 0), *end, "{file:02x?}");
            let found: Vec<&[u8]> = (0..segments.len()).map(|index| segments.get(index)).collect();
            assert_eq!(&found, expected, "{file:02x?}");
        }
        assert!(segments.get(7).is_empty());
    }
}
