use std::io::{BufReader, Read, repeat};

use proptest::prelude::*;
use serde_json::Value as Tree;

use super::*;

/// Builds what was read, to compare it with what another reader makes of it.
fn tree<R: BufRead>(json: &mut Json<R>) -> Result<Tree, Error> {
    Ok(match json.value()? {
        Value::Null => Tree::Null,
        Value::Bool(value) => Tree::Bool(value),
        Value::Text(text) => Tree::String(text.to_owned()),
        Value::Number(number) => serde_json::from_str(number).map_err(|_| json.expected("a number"))?,
        Value::List => {
            let mut list = Vec::new();
            while json.next_item()? {
                list.push(tree(json)?);
            }
            Tree::Array(list)
        }
        Value::Object => {
            let mut object = serde_json::Map::new();
            while let Some(key) = json.next_key()?.map(str::to_owned) {
                object.insert(key, tree(json)?);
            }
            Tree::Object(object)
        }
    })
}

/// Through buffers of a few bytes, so that everything is cut everywhere.
fn read(text: &[u8], chunk: usize) -> Result<Tree, Error> {
    struct Small<'a>(&'a [u8], usize);
    impl Read for Small<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.1.min(buffer.len()).min(self.0.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }
    let mut json = Json::new(BufReader::with_capacity(1, Small(text, chunk)));
    let tree = tree(&mut json)?;
    json.end()?;
    Ok(tree)
}

#[test]
fn values_are_what_they_are() {
    let text = r#" {"a" : [1, -2.5e3, "x\"\u00e9\ud83d\ude00\n", true, null, {}, []], "b\t":{"c":false} } "#;
    let expected: Tree = serde_json::from_str(text).unwrap();
    for chunk in [1, 2, 3, 7, 1_000] {
        assert_eq!(read(text.as_bytes(), chunk).unwrap(), expected);
    }
}

#[test]
fn what_is_no_json_is_refused_by_its_byte() {
    for (text, expected) in [
        ("", "the file is cut off at byte 0; copy it again"),
        ("{\"a\":1", "the file is cut off at byte 6; copy it again"),
        ("\"abc", "the file is cut off at byte 4; copy it again"),
        ("[1 2]", "at byte 3, a comma or `]` was expected"),
        ("{\"a\" 1}", "at byte 5, a colon was expected"),
        ("{a:1}", "at byte 1, a key was expected"),
        ("[yes]", "at byte 1, a value was expected"),
        ("\"\\x\"", "at byte 3, an escape was expected"),
        ("1 2", "at byte 2, the end of the file was expected"),
    ] {
        assert_eq!(read(text.as_bytes(), 3).unwrap_err().to_string(), expected, "{text}");
    }
}

#[test]
fn endless_input_is_given_up() {
    let mut deep = Json::new(BufReader::new(repeat(b'[')));
    assert!(matches!(tree(&mut deep), Err(Error::Deep { at: 256 })));
    assert!(matches!(Json::new(BufReader::new(repeat(b'['))).pass(), Err(Error::Deep { .. })));
    let mut long = Json::new(BufReader::new((&b"\""[..]).chain(repeat(b'x'))));
    assert!(matches!(long.value(), Err(Error::Long { at: 0 })));
    let mut digits = Json::new(BufReader::new(repeat(b'1')));
    assert!(matches!(digits.value(), Err(Error::Long { at: 0 })));
}

#[test]
fn a_long_text_is_passed_over_whole() {
    let text = format!("[\"{}\\\"\", 7]", "x".repeat(5 << 20));
    let mut json = Json::new(text.as_bytes());
    assert_eq!(json.value().unwrap(), Value::List);
    assert!(json.next_item().unwrap());
    json.pass().unwrap();
    assert!(json.next_item().unwrap());
    assert_eq!(json.value().unwrap(), Value::Number("7"));
    assert!(!json.next_item().unwrap());
    json.end().unwrap();
}

fn any_tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        Just(Tree::Null),
        any::<bool>().prop_map(Tree::Bool),
        any::<i64>().prop_map(Tree::from),
        any::<String>().prop_map(Tree::String),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Tree::Array),
            prop::collection::btree_map(any::<String>(), inner, 0..5)
                .prop_map(|map| Tree::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_value_is_read_as_it_was_written(value in any_tree(), chunk in 1_usize..9) {
        let text = serde_json::to_string(&value).unwrap();
        prop_assert_eq!(read(text.as_bytes(), chunk).unwrap(), value);
        let mut json = Json::new(text.as_bytes());
        json.pass().unwrap();
        json.end().unwrap();
    }

    #[test]
    fn junk_is_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..200), chunk in 1_usize..9) {
        let _read = read(&bytes, chunk);
        let mut json = Json::new(&bytes[..]);
        let _passed = json.pass();
    }
}
