//! How many tokens a text may become, told by what is done to it before it is divided: memory is set aside before a text is read.
//!
//! Where a text is as it was, each of its bytes becomes at most one token, in all of the models. Only what writes more than it was given
//! makes a difference. What is told here is looked at again with each text.

use serde::Serialize;
use serde_json::Value;
use tokenizers::Tokenizer;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;

/// Tokens that a text becomes, at most: so many for each byte, and some more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Growth {
    /// For each byte.
    each: usize,
    /// And more.
    more: usize,
}

impl Growth {
    /// Of a tokenizer, without the special tokens that it adds.
    pub(super) fn of(tokenizer: &Tokenizer) -> Growth {
        let vocabulary = |letter: &str| tokenizer.token_to_id(letter).is_some();
        let [normalizer, splitter] = parts(tokenizer).map(|part| of_part(&part, &vocabulary));
        let Growth { each, more } = normalizer.then(splitter);
        // Added tokens are cut out of the text first, and what lies between them is treated as a text each.
        let added = tokenizer.get_added_tokens_decoder();
        let shortest = added.values().map(|token| token.content.len().max(1)).min();
        Growth { each: each + shortest.map_or(0, |bytes| more.div_ceil(bytes)), more }
    }

    const NONE: Growth = Growth { each: 1, more: 0 };

    /// Tokens of so many bytes.
    pub(super) fn tokens_max(self, bytes: usize) -> usize {
        self.each.saturating_mul(bytes).saturating_add(self.more)
    }

    /// Both, one after the other.
    fn then(self, next: Growth) -> Growth {
        Growth { each: self.each * next.each, more: self.more * next.each + next.more }
    }
}

/// What normalises a text, and what splits it, as they are written in the tokenizer's file.
pub(super) fn parts(tokenizer: &Tokenizer) -> [Value; 2] {
    // What cannot be written is none of those that are told apart here.
    fn written(part: Option<&impl Serialize>) -> Value {
        part.and_then(|part| serde_json::to_value(part).ok()).unwrap_or_default()
    }
    [written(tokenizer.get_normalizer()), written(tokenizer.get_pre_tokenizer())]
}

/// Of a normaliser or of what splits a text.
fn of_part(part: &Value, vocabulary: &impl Fn(&str) -> bool) -> Growth {
    let text = |name: &str| part[name].as_str().unwrap_or_default();
    // A letter that the vocabulary has is one token whatever it takes, as the bar that stands for a space.
    let tokens = |text: &str| {
        let letters = text.char_indices().map(|(at, letter)| &text[at..at + letter.len_utf8()]);
        letters.map(|letter| if vocabulary(letter) { 1 } else { letter.len() }).sum::<usize>()
    };
    let all = |name: &str| {
        let parts = part[name].as_array().into_iter().flatten();
        parts.fold(Growth::NONE, |growth, part| growth.then(of_part(part, vocabulary)))
    };
    match text("type") {
        "Sequence" if part["normalizers"].is_array() => all("normalizers"),
        "Sequence" => {
            let Growth { each, more } = all("pretokenizers");
            // What stands in front of each split stands in front of each byte where those before split bytes apart.
            Growth { each: each + more, more }
        }
        // The most that each form grows in UTF-8: Unicode's questions and answers on normalization, "maximum expansion factor".
        "NFC" | "NFD" => Growth { each: 3, more: 0 },
        // SentencePiece's own form is NFKC, with some letters beside.
        "NFKC" | "NFKD" | "Precompiled" => Growth { each: 11, more: 0 },
        // U+0130 is two bytes, and three as a small letter.
        "Lowercase" => Growth { each: 2, more: 0 },
        // Letters without their accents, as NFD has them; spaces around Chinese ones, which are three bytes and become five.
        "BertNormalizer" => Growth { each: 3, more: 0 },
        "Prepend" => Growth { each: 1, more: tokens(text("prepend")) },
        "Replace" => match part["pattern"]["String"].as_str() {
            Some(pattern) if !pattern.is_empty() => {
                Growth { each: tokens(text("content")).div_ceil(pattern.len()).max(1), more: 0 }
            }
            // An expression may find nothing between any two bytes, and that is replaced too.
            _ => Growth { each: 1 + tokens(text("content")), more: tokens(text("content")) },
        },
        "Metaspace" => {
            let bar = tokens(text("replacement")).max(1);
            Growth { each: bar, more: if text("prepend_scheme") == "never" { 0 } else { bar } }
        }
        // Bytes become letters, of one or two bytes again, which its vocabulary has as a rule. The space is the splitter's: a normaliser
        // has no such option.
        "ByteLevel" => {
            let is_known = ByteLevel::alphabet().iter().all(|letter| vocabulary(letter.encode_utf8(&mut [0; 4])));
            let each = if is_known { 1 } else { 2 };
            Growth { each, more: if part["add_prefix_space"] == Value::Bool(true) { each } else { 0 } }
        }
        _ => Growth::NONE,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Where the vocabulary has the bar, and what bytes become.
    fn of(part: &Value) -> (usize, usize) {
        let Growth { each, more } = of_part(part, &|letter| letter == "▁" || letter.len() < 3);
        (each, more)
    }

    #[test]
    fn what_writes_more_than_it_is_given_is_told() {
        let prepend = json!({"type": "Prepend", "prepend": "▁"});
        let replace = json!({"type": "Replace", "pattern": {"String": " "}, "content": "▁"});
        assert_eq!(of(&json!({"type": "Sequence", "normalizers": [prepend, replace]})), (1, 1));
        assert_eq!(of(&json!({"type": "Replace", "pattern": {"String": "ab"}, "content": "中中"})), (3, 0));
        assert_eq!(of(&json!({"type": "Replace", "pattern": {"Regex": "x*"}, "content": "--"})), (3, 2));
        assert_eq!(of(&json!({"type": "Sequence", "normalizers": [{"type": "Lowercase"}, {"type": "NFKC"}]})), (22, 0));
        let bar = json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true});
        assert_eq!(of(&bar), (1, 1));
        assert_eq!(of(&json!({"type": "Sequence", "pretokenizers": [{"type": "Punctuation"}, bar]})), (2, 1));
        assert_eq!(of(&json!({"type": "ByteLevel", "add_prefix_space": false})), (1, 0));
        assert_eq!(of(&json!({"type": "ByteLevel", "add_prefix_space": true})), (1, 1));
        assert_eq!(of(&Value::Null), (1, 0));
        let unknown = of_part(&json!({"type": "ByteLevel", "add_prefix_space": true}), &|_| false);
        assert_eq!((unknown.each, unknown.more), (2, 2));
    }
}
