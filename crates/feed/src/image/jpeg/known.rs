//! Huffman tables that were laid out before: most images of a set share theirs.

use std::sync::Arc;

use super::error::JpegError;
use super::huffman::{AcTable, Codes, DcTable};

/// How many tables of each class are kept. Images share two of each, or have their own.
const KEPT_MAX: usize = 8;

/// The tables of both classes.
#[derive(Default)]
pub(super) struct Known {
    dc: Vec<(Codes, Arc<DcTable>)>,
    ac: Vec<(Codes, Arc<AcTable>)>,
}

impl Known {
    pub(super) fn dc(&mut self, codes: &Codes) -> Result<Arc<DcTable>, JpegError> {
        of(&mut self.dc, codes, DcTable::new)
    }

    pub(super) fn ac(&mut self, codes: &Codes) -> Result<Arc<AcTable>, JpegError> {
        of(&mut self.ac, codes, |codes| Ok(AcTable::new(codes)))
    }
}

/// The table for `codes`, which comes to the front; the one that was not asked for longest goes.
fn of<T>(
    kept: &mut Vec<(Codes, Arc<T>)>,
    codes: &Codes,
    lay_out: impl FnOnce(&Codes) -> Result<T, JpegError>,
) -> Result<Arc<T>, JpegError> {
    let place = match kept.iter().position(|(known, _)| known == codes) {
        Some(place) => place,
        None => {
            kept.truncate(KEPT_MAX - 1);
            kept.push((codes.clone(), Arc::new(lay_out(codes)?)));
            kept.len() - 1
        }
    };
    kept[..=place].rotate_right(1);
    Ok(Arc::clone(&kept[0].1))
}
