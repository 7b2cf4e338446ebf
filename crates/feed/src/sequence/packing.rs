//! How documents are laid into rows of one length: best fit, the longest first. It takes no more than 11/9 of the fewest rows, and four
//! more (Johnson, Demers, Ullman, Garey, Graham: "Worst-case performance bounds for simple one-dimensional packing algorithms", 1974).
//!
//! Nothing but the lengths decides, so that a batch is the same whoever makes it.

use std::collections::BTreeSet;

/// Neighbouring tokens of a document, which lie in one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Piece {
    /// The document, by its place among those that were given.
    pub(super) document: usize,
    /// Its first token that is in the row.
    pub(super) start: usize,
    /// How many are.
    pub(super) length: usize,
}

/// Where documents lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packing {
    /// Of each row, its pieces from left to right. Documents stand in the order in which they were given: within rows, and rows by
    /// their first.
    pub(super) rows: Vec<Vec<Piece>>,
    /// Documents for which there was no room, in order.
    pub(super) left_out: Vec<usize>,
}

/// Lays documents of some lengths into rows of `row` tokens, `rows_max` at most. What is longer than a row is cut into pieces of that
/// length, each with a row to itself, and what is left of it.
pub(super) fn pack(lengths: &[usize], row: usize, rows_max: usize) -> Packing {
    let mut order: Vec<usize> = (0..lengths.len()).filter(|document| lengths[*document] > 0).collect();
    // What shares its row decides where there is room; the sort keeps the order of equals.
    order.sort_by_key(|document| std::cmp::Reverse((lengths[*document] - 1) % row));
    let mut packing = Packing { rows: Vec::new(), left_out: Vec::new() };
    // Rows with room, by how much, then the one that was begun first.
    let mut roomy: BTreeSet<(usize, usize)> = BTreeSet::new();
    for document in order {
        let last = (lengths[document] - 1) % row + 1;
        let whole = (lengths[document] - last) / row;
        let fits = roomy.range((last, 0)..).next().copied();
        if packing.rows.len() + whole + usize::from(fits.is_none()) > rows_max {
            packing.left_out.push(document);
            continue;
        }
        for number in 0..whole {
            packing.rows.push(vec![Piece { document, start: number * row, length: row }]);
        }
        let (room, place) = match fits {
            Some(found) => {
                roomy.remove(&found);
                found
            }
            None => {
                packing.rows.push(Vec::new());
                (row, packing.rows.len() - 1)
            }
        };
        packing.rows[place].push(Piece { document, start: whole * row, length: last });
        if room > last {
            roomy.insert((room - last, place));
        }
    }
    packing.rows.iter_mut().for_each(|pieces| pieces.sort_unstable());
    packing.rows.sort_unstable_by_key(|pieces| pieces[0]);
    packing.left_out.sort_unstable();
    packing
}

/// Rows that documents take at most, of so many tokens together and so many pieces: the first piece of a row had no room in those
/// before it, so that any two hold more than one row's tokens together.
pub(super) fn rows_max(tokens: usize, pieces: usize, row: usize) -> usize {
    pieces.min(tokens.saturating_mul(2) / row + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn piece(document: usize, start: usize, length: usize) -> Piece {
        Piece { document, start, length }
    }

    #[test]
    fn documents_share_rows_and_long_ones_are_cut() {
        // 7 goes with 3, and 5 with 4; 23 are 10, 10 and a rest of 3, for which no row has room but a new one.
        let packing = pack(&[5, 23, 3, 0, 7, 4], 10, usize::MAX);
        let expected = [
            vec![piece(0, 0, 5), piece(5, 0, 4)],
            vec![piece(1, 0, 10)],
            vec![piece(1, 10, 10)],
            vec![piece(1, 20, 3), piece(4, 0, 7)],
            vec![piece(2, 0, 3)],
        ];
        assert_eq!(packing.rows, expected);
        assert_eq!(pack(&[], 10, usize::MAX).rows.len(), 0);
    }

    #[test]
    fn what_has_no_room_is_left_out_as_a_whole() {
        let packing = pack(&[9, 12, 2, 1], 10, 2);
        // 9 and 1 fill a row; the 12 would take a row and a part, of which there is one.
        assert_eq!(packing.left_out, [1]);
        assert_eq!(packing.rows, [vec![piece(0, 0, 9), piece(3, 0, 1)], vec![piece(2, 0, 2)]]);
    }

    proptest! {
        #[test]
        fn each_token_lies_in_one_place(
            lengths in proptest::collection::vec(0_usize..70, 0..60),
            row in 1_usize..40,
            rows in proptest::option::of(0_usize..40),
        ) {
            let packing = pack(&lengths, row, rows.unwrap_or(usize::MAX));
            prop_assert!(packing.rows.len() <= rows.unwrap_or(usize::MAX));
            prop_assert!(rows.is_some() || packing.left_out.is_empty());
            let mut seen: Vec<Piece> = packing.rows.iter().flatten().copied().collect();
            seen.sort_unstable();
            let mut expected = Vec::new();
            for (document, length) in lengths.iter().enumerate().filter(|(one, _)| !packing.left_out.contains(one)) {
                let pieces = (0..*length).step_by(row);
                expected.extend(pieces.map(|start| piece(document, start, row.min(length - start))));
            }
            prop_assert_eq!(seen, expected);
            for pieces in &packing.rows {
                let tokens: usize = pieces.iter().map(|piece| piece.length).sum();
                prop_assert!(0 < tokens && tokens <= row);
                prop_assert!(pieces.is_sorted());
            }
            prop_assert!(packing.rows.is_sorted_by_key(|pieces| pieces[0]));
            let pieces = packing.rows.iter().flatten().count();
            let tokens = packing.rows.iter().flatten().map(|piece| piece.length).sum();
            prop_assert!(packing.rows.len() <= rows_max(tokens, pieces, row));
        }
    }
}
