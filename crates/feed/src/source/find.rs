//! From what a person writes to files: folders, `*`, `?`, and `{000..127}` as WebDataset has it.

use std::fs;
use std::path::Path;

use super::remote::{Buckets, Object};
use super::{Location, SourceError};

/// The file of a folder that tells of all others in it, as MDS has it.
pub const INDEX_NAME: &str = "index.json";
/// More files than this are a mistake in a pattern.
const FILES_MAX: u64 = 10_000_000;

/// The files that `names` name, in order; those of one pattern or folder sorted by name. Of a folder with an index, that is the index;
/// and a folder without files stands for itself. Whether an object of a store is there is not looked at where it has a name.
///
/// # Errors
///
/// Where a name names nothing, or a folder cannot be read.
pub fn find(names: &[String], buckets: &Buckets) -> Result<Vec<Location>, SourceError> {
    let mut files = Vec::new();
    for name in names {
        for name in spelt_out(name)? {
            let before = files.len();
            match name.strip_prefix("file://") {
                Some(path) => matching(path, &mut files)?,
                None if is_in_store(&name) => matching_objects(buckets.object(&name)?, &mut files)?,
                None => matching(&name, &mut files)?,
            }
            if files.len() == before {
                return Err(refused(&name, "there is no such file"));
            }
        }
    }
    Ok(files)
}

/// Whether a name is of something in a store of objects.
pub fn is_in_store(name: &str) -> bool {
    name.contains("://") && !name.starts_with("file://")
}

fn refused(name: &str, what: &str) -> SourceError {
    SourceError { name: name.to_owned(), offset: None, error: std::io::Error::other(what.to_owned()) }
}

/// Puts each number, or each word, in the place of the braces.
fn spelt_out(name: &str) -> Result<Vec<String>, SourceError> {
    let Some((before, rest)) = name.split_once('{') else { return Ok(vec![name.to_owned()]) };
    let Some((inside, after)) = rest.split_once('}') else {
        return Err(refused(name, "a brace is opened and not closed"));
    };
    let words: Vec<String> = match inside.split_once("..") {
        Some((first, last)) => numbers(first, last)
            .ok_or_else(|| refused(name, "braces hold two numbers, the lower first, such as {000..127}"))?,
        None => inside.split(',').map(str::to_owned).collect(),
    };
    let rest = spelt_out(after)?;
    Ok(words.iter().flat_map(|word| rest.iter().map(move |rest| format!("{before}{word}{rest}"))).collect())
}

/// All numbers from one to another, with as many digits as the first has.
fn numbers(first: &str, last: &str) -> Option<Vec<String>> {
    let digits = first.len();
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last && last - first < FILES_MAX)
        .then(|| (first..=last).map(|number| format!("{number:0digits$}")).collect())
}

/// Adds the file of a name, the files of a folder, or those that a pattern names.
fn matching(name: &str, files: &mut Vec<Location>) -> Result<(), SourceError> {
    let path = Path::new(name);
    let is_folder = path.is_dir();
    let base = path.file_name().and_then(|base| base.to_str()).unwrap_or_default();
    if !is_folder && !base.contains(['*', '?']) {
        if path.exists() {
            files.push(Location::Path(path.to_owned()));
        }
        return Ok(());
    }
    if is_folder && path.join(INDEX_NAME).is_file() {
        files.push(Location::Path(path.join(INDEX_NAME)));
        return Ok(());
    }
    let before = files.len();
    let (folder, pattern) = if is_folder { (path, "*") } else { (path.parent().unwrap_or(Path::new("")), base) };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let failed = |error| SourceError { name: folder.display().to_string(), offset: None, error };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let base = path.file_name().and_then(|base| base.to_str()).unwrap_or_default();
        if !base.starts_with('.') && fits(pattern.as_bytes(), base.as_bytes()) && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    files.extend(found.into_iter().map(Location::Path));
    if is_folder && files.len() == before {
        // It may hold folders, each of files.
        files.push(Location::Path(path.to_owned()));
    }
    Ok(())
}

/// Adds an object, or those of a folder or pattern, with one list. A name without an extension is taken for a folder's, unless there is
/// nothing in it.
fn matching_objects(object: Object, files: &mut Vec<Location>) -> Result<(), SourceError> {
    let base = object.path.filename().unwrap_or_default().to_owned();
    let is_pattern = base.contains(['*', '?']);
    if !is_pattern && base.contains('.') {
        files.push(Location::Object(object));
        return Ok(());
    }
    let pattern = if is_pattern { base.as_str() } else { "*" };
    let folder = if is_pattern { object.folder() } else { object.path.clone() };
    let listed = object.bucket.list(&folder)?;
    let has_name = |object: &Object, name: &str| object.path.filename() == Some(name);
    if !is_pattern && let Some(index) = listed.iter().find(|object| has_name(object, INDEX_NAME)) {
        files.push(Location::Object(index.clone()));
        return Ok(());
    }
    let is_asked = |object: &Object| {
        let base = object.path.filename().unwrap_or_default();
        !base.starts_with('.') && fits(pattern.as_bytes(), base.as_bytes())
    };
    let has_objects = !listed.is_empty();
    let mut found: Vec<Object> = listed.into_iter().filter(is_asked).collect();
    found.sort_by(|one, other| one.path.cmp(&other.path));
    if !is_pattern && !has_objects {
        // It holds folders, each of objects; or it is an object itself.
        found.push(object);
    }
    files.extend(found.into_iter().map(Location::Object));
    Ok(())
}

/// Whether a name fits a pattern: `*` stands for any bytes, `?` for one. Goes back to the last star only, which is enough.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut of) = (0, 0);
    let mut star = None;
    while of < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, of));
                at += 1;
            }
            Some(byte) if *byte == b'?' || *byte == name[of] => (at, of) = (at + 1, of + 1),
            _ => {
                let Some((star_at, taken)) = star else { return false };
                star = Some((star_at, taken + 1));
                (at, of) = (star_at + 1, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::memory::Fetching;

    #[test]
    fn braces_are_spelt_out() {
        let spelt = |name| spelt_out(name).map_err(|error| error.to_string());
        assert_eq!(spelt("a-{08..11}.tar").unwrap(), ["a-08.tar", "a-09.tar", "a-10.tar", "a-11.tar"]);
        assert_eq!(spelt("{a,b}/{0..1}").unwrap(), ["a/0", "a/1", "b/0", "b/1"]);
        assert_eq!(spelt("plain").unwrap(), ["plain"]);
        for wrong in ["a{1..", "a{3..1}", "a{x..y}", "a{0..99999999999}"] {
            assert!(spelt(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, name, expected) in [
            ("*.tar", "a.tar", true),
            ("*.tar", "a.tar.gz", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("?.tar", "ab.tar", false),
            ("??.tar", "ab.tar", true),
            ("*", "", true),
            ("**", "x", true),
        ] {
            assert_eq!(fits(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn files_come_in_order_and_what_is_not_there_is_said() {
        let folder = tempfile::TempDir::new().unwrap();
        for name in ["b.tar", "a.tar", ".hidden.tar", "c.txt"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let inside = |name: &str| folder.path().join(name).display().to_string();
        let names = |patterns: &[String]| {
            let buckets = Buckets::new(BTreeMap::new(), Fetching::of(0));
            let found = find(patterns, &buckets).map_err(|error| error.to_string())?;
            Ok::<Vec<String>, String>(found.iter().map(|location| location.base().to_owned()).collect())
        };
        assert_eq!(names(&[inside("*.tar")]).unwrap(), ["a.tar", "b.tar"]);
        assert_eq!(names(&[inside("c.txt"), inside("{b,a}.tar")]).unwrap(), ["c.txt", "b.tar", "a.tar"]);
        assert_eq!(names(&[folder.path().display().to_string()]).unwrap(), ["a.tar", "b.tar", "c.txt"]);
        assert!(names(&[inside("d*.tar")]).unwrap_err().contains("d*.tar: failed to open: there is no such file"));
        assert!(names(&[inside("{a,d}.tar")]).unwrap_err().contains("d.tar"));
    }
}
