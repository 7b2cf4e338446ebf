//! `trimtab --version` tells the version, and the commit it was built from where there is one.

use std::process::Command;

#[test]
fn the_version_line_tells_version_and_commit() {
    let output = Command::new(env!("CARGO_BIN_EXE_trimtab")).arg("--version").output().unwrap();
    let line = String::from_utf8(output.stdout).unwrap();
    let told = line
        .strip_prefix(concat!("trimtab ", env!("CARGO_PKG_VERSION"), " ("))
        .and_then(|rest| rest.strip_suffix(")\n"))
        .unwrap_or_else(|| panic!("{line:?} is not a version line"));
    let is_commit = |text: &str| text.len() >= 12 && text.chars().all(|digit| digit.is_ascii_hexdigit());
    assert!(told == "unknown commit" || told.strip_prefix("commit ").is_some_and(is_commit), "{told:?}");
}
