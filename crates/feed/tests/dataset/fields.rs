//! What each format tells of a sample's fields.

use std::fs;

use feed::dataset::{Dataset, Format, Tokens};
use feed::format::{ReadError, ShardKind};
use feed::source::Location;
use feed::spec::TokenType;
use tempfile::TempDir;

use crate::made::{all, open, sample, tar};

#[test]
fn fields_are_told_with_their_sizes() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    tar(&path("a.tar"), &[sample("x", &[("jpg", b"image"), ("cls", b"7")]), sample("y", &[("cls", b"")])]);
    fs::write(path("b.jsonl"), "{\"text\": \"a\\n\\u00e9\", \"id\": 7, \"more\": {\"a\": [1, 2]}}\n{}\n").unwrap();
    fs::write(path("c.txt"), "one\r\ntwo two\n").unwrap();
    for class in ["dogs", "cats"] {
        fs::create_dir_all(path("images").join(class)).unwrap();
        fs::write(path("images").join(class).join("rex.v2.JPG"), class).unwrap();
    }
    let field = |name: &str, bytes: &[u8]| (name.to_owned(), bytes.to_vec());
    let unnamed = String::new;
    for (name, kind, expected) in [
        (
            "a.tar",
            ShardKind::WebDataset,
            vec![
                ("x".to_owned(), vec![field("jpg", b"image"), field("cls", b"7")]),
                ("y".to_owned(), vec![field("cls", b"")]),
            ],
        ),
        (
            "b.jsonl",
            ShardKind::JsonLines,
            vec![
                (
                    unnamed(),
                    vec![field("text", "a\né".as_bytes()), field("id", b"7"), field("more", b"{\"a\": [1, 2]}")],
                ),
                (unnamed(), vec![]),
            ],
        ),
        (
            "c.txt",
            ShardKind::Text,
            vec![(unnamed(), vec![field("", b"one")]), (unnamed(), vec![field("", b"two two")])],
        ),
        (
            "images",
            ShardKind::Folder,
            vec![
                ("cats/rex.v2".to_owned(), vec![field("jpg", b"cats"), field("cls", b"0")]),
                ("dogs/rex.v2".to_owned(), vec![field("jpg", b"dogs"), field("cls", b"1")]),
            ],
        ),
    ] {
        let dataset = open(&path(name));
        assert_eq!(all(&dataset), expected, "{name}");
        assert_eq!(dataset.find(0).0.kind(), kind);
    }
}

#[test]
fn tokens_are_one_field() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tokens.bin");
    fs::write(&path, [0; 100]).unwrap();
    let tokens = Tokens { length: 10, stride: 8, token: TokenType::UInt16 };
    let dataset = Dataset::open(&[Location::Path(path)], Format::Tokens(tokens)).unwrap();
    assert_eq!(all(&dataset), vec![sample("", &[("", &[0; 20])]); 6]);
}

#[test]
fn what_cannot_be_listed_is_an_error() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.jsonl");
    fs::write(&path, "[1]\n{\"a\": \"\\ud800\"}\n{\"a\": 1} {\n{\"a\": \"\u{7f}\"}\n").unwrap();
    let dataset = open(&path);
    let (shard, _) = dataset.find(0);
    for line in 0..3 {
        assert!(matches!(shard.fields(line), Err(ReadError::Corrupt { .. })), "line {line}");
    }
    assert_eq!(shard.fields(3).unwrap()[0].bytes, 1);
}

#[test]
fn long_names_are_whole() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.tar");
    let long = |letter: &str| format!("{}/{}", "folder".repeat(20), letter.repeat(700));
    let samples = [sample(&long("a"), &[("jpg", b"1"), ("cls", b"2")]), sample(&long("b"), &[("jpg", b"1")])];
    tar(&path, &samples);
    assert_eq!(all(&open(&path)), samples);
}

#[test]
fn indexes_for_other_readers_are_passed_over() {
    let folder = TempDir::new().unwrap();
    tar(&folder.path().join("a.tar"), &[sample("x", &[("jpg", b"image")])]);
    fs::write(folder.path().join("a.idx"), "v1.2 1\njpg 512 5 x.jpg\n").unwrap();
    assert_eq!(open(folder.path()).samples(), 1);
    fs::write(folder.path().join("b.idx"), "").unwrap();
    let refused = Dataset::open(&crate::made::files(folder.path()), Format::ByName);
    assert!(refused.is_err_and(|error| error.to_string().contains("b.idx: what this is cannot be told")));
}
