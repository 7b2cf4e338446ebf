//! Where the shared data lie: real traces and price lists that are no part of the project.

use std::path::{Path, PathBuf};

/// The variable that names another folder of the same layout as `../shared/data`.
pub const SHARED_DATA_ENV: &str = "TRIMTAB_SHARED_DATA";

/// The path of a file or folder of the shared data; where it is absent, the enclosing test is skipped, and says so.
///
/// ```no_run
/// fn reads_a_trace() {
///     let path = testkit::shared_data!("no/such/trace.csv");
///     unreachable!("{} exists", path.display());
/// }
/// reads_a_trace();
/// ```
#[macro_export]
macro_rules! shared_data {
    ($relative:expr) => {
        match $crate::find_shared_data($relative) {
            Ok(path) => path,
            Err(reason) => $crate::skip!($crate::Need::SharedData, "{reason}"),
        }
    };
}

/// Finds `relative` below the folder that [`SHARED_DATA_ENV`] names, else below `../shared/data` beside the workspace.
///
/// # Errors
///
/// Says which path is absent. Use it through [`shared_data!`], which skips the test with that reason.
///
/// # Panics
///
/// When [`SHARED_DATA_ENV`] is set to something that is not a folder: that is a mistake, not an absence.
pub fn find_shared_data(relative: &str) -> Result<PathBuf, String> {
    let root = match std::env::var_os(SHARED_DATA_ENV) {
        Some(named) => {
            let named = PathBuf::from(named);
            assert!(named.is_dir(), "{SHARED_DATA_ENV}={} is not a folder", named.display());
            named
        }
        None => workspace_root().join("../shared/data"),
    };
    find_below(&root, relative)
}

fn find_below(root: &Path, relative: &str) -> Result<PathBuf, String> {
    let path = root.join(relative);
    if path.exists() {
        return Ok(path);
    }
    let absent = if root.is_dir() { &path } else { root };
    // The folder beside the checkout is named from the checkout: where that lies is nobody else's business.
    let shown = absent.strip_prefix(workspace_root()).unwrap_or(absent);
    Err(format!("{} is absent; {SHARED_DATA_ENV} may name a folder that holds {relative}", shown.display()))
}

/// The folder of the workspace's Cargo.toml, two levels above this crate's own.
fn workspace_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("this crate lies at crates/testkit")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_exists_is_found() {
        let found = find_below(workspace_root(), "crates/testkit/Cargo.toml").unwrap();
        assert!(found.is_file());
    }

    #[test]
    fn an_absent_file_is_named() {
        let reason = find_below(workspace_root(), "no/such/file").unwrap_err();
        assert!(reason.starts_with("no/such/file is absent"), "{reason}");
    }

    #[test]
    fn an_absent_folder_is_named_rather_than_the_file_in_it() {
        let reason = find_below(&workspace_root().join("../no-such-folder"), "some/file").unwrap_err();
        assert!(reason.starts_with("../no-such-folder is absent"), "{reason}");
    }
}
