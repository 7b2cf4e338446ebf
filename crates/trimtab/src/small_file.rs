//! Files that somebody wrote by hand or a command printed: read whole, and no larger than they can be meant.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::failure::{Failure, Outcome};

/// The text of a file of so many MiB at most.
pub(crate) fn read(path: &Path, mebibytes_max: u64) -> Outcome<String> {
    let bytes_max = mebibytes_max << 20;
    let fail = |error: &std::io::Error| Failure::opening(path.display(), error);
    let file = File::open(path).map_err(|error| fail(&error))?;
    let mut text = String::new();
    file.take(bytes_max + 1).read_to_string(&mut text).map_err(|error| fail(&error))?;
    if text.len() as u64 > bytes_max {
        return Err(Failure::input(format!("{} holds more than {mebibytes_max} MiB", path.display())));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_bound_and_refused_beyond() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, vec![b'x'; 1 << 20]).unwrap();
        assert_eq!(read(&path, 1).unwrap().len(), 1 << 20);
        std::fs::write(&path, vec![b'x'; (1 << 20) + 1]).unwrap();
        assert!(read(&path, 1).unwrap_err().to_string().ends_with("a holds more than 1 MiB"));
        assert!(read(&folder.path().join("none"), 1).unwrap_err().to_string().contains("cannot read"));
    }
}
