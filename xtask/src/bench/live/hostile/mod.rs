//! Bar 5: whatever is wrong is answered with a 4xx that says so in words; nothing of it is executed or stored.
//!
//! Each family of attacks is a file of [`Attack`]s; none of them may do well. Their commands would leave a file behind, and the
//! place of the store's last entry tells whether anything was stored.

mod bodies;
mod fields;
mod names;
mod strangers;

use std::path::Path;

use anyhow::Context;
use live_rig::{Answer, Client, Request};
use store::Reader;

use super::installation;
use crate::bench::row::{Row, Target};
use crate::bench::session::Session;

const BAR: u32 = 5;
/// The most wrong answers of a family that are told.
const TOLD_MAX: usize = 10;

/// A request that must be refused.
struct Attack {
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Attack {
    fn new(method: &'static str, path: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self { method, path: path.into(), headers: Vec::new(), body: body.into() }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// What an attack would do if it were let: leave this file.
struct Trap<'a> {
    file: &'a Path,
    token: &'a str,
    address: &'a str,
    /// The cookie of a person who is signed in.
    cookie: &'a str,
}

type Family = (&'static str, fn(&Trap<'_>) -> Vec<Attack>);

const FAMILIES: &[Family] = &[
    ("fuzzed bodies", bodies::fuzzed),
    ("bodies of 100 MB", bodies::large),
    ("wrong and unknown fields", fields::all),
    ("path tricks and HTML in names", names::all),
    ("wrong and missing tokens", strangers::tokens),
    ("foreign hosts and origins", strangers::sites),
];

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let mut installation = installation()?;
    let mut client = installation.up()?;
    let file = installation.beside().join("executed");
    let read = |name: &str| std::fs::read_to_string(installation.folder().join(name));
    let (token, address) = (read("token")?, read("address")?);
    let cookie = sign_in(&mut client, token.trim())?;
    let trap = Trap { file: &file, token: token.trim(), address: address.trim(), cookie: &cookie };
    let reader = Reader::open(installation.store())?;
    let before = reader.last_seq()?;
    for (family, attacks) in FAMILIES {
        let attacks = attacks(&trap);
        let wrong: Vec<String> = attacks.iter().filter_map(|attack| wrong(&mut client, attack)).collect();
        for wrong in wrong.iter().take(TOLD_MAX) {
            eprintln!("{family}: {wrong}");
        }
        let case = format!("not refused in words, of {} {family}", attacks.len());
        session.add(Row::new(BAR, case, wrong.len() as f64, Target::AtMost(0.0), "requests"));
    }
    installation.check_runs()?;
    let stored = reader.last_seq()? - before;
    session.add(Row::new(BAR, "stored by all of these", stored as f64, Target::AtMost(0.0), "entries"));
    session.add(Row::new(
        BAR,
        "executed by all of these",
        f64::from(u8::from(file.exists())),
        Target::AtMost(0.0),
        "commands",
    ));
    installation.stop()?;
    Ok(())
}

/// Signs in as a browser does; the cookie that it has then.
fn sign_in(client: &mut Client, token: &str) -> anyhow::Result<String> {
    let form = "application/x-www-form-urlencoded".to_owned();
    let body = format!("token={token}");
    let headers = vec![("content-type", form), ("authorization", String::new())];
    let answer = client.send(&Request { method: "POST", path: "/login", headers, body: body.as_bytes() })?;
    let set = answer.headers.iter().find(|(name, _)| name == "set-cookie");
    let cookie = set.and_then(|(_, value)| value.split(';').next());
    Ok(cookie.with_context(|| format!("nobody can sign in: {}", answer.status))?.to_owned())
}

/// What is wrong with the answer to an attack, if anything is.
fn wrong(client: &mut Client, attack: &Attack) -> Option<String> {
    let Attack { method, path, headers, body } = attack;
    let request = Request { method, path, headers: headers.clone(), body };
    let answer = match client.send(&request) {
        Ok(answer) if is_refusal(&answer) => return None,
        Ok(answer) => format!("{} {}", answer.status, cut(&answer.body)),
        Err(error) => format!("{error:#}"),
    };
    Some(format!("{method} {} {headers:?} {}: {answer}", cut(path.as_bytes()), cut(body)))
}

fn is_refusal(answer: &Answer) -> bool {
    let words = answer.json()["error"].as_str().is_some_and(|words| !words.is_empty());
    let is_json = answer.headers.iter().any(|(name, value)| name == "content-type" && value == "application/json");
    (400..500).contains(&answer.status) && words && is_json
}

fn cut(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(300)]).into_owned()
}
