//! Notices on their way out. Each delivery has a time limit, and an error says nothing of a secret.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fleet::notice::News;
use ureq::tls::RootCerts;

use super::{Destination, Form, To, body};
use crate::http::{is_loopback, tls};

/// So long an answer is waited for.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// So long a program may take.
const PROGRAM_WITHIN: Duration = Duration::from_secs(30);
/// How often it is looked whether a program has ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Of what a program says on standard error, so much is told.
const SAID_BYTES_MAX: u64 = 300;
/// What a program finds in its environment, of ours: no token of ours is there.
const ENVIRONMENT: [&str; 4] = ["PATH", "HOME", "LANG", "TZ"];

/// Tells somebody; it is delivered once this returns without an error.
///
/// # Errors
/// Why it was not, in words; nothing of a secret.
pub fn deliver(destination: &Destination, from: &str, news: &[News]) -> Result<(), String> {
    match &destination.to {
        To::Url { url, form, token } => {
            let body = match form {
                Form::Json => body::json(from, news),
                Form::Chat => body::chat(from, news),
            };
            post(&url.0, token.as_ref().map(|token| token.0.as_str()), body.to_string())
        }
        To::Program { path, arguments } => {
            let mut command = Command::new(path);
            command.args(arguments).env_clear();
            for name in ENVIRONMENT {
                command.envs(std::env::var_os(name).map(|value| (name, value)));
            }
            call(command, body::json(from, news).to_string())
        }
    }
}

fn post(url: &str, token: Option<&str>, body: String) -> Result<(), String> {
    let mut config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        // What is meant for one address goes to no other.
        .max_redirects(0)
        .timeout_global(Some(ANSWER_WITHIN))
        .tls_config(tls(RootCerts::PlatformVerifier));
    if url.parse().is_ok_and(|uri| is_loopback(&uri)) {
        config = config.proxy(None);
    }
    let agent: ureq::Agent = config.build().into();
    let mut request = agent.post(url).content_type("application/json");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let status = request.send(body).map_err(|error| words(&error))?.status();
    if status.is_success() {
        return Ok(());
    }
    Err(match status.as_u16() {
        300..=399 => {
            format!("it answers {status}, and redirections are not followed: name the address that it leads to")
        }
        401 | 403 => format!("it answers {status}: the token or the URL is not the one it wants"),
        _ => format!("it answers {status}"),
    })
}

/// Never what ureq says of a URL.
fn words(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => format!("it did not answer within {} seconds", ANSWER_WITHIN.as_secs()),
        ureq::Error::HostNotFound => "its host is not known".into(),
        ureq::Error::ConnectionFailed => "it cannot be reached".into(),
        ureq::Error::Io(error) => format!("the connection failed: {}", error.kind()),
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => "its URL is none".into(),
        ureq::Error::Rustls(error) => format!("no secure connection: {error}"),
        _ => "the connection failed".into(),
    }
}

fn call(mut command: Command, text: String) -> Result<(), String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("the program does not start: {}", error.kind()))?;
    // A program that reads nothing, or says much, does not hold us up; both end with it.
    let mut stdin = child.stdin.take();
    let writing = std::thread::spawn(move || {
        if let Some(stdin) = &mut stdin {
            let _unread = stdin.write_all(text.as_bytes());
        }
    });
    let stderr = child.stderr.take();
    let hearing = std::thread::spawn(move || {
        let Some(mut stderr) = stderr else { return String::new() };
        let mut said = Vec::new();
        let _ended = Read::by_ref(&mut stderr).take(SAID_BYTES_MAX).read_to_end(&mut said);
        let _rest = std::io::copy(&mut stderr, &mut std::io::sink());
        String::from_utf8_lossy(&said).trim().replace(|letter: char| letter.is_control(), " ")
    });
    let until = Instant::now() + PROGRAM_WITHIN;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < until => std::thread::sleep(LOOK_EVERY),
            _ => {
                let _gone = child.kill().and_then(|()| child.wait());
                return Err(format!(
                    "the program did not end within {} seconds, and was killed",
                    PROGRAM_WITHIN.as_secs()
                ));
            }
        }
    };
    if status.success() {
        return Ok(());
    }
    let _written = writing.join();
    let said = hearing.join().unwrap_or_default();
    Err(if said.is_empty() {
        format!("the program failed ({status})")
    } else {
        format!("the program failed ({status}): {said}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_program_is_given_what_there_is_and_tells_by_its_end_whether_it_did() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("got");
        assert_eq!(call(shell(&format!("cat > {}", file.display())), "{\"a\": 1}".into()), Ok(()));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "{\"a\": 1}");
        let failed = call(shell("echo no such team >&2; exit 3"), "x".repeat(1 << 20)).unwrap_err();
        assert!(failed.contains("exit status: 3") && failed.ends_with(": no such team"), "{failed}");
        let absent = call(Command::new("/no/such/program"), String::new()).unwrap_err();
        assert!(absent.contains("does not start"), "{absent}");
        // More than a pipe holds, which nobody reads.
        assert_eq!(call(shell("exit 0"), "x".repeat(1 << 20)), Ok(()));
    }

    #[test]
    fn an_error_says_nothing_of_the_address() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        drop(taken);
        for url in [
            format!("http://127.0.0.1:{port}/SECRET"),
            format!("https://localhost:{port}/SECRET"),
            "http://[/SECRET".into(),
        ] {
            let error = post(&url, Some("SECRET"), "{}".into()).unwrap_err();
            assert!(!error.contains("SECRET") && !error.is_empty(), "{error}");
        }
    }
}
