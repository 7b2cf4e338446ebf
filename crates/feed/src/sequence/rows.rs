//! Rows of tokens, written from the documents of a batch.

use super::packing::Piece;
use crate::pipeline::{Joined, Type};

/// Bytes of a token where models are fed.
pub(super) const TOKEN_BYTES: usize = size_of::<i64>();
/// Bytes of a place in a packed row: a token, its document in the row, and its position in the document.
pub(super) const PLACE_BYTES: usize = TOKEN_BYTES + size_of::<i32>() + size_of::<i64>();

/// Tokens as they were written for a sample, least byte first.
#[derive(Clone, Copy)]
pub(super) struct Document<'a>(&'a [u8]);

impl<'a> Document<'a> {
    pub(super) fn new(cell: &'a [u8]) -> Document<'a> {
        Document(cell)
    }

    /// As it is kept until its batch is done.
    pub(super) fn write(tokens: &[u32], cell: &mut Vec<u8>) {
        cell.clear();
        cell.reserve_exact(size_of_val(tokens));
        cell.extend(tokens.iter().flat_map(|token| token.to_le_bytes()));
    }

    /// Its tokens.
    pub(super) fn length(self) -> usize {
        self.0.len() / size_of::<u32>()
    }

    /// Puts its tokens from one on to the first places of a row, as many as there are places.
    fn copy(self, start: usize, places: &mut [i64]) {
        let (tokens, _) = self.0.as_chunks::<{ size_of::<u32>() }>();
        for (place, token) in places.iter_mut().zip(&tokens[start..]) {
            *place = i64::from(u32::from_le_bytes(*token));
        }
    }
}

/// A document a row, each followed by `pad`: the rows, and how many tokens each document has.
pub(super) fn padded(name: &str, documents: &[Document<'_>], width: usize, pad: i64) -> Vec<Joined> {
    let rows = Joined::new(name, Type::I64, &[documents.len(), width], |places: &mut [i64]| {
        for (row, document) in places.chunks_exact_mut(width.max(1)).zip(documents) {
            let (tokens, rest) = row.split_at_mut(document.length());
            document.copy(0, tokens);
            rest.fill(pad);
        }
    });
    let lengths = Joined::new(&lengths_name(name), Type::I64, &[documents.len()], |places: &mut [i64]| {
        places.iter_mut().zip(documents).for_each(|(place, document)| *place = document.length() as i64);
    });
    vec![rows, lengths]
}

/// Packed rows, at least `rows_min`: tokens, segments and positions.
pub(super) fn packed(
    name: &str,
    documents: &[Document<'_>],
    (pieces, rows_min): (&[Vec<Piece>], usize),
    (length, pad): (usize, i64),
) -> Vec<Joined> {
    let shape = [pieces.len().max(rows_min), length];
    let tokens = Joined::new(name, Type::I64, &shape, |places: &mut [i64]| {
        places.fill(pad);
        for_each_piece(pieces, length, places, |_, piece, places| documents[piece.document].copy(piece.start, places));
    });
    // All of it is zero to begin with: padding.
    let segments = Joined::new(&segments_name(name), Type::I32, &shape, |places: &mut [i32]| {
        for_each_piece(pieces, length, places, |number, _, places| places.fill(number as i32 + 1));
    });
    let positions = Joined::new(&positions_name(name), Type::I64, &shape, |places: &mut [i64]| {
        for_each_piece(pieces, length, places, |_, _, places| {
            places.iter_mut().enumerate().for_each(|(position, place)| *place = position as i64);
        });
    });
    vec![tokens, segments, positions]
}

/// Does something to the places of each piece, with its number in its row.
fn for_each_piece<T>(rows: &[Vec<Piece>], length: usize, places: &mut [T], write: impl Fn(usize, &Piece, &mut [T])) {
    for (row, places) in rows.iter().zip(places.chunks_exact_mut(length)) {
        let mut rest = places;
        for (number, piece) in row.iter().enumerate() {
            let (own, behind) = rest.split_at_mut(piece.length);
            write(number, piece, own);
            rest = behind;
        }
    }
}

/// Where sequences begin and end in all rows, one behind the other: each piece is one, and so is each row's padding.
pub(super) fn cu_seqlens(name: &str, (pieces, rows_min): (&[Vec<Piece>], usize), length: usize) -> Joined {
    let rows = pieces.len().max(rows_min);
    let mut ends = vec![0_i32];
    for row in 0..rows {
        let mut end = row * length;
        for piece in pieces.get(row).into_iter().flatten() {
            end += piece.length;
            ends.push(end as i32);
        }
        if end < (row + 1) * length {
            ends.push(((row + 1) * length) as i32);
        }
    }
    Joined::new(&cu_seqlens_name(name), Type::I32, &[ends.len()], |places: &mut [i32]| places.copy_from_slice(&ends))
}

/// What the arrays beside a column's tokens are called.
pub(super) fn lengths_name(name: &str) -> String {
    format!("{name}_lengths")
}

pub(super) fn segments_name(name: &str) -> String {
    format!("{name}_segments")
}

pub(super) fn positions_name(name: &str) -> String {
    format!("{name}_positions")
}

pub(super) fn cu_seqlens_name(name: &str) -> String {
    format!("{name}_cu_seqlens")
}
