//! Asks a loader's socket.

use std::fmt;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// Bytes of an answer, at most: a report has some thousand.
const ANSWER_MAX: usize = 4 << 20;

/// Why there is no answer.
#[derive(Debug)]
pub enum AskError {
    /// Nobody listens there, or the loader has ended.
    Gone,
    /// It does not answer in time.
    Silent,
    /// It may not be opened, or whatever else the system says.
    System(io::Error),
    /// What it answers is no answer of a loader.
    Strange(String),
}

/// What a socket answers for a path, such as `/report`.
///
/// # Errors
///
/// Where it does not answer, or not as a loader does.
pub fn ask(socket: &Path, path: &str) -> Result<String, AskError> {
    let deadline = Instant::now() + PATIENCE;
    let answer = exchanged(socket, path, deadline).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => AskError::Gone,
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => AskError::Silent,
        _ => AskError::System(error),
    })?;
    body(&answer)
}

fn exchanged(socket: &Path, path: &str, deadline: Instant) -> io::Result<Vec<u8>> {
    let left = || {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::Error::from(io::ErrorKind::TimedOut)) } else { Ok(Some(left)) }
    };
    let mut stream = UnixStream::connect(socket)?;
    stream.set_write_timeout(left()?)?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    let mut piece = [0; 16 << 10];
    loop {
        // A copy of the connection in a forked process would hold back its end, so its length is what counts.
        if is_whole(&answer) || answer.len() > ANSWER_MAX {
            return Ok(answer);
        }
        stream.set_read_timeout(left()?)?;
        match stream.read(&mut piece) {
            Ok(0) => return Ok(answer),
            Ok(read) => answer.extend_from_slice(&piece[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The head and the body of an answer, and how long the body is to be.
fn parts(answer: &[u8]) -> Option<(&str, &[u8], Option<usize>)> {
    let end = super::http::head_end(answer)?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok()).flatten()
    });
    Some((head, &answer[end..], length))
}

fn is_whole(answer: &[u8]) -> bool {
    matches!(parts(answer), Some((_, body, Some(length))) if body.len() >= length)
}

fn body(answer: &[u8]) -> Result<String, AskError> {
    let strange = |what: &str| AskError::Strange(what.to_owned());
    if answer.is_empty() {
        return Err(AskError::Gone);
    }
    let (head, body, length) = parts(answer).ok_or_else(|| strange("it does not speak HTTP/1.1"))?;
    let body = &body[..length.unwrap_or(body.len()).min(body.len())];
    if length.is_some_and(|length| body.len() < length) {
        return Err(strange("its answer ends too early, or is too long"));
    }
    let body = std::str::from_utf8(body).map_err(|_| strange("its answer is no text"))?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    match status {
        "200" => Ok(body.to_owned()),
        "503" if body.contains("ended") => Err(AskError::Gone),
        _ => Err(strange(&format!("it answers {status}: {}", body.trim_end()))),
    }
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AskError::Gone => f.write_str("no loader answers there"),
            AskError::Silent => {
                write!(f, "it does not answer within {} s: is its process stopped?", PATIENCE.as_secs())
            }
            AskError::System(error) => error.fmt(f),
            AskError::Strange(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for AskError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_its_body_or_an_error() {
        let check = |answer: &str, expected: Result<&str, &str>| {
            let found = body(answer.as_bytes()).map_err(|error| error.to_string());
            assert_eq!(found.as_deref().map_err(String::as_str), expected, "{answer}");
        };
        check("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", Ok("ok"));
        check("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokay", Ok("ok"));
        check("HTTP/1.1 200 OK\r\n\r\nok", Ok("ok"));
        check("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", Err("its answer ends too early, or is too long"));
        check("HTTP/1.1 404 Not Found\r\n\r\nno\n", Err("it answers 404: no"));
        check("HTTP/1.1 503 Service Unavailable\r\n\r\nthe loader has ended\n", Err("no loader answers there"));
        check("", Err("no loader answers there"));
        check("hello", Err("it does not speak HTTP/1.1"));
    }
}
