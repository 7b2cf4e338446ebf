//! How a command fails: with words for the user and an exit code.

use std::fmt;
use std::io;
use std::process::ExitCode;

use connect::import::Stop;
use fleet::problem::Problem;

use crate::interrupt::INTERRUPTED;

/// What a command comes to.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// Why a command failed: what happened, to what, and what to do next.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The arguments or the input are wrong.
    Input,
    /// Something outside did not do its part.
    Outside,
    /// It was done, and what was looked at is not as it should be.
    Problems,
    /// Whoever started it has stopped it.
    Interrupted,
    /// Whoever read the output went away, as `| head` does. No failure to speak of.
    Unread,
}

impl Failure {
    /// The arguments or the input are wrong.
    pub(crate) fn input(text: impl Into<String>) -> Self {
        Self { kind: Kind::Input, text: text.into() }
    }

    /// Something outside did not do its part.
    pub(crate) fn outside(text: impl Into<String>) -> Self {
        Self { kind: Kind::Outside, text: text.into() }
    }

    /// It was done, and what was looked at is not as it should be.
    pub(crate) fn problems(text: impl Into<String>) -> Self {
        Self { kind: Kind::Problems, text: text.into() }
    }

    /// It was stopped; what is left of it, or that nothing is.
    pub(crate) fn interrupted(text: impl Into<String>) -> Self {
        Self { kind: Kind::Interrupted, text: text.into() }
    }

    /// A file could not be opened: the user named it, so it counts as wrong input.
    pub(crate) fn opening(name: impl fmt::Display, error: &io::Error) -> Self {
        Self::input(format!("cannot read {name}: {}", words(error)))
    }

    /// Something could not be written.
    pub(crate) fn writing(name: impl fmt::Display, error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self { kind: Kind::Unread, text: String::new() };
        }
        Self { kind: Kind::Outside, text: format!("cannot write {name}: {}", words(error)) }
    }

    /// Says it on standard error and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        let red = anstyle::AnsiColor::Red.on_default().bold();
        let code = match self.kind {
            Kind::Unread => return ExitCode::SUCCESS,
            Kind::Outside => 1,
            Kind::Input => 2,
            Kind::Problems => 3,
            Kind::Interrupted => {
                anstream::eprintln!("interrupted: {}", self.text);
                return ExitCode::from(INTERRUPTED);
            }
        };
        anstream::eprintln!("{red}error{red:#}: {}", self.text);
        ExitCode::from(code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::input(problem.to_string())
    }
}

impl Failure {
    /// An import stopped; `output` is what it was to write.
    pub(crate) fn stopped(stop: Stop, output: impl fmt::Display) -> Self {
        match stop {
            Stop::Input(problem) => problem.into(),
            Stop::Output(error) => Self::writing(output, &error),
        }
    }
}

/// An error of the system in plain words, without its number, and what to do next where that is plain.
pub(crate) fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::StorageFull => "the disk is full; make room or write elsewhere".to_owned(),
        io::ErrorKind::QuotaExceeded => "your disk quota is used up; make room or write elsewhere".to_owned(),
        _ => {
            let text = error.to_string();
            match text.find(" (os error ") {
                Some(end) => text[..end].to_lowercase(),
                None => text,
            }
        }
    }
}
