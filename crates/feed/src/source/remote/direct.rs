//! Ranges of objects over plain HTTP/1.1, written by the system to where they are wanted: the library's client reads them into memory of
//! its own, from where they are copied, and each of the two is as much work as the receiving itself.
//!
//! It knows what it needs to: answers to GET with a range, of the length that was asked for. Whatever else comes (redirections, bodies in
//! chunks, whole objects) is asked for anew through the library's client; and so is all that goes through TLS or a proxy.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::{Duration, Instant};

use http::header::{CONNECTION, CONTENT_LENGTH, HOST, RANGE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use object_store::client::{HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::fetched::{Fetched, Filling};
use super::piece::Piece;
use super::wakes::Wakes;
use super::wire::{CONNECT_TIMEOUT, READ_TIMEOUT};

/// The head of an answer, at most.
const HEAD_MAX: usize = 32 << 10;
const HEADERS_MAX: usize = 96;
/// What a server says when it refuses, at most.
const SAID_MAX: u64 = 64 << 10;
/// Servers end connections that nobody uses, some after five seconds.
const IDLE_MAX: Duration = Duration::from_secs(4);
/// Connections that nobody uses and that are kept, for each server.
const IDLE_CONNECTIONS_MAX: usize = 256;

/// Where the bytes of an answer are wanted; it goes with the request as an extension.
#[derive(Clone)]
pub(super) struct Destination(Arc<Mutex<Place>>);

struct Place {
    filling: Option<Filling>,
    fetched: Option<Fetched>,
    wanted: Weak<Piece>,
}

impl Destination {
    /// Bytes are wanted there, as long as the piece is.
    pub(super) fn new(filling: Filling, wanted: Weak<Piece>) -> Destination {
        Destination(Arc::new(Mutex::new(Place { filling: Some(filling), fetched: None, wanted })))
    }

    /// What was written; or where to write it, if it was not.
    pub(super) fn into_outcome(self) -> Result<Fetched, Filling> {
        let mut place = self.lock();
        match place.fetched.take() {
            Some(fetched) => Ok(fetched),
            None => Err(place.filling.take().expect("what is not written is still to be written")),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Place> {
        self.0.lock().expect("nobody panics while holding a place")
    }
}

/// Connections to servers, by their addresses.
#[derive(Debug, Default)]
pub(super) struct Direct {
    idle: Mutex<HashMap<String, Vec<(TcpStream, Instant)>>>,
}

/// The head of an answer, and what came of the body with it.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    is_kept: bool,
    length: Option<u64>,
    body: Vec<u8>,
}

/// What is to be done where an answer is none that is known here.
enum Unfit {
    /// The library's client is to ask.
    Other,
    Failed(HttpError),
}

impl From<io::Error> for Unfit {
    fn from(error: io::Error) -> Unfit {
        let kind = match error.kind() {
            io::ErrorKind::TimedOut => HttpErrorKind::Timeout,
            io::ErrorKind::ConnectionRefused => HttpErrorKind::Connect,
            _ => HttpErrorKind::Interrupted,
        };
        Unfit::Failed(HttpError::new(kind, error))
    }
}

impl Direct {
    /// The answer to a request, with its bytes where they are wanted; none where the library's client is to ask.
    pub(super) async fn get(&self, request: &HttpRequest) -> Option<Result<HttpResponse, HttpError>> {
        let destination = request.extensions().get::<Destination>()?;
        let uri = request.uri();
        if *request.method() != Method::GET
            || uri.scheme_str() != Some("http")
            || !request.headers().contains_key(RANGE)
        {
            return None;
        }
        // A user and a password are the library's to send.
        let authority = uri.authority()?.as_str();
        if authority.contains('@') {
            return None;
        }
        let mut filling = destination.lock().filling.take()?;
        let outcome = self.exchange(request, authority, &mut filling, destination).await;
        let mut place = destination.lock();
        if let Ok((_, true)) = outcome {
            place.fetched = Some(filling.filled());
        } else {
            place.filling = Some(filling);
        }
        match outcome {
            Ok((response, _)) => Some(Ok(response)),
            Err(Unfit::Failed(error)) => Some(Err(error)),
            Err(Unfit::Other) => None,
        }
    }

    /// Sends a request and receives its answer; whether its bytes are where they are wanted.
    async fn exchange(
        &self,
        request: &HttpRequest,
        authority: &str,
        filling: &mut Filling,
        destination: &Destination,
    ) -> Result<(HttpResponse, bool), Unfit> {
        let head = head(request, authority);
        let (stream, answer) = self.answer(&head, request.uri(), authority).await?;
        let expected = filling.bytes().len() as u64;
        if answer.status == StatusCode::PARTIAL_CONTENT && answer.length == Some(expected) {
            let (front, rest) = filling.bytes().split_at_mut(answer.body.len());
            front.copy_from_slice(&answer.body);
            receive(&stream, rest, Some(destination)).await?;
            self.keep(authority, stream, answer.is_kept);
            return Ok((response(answer.status, answer.headers, Vec::new()), true));
        }
        let is_refusal = answer.status.is_client_error() || answer.status.is_server_error();
        match answer.length {
            Some(length) if is_refusal && length <= SAID_MAX => {
                let mut body = answer.body;
                let there = body.len();
                body.resize(length as usize, 0);
                receive(&stream, &mut body[there..], None).await?;
                self.keep(authority, stream, answer.is_kept);
                Ok((response(answer.status, answer.headers, body), false))
            }
            _ => Err(Unfit::Other),
        }
    }

    /// Sends a request, and receives the head of its answer. A connection that was used before may have been ended by the server in the
    /// meantime, and then it is sent over another.
    async fn answer(&self, head: &[u8], uri: &Uri, authority: &str) -> Result<(TcpStream, Answer), Unfit> {
        while let Some(stream) = self.used_before(authority) {
            match ask(&stream, head).await {
                Ok(answer) => return Ok((stream, answer)),
                Err(Asking::NoAnswer(_)) => {}
                Err(Asking::Unfit(unfit)) => return Err(unfit),
            }
        }
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let connecting = TcpStream::connect((host, uri.port_u16().unwrap_or(80)));
        let stream =
            timeout(CONNECT_TIMEOUT, connecting).await.map_err(|_| late("it does not take a connection"))??;
        stream.set_nodelay(true)?;
        match ask(&stream, head).await {
            Ok(answer) => Ok((stream, answer)),
            Err(Asking::NoAnswer(error)) => Err(error.into()),
            Err(Asking::Unfit(unfit)) => Err(unfit),
        }
    }

    fn used_before(&self, authority: &str) -> Option<TcpStream> {
        let mut idle = self.lock();
        let streams = idle.get_mut(authority)?;
        while let Some((stream, since)) = streams.pop() {
            if since.elapsed() < IDLE_MAX && is_open(&stream) {
                return Some(stream);
            }
        }
        None
    }

    fn keep(&self, authority: &str, stream: TcpStream, is_kept: bool) {
        if !is_kept {
            return;
        }
        let mut idle = self.lock();
        let streams = idle.entry(authority.to_owned()).or_default();
        if streams.len() < IDLE_CONNECTIONS_MAX {
            streams.push((stream, Instant::now()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<(TcpStream, Instant)>>> {
        self.idle.lock().expect("nobody panics while holding the connections")
    }
}

/// Whether nothing came over a connection that nobody asked for: neither its end nor anything else.
fn is_open(stream: &TcpStream) -> bool {
    matches!(stream.try_read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

/// The head of a request, as it is sent.
fn head(request: &HttpRequest, authority: &str) -> Vec<u8> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let mut head = format!("GET {path} HTTP/1.1\r\n").into_bytes();
    let mut line = |name: &[u8], value: &[u8]| {
        head.extend_from_slice(name);
        head.extend_from_slice(b": ");
        head.extend_from_slice(value);
        head.extend_from_slice(b"\r\n");
    };
    if !request.headers().contains_key(HOST) {
        line(b"host", authority.as_bytes());
    }
    for (name, value) in request.headers() {
        line(name.as_str().as_bytes(), value.as_bytes());
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// Why there is no head of an answer.
enum Asking {
    /// Nothing came.
    NoAnswer(io::Error),
    Unfit(Unfit),
}

/// Sends the head of a request, and receives that of its answer.
async fn ask(stream: &TcpStream, mut head: &[u8]) -> Result<Answer, Asking> {
    while !head.is_empty() {
        stream.writable().await.map_err(Asking::NoAnswer)?;
        match stream.try_write(head) {
            Ok(count) => head = &head[count..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(Asking::NoAnswer(error)),
        }
    }
    let mut came = vec![0; HEAD_MAX];
    let mut count = 0;
    loop {
        match some(stream, &mut came[count..]).await {
            Ok(more) => count += more,
            Err(error) if count == 0 && error.kind() != io::ErrorKind::TimedOut => return Err(Asking::NoAnswer(error)),
            Err(error) => return Err(Asking::Unfit(error.into())),
        }
        match parsed(&came[..count]) {
            Parsed::Answer(answer) => return Ok(answer),
            Parsed::NotYet if count < HEAD_MAX => {}
            Parsed::NotYet | Parsed::Unknown => return Err(Asking::Unfit(Unfit::Other)),
        }
    }
}

enum Parsed {
    Answer(Answer),
    NotYet,
    Unknown,
}

fn parsed(came: &[u8]) -> Parsed {
    let mut lines = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut head = httparse::Response::new(&mut lines);
    let end = match head.parse(came) {
        Ok(httparse::Status::Complete(end)) => end,
        Ok(httparse::Status::Partial) => return Parsed::NotYet,
        Err(_) => return Parsed::Unknown,
    };
    let mut headers = HeaderMap::new();
    for line in &*head.headers {
        let (Ok(name), Ok(value)) = (HeaderName::try_from(line.name), HeaderValue::from_bytes(line.value)) else {
            return Parsed::Unknown;
        };
        headers.append(name, value);
    }
    let Some(status) = head.code.and_then(|code| StatusCode::from_u16(code).ok()) else { return Parsed::Unknown };
    // A length that stands beside a transfer encoding does not count (RFC 9112, 6.3), and one that stands there twice may be two.
    let is_plain = !headers.contains_key("transfer-encoding") && headers.get_all(CONTENT_LENGTH).iter().count() == 1;
    let length = headers.get(CONTENT_LENGTH).filter(|_| is_plain);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let body = came[end..].to_vec();
    if length.is_some_and(|length| (body.len() as u64) > length) {
        return Parsed::Unknown;
    }
    let ends = |value: &HeaderValue| value.to_str().is_ok_and(|value| value.eq_ignore_ascii_case("keep-alive"));
    let is_kept = head.version == Some(1) && headers.get(CONNECTION).is_none_or(ends);
    Parsed::Answer(Answer { status, headers, is_kept, length, body })
}

/// Fills all of `bytes`, as long as they are wanted.
async fn receive(stream: &TcpStream, mut bytes: &mut [u8], destination: Option<&Destination>) -> io::Result<()> {
    let wakes = Wakes::of(stream);
    while !bytes.is_empty() {
        if destination.is_some_and(|destination| destination.lock().wanted.strong_count() == 0) {
            return Err(io::Error::new(io::ErrorKind::Interrupted, "nobody wants it any more"));
        }
        wakes.at(bytes.len());
        let count = some(stream, bytes).await?;
        bytes = &mut bytes[count..];
    }
    Ok(())
}

/// Some bytes.
async fn some(stream: &TcpStream, bytes: &mut [u8]) -> io::Result<usize> {
    let mut is_late = false;
    loop {
        match stream.try_read(bytes) {
            Ok(0) => {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the answer ended before all bytes were there",
                ));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && is_late => {
                return Err(late("nothing comes any more"));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            outcome => return outcome,
        }
        // Where few bytes came, nobody was woken up for them.
        match timeout(READ_TIMEOUT, stream.readable()).await {
            Ok(readable) => readable?,
            Err(_) => is_late = true,
        }
    }
}

fn late(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what)
}

fn response(status: StatusCode, headers: HeaderMap, body: Vec<u8>) -> HttpResponse {
    let mut response = HttpResponse::new(HttpResponseBody::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(came: &str, expected: Option<(u16, Option<u64>, bool, &str)>) {
        let Parsed::Answer(answer) = parsed(came.as_bytes()) else {
            assert_eq!(expected, None, "{came:?}");
            return;
        };
        let body = String::from_utf8(answer.body).unwrap();
        let told = (answer.status.as_u16(), answer.length, answer.is_kept, body.as_str());
        assert_eq!(Some(told), expected, "{came:?}");
    }

    #[test]
    fn heads_are_read_as_far_as_they_are_known() {
        check("HTTP/1.1 206 P\r\nContent-Length: 5\r\n\r\nabc", Some((206, Some(5), true, "abc")));
        check("HTTP/1.1 206 P\r\nContent-Length: 5\r\nConnection: close\r\n\r\n", Some((206, Some(5), false, "")));
        check("HTTP/1.1 206 P\r\nContent-Length: 5\r\nConnection: Keep-Alive\r\n\r\n", Some((206, Some(5), true, "")));
        check("HTTP/1.0 206 P\r\nContent-Length: 5\r\n\r\n", Some((206, Some(5), false, "")));
        check(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
            Some((200, None, true, "")),
        );
        check("HTTP/1.1 206 P\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", Some((206, None, true, "")));
        check("HTTP/1.1 206 P\r\nContent-Length: 2\r\n\r\nabc", None);
        check("HTTP/1.1 206 P\r\nContent-Le", None);
        check("SSH-2.0-OpenSSH\r\n\r\n", None);
    }

    #[test]
    fn requests_are_sent_as_they_were_signed() {
        let request = http::Request::builder()
            .uri("http://store:9000/a%20b?x=1")
            .header(RANGE, "bytes=3-4")
            .header("x-signed", "yes")
            .body(object_store::client::HttpRequestBody::empty())
            .unwrap();
        let head = String::from_utf8(head(&request, "store:9000")).unwrap();
        assert_eq!(head, "GET /a%20b?x=1 HTTP/1.1\r\nhost: store:9000\r\nrange: bytes=3-4\r\nx-signed: yes\r\n\r\n");
    }
}
