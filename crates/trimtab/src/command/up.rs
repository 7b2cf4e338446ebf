//! `trimtab up`: watch this machine and run workloads on it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};

use connect::machine::{AsRoot, Discovered, Nvml, Options, Runner, Sampler, discover};
use server::{Access, Busy, Rights, Serving, State, Token};
use store::Store;

use crate::failure::{Failure, Outcome};
use crate::global::Global;
use crate::installation::{self, Installation, RUN};
use crate::interrupt;
use crate::plane::{self, Heard, LINE_MAX, Plane};
use crate::shown;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    installation: Installation,
    /// Where the server listens
    #[arg(long, default_value = "127.0.0.1:8642", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// Other names by which browsers and tools may call this server
    #[arg(long, value_name = "NAME")]
    host_name: Vec<String>,
    /// Tokens besides the owner's: a file of lines `view|operate NAME SECRET`. Needed for any address but loopback
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// A proxy in front of this server speaks TLS. Without TLS any address but loopback is refused
    #[arg(long)]
    behind_tls_proxy: bool,
    /// Run workloads although this is root: each of them could do anything to this machine
    #[arg(long)]
    as_root: bool,
}

const EXAMPLES: &str = "\
Examples:
  trimtab up                                  on http://127.0.0.1:8642, for you alone
  trimtab submit -- python3 train.py          from another terminal
  trimtab up --folder /srv/trimtab --listen 127.0.0.1:9000

What runs goes on running when this is stopped, or killed; the next `trimtab up` takes it up.";

pub(crate) fn run(arguments: Arguments, global: Global) -> Outcome {
    check_address(&arguments)?;
    let folder = arguments.installation.make()?;
    let tokens = tokens(&arguments, &folder)?;
    let mut options = Options::new(&folder, vec![RUN.to_owned()]);
    options.as_root = if arguments.as_root { AsRoot::Allow } else { AsRoot::Refuse };
    let nvml = Nvml::open();
    let machine = discover(std::path::Path::new("/"), &nvml);
    let sampler = Sampler::new("/", nvml, machine.devices.clone());
    options.visible = machine.visible();
    let runner = Runner::open(options).map_err(|error| Failure::outside(as_root_hint(error.to_string())))?;
    let runner = Arc::new(runner);
    let store =
        Store::create_or_open(installation::store(&folder)).map_err(|error| Failure::outside(error.to_string()))?;
    let reader = store.reader().map_err(|error| Failure::outside(error.to_string()))?;

    let (line, heard) = sync_channel::<Heard>(LINE_MAX);
    let (stored, following) = tokio::sync::watch::channel(0);
    let state = State { reader, plane: way_to(line.clone()), stored: following, folder: folder.clone() };
    let serving = bind(&arguments, tokens, state)?;
    let address = serving.address().map_err(|error| Failure::outside(error.to_string()))?;
    let plane = Plane::begin(store, Arc::clone(&runner), vec![machine.node.clone()], heard, stored)?;
    installation::tell_address(&folder, &address.to_string())?;

    if !global.quiet {
        greet(&machine, &folder, &plane, address);
    }
    let running = work(plane, &runner, line, serving, sampler)?;
    if !global.quiet && running > 0 {
        let (goes, them) = if running == 1 { ("goes", "it") } else { ("go", "them") };
        eprintln!("{} {goes} on running; `trimtab up` takes {them} up again", shown::count(running, "workload"));
    }
    Ok(())
}

/// What people see first.
fn greet(machine: &Discovered, folder: &std::path::Path, plane: &Plane, address: SocketAddr) {
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
    eprintln!("listening on http://{address}; commands on this machine find it and its token by themselves");
    eprintln!("to sign in with a browser, the token is in {}", installation::token_file(folder).display());
}

/// The threads: one turns the loop, one hears the runner, and this one waits for the end.
fn work(
    plane: Plane,
    runner: &Arc<Runner>,
    line: SyncSender<Heard>,
    serving: Serving,
    sampler: Sampler,
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
        threads.spawn(move || plane::samples::watch(sampler, &sampling, &stop));
        let served = serving.run(async move {
            let _sent = end.await;
        });
        stopped.store(true, Ordering::Release);
        drop(keep_on);
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

fn bind(arguments: &Arguments, tokens: Vec<Token>, state: State) -> Outcome<Serving> {
    let listen = arguments.listen;
    let names = ["127.0.0.1", "localhost", "[::1]"].map(str::to_owned).into_iter().chain(arguments.host_name.clone());
    let own = (!listen.ip().is_unspecified()).then(|| match listen {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    });
    let names: Vec<String> = names.chain(own).collect();
    let access = Access { tokens, names };
    server::serve(listen, access, state).map_err(|error| {
        let hint = if error.kind() == std::io::ErrorKind::AddrInUse {
            ": something listens there already; choose another with --listen"
        } else {
            ""
        };
        Failure::outside(format!("cannot listen on {listen}: {}{hint}", crate::failure::words(&error)))
    })
}

fn check_address(arguments: &Arguments) -> Outcome {
    if arguments.listen.ip().is_loopback() {
        return Ok(());
    }
    if arguments.token_file.is_none() {
        return Err(Failure::input("an address that others can reach needs tokens: say --token-file FILE"));
    }
    if !arguments.behind_tls_proxy {
        return Err(Failure::input(
            "an address that others can reach needs TLS, or tokens travel in the clear: put a proxy in front and say --behind-tls-proxy",
        ));
    }
    Ok(())
}

/// The owner's token, and those of the file.
fn tokens(arguments: &Arguments, folder: &std::path::Path) -> Outcome<Vec<Token>> {
    let owner = std::env::var("USER").unwrap_or_else(|_| "owner".into());
    let mut tokens = vec![Token { name: owner, rights: Rights::Operate, secret: installation::make_token(folder)? }];
    let Some(path) = &arguments.token_file else { return Ok(tokens) };
    let text = std::fs::read_to_string(path).map_err(|error| Failure::opening(path.display(), &error))?;
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
    {
        let wrong = |what: &str| {
            Failure::input(format!("{}:{}: {what}; a line is `view|operate NAME SECRET`", path.display(), number + 1))
        };
        let words: Vec<&str> = line.split_whitespace().collect();
        let [rights, name, secret] = words[..] else { return Err(wrong("it has not three words")) };
        let rights = match rights {
            "view" => Rights::View,
            "operate" => Rights::Operate,
            _ => return Err(wrong("it begins with neither `view` nor `operate`")),
        };
        if secret.len() < 32 {
            return Err(wrong("the secret has fewer than 32 letters"));
        }
        tokens.push(Token { name: name.to_owned(), rights, secret: secret.to_owned() });
    }
    Ok(tokens)
}

fn as_root_hint(text: String) -> String {
    if text.contains("as root") { format!("{text}: --as-root") } else { text }
}
