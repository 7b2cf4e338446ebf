//! A tokenizer of Hugging Face's, read from its file, that does the same to a text whoever asks and whenever.

use std::fmt;
use std::fs;
use std::panic::catch_unwind;

use sha2::{Digest, Sha256};
use tokenizers::models::ModelWrapper;
use tokenizers::{PostProcessor, TruncationDirection, TruncationParams, TruncationStrategy};

use super::expressions::Expressions;
use super::growth::{Growth, parts};

/// Bytes of memory that a tokenizer takes, for each of its file: tokens by text and by number, and merges, all in hash tables. A byte-level
/// one of 32,000 tokens takes 9.8.
const BYTES_EACH: usize = 12;
/// Bytes of memory that a thread keeps of words that it has divided already: 10,000 of them. Words of texts take a third of that.
pub const CACHE_BYTES: usize = 4 << 20;
/// Bytes of memory that dividing a text takes for each of its own: the text, and where its bytes lay, once more for each piece that it
/// is split into, and of each token its text and eight numbers. Measured were 64 (source text, 3.5 bytes a token) to 294 (words of
/// which each byte becomes a token).
const WORK_EACH: usize = 320;

/// Turns texts to tokens.
pub struct Tokenizer {
    tokenizer: tokenizers::Tokenizer,
    specials: Specials,
    /// Tokens of a text that are wanted, special ones not counted.
    wanted: Option<usize>,
    growth: Growth,
    expressions: Expressions,
    file_bytes: usize,
    sha256: String,
}

/// Special tokens that the tokenizer's own file says a text begins and ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Specials {
    /// They are added.
    Added,
    /// They are left out.
    LeftOut,
}

/// What a text became.
pub(super) struct Tokenized {
    pub(super) tokens: Vec<u32>,
    /// Whether there were more than were wanted.
    pub(super) is_cut: bool,
}

impl Tokenizer {
    /// Reads the file of that name, `tokenizer.json`.
    ///
    /// # Errors
    ///
    /// Where it cannot be read, is no tokenizer, or divides texts by chance: told as a clause that names the file.
    pub fn open(path: &str, specials: Specials) -> Result<Tokenizer, String> {
        let bytes = fs::read(path).map_err(|error| format!("{path}: failed to read the tokenizer: {error}"))?;
        let no_tokenizer = |why: &str| {
            format!(
                "{path}: it is no tokenizer as Hugging Face's tokenizers save them (tokenizer.save(\"tokenizer.json\")): {why}"
            )
        };
        // Some files that make no sense are found by what fails when they are used.
        let read = catch_unwind(|| tokenizers::Tokenizer::from_bytes(&bytes));
        let mut tokenizer = match read {
            Ok(Ok(tokenizer)) => tokenizer,
            Ok(Err(error)) => return Err(no_tokenizer(&error.to_string())),
            Err(_) => return Err(no_tokenizer("what it says contradicts itself")),
        };
        if let ModelWrapper::BPE(model) = tokenizer.get_model()
            && model.dropout.is_some_and(|chance| chance > 0.0)
        {
            return Err(format!(
                "{path}: it leaves merges out by chance (\"dropout\"), so that no epoch could be gone on with: set \"dropout\" to null in it"
            ));
        }
        // How long texts are, and what is put behind them, is told by the column.
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|error| no_tokenizer(&error.to_string()))?;
        let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let (growth, expressions) = (Growth::of(&tokenizer), Expressions::of(&parts(&tokenizer)));
        Ok(Tokenizer { tokenizer, specials, wanted: None, growth, expressions, file_bytes: bytes.len(), sha256 })
    }

    /// The same, of which `length` tokens of a text are wanted, special ones among them: it stops once there are more.
    ///
    /// # Errors
    ///
    /// Where special tokens leave no room for a text: a clause.
    pub fn cut_to(mut self, length: usize) -> Result<Tokenizer, String> {
        let added = self.added();
        let Some(wanted) = length.checked_sub(added).filter(|wanted| *wanted > 0) else {
            return Err(format!(
                "its tokenizer adds {added} special tokens, and a row of {length} has no room for more"
            ));
        };
        // One more than is wanted, so that it is known whether there are more; and no fewer than the library wants, which takes the
        // special ones off once it adds them.
        let max_length = length.max(wanted + 1);
        let (strategy, direction) = (TruncationStrategy::LongestFirst, TruncationDirection::Right);
        let truncation = TruncationParams { max_length, stride: 0, strategy, direction };
        self.tokenizer.with_truncation(Some(truncation)).map_err(|error| error.to_string())?;
        self.wanted = Some(wanted);
        Ok(self)
    }

    /// The digest of its file, in hexadecimal digits.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Bytes of memory that it takes, whoever uses it.
    pub fn bytes(&self) -> usize {
        self.file_bytes * BYTES_EACH
    }

    /// The number of a token.
    pub fn token(&self, text: &str) -> Option<u32> {
        self.tokenizer.token_to_id(text)
    }

    /// Special tokens that are added to a text.
    fn added(&self) -> usize {
        match self.specials {
            Specials::Added => self.tokenizer.get_post_processor().map_or(0, |processor| processor.added_tokens(false)),
            Specials::LeftOut => 0,
        }
    }

    /// Tokens that so many bytes of text become, at most.
    pub(super) fn tokens_max(&self, bytes: usize) -> usize {
        let text = self.growth.tokens_max(bytes);
        self.wanted.map_or(text, |wanted| wanted.min(text)) + self.added()
    }

    /// Bytes of memory that dividing so many bytes of text takes.
    pub(super) fn work_bytes(&self, bytes: usize) -> usize {
        bytes.saturating_mul(WORK_EACH)
    }

    /// The tokens of a text; or why there are none, as a clause.
    pub(super) fn tokenize(&self, text: &str) -> Result<Tokenized, String> {
        let failed = |error: tokenizers::Error| format!("its tokenizer fails: {error}");
        self.expressions.check(text)?;
        let mut encoding = self.tokenizer.encode_fast(text, false).map_err(failed)?;
        let is_cut = self.wanted.is_some_and(|wanted| encoding.len() > wanted);
        if let Some(wanted) = self.wanted {
            encoding.truncate(wanted, 0, TruncationDirection::Right);
        }
        if self.specials == Specials::Added {
            encoding = self.tokenizer.post_process(encoding, None, true).map_err(failed)?;
        }
        Ok(Tokenized { tokens: encoding.get_ids().to_vec(), is_cut })
    }
}

impl fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokenizer")
            .field("sha256", &self.sha256)
            .field("specials", &self.specials)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// A tokenizer of which each byte becomes a token, but for the letters of `letters`.
    fn of_bytes(letters: &str, parts: &Value) -> Tokenizer {
        let bytes = (0..=255).map(|byte| format!("<0x{byte:02X}>"));
        let vocabulary: serde_json::Map<String, Value> =
            bytes.chain(letters.chars().map(String::from)).enumerate().map(|(id, token)| (token, json!(id))).collect();
        let mut file = json!({
            "version": "1.0",
            "added_tokens": [
                {"id": 400, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
            ],
            "model": {"type": "BPE", "byte_fallback": true, "vocab": vocabulary, "merges": []},
        });
        for part in ["normalizer", "pre_tokenizer", "post_processor"] {
            file[part] = parts[part].clone();
        }
        let folder = tempfile::tempdir().expect("there is room");
        let path = folder.path().join("tokenizer.json");
        fs::write(&path, file.to_string()).expect("there is room");
        Tokenizer::open(&path.display().to_string(), Specials::Added).expect("it is a tokenizer")
    }

    /// Tokenizers with all that is known to write more than it is given.
    fn all() -> Vec<Tokenizer> {
        let replace = json!({"type": "Replace", "pattern": {"String": " "}, "content": "▁"});
        let prepend = json!({"type": "Prepend", "prepend": "▁"});
        let llama = json!({"type": "Sequence", "normalizers": [prepend, replace]});
        let metaspace = json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true});
        let punctuation = json!({"type": "Punctuation", "behavior": "Isolated"});
        let bert = json!({"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true});
        let regex = json!({"type": "Replace", "pattern": {"Regex": "a*"}, "content": "xy"});
        let prefix = json!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true});
        let normalizers = ["NFC", "NFD", "NFKC", "NFKD", "Lowercase"].map(|form| json!({"normalizer": {"type": form}}));
        let others = [
            json!({"normalizer": llama}),
            json!({"normalizer": bert}),
            json!({"normalizer": regex}),
            json!({"pre_tokenizer": metaspace}),
            json!({"pre_tokenizer": {"type": "Sequence", "pretokenizers": [punctuation, metaspace]}}),
            json!({"pre_tokenizer": prefix}),
            json!({"pre_tokenizer": {"type": "Sequence", "pretokenizers": [punctuation, prefix]}}),
        ];
        normalizers.iter().chain(&others).flat_map(|parts| [of_bytes("", parts), of_bytes("▁ ", parts)]).collect()
    }

    #[test]
    fn what_grows_most_stays_below_what_was_said() {
        let texts = ["ﷺ", "\u{1d160}", "ΐ", "İ", "Ⱥ", "中", ".", "a.", "<s>", "<s>a", " ", "a b", "aaa"];
        for tokenizer in all() {
            for text in texts.map(|text| text.repeat(7)) {
                let tokens = tokenizer.tokenize(&text).expect("it is text").tokens.len();
                assert!(tokens <= tokenizer.tokens_max(text.len()), "{text:?}: {tokens}, {:?}", tokenizer.growth);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_text_becomes_more_tokens_than_was_said(text in "(\\PC|<s>| |[a.]|[\u{fdfa}\u{130}\u{4e2d}]){0,60}") {
            static ALL: std::sync::LazyLock<Vec<Tokenizer>> = std::sync::LazyLock::new(all);
            for tokenizer in &*ALL {
                let tokens = tokenizer.tokenize(&text).expect("it is text").tokens.len();
                prop_assert!(tokens <= tokenizer.tokens_max(text.len()), "{:?}", tokenizer.growth);
            }
        }
    }

    #[test]
    fn a_text_that_is_cut_keeps_its_special_tokens() {
        let parts = json!({"post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [400], "tokens": ["<s>"]}},
        }});
        let text = "abcdef";
        for (length, expected, is_cut) in [
            (7, vec![400, 97, 98, 99, 100, 101, 102], false),
            (6, vec![400, 97, 98, 99, 100, 101], true),
            (2, vec![400, 97], true),
        ] {
            let tokenizer = of_bytes("", &parts).cut_to(length).expect("there is room for special ones");
            let tokenized = tokenizer.tokenize(text).expect("it is text");
            assert_eq!((tokenized.tokens, tokenized.is_cut), (expected, is_cut), "{length}");
            assert_eq!(tokenizer.tokens_max(1000), length);
        }
        let refused = of_bytes("", &parts).cut_to(1).expect_err("there is no room");
        assert!(refused.contains("adds 1 special tokens"), "{refused}");
    }
}
