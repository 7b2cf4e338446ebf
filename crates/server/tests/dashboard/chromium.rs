//! Headless Chromium, driven over its own protocol through two named pipes: nothing to install but the browser.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const PROGRAM: &str = "/usr/bin/chromium";
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Chromium {
    child: Child,
    to: File,
    from: BufReader<File>,
    session: Option<String>,
    next: u64,
    profile: PathBuf,
}

/// Whether there is one.
pub(crate) fn is_there() -> bool {
    Path::new(PROGRAM).exists()
}

impl Chromium {
    pub(crate) fn start(profile: PathBuf) -> Self {
        std::fs::create_dir_all(&profile).unwrap();
        let (to, from) = (profile.join("to"), profile.join("from"));
        assert!(Command::new("mkfifo").args([&to, &from]).status().unwrap().success());
        // The shell gives the pipes the numbers that `--remote-debugging-pipe` expects.
        let script = "exec \"$0\" --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
            --user-data-dir=\"$1/profile\" --remote-debugging-pipe about:blank 3<\"$1/to\" 4>\"$1/from\"";
        let mut command = Command::new("sh");
        command.args(["-c", script, PROGRAM]).arg(&profile).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        let to = File::options().write(true).open(to).unwrap();
        let from = BufReader::new(File::open(from).unwrap());
        let mut chromium = Self { child, to, from, session: None, next: 0, profile };
        let target = chromium.call("Target.createTarget", &json!({"url": "about:blank"}));
        let target = target["targetId"].clone();
        let session = chromium.call("Target.attachToTarget", &json!({"targetId": target, "flatten": true}));
        chromium.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page.enable", "Runtime.enable", "Network.enable", "Log.enable"] {
            chromium.call(domain, &json!({}));
        }
        // What a page tried that its policy refuses.
        let source = "window.refused = []; addEventListener('securitypolicyviolation', \
            (event) => window.refused.push(`${event.violatedDirective} ${event.sourceFile} ${event.sample}`));";
        chromium.call("Page.addScriptToEvaluateOnNewDocument", &json!({"source": source}));
        chromium
    }

    /// Asks for something, and waits for the answer.
    pub(crate) fn call(&mut self, method: &str, params: &Value) -> Value {
        self.ask(method, params).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    fn ask(&mut self, method: &str, params: &Value) -> Result<Value, Value> {
        self.next += 1;
        let mut message = json!({"id": self.next, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.to.write_all(message.to_string().as_bytes()).and_then(|()| self.to.write_all(b"\0")).unwrap();
        loop {
            let mut bytes = Vec::new();
            assert!(self.from.read_until(0, &mut bytes).unwrap() > 0, "the browser went away during {method}");
            bytes.pop();
            let answer: Value = serde_json::from_slice(&bytes).unwrap();
            if answer["id"] == json!(self.next) {
                return answer.get("error").cloned().map_or_else(|| Ok(answer["result"].clone()), Err);
            }
        }
    }

    /// Goes to an address and waits until it is drawn.
    pub(crate) fn open(&mut self, address: &str) {
        self.call("Page.navigate", &json!({"url": address}));
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'");
    }

    /// What an expression comes to.
    pub(crate) fn eval(&mut self, expression: &str) -> Value {
        let params = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.call("Runtime.evaluate", &params);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    pub(crate) fn wait(&mut self, expression: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            let params = json!({"expression": expression, "returnByValue": true});
            // While a page gives way to the next there is none to ask: that is not yet, either.
            let told = self.ask("Runtime.evaluate", &params);
            if told.is_ok_and(|told| told["result"]["value"] == json!(true)) {
                return;
            }
            assert!(Instant::now() < end, "this never held: {expression}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn look(&mut self, width: u32, height: u32, scheme: &str) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.call("Emulation.setDeviceMetricsOverride", &size);
        let paper = if scheme == "paper" { "print" } else { "" };
        let media = json!({"media": paper, "features": [{"name": "prefers-color-scheme", "value": if scheme == "dark" { "dark" } else { "light" }}]});
        self.call("Emulation.setEmulatedMedia", &media);
    }

    /// Keeps what is seen.
    pub(crate) fn picture(&mut self, file: &Path) {
        let answer = self.call("Page.captureScreenshot", &json!({"format": "png", "captureBeyondViewport": false}));
        std::fs::write(file, decoded(answer["data"].as_str().unwrap())).unwrap();
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        drop(std::fs::remove_dir_all(&self.profile));
    }
}

/// Base64 (RFC 4648), as the protocol sends pictures.
fn decoded(text: &str) -> Vec<u8> {
    let value = |letter: u8| match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut bytes = Vec::new();
    for four in text.trim_end_matches('=').as_bytes().chunks(4) {
        let bits = four.iter().fold(0_u32, |bits, letter| bits << 6 | u32::from(value(*letter)));
        let bits = bits << (6 * (4 - four.len()));
        bytes.extend(&bits.to_be_bytes()[1..four.len()]);
    }
    bytes
}
