//! Pickles written by hand, as Python writes them.

use super::*;

fn read(bytes: &[u8]) -> Result<Pickle, Error> {
    Pickle::read(bytes)
}

/// What a pickle holds, as text; nested no deeper than these are.
fn told(pickle: &Pickle, at: Place) -> String {
    match pickle.value(at) {
        Value::Text(text) => format!("{text:?}"),
        Value::Whole(number) => number.to_string(),
        Value::List(_) => {
            let items: Vec<String> = pickle.items(at).map(|item| told(pickle, item)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Dictionary => {
            let pairs: Vec<String> =
                pickle.pairs(at).map(|(key, value)| format!("{key}: {}", told(pickle, value))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
        other => format!("{other:?}"),
    }
}

#[test]
fn plain_data_is_read_whatever_the_protocol() {
    for (bytes, expected) in [
        // {"a": [1, -2, 300], "b": (None, True)} by protocols 2 and 4.
        (
            &b"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01]q\x02(K\x01J\xfe\xff\xff\xffM\x2c\x01eX\x01\x00\x00\x00bq\x03N\x88\x86q\x04u."[..],
            "{a: [1, -2, 300], b: [Nothing, Bool(true)]}",
        ),
        (
            b"\x80\x04\x95\x1c\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x01a\x94]\x94(K\x01J\xfe\xff\xff\xffM\x2c\x01e\x8c\x01b\x94N\x88\x86\x94u.",
            "{a: [1, -2, 300], b: [Nothing, Bool(true)]}",
        ),
        (b"\x80\x02]q\x00(X\x01\x00\x00\x00xq\x01h\x01h\x01e.", "[\"x\", \"x\", \"x\"]"),
        (b"\x80\x02\x8a\x08\x15\xcd\x5b\x07\x00\x00\x00\x80.", "-9223372036731319019"),
        (b"\x80\x02\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01.", "Other"),
        (b"\x80\x02\x8a\x00.", "0"),
        (b"\x80\x02(I01\nL12L\nI-3\nV\xc3\xa4\nS'b'\nt.", "[Bool(true), 12, -3, \"ä\", \"b\"]"),
        (b"\x80\x02(G\x00\x00\x00\x00\x00\x00\x00\x00C\x02\xff\xffl.", "[Other, Other]"),
        (b"\x80\x02(X\x01\x00\x00\x00aK\x01d.", "{a: 1}"),
        (b"\x80\x02]K\x01a}X\x01\x00\x00\x00kK\x02s\x86.", "[[1], {k: 2}]"),
    ] {
        let pickle = read(bytes).unwrap();
        assert_eq!(told(&pickle, pickle.root()), expected);
    }
}

#[test]
fn nothing_is_looked_up_or_called() {
    for (bytes, instruction) in [
        (&b"\x80\x02cos\nsystem\n(S'true'\ntR."[..], 'c'),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", '\u{93}'),
        (b"\x80\x02NN\x81.", '\u{81}'),
    ] {
        let error = read(bytes).unwrap_err().to_string();
        let expected = format!("instruction {:#04x} at byte", instruction as u32);
        assert!(error.starts_with(&expected), "{error}");
    }
}

#[test]
fn what_does_not_fit_is_said() {
    for (bytes, expected) in [
        (&b"\x80\x02"[..], "the file is cut off"),
        (b"\x80\x02X\xff\x00\x00\x00ab", "the file is cut off"),
        (b"\x80\x02.", "the instruction at byte 2 does not fit"),
        (b"\x80\x02a.", "the instruction at byte 2 does not fit"),
        (b"\x80\x02e.", "the instruction at byte 2 does not fit"),
        (b"\x80\x02K\x01\x86.", "the instruction at byte 4 does not fit"),
        (b"\x80\x02K\x01(\x85.", "the instruction at byte 5 does not fit"),
        (b"\x80\x02](K\x01a.", "the instruction at byte 6 does not fit"),
        (b"\x80\x02}(K\x01u.", "the instruction at byte 6 does not fit"),
        (b"\x80\x02h\x07.", "the instruction at byte 2 does not fit"),
        (b"\x80\x02X\xff\xff\xff\xff", "it holds more than"),
    ] {
        let error = read(bytes).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn nesting_and_sharing_cost_no_more_than_they_take() {
    // A million lists, each within the next.
    let deep = [b"\x80\x02]".to_vec(), b"]".repeat(1_000_000), b"a".repeat(1_000_000), b".".to_vec()].concat();
    assert_eq!(read(&deep).unwrap().nodes.len(), 1_000_001);
    // Each of a hundred lists holds the one before ten times: ten to the hundredth, if it were written out.
    let mut shared = b"\x80\x04]\x94".to_vec();
    for list in 0..100 {
        shared.extend([b"](".to_vec(), [b'h', list].repeat(10), b"e\x94".to_vec()].concat());
    }
    shared.push(b'.');
    assert_eq!(read(&shared).unwrap().nodes.len(), 101);
    // One that holds itself.
    let pickle = read(b"\x80\x02]q\x00h\x00a.").unwrap();
    assert_eq!(pickle.items(pickle.root()).next(), Some(pickle.root()));
}

#[test]
fn what_is_kept_has_a_bound() {
    let many = [b"\x80\x02".to_vec(), b"N0".repeat(2 * KEPT_MAX)].concat();
    assert!(matches!(read(&many), Err(Error::Large)));
}
