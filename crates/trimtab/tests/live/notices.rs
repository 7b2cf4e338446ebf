//! Who is told of findings: by a real server on loopback and a real program, once, also after a kill, and late where they were away.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use live_rig::Installation;
use serde_json::{Value, json};

use crate::session::Session;

/// A job whose only rank ends without a word.
const CRASHES: &str = r#"
import os, socket, time
clock = socket.socket(socket.AF_UNIX)
clock.connect(os.environ["TRIMTAB_STEPS"])
clock.sendall(f"trimtab-steps 1 job={os.environ['TRIMTAB_JOB']} rank=0 ranks=1 pid={os.getpid()}\nstep 1 at={int(time.time() * 1e6)} us=50000\n".encode())
time.sleep(1)
os._exit(1)
"#;

const PATIENCE: Duration = Duration::from_secs(60);

/// What was posted: to which path, with which token, and what.
type Posted = (String, Option<String>, Value);

/// Takes what is posted there, from now on; the first is answered with 500.
fn take(listener: TcpListener, fails: bool) -> Receiver<Posted> {
    let (sent, posted) = channel();
    std::thread::spawn(move || {
        let mut fails = fails;
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut line = || {
                let mut line = String::new();
                stream.read_line(&mut line).unwrap();
                line.trim_end().to_owned()
            };
            let path = line().split(' ').nth(1).unwrap_or_default().to_owned();
            let headers: Vec<String> = std::iter::from_fn(|| Some(line()).filter(|line| !line.is_empty())).collect();
            let header = |name: &str| {
                let found = headers.iter().find(|header| header.to_lowercase().starts_with(name));
                found.map(|header| header.split_once(": ").unwrap().1.to_owned())
            };
            let mut body = vec![0; header("content-length:").unwrap().parse().unwrap()];
            stream.read_exact(&mut body).unwrap();
            let answer = if fails { "500 Internal Server Error" } else { "204 No Content" };
            write!(stream.get_mut(), "HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
            let taken = (path, header("authorization:"), serde_json::from_slice(&body).unwrap());
            if !std::mem::take(&mut fails) && sent.send(taken).is_err() {
                return;
            }
        }
    });
    posted
}

#[test]
fn who_wants_to_hear_of_findings_is_told_once_each_also_late_and_after_a_kill() {
    if Command::new("python3").arg("--version").output().is_err() {
        testkit::skip!(testkit::Need::Program, "python3 is needed: a job tells its steps with it");
    }
    let installation = Installation::new(env!("CARGO_BIN_EXE_trimtab")).unwrap();
    let beside = installation.beside().to_owned();
    let write = |name: &str, text: &str| std::fs::write(beside.join(name), text).unwrap();
    let hook = TcpListener::bind("127.0.0.1:0").unwrap();
    let late = TcpListener::bind("127.0.0.1:0").unwrap();
    let (hook_at, late_at) = (hook.local_addr().unwrap(), late.local_addr().unwrap());
    drop(late);
    write("url", &format!("http://{hook_at}/hooks/SECRET\n"));
    write("token", "t0ken\n");
    write("page", &format!("#!/bin/sh\ncat >> {0}/paged && echo \"$1\" >> {0}/paged\n", beside.display()));
    std::fs::set_permissions(beside.join("page"), PermissionsExt::from_mode(0o755)).unwrap();
    write(
        "notify.toml",
        &format!(
            "[[destination]]\nname = \"hook\"\nurl_file = \"url\"\ntoken_file = \"token\"\n\
             [[destination]]\nname = \"chat\"\nurl = \"http://{late_at}/\"\nform = \"chat\"\n\
             [[destination]]\nname = \"pager\"\nprogram = [\"{0}/page\", \"a b; c\"]\nrules = [\"crash\"]\n\
             [[destination]]\nname = \"other\"\nprogram = [\"{0}/page\", \"other\"]\nrules = [\"hang\"]\n",
            beside.display()
        ),
    );
    let posted = take(hook, true);
    let file = beside.join("notify.toml").display().to_string();
    let mut session = Session::called_with(installation, &["--notify", &file]);
    session.write("crashes.py", CRASHES);
    let id = session.submit(&["--", "python3", "crashes.py"]);

    let (path, token, told) = posted.recv_timeout(PATIENCE).unwrap();
    assert_eq!((path.as_str(), token.as_deref()), ("/hooks/SECRET", Some("Bearer t0ken")));
    let one = &told["news"][0];
    assert_eq!(
        (&one["what"], &one["workload"], &one["finding"]["rule"]),
        (&json!("opened"), &json!(id), &json!("crash"))
    );
    assert!(told["text"].as_str().unwrap().contains("ended without a word (crash, since "), "{told:#}");

    // Whoever was away is told when it is there again; the program has been told by then.
    let chat = take(TcpListener::bind(late_at).unwrap(), false);
    let (_, token, text) = chat.recv_timeout(PATIENCE).unwrap();
    assert_eq!((token, text.as_object().unwrap().len()), (None, 1));
    assert_eq!(text["text"], told["text"]);
    let paged = session.read("paged");
    let (json, argument) = paged.trim().rsplit_once('}').unwrap();
    assert_eq!((serde_json::from_str::<Value>(&format!("{json}}}")).unwrap(), argument), (told, "a b; c"));

    let said = session.installation.said();
    assert!(said.contains("`hook` could not be told") && said.contains("500") && said.contains("`chat`"), "{said}");
    assert!(!said.contains("SECRET") && !said.contains("t0ken"), "{said}");
    session.installation.kill().unwrap();
    session.installation.up().unwrap();
    assert!(posted.recv_timeout(Duration::from_secs(4)).is_err(), "it was told already");
    assert_eq!(session.read("paged"), paged);

    // The same destinations, tried by hand.
    let output = session.installation.run(&["notify", &file, "--destination", "hook"]).unwrap();
    assert!(output.status.success() && output.stdout == b"hook: delivered\n", "{output:?}");
    assert_eq!(posted.recv_timeout(PATIENCE).unwrap().2["news"][0]["finding"]["rule"], "test");
    session.fails(&["notify", &file, "--destination", "nobody"], 2, &["has no destination `nobody`"]);
    session.write("notify.toml", "[[destination]]\nname = \"a\"\nurl = \"x\"\n");
    session.fails(&["notify", &file], 2, &["notify.toml: [[destination]] 1, `a`: its URL begins with https://"]);
}
