//! Requests read and responses written, without a socket: as much of HTTP/1.1 (RFC 9112) as a scraper and `curl` need. Each
//! connection is for one request.

use std::fmt::Write;
use std::io::{self, Read};

/// Bytes of a request's head, at most.
pub const REQUEST_MAX: usize = 8 << 10;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The path, without what is behind a question mark.
    pub path: String,
    /// Whether only the head of the response is asked for.
    pub is_head: bool,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status and its words.
    pub status: &'static str,
    /// What the body is.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is no request of HTTP.
    Malformed,
    /// It asks for more than to read.
    Method,
    /// Its head is too long.
    Large,
    /// It does not come.
    Late,
    /// Too many clients ask at once.
    Busy,
}

/// Where the head of a request ends, if it is there whole.
pub(super) fn head_end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

impl Request {
    /// Reads a request from a connection, which has a time after which it fails to be read.
    ///
    /// # Errors
    ///
    /// Where it does not come, or is none that is answered.
    pub fn read(connection: &mut impl Read) -> Result<Request, Refusal> {
        let (mut head, mut piece) = (Vec::new(), [0; 1024]);
        loop {
            match connection.read(&mut piece) {
                Ok(0) => return Err(Refusal::Malformed),
                Ok(read) => head.extend_from_slice(&piece[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(Refusal::Late),
            }
            if let Some(end) = head_end(&head) {
                return Request::parse(&head[..end]);
            }
            if head.len() > REQUEST_MAX {
                return Err(Refusal::Large);
            }
        }
    }

    /// Reads the head of a request.
    ///
    /// # Errors
    ///
    /// Where it is none, or asks for anything but to read.
    pub fn parse(head: &[u8]) -> Result<Request, Refusal> {
        let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let line = std::str::from_utf8(line).map_err(|_| Refusal::Malformed)?;
        let mut words = line.split(' ');
        let (Some(method), Some(target), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(Refusal::Malformed);
        };
        if !version.starts_with("HTTP/1.") || !target.starts_with('/') {
            return Err(Refusal::Malformed);
        }
        let is_head = match method {
            "GET" => false,
            "HEAD" => true,
            _ => return Err(Refusal::Method),
        };
        let path = target.split('?').next().unwrap_or(target).to_owned();
        Ok(Request { path, is_head })
    }
}

impl Response {
    /// What Prometheus is to read.
    pub fn exposition(text: String) -> Response {
        Response::ok("text/plain; version=0.0.4; charset=utf-8", text)
    }

    /// It was found.
    pub fn ok(content_type: &'static str, body: String) -> Response {
        Response { status: "200 OK", content_type, body }
    }

    /// Words, where something is not as it should be.
    pub fn words(status: &'static str, words: &str) -> Response {
        Response { status, content_type: "text/plain; charset=utf-8", body: format!("{words}\n") }
    }

    /// As it is sent; without the body, where only the head is asked for.
    pub fn bytes(&self, is_head: bool) -> Vec<u8> {
        let Response { status, content_type, body } = self;
        let mut text = String::with_capacity(body.len() + 256);
        let _ = write!(
            text,
            "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n",
            body.len()
        );
        if status.starts_with("405") {
            text.push_str("Allow: GET, HEAD\r\n");
        }
        text.push_str("\r\n");
        if !is_head {
            text.push_str(body);
        }
        text.into_bytes()
    }
}

impl From<Refusal> for Response {
    fn from(refusal: Refusal) -> Response {
        match refusal {
            Refusal::Malformed => Response::words("400 Bad Request", "this is no request of HTTP/1.1"),
            Refusal::Method => Response::words("405 Method Not Allowed", "only GET and HEAD are answered"),
            Refusal::Large => {
                Response::words("431 Request Header Fields Too Large", "a request's head has at most 8 KiB")
            }
            Refusal::Late => Response::words("408 Request Timeout", "the request did not come in time"),
            Refusal::Busy => Response::words("503 Service Unavailable", "too many clients ask at once; ask again"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_or_refused() {
        let asked = |path: &str, is_head| Ok(Request { path: path.to_owned(), is_head });
        for (head, expected) in [
            (&b"GET /report HTTP/1.1\r\nHost: a\r\n\r\n"[..], asked("/report", false)),
            (b"GET /metrics?a=b HTTP/1.0\r\n\r\n", asked("/metrics", false)),
            (b"HEAD / HTTP/1.1\r\n\r\n", asked("/", true)),
            (b"POST /report HTTP/1.1\r\n\r\n", Err(Refusal::Method)),
            (b"GET http://a/report HTTP/1.1\r\n\r\n", Err(Refusal::Malformed)),
            (b"GET /report\r\n\r\n", Err(Refusal::Malformed)),
            (b"GET /a b HTTP/1.1\r\n\r\n", Err(Refusal::Malformed)),
            (b"GET /report HTTP/2\r\n\r\n", Err(Refusal::Malformed)),
            (b"\xff\xfe /\r\n\r\n", Err(Refusal::Malformed)),
            (b"\r\n\r\n", Err(Refusal::Malformed)),
        ] {
            assert_eq!(Request::parse(head), expected, "{:?}", String::from_utf8_lossy(head));
        }
        assert_eq!((head_end(b"GET / HTTP/1.1\r\n\r\nmore"), head_end(b"GET / HTTP/1.1\r\n")), (Some(18), None));
    }

    #[test]
    fn a_request_is_read_in_pieces_and_not_beyond_its_bound() {
        let head = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
        let mut pieces = (&head[..10]).chain(&head[10..]);
        assert_eq!(Request::read(&mut pieces).map(|request| request.path), Ok("/metrics".to_owned()));
        assert_eq!(Request::read(&mut &head[..10]), Err(Refusal::Malformed));
        assert_eq!(Request::read(&mut io::repeat(b'x')), Err(Refusal::Large));
    }

    #[test]
    fn a_response_says_how_long_it_is() {
        let response = Response::words("405 Method Not Allowed", "é");
        let text = String::from_utf8(response.bytes(false)).unwrap();
        assert_eq!(
            text,
            "HTTP/1.1 405 Method Not Allowed\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\n\
             Connection: close\r\nAllow: GET, HEAD\r\n\r\né\n"
        );
        assert_eq!(response.bytes(true), text.as_bytes()[..text.len() - 3]);
    }
}
