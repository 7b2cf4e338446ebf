//! Requests by hand: what a browser would never send, too.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::rig::Rig;

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

/// Sends a request with these header lines; `Host` is set where they do not.
pub(crate) fn send(rig: &Rig, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    exchange(TcpStream::connect(rig.address).unwrap(), &rig.address.to_string(), method, path, headers, body)
}

/// The same on a connection that is there, to a host.
pub(crate) fn exchange(
    mut stream: impl Read + Write,
    host: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let mut text = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    if headers.iter().all(|(name, _)| *name != "host") {
        text += &format!("host: {host}\r\n");
    }
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    text += "\r\n";
    stream.write_all(text.as_bytes()).unwrap();
    // Whoever refuses a large body may hang up before it was sent: the answer counts.
    drop(stream.write_all(body.as_bytes()));
    let mut bytes = Vec::new();
    drop(stream.read_to_end(&mut bytes));
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").expect("an answer has a head");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let body = if head.contains("transfer-encoding: chunked") { unchunked(body) } else { body.to_owned() };
    Answer { status, head: head.to_owned(), body }
}

/// Signs a browser in with a token; the cookie that it has then.
pub(crate) fn sign_in(rig: &Rig, token: &str) -> String {
    let answer = post(rig, "/login", "", &format!("token={token}"));
    let set = answer.header("set-cookie").expect("who has a token is signed in");
    set.split(';').next().unwrap().to_owned()
}

/// What a signed-in browser gets.
pub(crate) fn get(rig: &Rig, path: &str) -> Answer {
    let cookie = sign_in(rig, crate::rig::OPERATE);
    send(rig, "GET", path, &[("cookie", &cookie), ("accept", "text/html")], "")
}

/// What a form of a page sends, of a browser with this cookie.
pub(crate) fn post(rig: &Rig, path: &str, cookie: &str, body: &str) -> Answer {
    let origin = format!("http://{}", rig.address);
    let form = "application/x-www-form-urlencoded";
    let headers = [
        ("cookie", cookie),
        ("origin", origin.as_str()),
        ("accept", "text/html"),
        ("sec-fetch-site", "same-origin"),
        ("content-type", form),
    ];
    send(rig, "POST", path, &headers, body)
}

fn unchunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((length, rest)) = body.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap_or(0);
        let Some(piece) = rest.get(..length).filter(|piece| !piece.is_empty()) else { break };
        whole += piece;
        body = rest.get(length + 2..).unwrap_or("");
    }
    whole
}
