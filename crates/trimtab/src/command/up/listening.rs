//! Where the server listens, by which names it is called, and who is let in.
//!
//! Commands on this machine always find it on loopback, in plain HTTP, and no further than that: where `--listen` is anything else, there
//! is a listener for them besides, on a port that the system picks. So no command needs to know a certificate, or trust one.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use server::{Access, Certificate, Listen, Rights, Serving, Speaks, State, Token};

use crate::failure::{Failure, Outcome, words};
use crate::installation::{self, SECRET_MIN};

#[derive(Debug, clap::Args)]
pub(super) struct Listening {
    /// Where the server listens. Any address but loopback needs --token-file, and TLS
    #[arg(long, default_value = "127.0.0.1:8642", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// Other names by which browsers and tools may call this server
    #[arg(long, value_name = "NAME")]
    host_name: Vec<String>,
    /// Tokens besides the owner's: a file of lines `view|operate NAME SECRET`, and `report NODE SECRET` for agents
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Speak TLS with this certificate: PEM, the server's own first. It is read again when it is renewed
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's key: PEM, in a file that nobody else may read
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// A proxy in front of this server speaks TLS
    #[arg(long, conflicts_with = "tls_cert")]
    behind_tls_proxy: bool,
}

impl Listening {
    /// Where to listen; the last is plain HTTP on loopback.
    pub(super) fn listens(&self) -> Outcome<Vec<Listen>> {
        let Self { listen: address, .. } = *self;
        if !address.ip().is_loopback() {
            self.check_open()?;
        }
        let speaks = match (&self.tls_cert, &self.tls_key) {
            (Some(chain), Some(key)) => {
                let read = Certificate::read(chain, key);
                Speaks::Tls(read.map_err(|unusable| Failure::input(unusable.to_string()))?)
            }
            _ if self.behind_tls_proxy => Speaks::BehindTls,
            _ => Speaks::Plain,
        };
        let enough = address.ip().is_loopback() && !matches!(speaks, Speaks::Tls(_));
        let first = Listen { address, speaks };
        let own = Listen { address: (Ipv4Addr::LOCALHOST, 0).into(), speaks: Speaks::Plain };
        Ok(if enough { vec![first] } else { vec![first, own] })
    }

    fn check_open(&self) -> Outcome {
        if self.token_file.is_none() {
            return Err(Failure::input("an address that others can reach needs tokens: say --token-file FILE"));
        }
        if self.tls_cert.is_none() && !self.behind_tls_proxy {
            return Err(Failure::input(
                "an address that others can reach needs TLS, or tokens travel in the clear: say --tls-cert FILE --tls-key FILE, or put \
                 a proxy in front and say --behind-tls-proxy",
            ));
        }
        Ok(())
    }

    /// The names it is called by.
    pub(super) fn names(&self) -> Vec<String> {
        let own = (!self.listen.ip().is_unspecified()).then(|| match self.listen {
            SocketAddr::V4(address) => address.ip().to_string(),
            SocketAddr::V6(address) => format!("[{}]", address.ip()),
        });
        let names = ["127.0.0.1", "localhost", "[::1]"].map(str::to_owned).into_iter();
        names.chain(self.host_name.clone()).chain(own).collect()
    }

    /// Where people find it, now that the ports are known.
    pub(super) fn urls(&self, bound: &[SocketAddr]) -> String {
        let scheme = if self.tls_cert.is_some() { "https" } else { "http" };
        let port = bound.first().map_or(0, SocketAddr::port);
        match self.host_name.first() {
            Some(name) if !self.listen.ip().is_loopback() => format!("{scheme}://{name}:{port}"),
            _ => format!("{scheme}://{}", SocketAddr::new(self.listen.ip(), port)),
        }
    }

    /// The owner's token, and those of the file.
    pub(super) fn tokens(&self, folder: &Path) -> Outcome<Vec<Token>> {
        let name = std::env::var("USER").unwrap_or_else(|_| "owner".into());
        let mut tokens = vec![Token { name, rights: Rights::Operate, secret: installation::make_token(folder)? }];
        let Some(path) = &self.token_file else { return Ok(tokens) };
        let text = std::fs::read_to_string(path).map_err(|error| Failure::opening(path.display(), &error))?;
        let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
        for (number, line) in lines {
            let wrong = |what| {
                Failure::input(format!(
                    "{}:{number}: {what}; a line is `view|operate NAME SECRET`, or `report NODE SECRET`",
                    path.display()
                ))
            };
            tokens.push(token(line).map_err(wrong)?);
        }
        Ok(tokens)
    }
}

fn token(line: &str) -> Result<Token, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [rights, name, secret] = words[..] else { return Err("it has not three words".into()) };
    let rights = match rights {
        "view" => Rights::View,
        "operate" => Rights::Operate,
        "report" => Rights::Report,
        _ => return Err("it begins with none of `view`, `operate` and `report`".into()),
    };
    if let Some(why) = server::unfit_node(name).filter(|_| rights == Rights::Report && name != "*") {
        return Err(format!("{why}; `*` is any node"));
    }
    if secret.len() < SECRET_MIN {
        return Err(format!("the secret has fewer than {SECRET_MIN} letters"));
    }
    Ok(Token { name: name.to_owned(), rights, secret: secret.to_owned() })
}

/// Binds to all of these.
pub(super) fn bind(listens: Vec<Listen>, access: Access, state: State) -> Outcome<Serving> {
    let listen = listens[0].address;
    server::serve(listens, access, state).map_err(|error| {
        let hint = if error.kind() == ErrorKind::AddrInUse {
            ": something listens there already; choose another with --listen"
        } else {
            ""
        };
        Failure::outside(format!("cannot listen on {listen}: {}{hint}", words(&error)))
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        listening: Listening,
    }

    /// What is said of these arguments, or the addresses that are listened on.
    fn said(arguments: &[&str]) -> String {
        match Line::try_parse_from([&["up"], arguments].concat()) {
            Err(error) => error.to_string(),
            Ok(line) => match line.listening.listens() {
                Err(failure) => format!("{failure:?}"),
                Ok(listens) => listens.iter().map(|listen| format!("{} ", listen.address)).collect(),
            },
        }
    }

    #[test]
    fn an_address_that_others_reach_needs_tokens_and_tls() {
        let check = |arguments: &[&str], expected: &str| {
            let said = said(arguments);
            assert!(said.contains(expected), "{arguments:?}: {said}");
        };
        let open = ["--listen", "0.0.0.0:8642", "--token-file", "tokens"];
        check(&[], "127.0.0.1:8642 ");
        assert_eq!(said(&[]), "127.0.0.1:8642 ", "loopback in the clear is enough for the owner too");
        check(&open[..2], "needs tokens: say --token-file FILE");
        check(&open, "needs TLS, or tokens travel in the clear: say --tls-cert FILE --tls-key FILE");
        check(&[&open[..], &["--behind-tls-proxy"]].concat(), "0.0.0.0:8642 127.0.0.1:0 ");
        check(&["--tls-cert", "chain.pem"], "--tls-key <FILE>");
        check(&["--tls-key", "key.pem"], "--tls-cert <FILE>");
        check(&["--tls-cert", "none.pem", "--tls-key", "key.pem"], "none.pem: it cannot be read");
        check(&["--tls-cert", "a", "--tls-key", "b", "--behind-tls-proxy"], "cannot be used with");
    }
}
