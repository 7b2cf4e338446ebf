//! A server over a store that a test made. What it is asked to change is noted, and answered as if it were done; but what somebody agrees to
//! is done.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use control::{Ahead, Asked, Control, Input, LogLimits, Past, Reply, Rule, Why};
use fleet::history::{NodeRecord, QueueRecord};
use fleet::live::Submission;
use fleet::node::Resources;
use fleet::quantity::{Bytes, MilliCpu, Millis};
use fleet::recommendation::Step;
use fleet::signal::{Signal, process};
use server::{
    Access, Agreement, Answer, Call, Listen, LogsKept, NotAgreed, Plane, Rights, Speaks, Standing, State, Token, Told,
};
use store::{ConsentId, Reader, Store};
use tokio::sync::oneshot;

use crate::made;

pub(crate) const OPERATE: &str = "operate-0123456789abcdef0123456789abcdef";
pub(crate) const VIEW: &str = "view-0123456789abcdef0123456789abcdef";

/// What whoever looks ahead is told.
#[derive(Default)]
pub(crate) enum Looks {
    /// That nobody waits.
    #[default]
    Nobody,
    /// How it stands where workload 4 waits.
    Waits,
    /// Nothing, as long as these are kept.
    Withheld(Vec<Answer<Option<Standing>>>),
}

pub(crate) struct Rig {
    pub(crate) address: SocketAddr,
    pub(crate) folder: PathBuf,
    pub(crate) reader: Reader,
    /// What whoever looks ahead is told.
    pub(crate) looks: Arc<Mutex<Looks>>,
    heard: Arc<Mutex<Vec<String>>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Rig {
    pub(crate) fn new(fill: impl FnOnce(&mut Store)) -> Self {
        Self::speaking(Speaks::Plain, fill)
    }

    pub(crate) fn speaking(speaks: Speaks, fill: impl FnOnce(&mut Store)) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("rig-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut store = Store::create_or_open(folder.join("trimtab.sqlite")).unwrap();
        fill(&mut store);
        let reader = store.reader().unwrap();
        let plane = Mutex::new((control(&reader), store));
        let looks: Arc<Mutex<Looks>> = Arc::default();
        let ahead = Arc::clone(&looks);
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let noted = Arc::clone(&heard);
        let plane = Plane::new(move |call| {
            match call {
                Call::Hear(input, answer) => {
                    noted.lock().unwrap().push(format!("{input:?}"));
                    answer.send(Ok(Ok(Reply::Done)));
                }
                Call::Agree(agreement, answer) => {
                    let (control, store) = &mut *plane.lock().unwrap();
                    answer.send(Ok(agree(control, store, *agreement)));
                }
                Call::Mute(id, mute, answer) => {
                    let kept = plane.lock().unwrap().1.mute(id, mute.as_ref()).unwrap();
                    answer.send(Ok(kept.is_some()));
                }
                Call::Measured(..) | Call::Reports(..) => unreachable!("no page asks for that"),
                Call::Why(_, answer) => {
                    let reason = allocate::Reason::TooLittleFree;
                    let (drained, unfit) = (Vec::new(), Vec::new());
                    let why = Why::Waiting { reason, kept: None, kept_for: Vec::new(), drained, unfit };
                    answer.send(Ok(Some(Told { why, stored: 0 })));
                }
                Call::Ahead(answer) => match &mut *ahead.lock().unwrap() {
                    Looks::Nobody => answer.send(Ok(None)),
                    Looks::Waits => answer.send(Ok(Some(Standing { ahead: Box::new(waiting()), stored: 0 }))),
                    Looks::Withheld(kept) => kept.push(answer),
                },
            }
            Ok(())
        });
        let token = |name: &str, rights, secret: &str| Token { name: name.into(), rights, secret: secret.into() };
        let tokens = vec![token("ada", Rights::Operate, OPERATE), token("<b>eve</b>", Rights::View, VIEW)];
        let access = Access { tokens, names: vec!["127.0.0.1".into(), "localhost".into()] };
        let logs = LogsKept::within(LogLimits { keep: Millis::hours(24 * 30), max: Bytes::gibi(10) });
        logs.tell(3, Bytes(4_096), 2);
        let (_, stored) = tokio::sync::watch::channel(0);
        let state = State { reader: reader.clone(), plane, stored, folder: folder.clone(), logs, rule_of, signals_of };
        let serving =
            server::serve(vec![Listen { address: "127.0.0.1:0".parse().unwrap(), speaks }], access, state).unwrap();
        let address = serving.addresses().unwrap()[0];
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            serving.run(async move { drop(stopped.await) }).unwrap();
        });
        Self { address, folder, reader, looks, heard, stop: Some(stop), thread: Some(thread) }
    }

    /// What it was asked to change.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

/// The rules as they are stored, and nothing else.
fn control(reader: &Reader) -> Control {
    let (queues, policy) = (reader.queues().unwrap(), Some(reader.policy().unwrap().unwrap_or_default()));
    Control::restore(Past { queues, policy, ..Past::default() }, Vec::new(), made::now())
}

/// Workload 3 runs where workload 4 waits.
fn waiting() -> Ahead {
    let node = NodeRecord { name: "lab".into(), cpu_milli: Some(1_000), ..NodeRecord::default() };
    let mut control = Control::restore(Past { next_workload: 3, ..Past::default() }, vec![node], made::now());
    for _ in [3, 4] {
        let request = Resources { cpu: MilliCpu::whole(1), ..Resources::ZERO };
        let (command, queue) = (vec!["true".into()], "default".into());
        let submission = Submission { command, directory: "/".into(), queue, request, ..Submission::default() };
        let asked = vec![Asked { submission, after: Vec::new() }];
        control.hear(made::now(), Input::Submit { asked, past: BTreeMap::new(), by: "ada".into() }).unwrap();
        let _written = control.decide(made::now());
    }
    control.ahead()
}

/// As the control loop does it.
fn agree(control: &mut Control, store: &mut Store, agreement: Agreement) -> Result<ConsentId, NotAgreed> {
    agreement.check(&store.consents().unwrap(), control)?;
    let set = Input::SetRules { rules: agreement.rules, by: "ada".into() };
    control.hear(made::now(), set).map_err(NotAgreed::Refused)?;
    let written = control.decide(made::now());
    Ok(store.commit_with(written.at, &written.entries, &[agreement.deed]).unwrap().1[0])
}

/// One rule reads one signal.
fn signals_of(rule: &str) -> &'static [&'static Signal] {
    static STOPPED: &[&Signal] = &[&process::STOPPED];
    if rule == "stopped" { STOPPED } else { &[] }
}

/// `trimtab queues set NAME`, with or without `--limit-running COUNT`, and nothing else.
fn rule_of(step: &Step) -> Result<Rule, String> {
    let none = || format!("`{}` is no command that sets rules", step.text);
    let rest = step.text.strip_prefix("trimtab queues set ").ok_or_else(none)?;
    let (name, limit) = rest.rsplit_once(" --limit-running ").map_or((rest, None), |(name, count)| (name, Some(count)));
    let limit_running = limit.map(str::parse).transpose().map_err(|_| none())?;
    Ok(Rule::Queue(Box::new(QueueRecord { name: name.into(), limit_running, ..QueueRecord::default() })))
}

impl Drop for Rig {
    fn drop(&mut self) {
        drop(self.stop.take());
        drop(self.thread.take().map(JoinHandle::join));
        drop(std::fs::remove_dir_all(&self.folder));
    }
}
