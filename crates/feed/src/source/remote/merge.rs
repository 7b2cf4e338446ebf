//! Which requests bring what is wanted: neighbours come with one, and what is large with several. No IO.

use crate::format::Extent;

/// Bounds of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Its bytes.
    pub(super) bytes_max: u64,
    /// Bytes that are fetched, and wanted by nobody, because two that are wanted lie to their left and right.
    pub(super) gap_max: u64,
}

/// A request: the file by its number, what of it, and the first want that it serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) file: usize,
    pub(super) extent: Extent,
    pub(super) first: usize,
}

/// The requests for some wants, each of a file and an extent; in the order of the first want that each serves.
pub(super) fn requests(wants: &[(usize, Extent)], bounds: Bounds) -> Vec<Request> {
    let mut order: Vec<usize> = (0..wants.len()).filter(|want| wants[*want].1.bytes > 0).collect();
    order.sort_by_key(|want| (wants[*want].0, wants[*want].1.offset, *want));
    let mut runs: Vec<Request> = Vec::new();
    for want in order {
        let (file, extent) = wants[want];
        if let Some(run) = runs.last_mut().filter(|run| run.file == file)
            && let Some(joined) = joined(run.extent, extent, bounds)
        {
            run.extent = joined;
            run.first = run.first.min(want);
            continue;
        }
        runs.push(Request { file, extent, first: want });
    }
    let mut cut: Vec<Request> = runs.into_iter().flat_map(|run| parts(run, bounds.bytes_max)).collect();
    cut.sort_by_key(|request| (request.first, request.file, request.extent.offset));
    cut
}

/// Two extents as one, where they lie close enough and fit.
fn joined(run: Extent, next: Extent, bounds: Bounds) -> Option<Extent> {
    let end = (run.offset + run.bytes).max(next.offset + next.bytes);
    let gap = next.offset.saturating_sub(run.offset + run.bytes);
    let bytes = end - run.offset;
    // What shares bytes with the run is joined whatever its size, so that nothing is fetched twice.
    let fits = bytes <= bounds.bytes_max || next.offset < run.offset + run.bytes;
    (fits && gap <= bounds.gap_max).then_some(Extent { offset: run.offset, bytes })
}

/// A run in parts of about one size, each no larger than a request may be.
fn parts(run: Request, bytes_max: u64) -> impl Iterator<Item = Request> {
    let count = run.extent.bytes.div_ceil(bytes_max);
    let part = run.extent.bytes.div_ceil(count);
    (0..count).map(move |number| {
        let start = number * part;
        let bytes = part.min(run.extent.bytes - start);
        Request { extent: Extent { offset: run.extent.offset + start, bytes }, ..run }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BOUNDS: Bounds = Bounds { bytes_max: 100, gap_max: 10 };

    fn check(wants: &[(usize, u64, u64)], expected: &[(usize, u64, u64)]) {
        let wants: Vec<_> = wants.iter().map(|(file, offset, bytes)| (*file, extent(*offset, *bytes))).collect();
        let made = requests(&wants, BOUNDS);
        let made: Vec<_> =
            made.iter().map(|request| (request.file, request.extent.offset, request.extent.bytes)).collect();
        assert_eq!(made, expected);
    }

    fn extent(offset: u64, bytes: u64) -> Extent {
        Extent { offset, bytes }
    }

    #[test]
    fn neighbours_come_together() {
        check(&[(0, 50, 20), (0, 0, 40), (1, 0, 5)], &[(0, 0, 70), (1, 0, 5)]);
        check(&[(0, 51, 20), (0, 0, 40)], &[(0, 51, 20), (0, 0, 40)]);
        check(&[(0, 0, 60), (0, 60, 60)], &[(0, 0, 60), (0, 60, 60)]);
        check(&[(0, 0, 90), (0, 80, 90)], &[(0, 0, 85), (0, 85, 85)]);
    }

    #[test]
    fn what_is_large_comes_in_parts() {
        check(&[(0, 7, 250)], &[(0, 7, 84), (0, 91, 84), (0, 175, 82)]);
        check(&[(0, 3, 0)], &[]);
    }

    proptest! {
        #[test]
        fn all_that_is_wanted_comes_once(wants in prop::collection::vec((0..3_usize, 0..2000_u64, 0..300_u64), 0..60)) {
            let wants: Vec<_> = wants.into_iter().map(|(file, offset, bytes)| (file, extent(offset, bytes))).collect();
            let made = requests(&wants, BOUNDS);
            let mut times = vec![[0; 2400]; 3];
            for request in &made {
                prop_assert!((1..=BOUNDS.bytes_max).contains(&request.extent.bytes));
                for byte in request.extent.offset..request.extent.offset + request.extent.bytes {
                    times[request.file][byte as usize] += 1;
                }
            }
            prop_assert!(times.iter().flatten().all(|times| *times <= 1));
            for (file, want) in &wants {
                prop_assert!((want.offset..want.offset + want.bytes).all(|byte| times[*file][byte as usize] == 1));
            }
            prop_assert!(made.is_sorted_by_key(|request| request.first));
        }
    }
}
