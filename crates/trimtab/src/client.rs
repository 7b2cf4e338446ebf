//! Talks to the server of an installation.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::failure::{Failure, Outcome};
use crate::installation::{self, Installation};

/// The server of an installation.
pub(crate) struct Client {
    address: String,
    token: String,
    agent: ureq::Agent,
}

/// A part of a log.
pub(crate) enum Piece {
    /// Its bytes, and where to go on.
    Text {
        /// The bytes.
        bytes: Vec<u8>,
        /// The place after them.
        next: u64,
    },
    /// The log is not kept any more, in words.
    Gone(String),
}

impl Client {
    /// Finds the server; whether it answers is seen with the first request.
    pub(crate) fn of(installation: &Installation) -> Outcome<Self> {
        let (address, token) = installation::find(&installation.folder()?)?;
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(std::time::Duration::from_secs(60)))
            .build()
            .into();
        Ok(Self { address, token, agent })
    }

    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Outcome<T> {
        let response = self.agent.get(self.url(path)).header("authorization", self.bearer()).call();
        self.read(response)
    }

    /// A part of a log.
    pub(crate) fn get_piece(&self, path: &str) -> Outcome<Piece> {
        let response = self.agent.get(self.url(path)).header("authorization", self.bearer()).call();
        let mut response = response.map_err(|error| self.unreachable(&error))?;
        if response.status() == ureq::http::StatusCode::GONE {
            return Ok(Piece::Gone(problem(response.status(), &self.text(response)?)));
        }
        if !response.status().is_success() {
            return self.read(Ok(response)).map(|_: Value| Piece::Text { bytes: Vec::new(), next: 0 });
        }
        let next = response.headers().get("x-next-offset").and_then(|next| next.to_str().ok()?.parse().ok());
        let bytes = response.body_mut().read_to_vec().map_err(|error| self.unreachable(&error))?;
        Ok(Piece::Text { bytes, next: next.unwrap_or(0) })
    }

    pub(crate) fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Outcome<T> {
        let request = self.agent.post(self.url(path)).header("authorization", self.bearer());
        self.read(request.content_type("application/json").send(body.to_string()))
    }

    pub(crate) fn put<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Outcome<T> {
        let request = self.agent.put(self.url(path)).header("authorization", self.bearer());
        self.read(request.content_type("application/json").send(body.to_string()))
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/api/v1/{path}", self.address)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    fn unreachable(&self, error: &ureq::Error) -> Failure {
        Failure::outside(format!("no Trimtab answers on {} ({error}): start it with `trimtab up`", self.address))
    }

    fn read<T: DeserializeOwned>(&self, response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Outcome<T> {
        let response = response.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let text = self.text(response)?;
        if status.is_success() {
            let read = serde_json::from_str(&text);
            return read.map_err(|error| {
                Failure::outside(format!("{} answers what is not understood: {error}", self.address))
            });
        }
        let error = problem(status, &text);
        Err(if status.is_client_error() { Failure::input(error) } else { Failure::outside(error) })
    }

    fn text(&self, mut response: ureq::http::Response<ureq::Body>) -> Outcome<String> {
        let text = response.body_mut().with_config().limit(256 << 20).read_to_string();
        text.map_err(|error| self.unreachable(&error))
    }
}

/// What an answer that says no says.
pub(crate) fn problem(status: ureq::http::StatusCode, text: &str) -> String {
    let problem: Value = serde_json::from_str(text).unwrap_or_default();
    let error = problem["error"].as_str().map_or_else(|| format!("the server says {status}"), str::to_owned);
    // Hints that name addresses are for programs.
    let hint = problem["hint"].as_str().filter(|hint| !hint.contains("/api/"));
    hint.map_or_else(|| error.clone(), |hint| format!("{error}; {hint}"))
}

/// A part of an address: what is not a plain letter is escaped.
pub(crate) fn part(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
