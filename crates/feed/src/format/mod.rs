//! How samples lie in files: where each begins, and what it is made of.

pub mod tar;
