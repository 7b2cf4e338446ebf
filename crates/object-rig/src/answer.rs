//! What is answered: files, lists of folders, or what another server answers.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Component, Path};
use std::thread;
use std::time::Instant;

use crate::Behind;
use crate::rate::Rates;
use crate::request::Request;

/// Sent at once where the rate is bounded.
const PART: u64 = 64 << 10;

pub(crate) struct Answer {
    head: String,
    body: Body,
}

enum Body {
    Bytes(Vec<u8>),
    File(File, u64),
    Nothing,
}

pub(crate) fn answer(request: &Request, behind: &Behind) -> io::Result<Answer> {
    match behind {
        Behind::Folder(folder) => of_folder(request, folder),
        Behind::Server(address) => of_server(request, *address),
    }
}

impl Answer {
    fn status(status: &str) -> Answer {
        Answer { head: format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n"), body: Body::Nothing }
    }

    /// Sends it, or half of it; whether it was whole.
    pub(crate) fn send(self, mut stream: &TcpStream, rates: &Rates<'_>, is_cut: bool) -> io::Result<bool> {
        stream.write_all(self.head.as_bytes())?;
        let (mut body, bytes): (Box<dyn Read>, u64) = match self.body {
            Body::Nothing => return Ok(true),
            Body::Bytes(bytes) => {
                let count = bytes.len() as u64;
                (Box::new(io::Cursor::new(bytes)), count)
            }
            Body::File(mut file, bytes) if rates.are_open() && !is_cut => {
                // From file to socket within the system.
                io::copy(&mut (&mut file).take(bytes), &mut stream)?;
                return Ok(true);
            }
            Body::File(file, bytes) => (Box::new(file), bytes),
        };
        let bytes = if is_cut { bytes / 2 } else { bytes };
        let start = Instant::now();
        let mut sent = 0;
        while sent < bytes {
            let part = PART.min(bytes - sent);
            io::copy(&mut (&mut body).take(part), &mut stream)?;
            sent += part;
            if !rates.are_open() {
                thread::sleep(rates.due(start, sent, part).saturating_duration_since(Instant::now()));
            }
        }
        Ok(!is_cut)
    }
}

fn of_folder(request: &Request, folder: &Path) -> io::Result<Answer> {
    let path = request.target.split('?').next().unwrap_or_default().trim_matches('/');
    let path = Path::new(path);
    if path.components().any(|part| !matches!(part, Component::Normal(_))) {
        return Ok(Answer::status("400 Bad Request"));
    }
    let there = folder.join(path);
    match request.method.as_str() {
        "GET" | "HEAD" if there.is_file() => of_file(request, &there),
        "PROPFIND" if there.is_dir() => list(request, folder, path),
        "GET" | "HEAD" | "PROPFIND" => Ok(Answer::status("404 Not Found")),
        _ => Ok(Answer::status("405 Method Not Allowed")),
    }
}

fn of_file(request: &Request, path: &Path) -> io::Result<Answer> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let common = format!("accept-ranges: bytes\r\nlast-modified: {MODIFIED}\r\netag: \"{size}\"\r\n");
    let (status, start, bytes) = match request.range() {
        None => ("200 OK".to_owned(), 0, size),
        Some((first, _)) if first >= size => return Ok(Answer::status("416 Range Not Satisfiable")),
        Some((first, last)) => {
            let last = last.min(size - 1);
            (format!("206 Partial Content\r\ncontent-range: bytes {first}-{last}/{size}"), first, last - first + 1)
        }
    };
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {bytes}\r\n{common}\r\n");
    if request.method == "HEAD" {
        return Ok(Answer { head, body: Body::Nothing });
    }
    file.seek(SeekFrom::Start(start))?;
    Ok(Answer { head, body: Body::File(file, bytes) })
}

/// Nobody asks for what changed since.
const MODIFIED: &str = "Thu, 01 Jan 2026 00:00:00 GMT";

/// A list as WebDAV has it (RFC 4918, 9.1), of a folder, or of all folders in it.
fn list(request: &Request, root: &Path, folder: &Path) -> io::Result<Answer> {
    let mut text = String::from("<?xml version=\"1.0\"?><D:multistatus xmlns:D=\"DAV:\">");
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        entry(&mut text, &folder, None);
        for there in fs::read_dir(root.join(&folder))? {
            let there = there?;
            let (path, meta) = (folder.join(there.file_name()), there.metadata()?);
            if meta.is_file() {
                entry(&mut text, &path, Some(meta.len()));
            } else if request.header("depth") == Some("infinity") {
                folders.push(path);
            } else {
                entry(&mut text, &path, None);
            }
        }
    }
    text.push_str("</D:multistatus>");
    let head =
        format!("HTTP/1.1 207 Multi-Status\r\ncontent-type: application/xml\r\ncontent-length: {}\r\n\r\n", text.len());
    Ok(Answer { head, body: Body::Bytes(text.into_bytes()) })
}

/// A file of a size, or a folder.
fn entry(text: &mut String, path: &Path, bytes: Option<u64>) {
    let path = path.display();
    let kind = match bytes {
        Some(bytes) => format!("<D:resourcetype/><D:getcontentlength>{bytes}</D:getcontentlength>"),
        None => "<D:resourcetype><D:collection/></D:resourcetype>".to_owned(),
    };
    write!(
        text,
        "<D:response><D:href>/{path}</D:href><D:propstat><D:prop>{kind}<D:getlastmodified>{MODIFIED}</D:getlastmodified>\
         </D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
    )
    .expect("a string has room");
}

/// What the server behind answers, over a connection of its own.
fn of_server(request: &Request, address: SocketAddr) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    let mut head = format!("{} {} HTTP/1.1\r\nconnection: close\r\n", request.method, request.target);
    for (name, value) in request.headers.iter().filter(|(name, _)| name != "connection") {
        write!(head, "{name}: {value}\r\n").expect("a string has room");
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    stream.write_all(&request.body)?;
    let mut reader = BufReader::new(stream);
    let (mut head, mut bytes, mut is_chunked) = (String::new(), None, false);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or((line.as_str(), ""));
        match name.to_ascii_lowercase().as_str() {
            "content-length" => bytes = value.trim().parse::<u64>().ok(),
            "transfer-encoding" => is_chunked = value.contains("chunked"),
            "connection" => {}
            _ => head.push_str(&line),
        }
    }
    let mut body = Vec::new();
    if request.method != "HEAD" {
        reader.read_to_end(&mut body)?;
        if is_chunked {
            body = of_chunks(&body)?;
        }
    }
    let bytes = if request.method == "HEAD" { bytes.unwrap_or(0) } else { body.len() as u64 };
    Ok(Answer { head: format!("{head}content-length: {bytes}\r\n\r\n"), body: Body::Bytes(body) })
}

/// The bytes of a body that came in chunks (RFC 9112, 7.1).
fn of_chunks(mut rest: &[u8]) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        rest.read_line(&mut line)?;
        let size = line.trim().split(';').next().unwrap_or_default();
        let size = usize::from_str_radix(size, 16).map_err(io::Error::other)?;
        if size == 0 {
            return Ok(body);
        }
        let chunk = rest.get(..size).ok_or(io::ErrorKind::UnexpectedEof)?;
        body.extend_from_slice(chunk);
        rest = rest.get(size + 2..).ok_or(io::ErrorKind::UnexpectedEof)?;
    }
}
