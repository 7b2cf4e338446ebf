//! WebDataset: a tar file (POSIX.1-2017, "ustar Interchange Format"), and beside it an index of its members in version 1.2 of the
//! form that DALI's `wds2idx` writes. Owner, time and rights are the same for every member, so that the same data give the same bytes.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::OpenShard;
use super::body::{BUFFER_BYTES, Body};
use super::sample::{FieldBytes, Sample};

/// Everything starts at a multiple of this.
const BLOCK: u64 = 512;
/// Two empty blocks end the file.
const END_BYTES: u64 = 2 * BLOCK;
/// Longer names stand in a header of their own.
const NAME_BYTES_MAX: usize = 100;
/// The largest size that eleven octal digits tell.
const OCTAL_MAX: u64 = 0o777_7777_7777;

/// The name of a shard.
pub(super) fn shard_name(number: usize) -> String {
    format!("shard-{number:06}.tar")
}

/// A tar file that is being written.
pub(super) struct TarFile {
    out: BufWriter<File>,
    /// Lines of the index; how many there are is told in front of them.
    lines: Body,
    folder: PathBuf,
    name: String,
    at: u64,
    samples: u64,
    /// The name of the sample before: one that followed it under the same name would be taken for the same sample.
    previous: String,
}

impl TarFile {
    pub(super) fn create(folder: &Path, name: &str) -> io::Result<TarFile> {
        Ok(TarFile {
            out: BufWriter::with_capacity(BUFFER_BYTES, File::create(folder.join(name))?),
            lines: Body::create(folder.join("lines"))?,
            folder: folder.to_owned(),
            name: name.to_owned(),
            at: 0,
            samples: 0,
            previous: String::new(),
        })
    }

    fn key(&self, sample: &Sample) -> String {
        if sample.key == self.previous { format!("{}-{}", sample.key, sample.number) } else { sample.key.clone() }
    }
}

impl OpenShard for TarFile {
    fn bytes_with(&self, sample: &Sample) -> u64 {
        let key = self.key(sample);
        let members = sample.fields.iter().map(|field| {
            let head = head(&member_name(&key, field), field.bytes.len() as u64).len() as u64;
            head + (field.bytes.len() as u64).next_multiple_of(BLOCK)
        });
        self.at + members.sum::<u64>() + END_BYTES
    }

    fn add(&mut self, sample: &Sample) -> io::Result<()> {
        let key = self.key(sample);
        for (place, field) in sample.fields.iter().enumerate() {
            let name = member_name(&key, field);
            let bytes = field.bytes.len() as u64;
            let head = head(&name, bytes);
            self.out.write_all(&head)?;
            self.out.write_all(&field.bytes)?;
            let padding = bytes.next_multiple_of(BLOCK) - bytes;
            self.out.write_all(&[0; BLOCK as usize][..padding as usize])?;
            let offset = self.at + head.len() as u64;
            let space = if place == 0 { "" } else { " " };
            self.lines.write(format!("{space}{} {offset} {bytes} {name}", field.name).as_bytes())?;
            self.at = offset + bytes + padding;
        }
        self.lines.write(b"\n")?;
        self.samples += 1;
        self.previous = key;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<(u64, Vec<String>)> {
        self.out.write_all(&[0; END_BYTES as usize])?;
        self.out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        let index = self.name.replace(".tar", ".idx");
        self.lines.finish(format!("v1.2 {}\n", self.samples).as_bytes(), &self.folder.join(&index))?;
        Ok((self.at + END_BYTES, vec![self.name, index]))
    }
}

fn member_name(key: &str, field: &FieldBytes) -> String {
    format!("{key}.{}", field.name)
}

/// What stands in front of a member's bytes: its header, and before that its name where it is long.
fn head(name: &str, bytes: u64) -> Vec<u8> {
    if name.len() <= NAME_BYTES_MAX {
        return header(name.as_bytes(), bytes, b'0').to_vec();
    }
    let record = pax_record("path", name);
    let mut head = header(b"././@PaxHeader", record.len() as u64, b'x').to_vec();
    head.extend(&record);
    head.resize(head.len().next_multiple_of(BLOCK as usize), 0);
    let short = (0..=NAME_BYTES_MAX).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
    head.extend(header(&name.as_bytes()[..short], bytes, b'0'));
    head
}

/// A record of an extended header: its length, which counts its own digits, a space, a name, and a value.
fn pax_record(name: &str, value: &str) -> Vec<u8> {
    let rest = format!(" {name}={value}\n");
    let mut length = rest.len();
    while length != rest.len() + length.to_string().len() {
        length = rest.len() + length.to_string().len();
    }
    format!("{length}{rest}").into_bytes()
}

fn header(name: &[u8], bytes: u64, kind: u8) -> [u8; BLOCK as usize] {
    let mut header = [0; BLOCK as usize];
    header[..name.len()].copy_from_slice(name);
    header[100..108].copy_from_slice(b"0000644\0");
    header[108..116].copy_from_slice(b"0000000\0");
    header[116..124].copy_from_slice(b"0000000\0");
    if bytes <= OCTAL_MAX {
        header[124..136].copy_from_slice(format!("{bytes:011o}\0").as_bytes());
    } else {
        // As GNU's tar has it: a mark, and the number with its highest byte first.
        header[124] = 0x80;
        header[128..136].copy_from_slice(&bytes.to_be_bytes());
    }
    header[136..148].copy_from_slice(b"00000000000\0");
    // While they are summed up, the digits of the sum count as spaces.
    header[148..156].fill(b' ');
    header[156] = kind;
    header[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_counts_its_own_digits() {
        for length in 1..1_200 {
            let record = pax_record("path", &"x".repeat(length));
            let told = record.split(|byte| *byte == b' ').next().unwrap();
            assert_eq!(std::str::from_utf8(told).unwrap().parse::<usize>().unwrap(), record.len());
        }
    }

    #[test]
    fn sizes_past_eight_gibibytes_are_told_as_gnu_does() {
        assert_eq!(&header(b"a", OCTAL_MAX, b'0')[124..136], b"77777777777\0");
        assert_eq!(&header(b"a", OCTAL_MAX + 1, b'0')[124..136], &[0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0]);
    }
}
