//! A history on disk: written record by record, read record by record.

use std::io;
use std::path::{Path, PathBuf};

use connect::file::{Input, Output};
use fleet::history::{End, Header, Reader, Record, Writer};

use crate::failure::{Failure, Outcome};

/// Opens a history and reads its header.
pub(crate) fn open(path: &Path) -> Outcome<(Reader<Input>, connect::file::Progress)> {
    let input = Input::open(path).map_err(|error| Failure::opening(path.display(), &error))?;
    let (progress, name) = (input.progress(), input.name().to_owned());
    Ok((Reader::begin(input, &name)?, progress))
}

/// A history being written. The first header begins it; later ones add nothing.
pub(crate) struct HistoryFile {
    path: PathBuf,
    state: State,
}

enum State {
    /// Nothing was written yet.
    Empty(Output),
    Begun(Writer<Output>),
    /// The disk failed; what was written is gone.
    Broken,
}

impl HistoryFile {
    /// Begins a file.
    pub(crate) fn create(path: &Path) -> Outcome<Self> {
        let output = Output::create(path).map_err(|error| Failure::writing(path.display(), &error))?;
        Ok(Self { path: path.to_owned(), state: State::Empty(output) })
    }

    /// Writes a record. The first must be a header.
    pub(crate) fn take(&mut self, record: Record) -> io::Result<()> {
        match (&mut self.state, record) {
            (State::Begun(_), Record::Header(_)) => Ok(()),
            (State::Begun(writer), record) => writer.write(&record),
            (_, Record::Header(header)) => self.begin(header),
            _ => Err(io::Error::other("a record came before the header")),
        }
    }

    /// Ends the file, which then appears.
    pub(crate) fn finish(self, end: End) -> Outcome {
        let State::Begun(writer) = self.state else {
            return Err(Failure::input(format!("nothing to write to {}: no record came", self.path.display())));
        };
        let finished = writer.finish(end).and_then(Output::finish);
        finished.map_err(|error| Failure::writing(self.path.display(), &error))
    }

    fn begin(&mut self, header: Header) -> io::Result<()> {
        let State::Empty(output) = std::mem::replace(&mut self.state, State::Broken) else {
            return Err(io::Error::other("the file was given up before"));
        };
        let written_by = Some(concat!("trimtab ", env!("CARGO_PKG_VERSION")).to_owned());
        self.state = State::Begun(Writer::begin(output, Header { written_by, ..header })?);
        Ok(())
    }
}
