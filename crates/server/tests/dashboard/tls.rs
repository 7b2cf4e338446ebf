//! The server over TLS, by a client that trusts one certificate and nothing else.

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use server::{Certificate, Speaks};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion, version,
};

use crate::http::{Answer, exchange};
use crate::rig::{OPERATE, Rig};

/// The longest that anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Two files, gone when dropped.
struct Files(PathBuf);

impl Files {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("tls-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Puts a new certificate there; gives it, for whoever is to trust it.
    fn renew(&self) -> CertificateDer<'static> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        write(&self.path("key.pem"), &made.signing_key.serialize_pem());
        write(&self.path("chain.pem"), &made.cert.pem());
        made.cert.der().clone()
    }

    fn certificate(&self) -> Certificate {
        Certificate::read(self.path("chain.pem"), self.path("key.pem")).unwrap()
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn write(path: &Path, text: &str) {
    let beside = path.with_extension("new");
    fs::write(&beside, text).unwrap();
    fs::set_permissions(&beside, Permissions::from_mode(0o600)).unwrap();
    fs::rename(&beside, path).unwrap();
}

/// A connection to the server, by whoever trusts this certificate.
fn connect(
    rig: &Rig,
    trusted: &CertificateDer<'static>,
    versions: &[&'static SupportedProtocolVersion],
) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_protocol_versions(versions).unwrap().with_root_certificates(roots).with_no_client_auth();
    let client = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    let stream = TcpStream::connect(rig.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    StreamOwned::new(client, stream)
}

fn send(rig: &Rig, trusted: &CertificateDer<'static>, method: &str, path: &str, body: &str) -> Answer {
    let origin = format!("https://localhost:{}", rig.address.port());
    let headers = [
        ("accept", "text/html"),
        ("origin", origin.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
        ("authorization", &*format!("Bearer {OPERATE}")),
    ];
    let host = format!("localhost:{}", rig.address.port());
    exchange(connect(rig, trusted, &[&version::TLS13]), &host, method, path, &headers, body)
}

fn trusts(rig: &Rig, trusted: &CertificateDer<'static>) -> bool {
    connect(rig, trusted, &[&version::TLS13]).write_all(b"GET / HTTP/1.1\r\n\r\n").is_ok()
}

#[test]
fn pages_come_by_tls_and_the_cookie_goes_by_nothing_else() {
    let files = Files::new();
    let trusted = files.renew();
    let rig = Rig::speaking(Speaks::Tls(files.certificate()), |_| {});
    let page = send(&rig, &trusted, "GET", "/jobs", "");
    assert_eq!((page.status, page.header("strict-transport-security")), (200, Some("max-age=2592000")));
    let signed_in = send(&rig, &trusted, "POST", "/login", &format!("token={OPERATE}"));
    assert_eq!(signed_in.status, 303);
    assert!(signed_in.header("set-cookie").unwrap().ends_with("; Secure"));
    let earlier = connect(&rig, &trusted, &[&version::TLS12]).write_all(b"GET / HTTP/1.1\r\n\r\n");
    assert!(earlier.is_ok(), "TLS 1.2 is spoken too");
    assert!(!trusts(&rig, &files.renew()), "this client does tell one certificate from another");
}

#[test]
fn behind_a_proxy_the_cookie_goes_by_tls_only_and_in_the_clear_it_can_be_had() {
    for (speaks, secure) in [(Speaks::BehindTls, true), (Speaks::Plain, false)] {
        let rig = Rig::speaking(speaks, |_| {});
        let answer = crate::http::post(&rig, "/login", "", &format!("token={OPERATE}"));
        assert_eq!(answer.header("set-cookie").unwrap().ends_with("; Secure"), secure);
        assert_eq!(answer.header("strict-transport-security"), None, "that is the proxy's to say");
    }
}

#[test]
fn whoever_speaks_no_tls_is_told_so_at_once() {
    let files = Files::new();
    files.renew();
    let rig = Rig::speaking(Speaks::Tls(files.certificate()), |_| {});
    let begun = Instant::now();
    let answer = crate::http::send(&rig, "GET", "/", &[], "");
    assert_eq!((answer.status, answer.header("strict-transport-security")), (400, None));
    assert!(answer.body.contains("this port speaks TLS") && answer.body.contains("https://"), "{}", answer.body);
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn whoever_does_not_come_to_the_point_is_cut_off_and_holds_up_nobody() {
    let files = Files::new();
    let trusted = files.renew();
    let rig = Rig::speaking(Speaks::Tls(files.certificate()), |_| {});
    let begun = Instant::now();
    // Nothing at all; and the beginning of a first word that says of itself that more will come.
    let mut slow = ["", "\x16\x03\x01\x02\x00\x01"].map(|text| {
        let mut stream = TcpStream::connect(rig.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        stream
    });
    for _ in 0..20 {
        assert_eq!(send(&rig, &trusted, "GET", "/jobs", "").status, 200);
    }
    assert!(begun.elapsed() < Duration::from_secs(8), "nobody waits for those who are slow");
    for stream in &mut slow {
        assert!(matches!(stream.read(&mut [0; 64]), Ok(0)), "it is closed");
        assert!(begun.elapsed() > Duration::from_secs(8), "they have some time");
        assert!(begun.elapsed() < Duration::from_secs(20), "and no more");
    }
}

#[test]
fn a_renewed_certificate_is_taken_up_and_one_that_cannot_be_used_is_not() {
    let files = Files::new();
    let first = files.renew();
    let certificate = files.certificate().looked_at_every(Duration::from_millis(20));
    let rig = Rig::speaking(Speaks::Tls(certificate), |_| {});
    assert!(trusts(&rig, &first));
    let good_key = fs::read_to_string(files.path("key.pem")).unwrap();
    let second = files.renew();
    let second_key = fs::read_to_string(files.path("key.pem")).unwrap();
    await_trust(&rig, &second);
    assert!(!trusts(&rig, &first));
    // The key of another certificate; a key that everybody may read; no key at all.
    write(&files.path("key.pem"), &good_key);
    stays(&rig, &second);
    write(&files.path("key.pem"), &second_key);
    fs::set_permissions(files.path("key.pem"), Permissions::from_mode(0o644)).unwrap();
    stays(&rig, &second);
    fs::remove_file(files.path("key.pem")).unwrap();
    stays(&rig, &second);
    let third = files.renew();
    await_trust(&rig, &third);
}

fn await_trust(rig: &Rig, trusted: &CertificateDer<'static>) {
    let until = Instant::now() + PATIENCE;
    while !trusts(rig, trusted) {
        assert!(Instant::now() < until, "the renewed certificate is not in use");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// That it is still trusted after it was looked several times.
fn stays(rig: &Rig, trusted: &CertificateDer<'static>) {
    std::thread::sleep(Duration::from_millis(200));
    assert!(trusts(rig, trusted));
}
