//! The steps that are other people's tools: cargo's own, and three that are installed beside it.

use std::process::Command;

use anyhow::bail;

use super::{Outcome, shown, succeed};
use crate::workspace;

/// rustfmt changes nothing.
pub(super) fn format() -> anyhow::Result<Outcome> {
    succeed(workspace::cargo().args(["fmt", "--all", "--check"]))?;
    Ok(Outcome::Passed)
}

/// Clippy has nothing to say, in programs, tests and benchmarks, whatever their features.
pub(super) fn clippy() -> anyhow::Result<Outcome> {
    succeed(
        workspace::cargo()
            .args(["clippy", "--quiet", "--workspace", "--all-targets", "--all-features"])
            .args(["--", "--deny", "warnings"]),
    )?;
    Ok(Outcome::Passed)
}

/// rustdoc has nothing to say. Private items are documented too: they are what a reader of the source clicks on.
pub(super) fn documentation() -> anyhow::Result<Outcome> {
    let mut cargo = workspace::cargo();
    cargo.args(["doc", "--quiet", "--workspace", "--all-features", "--no-deps", "--document-private-items"]);
    cargo.env("RUSTDOCFLAGS", "--deny warnings");
    succeed(&mut cargo)?;
    Ok(Outcome::Passed)
}

/// typos finds nothing; `_typos.toml` lists what it must not touch.
pub(super) fn spelling() -> anyhow::Result<Outcome> {
    let mut typos = Command::new("typos");
    typos.current_dir(workspace::root());
    present(&mut typos, "pip install typos")?;
    succeed(&mut typos)?;
    Ok(Outcome::Passed)
}

/// cargo-machete finds no dependency that no source file names.
pub(super) fn unused_dependencies() -> anyhow::Result<Outcome> {
    let mut machete = Command::new("cargo-machete");
    machete.current_dir(workspace::root());
    present(&mut machete, "cargo install --locked cargo-machete")?;
    succeed(&mut machete)?;
    Ok(Outcome::Passed)
}

/// cargo-deny accepts the dependency tree.
pub(super) fn deny() -> anyhow::Result<Outcome> {
    let mut deny = deny_command()?;
    succeed(deny.args(["--log-level", "error", "check", "licenses", "bans", "sources"]))?;
    Ok(Outcome::Passed)
}

/// No dependency stands in the advisory database; skipped where that cannot be reached.
pub(super) fn advisories() -> anyhow::Result<Outcome> {
    let mut deny = deny_command()?;
    deny.args(["--log-level", "error", "check", "advisories"]);
    let output = deny.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        return Ok(Outcome::Passed);
    }
    if said.contains("failed to fetch advisory database") {
        return Ok(Outcome::Skipped("the advisory database cannot be reached from this machine".to_owned()));
    }
    bail!("`{}` ended with {}:\n{said}", shown(&deny), output.status);
}

fn deny_command() -> anyhow::Result<Command> {
    let mut deny = Command::new("cargo-deny");
    deny.current_dir(workspace::root());
    present(&mut deny, "cargo install --locked cargo-deny")?;
    Ok(deny)
}

/// Fails, saying how to install it, when the program of `command` cannot be started.
fn present(command: &mut Command, install: &str) -> anyhow::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    match Command::new(&program).arg("--version").output() {
        Ok(_) => Ok(()),
        Err(error) => bail!("{program} did not start ({error}); install it with `{install}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tool_comes_with_its_cure() {
        let error = present(&mut Command::new("no-such-tool"), "pip install no-such-tool").unwrap_err().to_string();
        assert!(error.starts_with("no-such-tool did not start"), "{error}");
        assert!(error.ends_with("install it with `pip install no-such-tool`"), "{error}");
    }
}
