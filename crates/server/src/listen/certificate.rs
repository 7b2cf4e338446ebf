//! The certificate and its key: looked at with distrust, and taken up again when they are renewed.
//!
//! What counts is what the two files hold, not when they were written: whoever renews them swaps links, or writes one after the other. What
//! cannot be used is told of, and what was in use stays in use.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert, ServerConfig};
use rustls::sign::CertifiedKey;
use tokio_rustls::rustls;

use super::pair::{Pair, Unusable};

/// How often it is looked whether they were renewed.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// A certificate with its key, as they are in two files. Clones share what was read last.
#[derive(Clone)]
pub struct Certificate {
    chain: PathBuf,
    key: PathBuf,
    look_every: Duration,
    shown: Arc<Shown>,
}

/// What is shown to whoever connects.
struct Shown(RwLock<Pair>);

impl Certificate {
    /// Reads the files, both PEM: the server's certificate with those that vouch for it, in order; and its key, which nobody else may read.
    ///
    /// # Errors
    /// Which file cannot be used, and why.
    pub fn read(chain: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Result<Self, Unusable> {
        let (chain, key) = (chain.into(), key.into());
        let pair = Pair::read(&chain, &key)?;
        Ok(Self { chain, key, look_every: LOOK_EVERY, shown: Arc::new(Shown(RwLock::new(pair))) })
    }

    /// Looks whether they were renewed so often, instead of once a minute.
    #[must_use]
    pub fn looked_at_every(self, look_every: Duration) -> Self {
        Self { look_every, ..self }
    }

    /// TLS 1.2 and 1.3 with the ciphers that rustls holds safe, for HTTP/1.1. Nobody needs a certificate of their own.
    pub(super) fn config(&self) -> Arc<ServerConfig> {
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has the ciphers of both versions");
        let mut config =
            config.with_no_client_auth().with_cert_resolver(Arc::clone(&self.shown) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Arc::new(config)
    }

    /// Takes up what is renewed, for ever.
    pub(super) async fn renew(self) {
        let mut told = None;
        loop {
            tokio::time::sleep(self.look_every).await;
            let (chain, key) = (self.chain.clone(), self.key.clone());
            let Ok(read) = tokio::task::spawn_blocking(move || Pair::read(&chain, &key)).await else { continue };
            match read {
                Ok(pair) => {
                    told = None;
                    if self.shown.renew(pair) {
                        eprintln!("note: the certificate in {} was renewed, and is in use", self.chain.display());
                    }
                }
                // Once, and not every minute.
                Err(unusable) if told.as_ref() == Some(&unusable) => {}
                Err(unusable) => {
                    eprintln!("warning: the certificate of before stays in use: {unusable}");
                    told = Some(unusable);
                }
            }
        }
    }
}

/// Says nothing of the key.
impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("chain", &self.chain).field("key", &self.key).finish_non_exhaustive()
    }
}

impl Shown {
    /// Whether it was another one until now.
    fn renew(&self, pair: Pair) -> bool {
        let mut shown = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let renewed = shown.digest() != pair.digest();
        *shown = pair;
        renewed
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).certified())
    }
}

/// Says nothing of the key.
impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shown")
    }
}
