//! The server that reports go to.

use std::path::Path;
use std::time::Duration;

use connect::http::{is_loopback, tls};
use fleet::time::Timestamp;
use serde::Deserialize;
use ureq::http::{StatusCode, Uri};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use crate::client::problem;
use crate::failure::{Failure, Outcome, words};

/// How long a connection may take to come about.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How long an answer may take: a disk may be slow, and many may catch up.
const ANSWER_MAX: Duration = Duration::from_secs(60);
/// The most bytes of an answer.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// The server that reports go to.
pub(crate) struct Server {
    base: String,
    node: String,
    token: String,
    agent: ureq::Agent,
}

/// What came of handing in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tried {
    /// All up to this number is taken; nothing where nothing ever was.
    Taken(Option<u64>),
    /// It does not answer, or cannot take anything now: why.
    Away(String),
    /// It says no, and will say so again until somebody does something: what.
    Denied(String),
    /// It was too much at once.
    TooMuch,
}

/// Where the server is, and who trusts whom.
pub(crate) struct Address<'a> {
    pub(crate) url: &'a str,
    pub(crate) node: &'a str,
    pub(crate) token: String,
    /// A file of certificates that are trusted instead of those of the system.
    pub(crate) authority: Option<&'a Path>,
}

#[derive(Deserialize)]
struct Receipt {
    acknowledged: Option<u64>,
    refused: Vec<Refused>,
}

#[derive(Deserialize)]
struct Refused {
    number: u64,
    why: String,
}

impl Server {
    /// Looks at the address; whether anybody answers is seen later.
    pub(crate) fn at(address: Address<'_>) -> Outcome<Self> {
        let Address { url, node, token, authority } = address;
        let base = checked(url)?;
        if let Some(why) = ::server::unfit_node(node) {
            return Err(Failure::input(format!("{why}; name it with --node")));
        }
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            // The token goes where it was said to go, and nowhere else.
            .max_redirects(0)
            // Many agents report to one server, and hold no connection there meanwhile.
            .max_idle_connections(0)
            .timeout_connect(Some(CONNECT_MAX))
            .timeout_global(Some(ANSWER_MAX))
            .tls_config(trusting(authority)?);
        Ok(Self { base, node: node.to_owned(), token, agent: config.build().into() })
    }

    /// How it is called.
    pub(crate) fn name(&self) -> &str {
        &self.base
    }

    /// Asks what was taken of a spool.
    pub(crate) fn ask(&self, spool: &str, now: Timestamp) -> Tried {
        self.hand_in(spool, now, &[])
    }

    /// Hands in records of a spool, in order.
    pub(crate) fn hand_in(&self, spool: &str, now: Timestamp, records: &[u8]) -> Tried {
        let (base, node, version) = (&self.base, &self.node, env!("CARGO_PKG_VERSION"));
        let url = format!("{base}/api/v1/agents/{node}/reports?spool={spool}&now_ms={}&version={version}", now.0);
        let request = self.agent.post(url).header("authorization", format!("Bearer {}", self.token));
        let mut response = match request.content_type("application/octet-stream").send(records) {
            Ok(response) => response,
            Err(error) => return away(&error),
        };
        let status = response.status();
        let text = match response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string() {
            Ok(text) => text,
            Err(error) => return away(&error),
        };
        match status {
            StatusCode::OK => taken(&text),
            StatusCode::PAYLOAD_TOO_LARGE => Tried::TooMuch,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Tried::Away(problem(status, &text)),
            StatusCode::UNAUTHORIZED => Tried::Denied(
                "it does not know this token; have a line `report NODE SECRET` in the file that `trimtab up --token-file` names there, start \
                 it anew, and say --token-file with a file of that secret here"
                    .into(),
            ),
            status if status.is_client_error() || status.is_redirection() => Tried::Denied(problem(status, &text)),
            _ => Tried::Away(problem(status, &text)),
        }
    }
}

fn away(error: &ureq::Error) -> Tried {
    Tried::Away(match error {
        ureq::Error::Io(error) => words(error),
        error => error.to_string(),
    })
}

fn taken(text: &str) -> Tried {
    let Ok(Receipt { acknowledged, refused }) = serde_json::from_str(text) else {
        return Tried::Denied("what it answers is not understood: is it a Trimtab of this version?".into());
    };
    for Refused { number, why } in refused {
        eprintln!("warning: the server did not take all of report {number}: {why}");
    }
    Tried::Taken(acknowledged)
}

/// The address as it is used: with a scheme and a host, and nothing behind its path.
fn checked(url: &str) -> Outcome<String> {
    let wrong = |what: &str| {
        Failure::input(format!(
            "--report-to {url}: {what}; the address of the server is expected, as https://gpu1.lab.example:8642"
        ))
    };
    let uri: Uri = url.parse().map_err(|_| wrong("it is no address"))?;
    uri.host().filter(|host| !host.is_empty()).ok_or_else(|| wrong("it names no host"))?;
    if uri.query().is_some() || uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(wrong("it has more than a host, a port and a path"));
    }
    match uri.scheme_str() {
        Some("https") => {}
        Some("http") if is_loopback(&uri) => {}
        Some("http") => return Err(wrong("http would carry the token through the network for all to read: say https")),
        _ => return Err(wrong("it begins with neither https:// nor http://")),
    }
    Ok(url.trim_end_matches('/').to_owned())
}

fn trusting(authority: Option<&Path>) -> Outcome<TlsConfig> {
    let roots = match authority {
        None => RootCerts::PlatformVerifier,
        Some(path) => {
            let text = std::fs::read(path).map_err(|error| Failure::opening(path.display(), &error))?;
            let mut certificates = Vec::new();
            for item in parse_pem(&text) {
                match item {
                    Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
                    Ok(_) => {}
                    Err(error) => return Err(Failure::input(format!("{}: it is no PEM: {error}", path.display()))),
                }
            }
            if certificates.is_empty() {
                return Err(Failure::input(format!("{}: it holds no certificate", path.display())));
            }
            RootCerts::new_with_certs(&certificates)
        }
    };
    Ok(tls(roots))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_looked_at_before_the_token_goes_there() {
        let check = |url: &str, expected: Result<&str, &str>| match (checked(url), expected) {
            (Ok(base), Ok(expected)) => assert_eq!(base, expected),
            (Err(failure), Err(words)) => assert!(failure.to_string().contains(words), "{url}: {failure}"),
            (got, expected) => panic!("{url}: {got:?} for {expected:?}"),
        };
        check("https://gpu1:8642/", Ok("https://gpu1:8642"));
        check("https://proxy.example/trimtab/", Ok("https://proxy.example/trimtab"));
        check("http://127.0.0.1:8642", Ok("http://127.0.0.1:8642"));
        check("http://[::1]:8642", Ok("http://[::1]:8642"));
        check("http://gpu1:8642", Err("say https"));
        check("http://127.0.0.1.evil.example", Err("say https"));
        check("gpu1:8642", Err("neither"));
        check("ftp://gpu1", Err("neither"));
        check("https://a:b@gpu1", Err("more than a host"));
        check("https://gpu1/?x=1", Err("more than a host"));
        check("", Err("no address"));
    }

    #[test]
    fn an_answer_that_is_not_understood_is_told() {
        assert_eq!(taken(r#"{"acknowledged": 7, "refused": []}"#), Tried::Taken(Some(7)));
        assert_eq!(taken(r#"{"acknowledged": null, "refused": []}"#), Tried::Taken(None));
        assert!(matches!(taken("<html>"), Tried::Denied(_)));
    }
}
