//! Where the workspace lies, and how its cargo is called.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the workspace's Cargo.toml, one level above this package's own.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package lies at xtask, below the workspace's root")
}

/// A command of the cargo that runs this chore, in the workspace's root.
pub(crate) fn cargo() -> Command {
    // Cargo sets CARGO for what it runs, so that a chore and its caller use the same toolchain.
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(root());
    // And it sets what it knows of this package, which build scripts of others look at (ring's): with it there one time and not the next, all that
    // stands on them is built anew.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            command.env_remove(name);
        }
    }
    command
}

/// Cargo's folder for what is built.
pub(crate) fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |named| root().join(named))
}
