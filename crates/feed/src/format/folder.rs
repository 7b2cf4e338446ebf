//! Folders of images: each folder in a folder is a class, and each file in it a sample. Classes are counted by name, from 0.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use super::{Encoding, Extent, FieldInfo, ReadError, Shard, ShardKind};
use crate::source::remote::{RemoteFile, Want};
use crate::source::{File, Location, ReadAt, SourceError};

/// The name of the field that is a sample's class.
pub(crate) const CLASS: &str = "cls";
/// Objects that were asked for ahead and never read are forgotten when there are so many.
const AHEAD_MAX: usize = 1 << 16;

/// Files in folders.
pub struct Folder {
    name: String,
    /// Each with the number of its folder.
    files: Vec<(Location, u32)>,
    /// Objects that were asked for ahead, by their sample.
    ahead: Mutex<HashMap<u64, Weak<RemoteFile>>>,
}

impl Folder {
    /// The files in the folders of `at`, by name; none where there are no folders in it.
    ///
    /// # Errors
    ///
    /// Where a folder cannot be listed.
    pub fn open(at: &Location) -> Result<Option<Folder>, SourceError> {
        let folders = at.folders()?;
        if folders.is_empty() {
            return Ok(None);
        }
        let numbered = |(number, (_, files)): (usize, (String, Vec<Location>))| {
            files.into_iter().map(move |file| (file, number as u32)).collect::<Vec<_>>()
        };
        let files = folders.into_iter().enumerate().flat_map(numbered).collect();
        Ok(Some(Folder { name: at.name(), files, ahead: Mutex::default() }))
    }

    /// The file of a sample: the one that was asked for ahead, where it was.
    fn file(&self, sample: u64) -> Result<File, SourceError> {
        let ahead = self.lock().remove(&sample).and_then(|file| file.upgrade());
        ahead.map_or_else(|| self.files[sample as usize].0.open(), |file| Ok(File::Remote(file)))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Weak<RemoteFile>>> {
        self.ahead.lock().expect("nobody panics while holding the files")
    }
}

impl Shard for Folder {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> ShardKind {
        ShardKind::Folder
    }

    /// Unknown: no file is looked at before it is read.
    fn size(&self) -> u64 {
        0
    }

    fn samples(&self) -> u64 {
        self.files.len() as u64
    }

    fn sample_name(&self, sample: u64) -> String {
        let name = self.files[sample as usize].0.name();
        name.strip_prefix(&self.name).map_or(name.as_str(), |below| below.trim_start_matches('/')).to_owned()
    }

    fn bytes(&self, sample: u64, names: &[String]) -> Result<u64, ReadError> {
        let (location, _) = &self.files[sample as usize];
        let extension = location.extension().unwrap_or_default();
        let is_file = names.iter().any(|name| name.eq_ignore_ascii_case(extension));
        // A class is a few digits.
        if is_file { Ok(location.size()?) } else { Ok(10) }
    }

    fn index_bytes(&self) -> usize {
        self.files.iter().map(|(location, _)| location.index_bytes()).sum()
    }

    fn want(&self, sample: u64, fields: &[&[String]]) -> Option<Want> {
        let location = &self.files[sample as usize].0;
        let Location::Object(_) = location else { return None };
        let extension = location.extension().unwrap_or_default();
        let is_file = |names: &&&[String]| names.iter().any(|name| name.eq_ignore_ascii_case(extension));
        fields.iter().find(is_file)?;
        // It was listed with its size, so that to open it asks nothing of the store.
        let want = location.open().ok().and_then(|file| file.want(Extent { offset: 0, bytes: file.size() }))?;
        let mut ahead = self.lock();
        if ahead.len() >= AHEAD_MAX {
            ahead.retain(|_, file| file.strong_count() > 0);
        }
        ahead.insert(sample, Arc::downgrade(&want.file));
        Some(want)
    }

    fn key(&self, sample: u64) -> Option<String> {
        let name = self.sample_name(sample);
        let base = name.rfind('/').map_or(0, |slash| slash + 1);
        // A dot that a name begins with begins no ending.
        let end = name[base..].rfind('.').filter(|dot| *dot > 0).map_or(name.len(), |dot| base + dot);
        Some(name[..end].to_owned())
    }

    /// Extensions are told in small letters: large and small ones are the same to [`Shard::read`].
    fn fields(&self, sample: u64) -> Result<Vec<FieldInfo<'_>>, ReadError> {
        let (location, class) = &self.files[sample as usize];
        let file = FieldInfo {
            name: Cow::Owned(location.extension().unwrap_or_default().to_lowercase()),
            bytes: location.size()?,
            encoding: Encoding::Plain,
        };
        let digits = class.to_string().len() as u64;
        Ok(vec![file, FieldInfo { name: Cow::Borrowed(CLASS), bytes: digits, encoding: Encoding::Plain }])
    }

    fn read(&self, sample: u64, names: &[String], bytes: &mut Vec<u8>) -> Result<Option<Encoding>, ReadError> {
        let (location, class) = &self.files[sample as usize];
        let extension = location.extension().unwrap_or_default();
        for name in names {
            if name == CLASS {
                bytes.clear();
                bytes.extend_from_slice(class.to_string().as_bytes());
                return Ok(Some(Encoding::Plain));
            }
            if name.eq_ignore_ascii_case(extension) {
                let file = self.file(sample)?;
                bytes.resize(file.size() as usize, 0);
                file.read_at(0, bytes)?;
                return Ok(Some(Encoding::Plain));
            }
        }
        Ok(None)
    }
}
