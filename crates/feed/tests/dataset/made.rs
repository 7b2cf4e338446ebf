//! Datasets of our own making.

use std::fs;
use std::path::Path;

use feed::dataset::{Dataset, Format};
use feed::format::{Encoding, Shard};
use feed::memory::Fetching;
use feed::source::remote::Buckets;
use feed::source::{Location, find};

/// A sample: its name, and its fields with their bytes.
pub(crate) type Sample = (String, Vec<(String, Vec<u8>)>);

/// A member of a tar file: a header of POSIX, and the data.
pub(crate) fn member(name: &[u8], kind: u8, data: &[u8]) -> Vec<u8> {
    let mut header = [0_u8; 512];
    header[..name.len()].copy_from_slice(name);
    header[100..108].copy_from_slice(b"0000600\0");
    header[124..136].copy_from_slice(format!("{:011o}\0", data.len()).as_bytes());
    header[148..156].fill(b' ');
    header[156] = kind;
    header[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut bytes = header.to_vec();
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

/// Writes a WebDataset file.
pub(crate) fn tar(path: &Path, samples: &[Sample]) {
    let mut bytes = Vec::new();
    for (key, fields) in samples {
        for (field, data) in fields {
            let name = format!("{key}.{field}");
            if name.len() > 100 {
                // As GNU's tar has it.
                bytes.extend(member(b"././@LongLink", b'L', name.as_bytes()));
            }
            bytes.extend(member(&name.as_bytes()[..name.len().min(100)], b'0', data));
        }
    }
    bytes.resize(bytes.len() + 1024, 0);
    fs::write(path, bytes).unwrap();
}

/// A sample of some fields.
pub(crate) fn sample(key: &str, fields: &[(&str, &[u8])]) -> Sample {
    (key.to_owned(), fields.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect())
}

/// The dataset of what a name names.
pub(crate) fn open(name: &Path) -> Dataset {
    Dataset::open(&files(name), Format::ByName).unwrap()
}

/// The files of what a name names.
pub(crate) fn files(name: &Path) -> Vec<Location> {
    let buckets = Buckets::new(std::collections::BTreeMap::new(), Fetching::of(0), None);
    find(&[name.display().to_string()], &buckets).unwrap()
}

/// All samples; numbers in digits.
pub(crate) fn all(dataset: &Dataset) -> Vec<Sample> {
    (0..dataset.samples())
        .map(|number| {
            let (shard, place) = dataset.find(number);
            let fields = shard.fields(place).unwrap();
            let fields = fields.iter().map(|field| {
                let (read, length) = read(shard, place, &field.name);
                assert_eq!(length as u64, field.bytes, "{} of {}", field.name, shard.sample_name(place));
                (field.name.clone().into_owned(), read)
            });
            (shard.key(place).unwrap_or_default(), fields.collect())
        })
        .collect()
}

/// A field, and how many bytes it is stored in.
fn read(shard: &dyn Shard, place: u64, name: &str) -> (Vec<u8>, usize) {
    let mut bytes = Vec::new();
    match shard.read(place, &[name.to_owned()], &mut bytes).unwrap().unwrap() {
        Encoding::Plain => (bytes.clone(), bytes.len()),
        Encoding::Integer { .. } => {
            let number = i64::from_le_bytes(bytes.as_slice().try_into().unwrap());
            (number.to_string().into_bytes(), bytes.len())
        }
    }
}

/// A PNG of one size and one colour.
pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&vec![7; (width * height) as usize]).unwrap();
    writer.finish().unwrap();
    bytes
}

/// A JPEG of one size.
pub(crate) fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    let pixels: Vec<u8> = (0..3 * usize::from(width) * usize::from(height)).map(|place| (place * 7) as u8).collect();
    let encoder = jpeg_encoder::Encoder::new(&mut bytes, 90);
    encoder.encode(&pixels, width, height, jpeg_encoder::ColorType::Rgb).unwrap();
    bytes
}
