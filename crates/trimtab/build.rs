//! Tells the program which commit it was built from, as `TRIMTAB_COMMIT`; `unknown commit` where git cannot say.

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let root = workspace_root();
    let commit = if is_a_checkout(&root) {
        // Only what moves with the commit: this script must not run, and the program not be rebuilt, for any other change.
        // HEAD moves on a switch of branches, its log on every commit as well, and the branch's own file where no log is kept.
        let branch = git(&root, &["symbolic-ref", "-q", "HEAD"]);
        for file in ["HEAD", "logs/HEAD", "packed-refs"].map(str::to_owned).into_iter().chain(branch) {
            if let Some(path) = git(&root, &["rev-parse", "--git-path", &file]).map(|path| root.join(path))
                && path.exists()
            {
                println!("cargo::rerun-if-changed={}", path.display());
            }
        }
        git(&root, &["rev-parse", "--short=12", "HEAD"])
    } else {
        None
    };
    match commit {
        Some(commit) => println!("cargo::rustc-env=TRIMTAB_COMMIT=commit {commit}"),
        None => println!("cargo::rustc-env=TRIMTAB_COMMIT=unknown commit"),
    }
}

fn workspace_root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo tells a build script where its package lies");
    Path::new(&here).ancestors().nth(2).expect("this package lies at crates/trimtab").to_owned()
}

/// Whether the workspace is a git checkout of its own. Unpacked from an archive into somebody else's checkout, it is not:
/// their commit says nothing about this source.
fn is_a_checkout(root: &Path) -> bool {
    let top = git(root, &["rev-parse", "--show-toplevel"]).and_then(|top| Path::new(&top).canonicalize().ok());
    top.is_some() && top == root.canonicalize().ok()
}

/// What git prints, or nothing when there is no git, or it fails.
fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").current_dir(root).args(arguments).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !said.is_empty()).then_some(said)
}
