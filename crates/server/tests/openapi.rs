//! The document that describes the API is checked in: whoever changes the API changes it too, and sees what changed.

use std::path::Path;

/// Set to write the document anew.
const WRITE_ENV: &str = "TRIMTAB_WRITE_GOLDEN";

#[test]
fn the_document_is_as_checked_in() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let mut now = serde_json::to_string_pretty(&server::openapi()).expect("a document is plain data");
    now.push('\n');
    if std::env::var_os(WRITE_ENV).is_some() {
        std::fs::write(&path, &now).expect("the document can be written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        now == kept,
        "the API changed: see what, and write docs/openapi.json with {WRITE_ENV}=1 cargo test -p server"
    );
}
