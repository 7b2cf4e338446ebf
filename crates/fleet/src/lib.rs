//! The nouns of Trimtab.
#![warn(missing_docs)]
