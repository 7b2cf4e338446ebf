//! The index that lies beside a tar file: `shard.idx` for `shard.tar`, as DALI's `wds2idx` writes it. Its first line tells the version
//! and the number of samples; then a line for each sample has, for each of its fields, the extension, the first byte and the number of
//! bytes, and from version 1.2 on the member's name.

use super::{BLOCK, Field, TarIndex};

/// The largest that is read.
pub(super) const BYTES_MAX: u64 = 1 << 30;

/// The index that a text tells of a tar file of `size` bytes; none where it is a text of another kind; or the line that cannot be true.
pub(super) fn parse(text: &[u8], size: u64) -> Option<Result<TarIndex, usize>> {
    let text = std::str::from_utf8(text).ok()?;
    let mut lines = text.lines();
    let (version, samples) = lines.next()?.split_once(' ')?;
    let words = match version {
        "v1.0" | "v1.1" => 3,
        "v1.2" => 4,
        _ => return None,
    };
    let samples: usize = samples.trim().parse().ok()?;
    let mut index = TarIndex::default();
    let mut line_number = 1;
    for line in lines {
        line_number += 1;
        index.starts.push(index.fields.len() as u32);
        if add(&mut index, line, words, size).is_none() {
            return Some(Err(line_number));
        }
    }
    if index.starts.len() != samples {
        return Some(Err(1));
    }
    if samples > 0 {
        index.starts.push(index.fields.len() as u32);
    }
    Some(Ok(index))
}

/// Adds the fields of a sample.
fn add(index: &mut TarIndex, line: &str, words: usize, size: u64) -> Option<()> {
    let mut rest = line.split(' ').filter(|word| !word.is_empty()).peekable();
    rest.peek()?;
    while let Some(extension) = rest.next() {
        let (offset, bytes): (u64, u64) = (rest.next()?.parse().ok()?, rest.next()?.parse().ok()?);
        if words == 4 {
            rest.next()?;
        }
        // A header lies in front, and everything starts at a whole block.
        let is_possible = offset >= BLOCK && offset.is_multiple_of(BLOCK) && offset.checked_add(bytes)? <= size;
        let name = index.name(extension).filter(|_| is_possible)?;
        index.fields.push(Field { name, offset, bytes });
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For each sample, its fields: name, first byte, bytes.
    type Samples = Vec<Vec<(String, u64, u64)>>;

    fn parsed(text: &str) -> Option<Result<Samples, usize>> {
        let fields = |index: &TarIndex, sample| {
            let field = |field: &Field| (index.field_names[usize::from(field.name)].clone(), field.offset, field.bytes);
            index.sample(sample).iter().map(field).collect()
        };
        Some(parse(text.as_bytes(), 10_240)?.map(|index| (0..index.samples()).map(|at| fields(&index, at)).collect()))
    }

    #[test]
    fn samples_are_where_it_says() {
        let expected =
            vec![vec![("jpg".to_owned(), 512, 100), ("cls".to_owned(), 1536, 1)], vec![("jpg".to_owned(), 2560, 7680)]];
        let with_names = "v1.2 2\njpg 512 100 a.jpg cls 1536 1 a.cls\njpg 2560 7680 b.jpg\n";
        assert_eq!(parsed(with_names), Some(Ok(expected.clone())));
        assert_eq!(parsed("v1.1 2\njpg 512 100 cls 1536 1\njpg 2560 7680\n"), Some(Ok(expected)));
        assert_eq!(parsed("v1.2 0\n"), Some(Ok(Vec::new())));
    }

    #[test]
    fn what_cannot_be_is_told_by_its_line_and_other_texts_are_left_alone() {
        for (text, line) in [
            ("v1.2 2\njpg 512 100 a.jpg\n", 1),
            ("v1.2 1\njpg 512 100\n", 2),
            ("v1.1 1\njpg 513 100\n", 2),
            ("v1.1 2\njpg 512 100\njpg 512 9999\n", 3),
            ("v1.1 1\njpg 0 100\n", 2),
            ("v1.1 1\njpg 512 18446744073709551615\n", 2),
            ("v1.1 1\n\n", 2),
            ("v1.1 1\njpg x 100\n", 2),
        ] {
            assert_eq!(parsed(text), Some(Err(line)), "{text}");
        }
        for text in ["", "MMIDIDX", "v2 3\n", "1 2 3\n", "v1.2 x\n"] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }
}
