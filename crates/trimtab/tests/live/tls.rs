//! `up` with a certificate: for others by TLS, and for the commands of this machine as ever.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use live_rig::Installation;

use crate::session::{Session, check};

/// Puts a certificate for `localhost` and its key beside an installation.
pub(crate) fn certify(installation: &Installation) -> [String; 2] {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let file = |name: &str, text: &str| {
        let path = installation.beside().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    [file("chain.pem", &made.cert.pem()), file("key.pem", &made.signing_key.serialize_pem())]
}

fn curl(arguments: &[&str]) -> Option<Output> {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--max-time", "20", "--noproxy", "*", "--write-out", " %{http_code}"]);
    curl.args(arguments).output().ok()
}

#[test]
fn others_come_by_tls_and_commands_of_this_machine_as_ever() {
    let installation = Installation::new(env!("CARGO_BIN_EXE_trimtab")).unwrap();
    let [chain, key] = certify(&installation);
    let session = Session::called_with(installation, &["--tls-cert", &chain, "--tls-key", &key]);
    let id = session.submit(&["--", "echo", "hello"]);
    session.wait(id, "completed");
    assert_eq!(session.run(&["logs", &id.to_string()]), "hello\n");

    let said = session.installation.said();
    let port = said.split("listening on https://127.0.0.1:").nth(1).and_then(|rest| rest.split(';').next());
    let port = port.expect("it tells where it listens");
    let own = fs::read_to_string(session.installation.folder().join("address")).unwrap();
    assert!(own.starts_with("127.0.0.1:") && !own.ends_with(port), "{own}");
    let url = format!("https://localhost:{port}/api/v1/workloads/{id}/log");
    let token = fs::read_to_string(session.installation.folder().join("token")).unwrap();
    let bearer = format!("Authorization: Bearer {token}");
    let Some(output) = curl(&["--cacert", &chain, "--header", &bearer, &url]) else {
        testkit::skip!(testkit::Need::Program, "there is no curl: apt-get install curl");
    };
    assert_eq!(String::from_utf8_lossy(&output.stdout), "hello\n 200", "{output:?}");
    let distrusted = curl(&["--header", &bearer, &url]).unwrap();
    check(&distrusted, 60, &["certificate"]);
    let clear = curl(&["--header", &bearer, &url.replace("https", "http")]).unwrap();
    assert!(String::from_utf8_lossy(&clear.stdout).contains("this port speaks TLS"), "{clear:?}");
}

#[test]
fn a_certificate_that_cannot_be_used_is_refused_before_anything_begins() {
    let installation = Installation::new(env!("CARGO_BIN_EXE_trimtab")).unwrap();
    let [chain, key] = certify(&installation);
    let up = |chain: &str, key: &str| installation.run(&["up", "--tls-cert", chain, "--tls-key", key]).unwrap();
    check(&up("none.pem", &key), 2, &["none.pem: it cannot be read"]);
    check(&up(&key, &key), 2, &["key.pem: it holds no certificate"]);
    check(&up(&chain, &chain), 2, &["chain.pem: it holds no private key"]);
    fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    check(&up(&chain, &key), 2, &["key.pem: others may read or change this key", "chmod 600"]);
    check(&installation.run(&["up", "--tls-cert", &chain]).unwrap(), 2, &["--tls-key"]);
    assert!(!installation.folder().exists());
}
