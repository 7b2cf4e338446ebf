//! Agents as if on other machines: processes with names of their own, that reach `trimtab up` by an address that stays while it comes and goes.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::session::Session;

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Whoever comes to its address is led to where the server listens now; to nobody, where that is not known.
pub(crate) struct Way {
    pub(crate) port: u16,
    to: Arc<Mutex<Option<SocketAddr>>>,
}

impl Way {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let to: Arc<Mutex<Option<SocketAddr>>> = Arc::default();
        let known = Arc::clone(&to);
        std::thread::spawn(move || {
            for from in listener.incoming().flatten() {
                let to = *known.lock().unwrap();
                // Dropped where nobody is there.
                if let Some(to) = to.and_then(|to| TcpStream::connect(to).ok()) {
                    join(from, to);
                }
            }
        });
        Self { port, to }
    }

    /// From now on it leads to the server of a session, or nowhere.
    pub(crate) fn leads_to(&self, session: Option<&Session>) {
        let address = session.map(|session| fs::read_to_string(session.installation.folder().join("address")).unwrap());
        self.leads(address.map(|address| address.trim().parse().unwrap()));
    }

    pub(crate) fn leads(&self, to: Option<SocketAddr>) {
        *self.to.lock().unwrap() = to;
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

fn join(from: TcpStream, to: TcpStream) {
    let pass = |mut from: TcpStream, mut to: TcpStream| {
        std::thread::spawn(move || {
            let mut bytes = [0; 16 << 10];
            while let Ok(count @ 1..) = from.read(&mut bytes) {
                if to.write_all(&bytes[..count]).is_err() {
                    break;
                }
            }
            let _over = to.shutdown(Shutdown::Write);
        });
    };
    pass(from.try_clone().unwrap(), to.try_clone().unwrap());
    pass(to, from);
}

/// An agent; it is killed when dropped.
pub(crate) struct Agent {
    child: Child,
    said: PathBuf,
}

/// How an agent is called.
pub(crate) struct Called<'a> {
    pub(crate) node: &'a str,
    pub(crate) url: &'a str,
    pub(crate) secret: &'a str,
    pub(crate) besides: &'a [&'a str],
}

impl Agent {
    pub(crate) fn start(session: &Session, called: &Called<'_>) -> Self {
        let said = session.installation.beside().join(format!("{}.log", called.node));
        let log = File::options().create(true).append(true).open(&said).unwrap();
        let mut command = command(session, called);
        let child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        Self { child, said }
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let until = Instant::now() + PATIENCE;
        while self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < until, "it does not end; it said {}", self.said());
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(self.child.wait().unwrap().success(), "it said {}", self.said());
    }

    /// What all agents of this node have said.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.said).unwrap_or_default()
    }

    /// Waits until it has said this.
    pub(crate) fn says(&self, words: &str) {
        let until = Instant::now() + PATIENCE;
        while !self.said().contains(words) {
            assert!(Instant::now() < until, "{}\nlacks {words}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The command of an agent, which is as it would be on another machine but for its socket.
pub(crate) fn command(session: &Session, called: &Called<'_>) -> Command {
    let Called { node, url, secret, besides } = called;
    let steps = format!("{node}.sock");
    let mut command = session.installation.command(&["agent", "--report-to", url, "--node", node, "--steps", &steps]);
    if !besides.contains(&"--spool") {
        command.arg("--spool").arg(spool(session, node));
    }
    command.args(*besides).env("TRIMTAB_TOKEN", secret);
    command
}

pub(crate) fn spool(session: &Session, node: &str) -> PathBuf {
    session.installation.beside().join(format!("{node}-spool"))
}

/// What the server knows of an agent; null where it knows none.
pub(crate) fn known(session: &Session, node: &str) -> Value {
    let agents = session.client().read("agents").unwrap();
    agents["agents"].as_array().unwrap().iter().find(|agent| agent["node"] == node).cloned().unwrap_or_default()
}

/// Waits until the server knows this of an agent.
pub(crate) fn wait(session: &Session, node: &str, like: impl Fn(&Value) -> bool) -> Value {
    let until = Instant::now() + PATIENCE;
    loop {
        let agent = known(session, node);
        if like(&agent) {
            return agent;
        }
        assert!(Instant::now() < until, "{node}: {agent:#}; it said {}", session.installation.said());
        std::thread::sleep(Duration::from_millis(50));
    }
}
