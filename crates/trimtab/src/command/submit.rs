//! `trimtab submit`: hand in workloads.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use fleet::quantity::{Bytes, Millis};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::Client;
use crate::failure::{Failure, Outcome};
use crate::format::Format;
use crate::global::Global;
use crate::installation::Installation;
use crate::printed::print;
use crate::shown;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    installation: Installation,
    /// A file of workloads, instead of a command (TOML; below is one)
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["command", "array"])]
    file: Option<PathBuf>,
    #[command(flatten)]
    asked: Asked,
    /// So many alike; each finds its number in TRIMTAB_ARRAY_INDEX
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    array: Option<u32>,
    /// Stay, and show what becomes of it; ends with its exit
    #[arg(short, long)]
    watch: bool,
    /// Print ids as JSON
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// The program and its arguments, behind `--`
    #[arg(last = true, required_unless_present = "file")]
    command: Vec<String>,
}

/// What is asked for.
#[derive(Debug, clap::Args)]
struct Asked {
    /// What to call it
    #[arg(short, long)]
    name: Option<String>,
    /// Where it waits
    #[arg(short = 'Q', long, default_value = fleet::live::DEFAULT_QUEUE)]
    queue: String,
    /// Accelerators: 2, or a share of one such as 0.5
    #[arg(short, long, default_value_t = 0.0, value_name = "COUNT")]
    devices: f64,
    /// Cores
    #[arg(short, long, default_value_t = 1.0, value_name = "COUNT")]
    cpus: f64,
    /// Memory: 512M, 16G
    #[arg(short, long, value_name = "SIZE", value_parser = crate::length::size)]
    memory: Option<Bytes>,
    /// Only on devices of this model
    #[arg(long)]
    model: Vec<String>,
    /// The longest it may run: 90s, 30m, 2h
    #[arg(short, long, value_name = "LENGTH", value_parser = crate::length::parse)]
    time_limit: Option<Millis>,
    /// How long it has to stop when asked to
    #[arg(long, value_name = "LENGTH", value_parser = crate::length::parse)]
    grace: Option<Millis>,
    /// Higher goes first within the queue
    #[arg(short, long, default_value_t = 0, allow_negative_numbers = true)]
    priority: i32,
    /// Ids of workloads that must have completed first
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    after: Vec<u32>,
    /// How often it is tried again after it failed
    #[arg(long, default_value_t = 0)]
    retries: u32,
    /// A variable of its environment: NAME=VALUE, or NAME as it is here. Without any, all of this terminal's
    #[arg(short, long, value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// Where it starts; here, if absent
    #[arg(long, value_name = "FOLDER")]
    directory: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  trimtab submit -- python3 train.py
  trimtab submit -d 2 -c 16 -m 64G -t 12h --name llm -- torchrun train.py
  trimtab submit --array 100 -- sh -c 'echo $TRIMTAB_ARRAY_INDEX'
  trimtab submit --after 17 --retries 2 -- python3 evaluate.py
  trimtab submit --watch -- make test
  trimtab submit -f jobs.toml

A file of workloads:
  [[workload]]
  name = \"prepare\"
  command = [\"python3\", \"prepare.py\"]

  [[workload]]
  name = \"train\"
  command = [\"python3\", \"train.py\"]
  devices = 2
  after = [\"prepare\"]";

/// A workload in a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    command: Vec<String>,
    name: Option<String>,
    queue: Option<String>,
    #[serde(default)]
    devices: f64,
    cpus: Option<f64>,
    memory: Option<String>,
    #[serde(default)]
    models: Vec<String>,
    time_limit: Option<String>,
    grace: Option<String>,
    #[serde(default)]
    priority: i32,
    /// Names of those before it in the file, or ids.
    #[serde(default)]
    after: Vec<String>,
    #[serde(default)]
    retries: u32,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    directory: Option<PathBuf>,
}

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    workload: Vec<Listed>,
}

pub(crate) fn run(arguments: Arguments, global: Global) -> Outcome {
    let client = Client::of(&arguments.installation)?;
    let workloads = match &arguments.file {
        Some(path) => from_file(path)?,
        None => from_arguments(&arguments)?,
    };
    let answer: Value = client.post("workloads", &json!({ "workloads": workloads }))?;
    let ids: Vec<u32> = serde_json::from_value(answer["ids"].clone()).unwrap_or_default();
    if arguments.format == Format::Json {
        print(&format!("{answer}\n"))?;
    } else if let (Some(first), Some(last)) = (ids.first(), ids.last()) {
        print(&if first == last { format!("{first}\n") } else { format!("{first}-{last}\n") })?;
    }
    if arguments.watch {
        return ids.iter().try_for_each(|&id| watch(&client, id, global));
    }
    Ok(())
}

fn from_arguments(arguments: &Arguments) -> Outcome<Vec<Value>> {
    let asked = &arguments.asked;
    let mut environment = BTreeMap::new();
    if asked.env.is_empty() {
        environment.extend(variables());
    }
    for pair in &asked.env {
        let (name, value) = match pair.split_once('=') {
            Some((name, value)) => (name, value.to_owned()),
            None => (
                pair.as_str(),
                std::env::var(pair).map_err(|_| Failure::input(format!("there is no variable {pair} here")))?,
            ),
        };
        environment.insert(name.to_owned(), value);
    }
    let workload = json!({
        "command": arguments.command,
        "directory": directory(asked.directory.as_deref())?,
        "environment": environment,
        "name": asked.name,
        "queue": asked.queue,
        "request": request(asked.devices, asked.cpus, asked.memory.unwrap_or_default())?,
        "models": asked.model,
        "time_limit_ms": asked.time_limit.as_ref().map(|length| length.0),
        "grace_ms": asked.grace.as_ref().map(|length| length.0),
        "priority": asked.priority,
        "depends_on": asked.after,
        "retries": asked.retries,
        "array_count": arguments.array,
    });
    Ok(vec![workload])
}

fn from_file(path: &std::path::Path) -> Outcome<Vec<Value>> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::opening(path.display(), &error))?;
    let file: File = toml::from_str(&text).map_err(|error| Failure::input(format!("{}: {error}", path.display())))?;
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    let mut workloads = Vec::new();
    for (place, listed) in file.workload.into_iter().enumerate() {
        let wrong = |what: String| Failure::input(format!("{}: workload {}: {what}", path.display(), place + 1));
        let length = |text: &Option<String>| -> Outcome<Option<i64>> {
            let length = text.as_deref().map(|text| crate::length::parse(text).map_err(wrong));
            Ok(length.transpose()?.map(|length| length.0))
        };
        let (mut after, mut depends_on) = (Vec::new(), Vec::new());
        for name in &listed.after {
            match (names.get(name), name.parse::<u32>()) {
                (Some(&place), _) => after.push(place),
                (None, Ok(id)) => depends_on.push(id),
                (None, Err(_)) => return Err(wrong(format!("`after` names `{name}`, which comes not before it"))),
            }
        }
        let memory = listed.memory.as_deref().map_or(Ok(Bytes::default()), crate::length::size).map_err(wrong)?;
        workloads.push(json!({
            "command": listed.command,
            "directory": directory(listed.directory.as_deref())?,
            "environment": variables().chain(listed.environment).collect::<BTreeMap<_, _>>(),
            "name": listed.name,
            "queue": listed.queue,
            "request": request(listed.devices, listed.cpus.unwrap_or(1.0), memory)?,
            "models": listed.models,
            "time_limit_ms": length(&listed.time_limit)?,
            "grace_ms": length(&listed.grace)?,
            "priority": listed.priority,
            "after": after,
            "depends_on": depends_on,
            "retries": listed.retries,
        }));
        names.extend(listed.name.map(|name| (name, place)));
    }
    Ok(workloads)
}

/// The variables of this terminal. What is no UTF-8 cannot be handed on, and is left out.
fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

fn directory(asked: Option<&std::path::Path>) -> Outcome<String> {
    let path = std::path::absolute(asked.unwrap_or(std::path::Path::new(".")))
        .map_err(|error| Failure::opening("the current folder", &error))?;
    path.into_os_string()
        .into_string()
        .map_err(|path| Failure::input(format!("the folder {} is not UTF-8", path.display())))
}

fn request(devices: f64, cpus: f64, memory: Bytes) -> Outcome<Value> {
    let milli = |what: &str, count: f64| {
        if (0.0..=1e6).contains(&count) {
            Ok((count * 1_000.0).round() as u64)
        } else {
            Err(Failure::input(format!("{what} must be 0 or more")))
        }
    };
    Ok(
        json!({ "devices_milli": milli("devices", devices)?, "cpu_milli": milli("cpus", cpus)?, "memory_bytes": memory.0 }),
    )
}

/// Shows what becomes of a workload, and what it writes, until it is over.
fn watch(client: &Client, id: u32, global: Global) -> Outcome {
    let mut said = String::new();
    let mut follow = super::logs::Follow::new(id);
    loop {
        let workload: Value = client.get(&format!("workloads/{id}"))?;
        let state = shown::state(&workload["state"]);
        follow.more(client, &workload)?;
        let line = match state.as_str() {
            "waiting" => {
                let why: Value = client.get(&format!("workloads/{id}/why"))?;
                format!("waiting: {}", shown::text(&why["summary"]))
            }
            _ => state.clone(),
        };
        if line != said && !global.quiet {
            eprintln!("workload {id}: {line}");
            said = line;
        }
        if !workload["finished_ms"].is_null() {
            let reason = workload["reason"].as_str().map(|reason| format!(": {reason}")).unwrap_or_default();
            return if state == "completed" {
                Ok(())
            } else {
                Err(Failure::outside(format!("workload {id} {state}{reason}")))
            };
        }
        std::thread::sleep(Duration::from_millis(300));
    }
}
