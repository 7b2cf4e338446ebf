//! The live view, driven through a terminal as a person drives it, and as lines where there is none.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};
use serde_json::json;

use super::{Answering, check, command, decoding, folder, with};

/// What takes another screen, and what gives it back.
const TAKE: &str = "\x1b[?1049h\x1b[?25l";
const GIVE_BACK: &str = "\x1b[?25h\x1b[?1049l";

/// A terminal of 80 columns, and all that was written to it.
struct Pty {
    master: File,
    /// Kept open, so that it is there when the program has ended.
    slave: File,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Pty {
    fn new(rows: u16) -> Pty {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        tcsetwinsize(&master, Winsize { ws_row: rows, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let slave = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        let master = File::from(master);
        let written = Arc::new(Mutex::new(Vec::new()));
        let (mut reader, kept) = (master.try_clone().unwrap(), Arc::clone(&written));
        thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(read @ 1..) = reader.read(&mut piece) {
                kept.lock().unwrap().extend_from_slice(&piece[..read]);
            }
        });
        Pty { master, slave, written }
    }

    fn start(&self, command: &mut Command) -> Child {
        let end = || Stdio::from(self.slave.try_clone().unwrap());
        command.stdin(end()).stdout(end()).stderr(Stdio::piped()).env("TERM", "xterm").spawn().unwrap()
    }

    fn settings(&self) -> Termios {
        tcgetattr(&self.slave).unwrap()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.written.lock().unwrap()).into_owned()
    }

    fn wait_for(&self, what: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let text = self.text();
            if what(&text) {
                return text;
            }
            assert!(Instant::now() < deadline, "{text:?}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// What a screen shows, line by line, without what moves the cursor and colours it.
fn frames(text: &str) -> Vec<Vec<String>> {
    let drawn = text.split("\x1b[H").skip(1);
    drawn.map(|frame| frame.split('\n').map(plain).collect()).collect()
}

fn plain(text: &str) -> String {
    // The terminal's own end of a line comes before each.
    let (mut plain, mut letters) = (String::new(), text.trim_end_matches('\r').chars());
    while let Some(letter) = letters.next() {
        if letter == '\x1b' {
            letters.by_ref().find(|letter| letter.is_ascii_alphabetic());
        } else {
            plain.push(letter);
        }
    }
    plain
}

fn same(one: &Termios, other: &Termios) -> bool {
    (one.local_modes, one.input_modes, one.output_modes, one.control_modes)
        == (other.local_modes, other.input_modes, other.output_modes, other.control_modes)
}

/// Ends as it should: with nothing said, and the terminal as it was.
fn ended(pty: &Pty, child: Child, before: &Termios, stderr: &str) {
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).trim_end()), (Some(0), stderr));
    let text = pty.wait_for(|text| text.ends_with(GIVE_BACK));
    assert!(text.starts_with(TAKE), "{text:?}");
    assert!(same(before, &pty.settings()), "the terminal is as it was");
}

#[test]
fn a_view_fits_80_columns_goes_on_and_gives_the_terminal_back() {
    let folder = folder();
    let loader = Answering::at(folder.path(), &decoding());
    let pty = Pty::new(24);
    let before = pty.settings();
    let mut child = pty.start(command(&["watch", loader.socket()]).env("NO_COLOR", "1"));
    pty.wait_for(|text| frames(text).iter().any(|frame| frame.len() > 10));
    assert!(!same(&before, &pty.settings()), "keys come at once");
    {
        let mut told = loader.report.lock().unwrap();
        told.report.seconds += 1.0;
        told.report.samples += 600;
    }
    let text = pty.wait_for(|text| text.contains("samples/s     600 "));
    let all = frames(&text);
    let last = &all[all.len() - 1];
    assert!(all.iter().flatten().all(|line| line.chars().count() <= 80), "{all:?}");
    assert!(
        last.len() <= 24 && last.iter().any(|line| line.starts_with("samples/s     600 ") && line.ends_with('█')),
        "{last:?}"
    );
    assert!(last.iter().any(|line| line.starts_with("step waits    40 %") && line.contains("███")), "{last:?}");
    assert!(last.iter().any(|line| line.starts_with("decode        75 %")), "{last:?}");
    assert!(last.iter().any(|line| line == "one more core: 1.2 times as fast"), "{last:?}");
    let colours = text
        .split("\x1b[")
        .skip(1)
        .filter(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').starts_with('m'));
    assert_eq!(colours.count(), 0, "NO_COLOR");
    assert!(child.try_wait().unwrap().is_none());
    (&pty.master).write_all(b"xq").unwrap();
    ended(&pty, child, &before, "");
}

#[test]
fn ctrl_c_and_a_polite_kill_end_it_and_the_terminal_is_given_back() {
    let folder = folder();
    let loader = Answering::at(folder.path(), &decoding());
    for how in ["key", "TERM", "INT"] {
        let pty = Pty::new(10);
        let before = pty.settings();
        let child = pty.start(&mut command(&["watch", loader.socket()]));
        let text = pty.wait_for(|text| text.contains("samples/s"));
        assert!(text.contains("\x1b[1m"), "a terminal has colours");
        assert!(frames(&text).iter().all(|frame| frame.len() <= 10), "what does not fit is left out");
        if how == "key" {
            (&pty.master).write_all(&[3]).unwrap();
        } else {
            let killed = Command::new("sh").args(["-c", &format!("kill -{how} {}", child.id())]).status().unwrap();
            assert!(killed.success());
        }
        ended(&pty, child, &before, "");
    }
}

#[test]
fn a_loader_that_ends_ends_the_view() {
    let folder = folder();
    let loader = Answering::at(folder.path(), &decoding());
    let pty = Pty::new(24);
    let before = pty.settings();
    let child = pty.start(&mut command(&["watch", loader.socket()]));
    pty.wait_for(|text| text.contains("samples/s"));
    drop(loader);
    ended(&pty, child, &before, "the loader has ended: 64,000 samples in 1,000 batches until it was last asked");
}

#[test]
fn where_nobody_looks_it_is_a_line_each_second() {
    let folder = folder();
    let report = with(decoding(), json!({"ready": 3}));
    let loader = Answering::at(&folder.path().join("x.sock"), &report);
    let mut child = command(&["watch", loader.socket()]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    let expected =
        "2m 5s: 512 samples/s, waits 40 %, held back by decode; 3 of 6 batches ready, 1 GiB of 4 GiB for batches";
    assert_eq!(first, expected);
    loader.report.lock().unwrap().report.samples += 100;
    loader.report.lock().unwrap().report.seconds += 10.0;
    assert!(lines.next().unwrap().unwrap().starts_with("2m 15s: 10 samples/s, "));
    let killed = Command::new("sh").args(["-c", &format!("kill -INT {}", child.id())]).status().unwrap();
    assert!(killed.success());
    assert!(lines.all(|line| line.is_ok()));
    check(&child.wait_with_output().unwrap(), 0, "");
}
