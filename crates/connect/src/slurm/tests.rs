//! Whole imports, of recorded and of hand-written exports.
