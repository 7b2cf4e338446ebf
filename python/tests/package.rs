//! The Python package, tested in Python: `suite/` is run by pytest against the library that cargo has just built.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the suite imports.
const MODULES: &str = "import mypy.stubtest, numpy, PIL, pytest";

#[test]
fn the_suite_passes() {
    let data = testkit::shared_data!("images");
    let works = Command::new("python3").args(["-c", MODULES]).output();
    if !works.is_ok_and(|output| output.status.success()) {
        testkit::skip!(
            testkit::Need::Program,
            "python3 cannot `{MODULES}`: put a venv first on PATH that has numpy, pillow, pytest and mypy, and tokenizers, which tokens are held against"
        );
    }
    let site = assembled();
    let output = Command::new("python3")
        .args(["-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "--durations=3"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite"))
        // Not where the sources lie: Python would take them for the package.
        .current_dir(site.path())
        .env("PYTHONPATH", site.path())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("TRIMTAB_TEST_IMAGES", data)
        .output()
        .expect("python3 was found before");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    println!("{said}");
}

/// A folder that holds the package as a wheel would install it.
fn assembled() -> tempfile::TempDir {
    let site = tempfile::TempDir::new().expect("there is room for a folder");
    let package = site.path().join("trimtab");
    copy_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("trimtab"), &package);
    fs::copy(library(), package.join("_native.abi3.so")).expect("cargo has built the library");
    site
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).expect("the folder is new");
    for entry in fs::read_dir(from).expect("the package is there") {
        let path = entry.expect("the folder can be read").path();
        let name = path.file_name().expect("what is in a folder has a name");
        if path.is_file() {
            fs::copy(&path, to.join(name)).expect("there is room");
        } else if name != "__pycache__" {
            copy_folder(&path, &to.join(name));
        }
    }
}

/// Where cargo leaves the library: beside this test.
fn library() -> PathBuf {
    let here = std::env::current_exe().expect("a test knows its own path");
    here.with_file_name("lib_native.so")
}
