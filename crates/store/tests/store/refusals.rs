//! Files that are not taken, and what is said of them.

use rusqlite::Connection;
use store::{Fault, Reader, Store, StoreError, VERSION, check};

use crate::story::Folder;

fn words(error: &StoreError, expected: &[&str]) {
    let text = error.to_string();
    assert!(text.contains("trimtab.db: "), "{text}");
    expected.iter().for_each(|part| assert!(text.contains(part), "{text:?} says nothing of {part:?}"));
}

/// Whoever opens the file is refused with these words, and it stays as it was.
fn refused(folder: &Folder, expected: &[&str]) {
    let before = std::fs::read(folder.file()).ok();
    words(&Store::create_or_open(folder.file()).err().unwrap(), expected);
    words(&Store::open(folder.file()).err().unwrap(), expected);
    words(&Reader::open(folder.file()).err().unwrap(), expected);
    words(&check(folder.file()).unwrap_err(), expected);
    assert_eq!(std::fs::read(folder.file()).ok(), before);
    assert!(!folder.path().join("trimtab.db-lock").exists());
}

#[test]
fn foreign_files_are_left_alone() {
    let folder = Folder::new();
    std::fs::write(folder.file(), "Dear diary, this is no SQLite file. ".repeat(300)).unwrap();
    refused(&folder, &["no SQLite file", "name another file"]);

    let folder = Folder::new();
    Connection::open(folder.file()).unwrap().execute_batch("CREATE TABLE bookmarks (url)").unwrap();
    refused(&folder, &["an SQLite file of another program"]);

    let folder = Folder::new();
    std::fs::create_dir(folder.file()).unwrap();
    let error = Store::create_or_open(folder.file()).err().unwrap();
    words(&error, &["this is a folder"]);
}

#[test]
fn a_newer_version_is_left_alone() {
    let folder = Folder::new();
    drop(Store::create_or_open(folder.file()).unwrap());
    std::fs::remove_file(folder.path().join("trimtab.db-lock")).unwrap();
    Connection::open(folder.file()).unwrap().pragma_update(None, "user_version", VERSION + 1).unwrap();
    let versions = format!("a newer Trimtab wrote this (version {}; this one knows up to {VERSION})", VERSION + 1);
    refused(&folder, &[&versions, "use that Trimtab"]);
}

#[test]
fn an_empty_file_becomes_a_store() {
    let folder = Folder::new();
    std::fs::write(folder.file(), "").unwrap();
    words(&Reader::open(folder.file()).err().unwrap(), &["an empty file"]);
    drop(Store::create_or_open(folder.file()).unwrap());
    assert!(check(folder.file()).unwrap().is_sound());
}

#[test]
fn what_is_absent_is_named() {
    let folder = Folder::new();
    for error in [
        Store::open(folder.file()).err().unwrap(),
        Reader::open(folder.file()).err().unwrap(),
        check(folder.file()).unwrap_err(),
    ] {
        assert!(matches!(error.fault, Fault::Missing), "{error}");
        words(&error, &["`trimtab up` makes it"]);
    }
    let error = Store::create_or_open(folder.path().join("none/trimtab.db")).err().unwrap();
    words(&error, &["make it first"]);
    assert!(!folder.file().exists());
}

#[test]
fn there_is_one_writer() {
    let folder = Folder::new();
    let first = Store::create_or_open(folder.file()).unwrap();
    let process = format!("process {}", std::process::id());
    words(&Store::open(folder.file()).err().unwrap(), &["another Trimtab", &process, "stop it first"]);
    let link = folder.path().join("link.trimtab.db");
    std::os::unix::fs::symlink(folder.file(), &link).unwrap();
    let error = Store::create_or_open(&link).err().unwrap();
    assert!(matches!(error.fault, Fault::InUse { .. }), "the same file by another name: {error}");
    first.reader().unwrap().nodes().unwrap();
    drop(first);
    drop(Store::open(folder.file()).unwrap());
}
