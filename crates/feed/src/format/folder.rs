//! Folders of images: each folder in a folder is a class, and each file in it a sample. Classes are counted by name, from 0.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Encoding, FieldInfo, ReadError, Shard, ShardKind};
use crate::source::{LocalFile, ReadAt, SourceError};

/// The name of the field that is a sample's class.
pub(crate) const CLASS: &str = "cls";

/// Files in folders.
pub struct Folder {
    name: String,
    /// Each with the number of its folder.
    files: Vec<(PathBuf, u32)>,
}

impl Folder {
    /// The files in the folders of `path`, by name; none where there are no folders in it.
    ///
    /// # Errors
    ///
    /// Where a folder cannot be listed.
    pub fn open(path: &Path) -> Result<Option<Folder>, SourceError> {
        let classes: Vec<PathBuf> = listed(path)?.into_iter().filter(|entry| entry.is_dir()).collect();
        let mut files = Vec::new();
        for (number, class) in classes.iter().enumerate() {
            let inside = listed(class)?.into_iter().filter(|entry| entry.is_file());
            files.extend(inside.map(|file| (file, number as u32)));
        }
        let name = path.display().to_string();
        Ok((!classes.is_empty()).then_some(Folder { name, files }))
    }
}

/// What lies in a folder, by name; without what is hidden.
fn listed(folder: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let failed = |error| SourceError { name: folder.display().to_string(), offset: None, error };
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !is_hidden {
            entries.push(path);
        }
    }
    entries.sort();
    Ok(entries)
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
        let path = &self.files[sample as usize].0;
        path.strip_prefix(&self.name).unwrap_or(path).display().to_string()
    }

    fn key(&self, sample: u64) -> Option<String> {
        let path = &self.files[sample as usize].0;
        Some(path.strip_prefix(&self.name).unwrap_or(path).with_extension("").display().to_string())
    }

    /// Extensions are told in small letters: large and small ones are the same to [`Shard::read`].
    fn fields(&self, sample: u64) -> Result<Vec<FieldInfo<'_>>, ReadError> {
        let (path, class) = &self.files[sample as usize];
        let failed = |error| SourceError { name: path.display().to_string(), offset: None, error };
        let file = FieldInfo {
            name: Cow::Owned(path.extension().unwrap_or_default().to_string_lossy().to_lowercase()),
            bytes: fs::metadata(path).map_err(failed)?.len(),
            encoding: Encoding::Plain,
        };
        let digits = class.to_string().len() as u64;
        Ok(vec![file, FieldInfo { name: Cow::Borrowed(CLASS), bytes: digits, encoding: Encoding::Plain }])
    }

    fn read(&self, sample: u64, names: &[String], bytes: &mut Vec<u8>) -> Result<Option<Encoding>, ReadError> {
        let (path, class) = &self.files[sample as usize];
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        for name in names {
            if name == CLASS {
                bytes.clear();
                bytes.extend_from_slice(class.to_string().as_bytes());
                return Ok(Some(Encoding::Plain));
            }
            if name.eq_ignore_ascii_case(&extension) {
                let file = LocalFile::open(path)?;
                bytes.resize(file.size() as usize, 0);
                file.read_at(0, bytes)?;
                return Ok(Some(Encoding::Plain));
            }
        }
        Ok(None)
    }
}
