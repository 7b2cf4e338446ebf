//! A client of the API over one connection that is kept: plain HTTP/1.1, so light that a load of hundreds of them measures the
//! server and not itself, and free to send what no library would.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::Value;

/// The longest that one answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// The most bytes of an answer.
const BODY_MAX: u64 = 256 << 20;

/// A client, and its connection.
#[derive(Debug)]
pub struct Client {
    address: String,
    token: String,
    connection: Option<BufReader<TcpStream>>,
}

/// What is sent.
#[derive(Clone, Debug, Default)]
pub struct Request<'a> {
    /// `GET`, if it is empty.
    pub method: &'a str,
    /// From `/` on, escaped as it is to be sent.
    pub path: &'a str,
    /// Besides, or instead of, `host`, `authorization`, `content-type` and `content-length`. An empty value leaves one out.
    pub headers: Vec<(&'a str, String)>,
    /// The body.
    pub body: &'a [u8],
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Names in small letters, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; nothing where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Client {
    /// A client of the server at an address, with a token.
    #[must_use]
    pub fn new(address: &str, token: &str) -> Self {
        Self { address: address.to_owned(), token: token.to_owned(), connection: None }
    }

    /// Asks for something; the path is below `/api/v1/`.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn get(&mut self, path: &str) -> anyhow::Result<Answer> {
        self.send(&Request { path: &format!("/api/v1/{path}"), ..Request::default() })
    }

    /// Posts JSON; the path is below `/api/v1/`.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn post(&mut self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        let body = body.to_string();
        let path = format!("/api/v1/{path}");
        self.send(&Request { method: "POST", path: &path, body: body.as_bytes(), ..Request::default() })
    }

    /// The answer's JSON, if it is a good one.
    ///
    /// # Errors
    /// If there is no answer, or it says no.
    pub fn read(&mut self, path: &str) -> anyhow::Result<Value> {
        let answer = self.get(path)?;
        ensure!(answer.status == 200, "{path}: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
        Ok(answer.json())
    }

    /// Sends a request, and waits for its answer. After an error the next request has a connection of its own.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn send(&mut self, request: &Request<'_>) -> anyhow::Result<Answer> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let written = write(connection.get_mut(), &self.head(request), request.body);
        // One that refuses a body may answer before it was sent whole.
        let answer = read(&mut connection);
        let answer = match (answer, written) {
            (Ok(answer), _) => answer,
            (Err(_), Err(error)) => return Err(error).context("the request could not be sent"),
            (Err(error), Ok(())) => return Err(error.context("no answer")),
        };
        if answer.header("connection") != Some("close") {
            self.connection = Some(connection);
        }
        Ok(answer)
    }

    fn connect(&self) -> anyhow::Result<BufReader<TcpStream>> {
        let stream =
            TcpStream::connect(&self.address).with_context(|| format!("nobody answers on {}", self.address))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(BufReader::new(stream))
    }

    fn head(&self, request: &Request<'_>) -> String {
        let method = if request.method.is_empty() { "GET" } else { request.method };
        let mut head = format!("{method} {} HTTP/1.1\r\n", request.path);
        let mut usual = vec![("host", self.address.clone()), ("authorization", format!("Bearer {}", self.token))];
        if !request.body.is_empty() || method != "GET" {
            usual.push(("content-type", "application/json".to_owned()));
            usual.push(("content-length", request.body.len().to_string()));
        }
        usual.retain(|(name, _)| request.headers.iter().all(|(other, _)| other != name));
        for (name, value) in usual.iter().chain(&request.headers).filter(|(_, value)| !value.is_empty()) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head + "\r\n"
    }
}

/// Head and small bodies in one write, so that they travel in one packet.
fn write(stream: &mut TcpStream, head: &str, body: &[u8]) -> io::Result<()> {
    let (first, rest) = body.split_at(body.len().min(16 << 10));
    stream.write_all(&[head.as_bytes(), first].concat())?;
    stream.write_all(rest)
}

fn read(connection: &mut BufReader<TcpStream>) -> anyhow::Result<Answer> {
    let status = line(connection)?;
    let status = status.split(' ').nth(1).and_then(|code| code.parse().ok()).context("this is no HTTP")?;
    let mut headers = Vec::new();
    loop {
        let line = line(connection)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').context("a header has no name")?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut answer = Answer { status, headers, body: Vec::new() };
    let Some(length) = answer.header("content-length") else { bail!("the answer does not tell its length") };
    let length: u64 = length.parse()?;
    ensure!(length <= BODY_MAX, "the answer has {length} bytes");
    connection.take(length).read_to_end(&mut answer.body)?;
    ensure!(answer.body.len() as u64 == length, "the answer broke off");
    Ok(answer)
}

fn line(connection: &mut BufReader<TcpStream>) -> anyhow::Result<String> {
    let mut line = String::new();
    connection.take(64 << 10).read_line(&mut line)?;
    ensure!(line.ends_with('\n'), "the answer broke off");
    line.truncate(line.trim_end().len());
    Ok(line)
}
