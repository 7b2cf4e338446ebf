//! Pieces of several series in one body. Pure.
//!
//! A piece of a thousand samples takes a kilobyte or three, of which a page of the file would hold one and a bit: a row for each took two fifths more
//! than the pieces themselves. Rows of some pages fill them. Each piece has before it by how much its slot is above the one before,
//! and its length.

use super::SERIES_MAX;
use super::bytes::{Broken, Rest, put};

/// A bundle that is so long takes no more pieces in, in bytes. Whoever reads one series reads its bundles whole.
const BYTES: usize = 16 << 10;

/// The first slot of a bundle, and its body.
pub(super) type Bundle = (u16, Vec<u8>);

/// Packs pieces, whose slots rise.
#[derive(Default)]
pub(super) struct Packer {
    open: Option<(u16, u16, Vec<u8>)>,
}

impl Packer {
    /// Takes a piece; gives the bundle that it filled.
    pub(super) fn add(&mut self, slot: u16, piece: &[u8]) -> Option<Bundle> {
        let (first, last, mut body) = self.open.take().unwrap_or((slot, slot, Vec::new()));
        debug_assert!(body.is_empty() || slot > last, "slots rise");
        put(&mut body, u64::from(slot - last));
        put(&mut body, piece.len() as u64);
        body.extend(piece);
        if body.len() >= BYTES {
            return Some((first, body));
        }
        self.open = Some((first, slot, body));
        None
    }

    /// What is left, if anything is.
    pub(super) fn finish(self) -> Option<Bundle> {
        self.open.map(|(first, _, body)| (first, body))
    }
}

/// The pieces of a bundle, with their slots.
pub(super) struct Pieces<'b> {
    slot: usize,
    rest: Rest<'b>,
    is_first: bool,
}

impl<'b> Pieces<'b> {
    /// Those of a bundle that begins with `first`.
    pub(super) fn of(first: u16, body: &'b [u8]) -> Self {
        Self { slot: first.into(), rest: Rest(body), is_first: true }
    }

    /// The next one.
    pub(super) fn next(&mut self) -> Result<Option<(u16, &'b [u8])>, Broken> {
        if self.rest.end().is_ok() {
            return Ok(None);
        }
        let step = self.rest.number_up_to(SERIES_MAX - self.slot)?;
        if (step == 0) != self.is_first {
            return Err(Broken("a series is in a bundle twice"));
        }
        self.is_first = false;
        self.slot += step;
        let length = self.rest.number_up_to(usize::MAX)?;
        Ok(Some((self.slot as u16, self.rest.take(length)?)))
    }

    /// The piece of a slot, if the bundle has one.
    pub(super) fn find(mut self, slot: u16) -> Result<Option<&'b [u8]>, Broken> {
        while let Some((of, piece)) = self.next()? {
            if of == slot {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unpacked(bundles: &[Bundle]) -> Result<Vec<(u16, Vec<u8>)>, Broken> {
        let mut pieces = Vec::new();
        for (first, body) in bundles {
            let mut bundle = Pieces::of(*first, body);
            while let Some((slot, piece)) = bundle.next()? {
                pieces.push((slot, piece.to_vec()));
            }
        }
        Ok(pieces)
    }

    proptest! {
        #[test]
        fn pieces_come_back(
            pieces in prop::collection::btree_map(1..=u16::MAX, (0..20_000_usize, any::<u8>()), 1..20),
            at: prop::sample::Index,
            flip in 1..=255_u8,
        ) {
            let pieces: Vec<(u16, Vec<u8>)> =
                pieces.into_iter().map(|(slot, (length, byte))| (slot, vec![byte; length])).collect();
            let mut packer = Packer::default();
            let mut bundles: Vec<Bundle> = pieces.iter().filter_map(|(slot, piece)| packer.add(*slot, piece)).collect();
            bundles.extend(packer.finish());
            prop_assert_eq!(unpacked(&bundles).unwrap(), &pieces[..]);
            prop_assert!(bundles.iter().all(|(_, body)| body.len() < BYTES + 20_010));
            let (first, body) = &mut bundles[0];
            prop_assert_eq!(Pieces::of(*first, body).find(*first).unwrap(), Some(&pieces[0].1[..]));
            prop_assert_eq!(Pieces::of(*first, body).find(0).unwrap(), None);
            let at = at.index(body.len());
            body[at] ^= flip;
            let _unpacked = unpacked(&bundles);
        }
    }
}
