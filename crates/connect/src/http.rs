//! What all who speak HTTP share: which hosts are this machine, and how TLS is spoken.

use std::net::IpAddr;
use std::sync::Arc;

use ureq::http::Uri;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};

/// Whether a URL leads to this machine, without a look-up of names: what is sent there no network carries.
#[must_use]
pub fn is_loopback(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// TLS by rustls and ring, which trusts these.
#[must_use]
pub fn tls(roots: RootCerts) -> TlsConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(roots)
        .unversioned_rustls_crypto_provider(provider)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_told_by_its_host() {
        let check = |url: &str, expected: bool| assert_eq!(is_loopback(&url.parse().unwrap()), expected, "{url}");
        check("http://127.0.0.1:9/x", true);
        check("http://a:b@localhost/x", true);
        check("http://[::1]:9", true);
        check("https://localhost.example/", false);
        check("http://127.0.0.1.evil.example", false);
        check("https://hooks.example/?u=http://127.0.0.1", false);
    }
}
