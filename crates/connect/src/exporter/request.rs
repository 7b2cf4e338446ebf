//! Asks an exporter again and again, in a thread of its own.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use ureq::Agent;

use super::heard::Heard;
use super::{Address, Values, text};

/// How often one is asked. They look at devices themselves every few seconds to half a minute.
const EVERY: Duration = Duration::from_secs(5);
/// It has so long to answer.
const TIMEOUT: Duration = Duration::from_secs(2);
/// So much of an answer is read; one of eight devices has 100 KiB.
const BYTES_MAX: u64 = 8 << 20;

/// Begins to ask. It ends, within [`TIMEOUT`], once what it gives is dropped.
pub(super) fn begin(address: Address, heard: Heard, tell: SyncSender<String>) -> SyncSender<()> {
    let (on, stop) = sync_channel(1);
    let told = tell.clone();
    let started =
        std::thread::Builder::new().name("exporter".into()).spawn(move || ask(&address, &heard, &tell, &stop));
    if let Err(error) = started {
        let _full = told.try_send(format!("an exporter is not asked: no thread: {error}"));
    }
    on
}

/// What came of a turn, for telling what changed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Answered,
    /// It answered, and tells of no device that is known here.
    Unknown,
    Failed,
}

fn ask(address: &Address, heard: &Heard, tell: &SyncSender<String>, stop: &Receiver<()>) {
    let agent: Agent = Agent::config_builder()
        .proxy(None)
        // Where it sends us is not where we were told to ask.
        .max_redirects(0)
        .timeout_global(Some(TIMEOUT))
        .build()
        .into();
    let mut before = Turn::Answered;
    loop {
        let (turn, notice) = match get(&agent, address) {
            Ok(values) if values.is_empty() => {
                heard.forget();
                (
                    Turn::Unknown,
                    format!("{address} answers, and tells of no device that is known here (docs/signals.md)"),
                )
            }
            Ok(values) => {
                heard.hear(Arc::new(values));
                (Turn::Answered, format!("{address} answers"))
            }
            Err(error) => {
                heard.forget();
                (Turn::Failed, format!("{address} does not answer, and what it told is unknown until it does: {error}"))
            }
        };
        if turn != before {
            // Nobody listens, or too much is said already.
            let _full = tell.try_send(notice);
            before = turn;
        }
        match stop.recv_timeout(EVERY) {
            Err(RecvTimeoutError::Timeout) => {}
            _ => return,
        }
    }
}

fn get(agent: &Agent, address: &Address) -> Result<Values, String> {
    let mut response = agent.get(address.uri()).call().map_err(|error| plain(&error))?;
    let body = response.body_mut().with_config().limit(BYTES_MAX).reader();
    text::read(std::io::BufReader::new(body)).map_err(|error| error.to_string())
}

/// In words, without the number that the system has for it.
fn plain(error: &ureq::Error) -> String {
    let text = match error {
        ureq::Error::Io(error) => error.to_string(),
        error => error.to_string(),
    };
    text.split(" (os error ").next().unwrap_or_default().to_owned()
}
