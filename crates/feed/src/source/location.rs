//! Where a file or a folder is: on this machine, or in a store.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::remote::Object;
use super::{File, LocalFile, SourceError};

/// Where something is.
#[derive(Clone)]
pub enum Location {
    /// On this machine.
    Path(PathBuf),
    /// In a store.
    Object(Object),
}

impl Location {
    /// Its path or address.
    pub fn name(&self) -> String {
        match self {
            Location::Path(path) => path.display().to_string(),
            Location::Object(object) => object.name(),
        }
    }

    /// The last part of its name.
    pub fn base(&self) -> &str {
        match self {
            Location::Path(path) => path.file_name().and_then(OsStr::to_str).unwrap_or_default(),
            Location::Object(object) => object.path.filename().unwrap_or_default(),
        }
    }

    /// What is behind the last dot of that.
    pub fn extension(&self) -> Option<&str> {
        Path::new(self.base()).extension().and_then(OsStr::to_str)
    }

    /// A file of another name in the same folder.
    pub fn beside(&self, name: &str) -> Location {
        match self {
            Location::Path(path) => Location::Path(path.with_file_name(name)),
            Location::Object(object) => {
                let path = object.folder().join(name);
                Location::Object(Object { bucket: object.bucket.clone(), path, size: None, version: None, whole: None })
            }
        }
    }

    /// The same place, of which the size is known, and what tells its version from others.
    pub fn of_size(self, bytes: u64, version: &str) -> Location {
        match self {
            Location::Path(path) => Location::Path(path),
            Location::Object(object) => {
                Location::Object(Object { size: Some(bytes), version: Some(version.to_owned()), ..object })
            }
        }
    }

    /// Bytes of the file.
    ///
    /// # Errors
    ///
    /// Where it is not there.
    pub fn size(&self) -> Result<u64, SourceError> {
        match self {
            Location::Path(path) => {
                let failed = |error| SourceError { name: self.name(), offset: None, error };
                Ok(fs::metadata(path).map_err(failed)?.len())
            }
            Location::Object(object) => object.size(),
        }
    }

    /// Where it is, however it is called; and what tells its version from others: of a file, its size and when it was changed; of an
    /// object, what its store says, and its size.
    ///
    /// # Errors
    ///
    /// Where it is not there.
    pub fn version(&self) -> Result<(String, String), SourceError> {
        let failed = |error| SourceError { name: self.name(), offset: None, error };
        match self {
            Location::Path(path) => {
                let meta = fs::metadata(path).map_err(failed)?;
                let changed = (meta.mtime(), meta.mtime_nsec());
                let address = fs::canonicalize(path).map_err(failed)?.display().to_string();
                Ok((address, format!("{}-{}.{:09}", meta.len(), changed.0, changed.1)))
            }
            Location::Object(object) => {
                let told = object.told()?;
                let version = told.version.as_deref().unwrap_or_default();
                Ok((object.name(), format!("{}-{version}", told.size.unwrap_or(0))))
            }
        }
    }

    /// Bytes of memory that this takes.
    pub fn index_bytes(&self) -> usize {
        let name = match self {
            Location::Path(path) => path.as_os_str().len(),
            Location::Object(object) => object.path.as_ref().len(),
        };
        size_of::<Location>() + name
    }

    /// Opens the file.
    ///
    /// # Errors
    ///
    /// Where it is not there, or may not be read.
    pub fn open(&self) -> Result<File, SourceError> {
        Ok(match self {
            Location::Path(path) => File::Local(LocalFile::open(path)?),
            Location::Object(object) => File::Remote(object.open()?),
        })
    }

    /// Opens the file; none where it is not there.
    ///
    /// # Errors
    ///
    /// Where it may not be read.
    pub fn open_if_there(&self) -> Result<Option<File>, SourceError> {
        match self.open() {
            Err(error) if error.error.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => opened.map(Some),
        }
    }

    /// All bytes of a file of at most `bytes_max`.
    ///
    /// # Errors
    ///
    /// Where it cannot be read, or is larger.
    pub fn read(&self, bytes_max: u64) -> Result<Vec<u8>, SourceError> {
        let path = match self {
            Location::Object(object) => return object.read(bytes_max),
            Location::Path(path) => path,
        };
        let failed = |error| SourceError { name: self.name(), offset: None, error };
        let bytes = fs::metadata(path).map_err(failed)?.len();
        if bytes > bytes_max {
            let what = format!("it has {bytes} bytes, and no more than {bytes_max} are read of a file of its kind");
            return Err(failed(io::Error::other(what)));
        }
        fs::read(path).map_err(failed)
    }

    /// The same; none where there is no such file.
    ///
    /// # Errors
    ///
    /// Where it cannot be read, or is larger.
    pub fn read_if_there(&self, bytes_max: u64) -> Result<Option<Vec<u8>>, SourceError> {
        match self.read(bytes_max) {
            Err(error) if error.error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        }
    }

    /// Whether it is a folder; of what is in a store, it is one where it has no extension.
    pub fn is_folder(&self) -> bool {
        match self {
            Location::Path(path) => path.is_dir(),
            Location::Object(_) => self.extension().is_none(),
        }
    }

    /// The files in the folders of this one, by the folders' names, and by their own; without what is hidden.
    ///
    /// # Errors
    ///
    /// Where a folder cannot be listed.
    pub fn folders(&self) -> Result<Vec<(String, Vec<Location>)>, SourceError> {
        match self {
            Location::Path(path) => folders_of_path(path),
            Location::Object(object) => folders_of_object(object),
        }
    }
}

fn folders_of_path(path: &Path) -> Result<Vec<(String, Vec<Location>)>, SourceError> {
    let mut folders = Vec::new();
    for folder in listed(path)?.into_iter().filter(|entry| entry.is_dir()) {
        let files = listed(&folder)?.into_iter().filter(|entry| entry.is_file()).map(Location::Path).collect();
        folders.push((folder.display().to_string(), files));
    }
    Ok(folders)
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

fn folders_of_object(folder: &Object) -> Result<Vec<(String, Vec<Location>)>, SourceError> {
    let mut folders: BTreeMap<String, Vec<Object>> = BTreeMap::new();
    for object in folder.bucket.list_all(&folder.path)? {
        let Some(parts) = object.path.prefix_match(&folder.path) else { continue };
        let parts: Vec<String> = parts.map(|part| part.as_ref().to_owned()).collect();
        if let [class, file] = &parts[..]
            && !class.starts_with('.')
            && !file.starts_with('.')
        {
            folders.entry(class.clone()).or_default().push(object);
        }
    }
    let sorted = |(class, mut objects): (String, Vec<Object>)| {
        objects.sort_by(|one, other| one.path.cmp(&other.path));
        (class, objects.into_iter().map(Location::Object).collect())
    };
    Ok(folders.into_iter().map(sorted).collect())
}
