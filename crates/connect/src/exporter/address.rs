//! Where an exporter answers.

use std::fmt;

use ureq::http::Uri;

use crate::http::is_loopback;

/// Where one answers: `http://127.0.0.1:9400/metrics`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(Uri);

/// Whose exporters may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Those of this machine: what they tell is taken for its devices.
    ThisMachine,
    /// Any: whoever names it says that it tells of this machine's devices, as one in a container with an address of its own does.
    Anywhere,
}

impl Address {
    /// Of a URL; without a path it is `/metrics`.
    ///
    /// # Errors
    /// In words, where it is none that can be asked.
    pub fn parse(text: &str, reach: Reach) -> Result<Self, String> {
        let bare = format!("http://{text}");
        let text = if text.contains("://") { text } else { &bare };
        let uri: Uri = text.parse().map_err(|error| format!("`{text}` is no URL: {error}"))?;
        if uri.scheme_str() != Some("http") {
            return Err(format!("`{text}`: only http:// is spoken; exporters answer in the clear, on this machine"));
        }
        let host = uri.host().unwrap_or("").trim_matches(['[', ']']);
        if host.is_empty() || uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(format!("`{text}`: a host is wanted, without a user or a password"));
        }
        if reach == Reach::ThisMachine && !is_loopback(&uri) {
            return Err(format!(
                "`{text}` is not on loopback, and what an exporter tells is taken for this machine's devices; if it is of this machine all \
                 the same, in a container with an address of its own, --exporters-elsewhere lets it be asked"
            ));
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let path = if path == "/" { "/metrics" } else { path };
        let whole = format!("http://{}{path}", uri.authority().map_or(host, |authority| authority.as_str()));
        whole.parse().map(Self).map_err(|error| format!("`{text}` is no URL: {error}"))
    }

    pub(super) fn uri(&self) -> Uri {
        self.0.clone()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_this_machine_are_taken_and_others_if_asked_for() {
        let parse = |text: &str, reach| Address::parse(text, reach).map(|address| address.to_string());
        for (text, expected) in [
            ("http://127.0.0.1:9400/metrics", "http://127.0.0.1:9400/metrics"),
            ("localhost:2112", "http://localhost:2112/metrics"),
            ("http://[::1]:5000/", "http://[::1]:5000/metrics"),
            ("127.0.0.1:1/a?b=c", "http://127.0.0.1:1/a?b=c"),
        ] {
            assert_eq!(parse(text, Reach::ThisMachine).as_deref(), Ok(expected), "{text}");
        }
        let far = "http://10.0.0.7:9400/metrics";
        assert!(parse(far, Reach::ThisMachine).unwrap_err().contains("--exporters-elsewhere"));
        assert_eq!(parse(far, Reach::Anywhere).as_deref(), Ok(far));
        for text in ["https://127.0.0.1/", "http://a:b@127.0.0.1/", "http://", "file:///etc/passwd", "a b"] {
            assert!(parse(text, Reach::Anywhere).is_err(), "{text}");
        }
    }
}
