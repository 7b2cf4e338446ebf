//! Documents of tokens, and the rows that they are laid into.

use serde::{Deserialize, Serialize};

use super::TokenType;

/// Documents of tokens, laid into rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SequencesSpec {
    /// Tokens of a row, at most.
    pub length: usize,
    /// Where tokens come from.
    pub source: TokenSource,
    /// What is put behind each document.
    #[serde(default)]
    pub end: Option<TokenName>,
    /// What stands where no document does.
    #[serde(default)]
    pub pad: TokenName,
    /// What becomes of documents that are longer than a row.
    pub overlong: Overlong,
    /// How documents are laid into rows.
    pub layout: RowsSpec,
}

/// Where tokens come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TokenSource {
    /// The field is text.
    Text {
        /// The file of a tokenizer, as Hugging Face's `tokenizers` save it.
        tokenizer: String,
        /// Whether the special tokens are added that a text begins and ends with, as that file says.
        #[serde(default)]
        special_tokens: bool,
    },
    /// The field is tokens: stored so, or a list in JSON.
    Stored {
        /// How each is stored, where they are not digits.
        dtype: TokenType,
    },
}

/// A token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TokenName {
    /// By its number.
    Number(i64),
    /// By its text, which the tokenizer knows.
    Text(String),
}

/// What becomes of a document that is longer than a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Overlong {
    /// It is an error.
    Refuse,
    /// It loses what is behind the row.
    Truncate,
    /// It is cut into several rows.
    Split,
}

/// How documents are laid into rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RowsSpec {
    /// A document a row.
    Padded {
        /// What the rows of a batch are as long as.
        to: PaddedTo,
        /// A row's length is a multiple of this.
        multiple_of: usize,
    },
    /// As many documents a row as there is room for.
    Packed {
        /// Rows of a batch; as many as it takes, where it is not told.
        rows: Option<usize>,
        /// Whether it is told where each document ends, all rows behind each other.
        cu_seqlens: bool,
    },
}

/// What the rows of a batch are as long as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PaddedTo {
    /// The longest that may be.
    Length,
    /// The longest of the batch's documents.
    Longest,
}

impl Default for TokenName {
    fn default() -> TokenName {
        TokenName::Number(0)
    }
}
