//! A certificate and its key, from two files of PEM.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};
use sha2::{Digest, Sha256};
use tokio_rustls::rustls;

/// The most bytes of one of the files.
const FILE_MAX_BYTES: u64 = 1 << 20;

/// A certificate and its key, which belong together.
pub(super) struct Pair {
    certified: Arc<CertifiedKey>,
    digest: [u8; 32],
}

/// Why a certificate cannot be used: which file, what is wrong, what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable(String);

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unusable {}

impl Pair {
    /// Reads both files.
    pub(super) fn read(chain: &Path, key: &Path) -> Result<Self, Unusable> {
        let chain_text = text(chain, |_| None)?;
        let key_text = text(key, open_to_others)?;
        let digest = Sha256::new().chain_update(&chain_text).chain_update(b"\0").chain_update(&key_text).finalize();
        let certificates = certificates(&chain_text).map_err(|what| unusable(chain, what))?;
        let private = private(&key_text).map_err(|what| unusable(key, what))?;
        let certified = CertifiedKey::from_der(certificates, private, &ring::default_provider());
        let certified = certified.map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                let (chain, key) = (chain.display(), key.display());
                Unusable(format!("{key}: this is not the key of the first certificate in {chain}"))
            }
            Error::InvalidCertificate(_) => unusable(chain, "its first certificate cannot be understood"),
            _ => unusable(key, "a private key for RSA, ECDSA (P-256, P-384) or Ed25519 is expected"),
        })?;
        Ok(Self { certified: Arc::new(certified), digest: digest.into() })
    }

    pub(super) fn certified(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.certified)
    }

    /// Tells one pair of files from another by what they hold.
    pub(super) fn digest(&self) -> [u8; 32] {
        self.digest
    }
}

fn unusable(path: &Path, what: impl fmt::Display) -> Unusable {
    Unusable(format!("{}: {what}", path.display()))
}

/// What a file holds, unless `refused` says from its metadata why it is not to be used.
fn text(path: &Path, refused: impl Fn(&Metadata) -> Option<String>) -> Result<Vec<u8>, Unusable> {
    let read = |error: io::Error| unusable(path, format!("it cannot be read: {error}"));
    let file = File::open(path).map_err(read)?;
    let metadata = file.metadata().map_err(read)?;
    if !metadata.is_file() {
        return Err(unusable(path, "this is no file"));
    }
    if let Some(what) = refused(&metadata) {
        return Err(unusable(path, what));
    }
    let mut bytes = Vec::new();
    file.take(FILE_MAX_BYTES + 1).read_to_end(&mut bytes).map_err(read)?;
    if bytes.len() as u64 > FILE_MAX_BYTES {
        return Err(unusable(path, "it has more than a MiB: no certificate and no key is so large"));
    }
    Ok(bytes)
}

/// Why a key is no secret, if it is none. Where root owns it a group may read it: so distributions share a key with a service.
fn open_to_others(metadata: &Metadata) -> Option<String> {
    let mode = metadata.mode() & 0o777;
    let of_group = if metadata.uid() == 0 { 0o030 } else { 0o070 };
    let open = mode & (of_group | 0o007) != 0;
    open.then(|| format!("others may read or change this key (its mode is {mode:o}): run `chmod 600` on it"))
}

fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    let all = all.map_err(|error| words(&error))?;
    if all.is_empty() {
        return Err("it holds no certificate: PEM is expected, the server's own certificate first".into());
    }
    Ok(all)
}

fn private(text: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(text).map_err(|error| match error {
        pem::Error::NoItemsFound if String::from_utf8_lossy(text).contains("ENCRYPTED PRIVATE KEY") => {
            "this key is locked with a passphrase: `openssl pkey -in KEY -out OPEN` writes it without one".into()
        }
        pem::Error::NoItemsFound => "it holds no private key: PEM is expected".into(),
        error => words(&error),
    })
}

/// None of what the file holds: it may be the key.
fn words(error: &pem::Error) -> String {
    let what = match error {
        pem::Error::MissingSectionEnd { .. } => "a part of it has no end",
        pem::Error::IllegalSectionStart { .. } => "a line that begins a part is damaged",
        pem::Error::Base64Decode(_) => "a part of it is no base64",
        _ => "it cannot be understood",
    };
    format!("this PEM is damaged: {what}")
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use rcgen::{KeyPair, generate_simple_self_signed};

    use super::*;

    fn made() -> (String, String) {
        let made = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    /// What is said of these two files.
    fn said(name: &str, chain: &str, key: &str, mode: u32) -> String {
        let folder = std::env::temp_dir().join(format!("trimtab-pair-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (chain_file, key_file) = (folder.join("chain.pem"), folder.join("key.pem"));
        fs::write(&chain_file, chain).unwrap();
        fs::write(&key_file, key).unwrap();
        fs::set_permissions(&key_file, Permissions::from_mode(mode)).unwrap();
        let read = Pair::read(&chain_file, &key_file);
        let folder_name = format!("{}/", folder.display());
        let said = read.err().map_or_else(String::new, |unusable| unusable.to_string().replace(&folder_name, ""));
        fs::remove_dir_all(folder).unwrap();
        said
    }

    #[test]
    fn what_cannot_be_used_is_named_with_what_is_expected() {
        let (chain, key) = made();
        let other = KeyPair::generate().unwrap().serialize_pem();
        let locked = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        let nonsense = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let cut = &chain[..chain.len() / 2];
        let large = "x".repeat((1 << 20) + 1);
        let check = |name: &str, chain: &str, key: &str, expected: &str| {
            let said = said(name, chain, key, 0o600);
            assert!(said.starts_with(expected) && said.is_empty() == expected.is_empty(), "{name}: {said}");
            assert!(!said.contains(&key[key.len() / 2..]), "{name}: no part of a key is told");
        };
        check("right", &chain, &key, "");
        check("empty", "", &key, "chain.pem: it holds no certificate: PEM is expected");
        check("key as chain", &key, &key, "chain.pem: it holds no certificate");
        check("cut", cut, &key, "chain.pem: this PEM is damaged: a part of it has no end");
        check("nonsense", nonsense, &key, "chain.pem: its first certificate cannot be understood");
        check("large", &large, &key, "chain.pem: it has more than a MiB");
        check("chain as key", &chain, &chain, "key.pem: it holds no private key");
        check("locked", &chain, locked, "key.pem: this key is locked with a passphrase: `openssl pkey");
        check("other", &chain, &other, "key.pem: this is not the key of the first certificate in chain.pem");
    }

    #[test]
    fn a_key_that_others_may_read_or_change_is_refused() {
        let (chain, key) = made();
        for mode in [0o400, 0o600, 0o700] {
            assert_eq!(said(&format!("{mode:o}"), &chain, &key, mode), "", "{mode:o}");
        }
        for mode in [0o604, 0o644, 0o602, 0o620, 0o660] {
            let said = said(&format!("{mode:o}"), &chain, &key, mode);
            assert!(said.starts_with("key.pem: others may read or change this key"), "{mode:o}: {said}");
            assert!(said.contains(&format!("its mode is {mode:o}")) && said.contains("chmod 600"), "{said}");
        }
    }
}
