//! `trimtab up`: watch this machine and run workloads on it.

mod health;
mod listening;
mod logs;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};

use connect::machine::{AsRoot, Discovered, Logs, Nvml, Options, Runner, Sampler, discover};
use connect::steps::Listener;
use server::{Access, Busy, LogsKept, Serving, State};
use store::{Reader, Store};

use crate::failure::{Failure, Outcome, words};
use crate::global::Global;
use crate::installation::{self, Installation, RUN};
use crate::plane::{self, Heard, LINE_MAX, Plane};
use crate::shown;
use crate::watcher::{self, Sources, Watcher};
use crate::{interrupt, notices};
use health::Checking;
use listening::Listening;
use logs::KeepingLogs;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    installation: Installation,
    #[command(flatten)]
    listening: Listening,
    #[command(flatten)]
    logs: KeepingLogs,
    /// Tell people and programs of what is found, as this file says (docs/LIVE.md, "Who is told")
    #[arg(long, value_name = "FILE")]
    notify: Option<PathBuf>,
    #[command(flatten)]
    sources: Sources,
    #[command(flatten)]
    health: Checking,
    /// Run workloads although this is root: each of them could do anything to this machine
    #[arg(long)]
    as_root: bool,
}

const EXAMPLES: &str = "\
Examples:
  trimtab up                                  on http://127.0.0.1:8642, for you alone
  trimtab submit -- python3 train.py          from another terminal
  trimtab up --folder /srv/trimtab --listen 127.0.0.1:9000
  trimtab up --listen 0.0.0.0:8642 --host-name gpu1.lab.example --token-file tokens \\
      --tls-cert fullchain.pem --tls-key privkey.pem
  trimtab up --logs-keep 7d --logs-max 50GiB
  trimtab up --notify notify.toml             tells a chat, a pager or a program of what is found
  trimtab up --exporter http://127.0.0.1:9400/metrics     devices that dcgm-exporter tells of
  trimtab up --health-before quick --health-after-crash quick --health-on-failure drain

What runs goes on running when this is stopped, or killed; the next `trimtab up` takes it up.";

pub(crate) fn run(arguments: Arguments, global: Global) -> Outcome {
    let told = arguments.notify.as_deref().map(notices::read).transpose()?.unwrap_or_default();
    let listens = arguments.listening.listens()?;
    let asked = arguments.sources.asked(std::env::var_os("PATH").as_deref())?;
    let folder = arguments.installation.make()?;
    let access = Access { tokens: arguments.listening.tokens(&folder)?, names: arguments.listening.names() };
    let mut options = Options::new(&folder, vec![RUN.to_owned()]);
    options.as_root = if arguments.as_root { AsRoot::Allow } else { AsRoot::Refuse };
    let nvml = Nvml::open();
    let machine = discover(std::path::Path::new("/"), &nvml);
    let testing = arguments.health.testing(&folder, &machine.node.name, nvml.count())?;
    let sampler = Sampler::new("/", nvml, machine.devices.clone());
    options.visible = machine.visible();
    let listener = hear_steps(&folder);
    options.steps = listener.as_ref().map(|listener| listener.path().to_owned());
    let watcher = Watcher::new(listener, Nvml::open(), asked);
    let runner = Runner::open(options).map_err(|error| Failure::outside(as_root_hint(error.to_string())))?;
    let runner = Arc::new(runner);
    let store =
        Store::create_or_open(installation::store(&folder)).map_err(|error| Failure::outside(error.to_string()))?;
    let reader = store.reader().map_err(|error| Failure::outside(error.to_string()))?;

    let (line, heard) = sync_channel::<Heard>(LINE_MAX);
    let (stored, following) = tokio::sync::watch::channel(0);
    let logs = LogsKept::within(arguments.logs.limits());
    let keeping = (Logs::of(&folder), reader.clone(), logs.clone());
    let (plane, rule_of, signals_of) = (way_to(line.clone()), crate::rule_of::rule_of, watcher::signals_of);
    let state = State { reader, plane, stored: following, folder: folder.clone(), logs, rule_of, signals_of };
    let serving = listening::bind(listens, access, state)?;
    let addresses = serving.addresses().map_err(|error| Failure::outside(error.to_string()))?;
    let health = arguments.health.begin(testing, line.clone());
    let plane = Plane::begin(store, Arc::clone(&runner), vec![machine.node.clone()], heard, stored, health)?;
    // The last is on loopback and speaks plain HTTP, whatever the others are.
    let own = addresses.last().expect("it listens somewhere");
    installation::tell_address(&folder, &own.to_string())?;

    if !global.quiet {
        greet(&machine, &folder, &plane, &arguments.listening.urls(&addresses));
        arguments.health.notice().iter().for_each(|notice| eprintln!("{notice}"));
    }
    notices::begin(told, &machine.node.name, &keeping.1, &folder)?;
    let watching = Watching { sampler, watcher, node: machine.node.name.clone() };
    let running = work(plane, &runner, line, serving, watching, keeping)?;
    if !global.quiet && running > 0 {
        let (goes, them) = if running == 1 { ("goes", "it") } else { ("go", "them") };
        eprintln!("{} {goes} on running; `trimtab up` takes {them} up again", shown::count(running, "workload"));
    }
    Ok(())
}

/// What people see first.
fn greet(machine: &Discovered, folder: &std::path::Path, plane: &Plane, urls: &str) {
    let facts = &machine.node;
    let devices = match (&facts.model, facts.devices) {
        (_, 0) => "no accelerators".to_owned(),
        (Some(model), count) => format!("{count} {model}"),
        (None, count) => shown::count(count as usize, "accelerator"),
    };
    let cores = facts.cpu_milli.unwrap_or(0) as f64 / 1_000.0;
    let gib = facts.memory_bytes.unwrap_or(0) as f64 / f64::from(1 << 30);
    eprintln!("{}: {cores} cores, {gib:.1} GiB, {devices}", facts.name);
    for notice in &machine.notices {
        eprintln!("note: {notice}");
    }
    eprintln!("state: {}", folder.display());
    if plane.running() > 0 {
        let is = if plane.running() == 1 { "is" } else { "are" };
        eprintln!("{} that ran on {is} taken up", shown::count(plane.running(), "workload"));
    }
    eprintln!("listening on {urls}; commands on this machine find it and its token by themselves");
    eprintln!("to sign in with a browser, the token is in {}", installation::token_file(folder).display());
}

/// The socket on which step clocks of what runs here tell. Without it all else goes on.
fn hear_steps(folder: &std::path::Path) -> Option<Listener> {
    let path = installation::steps(folder);
    let listener = Listener::at(&path);
    if let Err(error) = &listener {
        eprintln!("note: step clocks are not heard: cannot listen at {}: {}", path.display(), words(error));
    }
    listener.ok()
}

/// What looks at this machine.
struct Watching {
    sampler: Sampler,
    watcher: Watcher,
    node: String,
}

/// The threads: one turns the loop, one hears the runner, one samples, one watches, one lets old logs go, and this one serves until the end.
fn work(
    plane: Plane,
    runner: &Arc<Runner>,
    line: SyncSender<Heard>,
    serving: Serving,
    watching: Watching,
    keeping: (Logs, Reader, LogsKept),
) -> Outcome<usize> {
    let (ended, end) = tokio::sync::oneshot::channel::<()>();
    let ended = std::sync::Mutex::new(Some(ended));
    let last = line.clone();
    interrupt::instead(move || {
        // The loop first: those who follow the log hear its end, and their connections need not be waited for.
        let _gone = last.send(Heard::Stop);
        if let Some(ended) = ended.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take() {
            let _gone = ended.send(());
        }
    });
    let stopped = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let turning = threads.spawn(|| plane.run());
        let listening = line.clone();
        threads.spawn(|| {
            let listening = listening;
            plane::listen(runner, &listening, &stopped);
        });
        let (keep_on, stop) = std::sync::mpsc::channel::<()>();
        let sampling = line.clone();
        let Watching { sampler, watcher, node } = watching;
        threads.spawn(move || plane::samples::watch(sampler, &sampling, &stop));
        let (watch_on, watched_enough) = std::sync::mpsc::channel::<()>();
        let telling = line.clone();
        threads.spawn(move || {
            let workload_of = |pid| runner.workload_of(pid);
            watcher::watch(watcher, &node, &workload_of, &telling, &watched_enough);
        });
        let (look_on, no_more) = std::sync::mpsc::channel::<()>();
        threads.spawn(move || logs::keep(&keeping.0, &keeping.1, &keeping.2, &no_more));
        let served = serving.run(async move {
            let _sent = end.await;
        });
        stopped.store(true, Ordering::Release);
        drop((keep_on, watch_on, look_on));
        runner.wake();
        let _gone = line.send(Heard::Stop);
        let running = turning.join().map_err(|_| Failure::outside("the control loop broke off"))?;
        served.map_err(|error| Failure::outside(format!("the server broke off: {error}")))?;
        Ok(running)
    })
}

fn way_to(line: SyncSender<Heard>) -> server::Plane {
    server::Plane::new(move |call| line.try_send(Heard::Call(call)).map_err(|_| Busy))
}

fn as_root_hint(text: String) -> String {
    if text.contains("as root") { format!("{text}: --as-root") } else { text }
}
