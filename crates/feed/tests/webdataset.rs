//! WebDataset files: what is found in good ones, and what is said of bad ones.

use feed::format::tar::{TarError, TarIndex, TarProblem, sample_name};
use feed::source::{ReadAt, SourceError};
use proptest::prelude::*;

/// A file in memory.
struct Bytes(Vec<u8>);

impl ReadAt for Bytes {
    fn name(&self) -> &str {
        "made.tar"
    }

    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<(), SourceError> {
        let at = offset as usize;
        bytes.copy_from_slice(self.0.get(at..at + bytes.len()).expect("nothing is read past the end"));
        Ok(())
    }
}

/// A member: a header of POSIX, and the data.
fn member(name: &str, kind: u8, data: &[u8]) -> Vec<u8> {
    let mut header = [0_u8; 512];
    let (prefix, base) =
        if name.len() > 100 { name.rsplit_once('/').expect("long names have folders") } else { ("", name) };
    header[..base.len()].copy_from_slice(base.as_bytes());
    header[100..108].copy_from_slice(b"0000644\0");
    header[124..136].copy_from_slice(format!("{:011o}\0", data.len()).as_bytes());
    header[148..156].fill(b' ');
    header[156] = kind;
    header[257..265].copy_from_slice(b"ustar\x0000");
    header[345..345 + prefix.len()].copy_from_slice(prefix.as_bytes());
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut bytes = header.to_vec();
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

/// An archive of regular files, with its end.
fn archive(members: &[(&str, &[u8])]) -> Bytes {
    let mut bytes: Vec<u8> = members.iter().flat_map(|(name, data)| member(name, b'0', data)).collect();
    bytes.resize(bytes.len() + 1024, 0);
    Bytes(bytes)
}

/// A sample's name, and its fields with their bytes.
type Sample = (String, Vec<(String, Vec<u8>)>);

/// All samples.
fn found(file: &Bytes) -> Vec<Sample> {
    let index = TarIndex::read(file).expect("the file is well formed");
    (0..index.samples())
        .map(|sample| {
            let fields = index.sample(sample);
            let name = sample_name(file, fields[0].offset).expect("the file can be read");
            let fields = fields.iter().map(|field| {
                let bytes = &file.0[field.offset as usize..][..field.bytes as usize];
                (index.field_names[usize::from(field.name)].clone(), bytes.to_vec())
            });
            (name, fields.collect())
        })
        .collect()
}

#[test]
fn members_of_one_name_are_a_sample() {
    let file = archive(&[
        ("a/1.x.jpg", b"one"),
        ("a/1.cls", b"7"),
        ("a.b/2.jpg", b""),
        ("readme", b"no"),
        ("a/1.jpg", b"again"),
    ]);
    let field = |name: &str, bytes: &[u8]| (name.to_owned(), bytes.to_vec());
    let expected = vec![
        ("a/1".to_owned(), vec![field("x.jpg", b"one"), field("cls", b"7")]),
        ("a.b/2".to_owned(), vec![field("jpg", b"")]),
        ("a/1".to_owned(), vec![field("jpg", b"again")]),
    ];
    assert_eq!(found(&file), expected);
}

#[test]
fn long_names_folders_and_links_are_read_as_what_they_are() {
    let folder = "f".repeat(90);
    let posix = format!("{folder}/{}.jpg", "p".repeat(20));
    let gnu = format!("{}.jpg", "g".repeat(200));
    let pax = format!("{}.jpg", "x".repeat(300));
    let record = format!(" path={pax}\n");
    let record = format!("{}{record}", record.len() + 3);
    let parts = [
        member("folder/", b'5', b""),
        member(&posix, b'0', b"1"),
        member("././@LongLink", b'L', gnu.as_bytes()),
        member("short.jpg", b'0', b"2"),
        member("PaxHeaders/short", b'x', record.as_bytes()),
        member("short.jpg", b'0', b"3"),
        member("link.jpg", b'2', b""),
        member("last.jpg", 0, b"4"),
    ];
    let file = Bytes(parts.concat());
    let index = TarIndex::read(&file).expect("the file is well formed");
    let data: Vec<u8> = (0..index.samples()).map(|sample| file.0[index.sample(sample)[0].offset as usize]).collect();
    assert_eq!(data, b"1234");
    assert_eq!(found(&file)[0].0, posix.trim_end_matches(".jpg"));
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let good = archive(&[("a.jpg", &[1; 2000]), ("b.jpg", &[2; 100])]).0;
    let mut flipped = good.clone();
    flipped[3000] ^= 1;
    let mut sizeless = member("a.jpg", b'0', b"");
    sizeless[124..128].copy_from_slice(b"size");
    sizeless[148..156].fill(b' ');
    let sum: u32 = sizeless.iter().map(|byte| u32::from(*byte)).sum();
    sizeless[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    for (bytes, offset, problem) in [
        (good[..1000].to_vec(), 0, TarProblem::Truncated),
        (good[..2600].to_vec(), 2560, TarProblem::Truncated),
        (good[..3100].to_vec(), 2560, TarProblem::Truncated),
        (flipped, 2560, TarProblem::NoHeader),
        (b"no archive at all, but long enough for a header".repeat(20), 0, TarProblem::NoHeader),
        (sizeless, 0, TarProblem::NoSize),
    ] {
        match TarIndex::read(&Bytes(bytes)) {
            Err(TarError::Format { offset: found_at, problem: found, .. }) => {
                assert_eq!((found_at, found), (offset, problem));
            }
            other => panic!("{problem:?} was expected, not {other:?}"),
        }
    }
    let said = TarIndex::read(&Bytes(good[..1000].to_vec())).expect_err("it is cut").to_string();
    assert_eq!(said, "made.tar, byte 0: the file ends within the member that starts here: copy it again");
    assert_eq!(TarIndex::read(&Bytes(Vec::new())).expect("an empty file has no samples").samples(), 0);
}

proptest! {
    #[test]
    fn any_bytes_are_an_error_or_an_index(mut bytes in prop::collection::vec(any::<u8>(), 0..4000), change: Option<(u16, u8)>) {
        // Half of them are archives in which one byte was changed.
        if let Some((at, byte)) = change {
            let good = archive(&[("a.jpg", &bytes), ("a.cls", b"1"), ("b.jpg", b"2")]).0;
            bytes = good;
            let at = usize::from(at) % bytes.len();
            bytes[at] = byte;
        }
        if let Ok(index) = TarIndex::read(&Bytes(bytes.clone())) {
            for sample in 0..index.samples() {
                for field in index.sample(sample) {
                    prop_assert!(field.offset + field.bytes <= bytes.len() as u64);
                }
            }
        }
    }
}
