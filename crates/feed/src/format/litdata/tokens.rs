//! Tokens of LitData's: the items of a chunk lie behind each other, and are cut into samples as one text, chunk by chunk.

use super::{ChunkEntry, Index, IndexError, TOKENS};
use crate::dataset::together;
use crate::format::records::{Layout, Records, RecordsShard};
use crate::source::{File, Location, ReadAt};
use crate::spec::TokenType;
use crate::unpack::Unpacker;

/// The chunks that an index names, with how their tokens are stored. `layout` is told that, and says how samples are cut.
///
/// # Errors
///
/// Where the index or a chunk cannot be read, they contradict each other, or hold no tokens.
pub(crate) fn open(
    index: &Location,
    unpacker: &Unpacker,
    layout: impl Fn(TokenType) -> Layout + Sync,
) -> Result<(TokenType, Vec<RecordsShard>), IndexError> {
    let index = Index::read(index, unpacker)?;
    if index.config.item_loader.as_deref() != Some(TOKENS) {
        return Err(index.wrong(format!(
            "it is no index of tokens: they are written with item_loader={TOKENS}(...); other chunks are read by their fields"
        )));
    }
    let token = token_type(&index)?;
    let open = |entry: &ChunkEntry| {
        let (file, _) = index.chunk(entry)?;
        let start = 4 * (entry.chunk_size + 2);
        let bytes = entry.dim.and_then(|tokens| tokens.checked_mul(token.bytes() as u64));
        if bytes.and_then(|bytes| bytes.checked_add(start)) != Some(file.size()) {
            let (name, tokens, size) = (&entry.filename, entry.dim.unwrap_or(0), file.size());
            return Err(index.wrong(format!("{name} has {size} bytes, which do not fit {tokens} tokens of {token}")));
        }
        shard(&index, file, start, layout(token))
    };
    let shards = together(&index.entries, open).into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok((token, shards))
}

fn shard(index: &Index<'_>, file: File, start: u64, layout: Layout) -> Result<RecordsShard, IndexError> {
    let records = Records::new(file.name(), file.size() - start, layout);
    let records = records.map_err(|error| index.wrong(error.to_string()))?;
    Ok(RecordsShard { file, start, records })
}

/// How the one field of all items is stored: without a header, by the library's own numbers of types (`constants.py`).
fn token_type(index: &Index<'_>) -> Result<TokenType, IndexError> {
    let stored = index.config.data_format.as_deref().unwrap_or_default();
    let [stored] = stored else {
        return Err(index.wrong(format!("its items have {} fields, and those of tokens have one", stored.len())));
    };
    match stored.split_once(':') {
        Some(("no_header_tensor", "15" | "16") | ("no_header_numpy", "2")) => Ok(TokenType::Int32),
        Some(("no_header_tensor", "17" | "18") | ("no_header_numpy", "3")) => Ok(TokenType::Int64),
        Some(("no_header_tensor", "20") | ("no_header_numpy", "5")) => Ok(TokenType::UInt16),
        Some(("no_header_numpy", "6")) => Ok(TokenType::UInt32),
        _ => Err(index.wrong(format!("its tokens are stored as {stored}; int32, int64, uint16 and uint32 are read"))),
    }
}
