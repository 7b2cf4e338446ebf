//! Sequences: documents that become tokens, one by one, and the rows that a batch of them is laid into.
//!
//! A document is written by whichever thread makes its sample ([`Sequences::write`]), and the rows once all of a batch are there
//! ([`Sequences::lay`], then [`Sequences::arrays`]). Nothing of a row hangs on another batch, so that a count of samples tells where to go
//! on. Memory is set aside before either, for the most that may come of a field's bytes.

mod counts;
mod expressions;
mod growth;
mod packing;
mod rows;
mod stored;
mod tokenizer;

pub use counts::{Counts, Made};
pub use stored::Stored;
pub use tokenizer::{CACHE_BYTES, Specials, Tokenizer};

use packing::{Piece, pack};
use rows::Document;

use crate::pipeline::Joined;
use crate::spec::{Overlong, PaddedTo, RowsSpec, SequencesSpec, TokenName, TokenSource, TokenType};

/// Bytes of memory that laying out a document takes while it is done.
const LAYING_BYTES: usize = 128;
/// Arrays of a column, each of which may take some bytes more than its numbers.
const ARRAYS_MAX: usize = 4;

/// A column of documents.
#[derive(Debug)]
pub struct Sequences {
    source: Source,
    end: Option<u32>,
    pad: i64,
    length: usize,
    overlong: Overlong,
    layout: RowsSpec,
    counts: Counts,
}

#[derive(Debug)]
enum Source {
    Text(Box<Tokenizer>),
    Stored(TokenType),
}

/// How a field is written that documents are made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// As files have it: text, or numbers as they are stored.
    Plain,
    /// As a member of a JSON object: lists are digits.
    Json,
}

/// Where the documents of a batch lie.
#[derive(Debug)]
pub struct Laid {
    rows: Rows,
    /// Documents for which there was no room, by their places.
    pub left_out: Vec<usize>,
}

#[derive(Debug)]
enum Rows {
    Padded { width: usize },
    Packed(Vec<Vec<Piece>>),
}

impl Sequences {
    /// As asked for; reads the tokenizer.
    ///
    /// # Errors
    ///
    /// Where what is asked for makes no sense, or the tokenizer cannot be had: a clause.
    pub fn open(spec: &SequencesSpec) -> Result<Sequences, String> {
        if let Some(problem) = problem(spec) {
            return Err(problem.to_owned());
        }
        let source = match &spec.source {
            TokenSource::Text { tokenizer, special_tokens } => {
                let specials = if *special_tokens { Specials::Added } else { Specials::LeftOut };
                let tokenizer = Tokenizer::open(tokenizer, specials)?;
                let is_cut = spec.overlong == Overlong::Truncate;
                Source::Text(Box::new(if is_cut { tokenizer.cut_to(spec.length)? } else { tokenizer }))
            }
            TokenSource::Stored { dtype } => Source::Stored(*dtype),
        };
        let number = |name: &TokenName, what: &str| match (name, &source) {
            (TokenName::Number(number), _) => Ok(*number),
            (TokenName::Text(text), Source::Text(tokenizer)) => {
                let token = tokenizer.token(text).map(i64::from);
                token.ok_or_else(|| format!("its tokenizer has no token {text:?}, which {what} asks for"))
            }
            (TokenName::Text(text), Source::Stored(_)) => {
                Err(format!("{what} is {text:?}: without a tokenizer, give the token's number"))
            }
        };
        let end = spec.end.as_ref().map(|end| number(end, "eos")).transpose()?;
        let end = end.map(|end| {
            u32::try_from(end).map_err(|_| format!("eos is {end}; tokens are numbers of 32 bits from 0 on"))
        });
        let pad = number(&spec.pad, "pad")?;
        let SequencesSpec { length, overlong, layout, .. } = *spec;
        Ok(Sequences { source, end: end.transpose()?, pad, length, overlong, layout, counts: Counts::default() })
    }

    /// What tells its tokenizer from others, where it has one.
    pub fn digest(&self) -> Option<&str> {
        match &self.source {
            Source::Text(tokenizer) => Some(tokenizer.sha256()),
            Source::Stored(_) => None,
        }
    }

    /// Bytes of memory that it takes all the time: once, and for each thread.
    pub fn held_bytes(&self) -> (usize, usize) {
        match &self.source {
            Source::Text(tokenizer) => (tokenizer.bytes(), CACHE_BYTES),
            Source::Stored(_) => (0, 0),
        }
    }

    /// What became of its documents so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Bytes of memory that making a document of so many bytes takes beside them, at most.
    pub fn work_bytes(&self, bytes: usize, written: Written) -> usize {
        match &self.source {
            Source::Text(tokenizer) => tokenizer.work_bytes(bytes),
            Source::Stored(token) => stored(*token, written).work_bytes(bytes),
        }
    }

    /// Tokens of a document that is made from so many bytes, at most.
    pub fn tokens_max(&self, bytes: usize, written: Written) -> usize {
        let tokens = match &self.source {
            Source::Text(tokenizer) => tokenizer.tokens_max(bytes),
            Source::Stored(token) => stored(*token, written).tokens_max(bytes),
        };
        let tokens = tokens.saturating_add(usize::from(self.end.is_some()));
        if self.overlong == Overlong::Split { tokens } else { tokens.min(self.length) }
    }

    /// Bytes of memory that a batch of documents takes, of each of which the most tokens are told: as they are written, and as rows.
    pub fn batch_bytes(&self, tokens_max: impl Iterator<Item = usize>) -> usize {
        let (mut documents, mut longest, mut tokens, mut pieces) = (0, 0, 0_usize, 0);
        for most in tokens_max {
            documents += 1;
            longest = longest.max(most);
            tokens = tokens.saturating_add(most);
            pieces += most.div_ceil(self.length);
        }
        let numbers = match self.layout {
            RowsSpec::Padded { to, multiple_of } => {
                let width = self.width(longest, to, multiple_of);
                documents * (width * rows::TOKEN_BYTES + size_of::<i64>())
            }
            RowsSpec::Packed { rows, cu_seqlens } => {
                let rows = rows.unwrap_or_else(|| packing::rows_max(tokens, pieces, self.length));
                let ends = if cu_seqlens { 2 * (pieces + rows + 1) * size_of::<i32>() } else { 0 };
                rows.saturating_mul(self.length * rows::PLACE_BYTES) + ends + pieces * LAYING_BYTES
            }
        };
        let cells = tokens.saturating_mul(size_of::<u32>()) + documents * LAYING_BYTES;
        cells.saturating_add(numbers) + ARRAYS_MAX * crate::buffer::ALIGNMENT
    }

    /// Writes the tokens of a document, or says why it has none, as a clause.
    ///
    /// # Errors
    ///
    /// Where it is no text, no tokens, or longer than a row and that is refused.
    pub fn write(&self, bytes: &[u8], written: Written, cell: &mut Vec<u8>) -> Result<(), String> {
        let (mut tokens, mut is_cut) = self.tokens(bytes, written)?;
        // What is cut off has the end with it.
        tokens.extend(self.end.filter(|_| !is_cut));
        if tokens.len() > self.length && self.overlong != Overlong::Split {
            if self.overlong == Overlong::Refuse {
                let (length, row) = (tokens.len(), self.length);
                return Err(format!(
                    "it has {length} tokens, and a row has {row}: ask for a larger length, or let overlong be \"truncate\" (or \"split\", where rows are packed)"
                ));
            }
            tokens.truncate(self.length);
            is_cut = true;
        }
        let most = self.tokens_max(bytes.len(), written);
        if tokens.len() > most {
            let (length, bytes) = (tokens.len(), bytes.len());
            return Err(format!(
                "its {bytes} bytes became {length} tokens, and memory is set aside for {most}: the tokenizer's normalizer writes more than is known of it; \
                 please report it"
            ));
        }
        Counts::add(&self.counts.cut, usize::from(is_cut));
        Document::write(&tokens, cell);
        Ok(())
    }

    /// The tokens of a field, and whether there are more that are not wanted.
    fn tokens(&self, bytes: &[u8], written: Written) -> Result<(Vec<u32>, bool), String> {
        match &self.source {
            Source::Text(tokenizer) => {
                let text = std::str::from_utf8(bytes)
                    .map_err(|error| format!("it is no text in UTF-8 from byte {} on", error.valid_up_to()))?;
                let tokenized = tokenizer.tokenize(text)?;
                Ok((tokenized.tokens, tokenized.is_cut))
            }
            Source::Stored(token) => Ok((stored(*token, written).read(bytes)?, false)),
        }
    }

    /// Lays the documents of a batch into rows, each as [`Sequences::write`] wrote it.
    pub fn lay(&self, cells: &[&[u8]]) -> Laid {
        let lengths: Vec<usize> = cells.iter().map(|cell| Document::new(cell).length()).collect();
        match self.layout {
            RowsSpec::Padded { to, multiple_of } => {
                let longest = lengths.iter().copied().max().unwrap_or(0);
                Laid { rows: Rows::Padded { width: self.width(longest, to, multiple_of) }, left_out: Vec::new() }
            }
            RowsSpec::Packed { rows, cu_seqlens } => {
                // Ends are numbers of 32 bits.
                let most = if cu_seqlens { i32::MAX as usize / self.length } else { usize::MAX };
                let packing = pack(&lengths, self.length, rows.unwrap_or(most).min(most));
                Laid { rows: Rows::Packed(packing.rows), left_out: packing.left_out }
            }
        }
    }

    /// What is said of a document for which there was no room.
    pub fn no_room(&self) -> String {
        let rows = match self.layout {
            RowsSpec::Packed { rows: Some(rows), .. } => rows,
            _ => i32::MAX as usize / self.length,
        };
        format!(
            "{rows} rows of {} tokens have no room for it beside the others of its batch: ask for more rows, or a smaller batch_size",
            self.length
        )
    }

    /// The arrays of a batch: of documents that were laid out, none of which was left out.
    pub fn arrays(&self, name: &str, cells: &[&[u8]], laid: &Laid) -> Vec<Joined> {
        let documents: Vec<Document<'_>> = cells.iter().map(|cell| Document::new(cell)).collect();
        let (arrays, rows, width) = match &laid.rows {
            Rows::Padded { width } => (rows::padded(name, &documents, *width, self.pad), documents.len(), *width),
            Rows::Packed(pieces) => {
                let RowsSpec::Packed { rows, cu_seqlens } = self.layout else { unreachable!("rows are laid as told") };
                let rows = (pieces.as_slice(), rows.unwrap_or(0));
                let mut arrays = rows::packed(name, &documents, rows, (self.length, self.pad));
                if cu_seqlens {
                    arrays.push(rows::cu_seqlens(name, rows, self.length));
                }
                (arrays, pieces.len().max(rows.1), self.length)
            }
        };
        Counts::add(&self.counts.documents, documents.len());
        Counts::add(&self.counts.tokens, documents.iter().map(|document| document.length()).sum());
        Counts::add(&self.counts.rows, rows);
        Counts::add(&self.counts.places, rows * width);
        arrays
    }

    /// Places of a padded row.
    fn width(&self, longest: usize, to: PaddedTo, multiple_of: usize) -> usize {
        match to {
            PaddedTo::Length => self.length,
            PaddedTo::Longest => longest.max(1).next_multiple_of(multiple_of).min(self.length),
        }
    }
}

/// What the arrays of a column of that name are called, the first of them the column itself.
pub fn names(name: &str, layout: RowsSpec) -> Vec<String> {
    let mut names = vec![name.to_owned()];
    match layout {
        RowsSpec::Padded { .. } => names.push(rows::lengths_name(name)),
        RowsSpec::Packed { cu_seqlens, .. } => {
            names.extend([rows::segments_name(name), rows::positions_name(name)]);
            names.extend(cu_seqlens.then(|| rows::cu_seqlens_name(name)));
        }
    }
    names
}

fn stored(token: TokenType, written: Written) -> Stored {
    match written {
        Written::Plain => Stored::Binary(token),
        Written::Json => Stored::Digits,
    }
}

/// What makes no sense, whatever the tokenizer is.
fn problem(spec: &SequencesSpec) -> Option<&'static str> {
    if !(1..=1 << 24).contains(&spec.length) {
        return Some("a row has between 1 and 16,777,216 tokens");
    }
    match spec.layout {
        RowsSpec::Padded { multiple_of, .. } => {
            if multiple_of == 0 || !spec.length.is_multiple_of(multiple_of) {
                return Some("length is a multiple of pad_to_multiple_of, which is at least 1");
            }
            (spec.overlong == Overlong::Split).then_some(
                "a padded row is one sample's, which is not split: let overlong be \"truncate\" or \"refuse\", or pack",
            )
        }
        RowsSpec::Packed { rows, .. } => rows
            .is_some_and(|rows| !(1..=1 << 24).contains(&rows))
            .then_some("a batch has between 1 and 16,777,216 rows"),
    }
}
