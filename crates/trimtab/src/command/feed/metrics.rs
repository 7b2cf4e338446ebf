//! `trimtab feed metrics`.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use ::feed::serve::{Refusal, Request, Response, Told, exposition};
use clap::Args;

use super::loaders::{Loader, Which};
use crate::failure::{Failure, Outcome, words};
use crate::global::Global;
use crate::printed::print;

/// Print the metrics of running loaders, all together, as Prometheus reads them; or answer it
///
/// Loaders answer on Unix sockets, and Prometheus asks over TCP: with --listen this program stands between, and looks anew for loaders each time
/// that it is asked. Without it, what is printed is for the textfile collector of Prometheus' node exporter.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trimtab feed metrics --listen 127.0.0.1:9464
  trimtab feed metrics > feed.prom.new && mv feed.prom.new /var/lib/node_exporter/feed.prom
  curl --unix-socket /run/trimtab/4242-0.sock http://localhost/metrics     # one loader, without this program

Whoever reaches the address can read what is told there: rates, times, and names of data.")]
pub(super) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// Answer at this address, until interrupted
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
}

/// Clients that are answered at once.
const CLIENTS_MAX: usize = 16;
/// How long each piece of a request may take to come, and an answer to be read.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) fn run(arguments: &Arguments, global: Global) -> Outcome {
    match arguments.listen {
        Some(address) => listen(&arguments.which, address, global),
        None => print(&text(arguments.which.all()?)),
    }
}

fn text(loaders: Vec<Loader>) -> String {
    let told: Vec<Told> = loaders.into_iter().map(|loader| loader.told).collect();
    exposition(&told)
}

/// Answers until the program is ended.
fn listen(which: &Which, address: SocketAddr, global: Global) -> Outcome {
    let failed = |error| Failure::outside(format!("cannot listen at {address}: {}", words(&error)));
    let listener = TcpListener::bind(address).map_err(failed)?;
    if !global.quiet {
        eprintln!("metrics: http://{}/metrics", listener.local_addr().map_err(failed)?);
    }
    let clients = AtomicUsize::new(0);
    thread::scope(|scope| {
        for connection in listener.incoming() {
            // One that is gone already is nobody's.
            let Ok(connection) = connection else { continue };
            let is_one_too_many = clients.fetch_add(1, Ordering::Relaxed) >= CLIENTS_MAX;
            let clients = &clients;
            scope.spawn(move || {
                let request = if is_one_too_many { Err(Refusal::Busy) } else { Ok(which) };
                // Whoever does not take the answer needs none.
                let _answered = answer(&connection, request);
                clients.fetch_sub(1, Ordering::Relaxed);
            });
        }
    });
    Ok(())
}

/// Answers one client, unless it is refused beforehand.
fn answer(mut connection: &TcpStream, which: Result<&Which, Refusal>) -> std::io::Result<()> {
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.set_write_timeout(Some(PATIENCE))?;
    let request = which.and_then(|which| Ok((which, Request::read(&mut connection)?)));
    let (response, is_head) = match request {
        Ok((which, request)) => (found(which, &request.path), request.is_head),
        Err(refusal) => (Response::from(refusal), false),
    };
    connection.write_all(&response.bytes(is_head))
}

fn found(which: &Which, path: &str) -> Response {
    if path != "/metrics" {
        return Response::words("404 Not Found", "there is /metrics");
    }
    match which.found() {
        Ok(loaders) => Response::exposition(text(loaders)),
        Err(failure) => Response::words("500 Internal Server Error", &failure.to_string()),
    }
}
