//! A network of the run's own: a namespace that has a loopback and nothing else, so that slowing it slows nobody else.
//!
//! A thread lives in it, and whatever is to happen there is handed to that thread. Processes are started by it too; they die
//! with it (`PR_SET_PDEATHSIG` is about the thread), so it lives as long as the run. The namespace goes with the last who is in it.

use std::process::Command;
use std::sync::mpsc::{Sender, channel, sync_channel};
use std::thread::{self, JoinHandle};

use anyhow::{Context, anyhow, ensure};
use nix::sched::{CloneFlags, unshare};

/// Something to be done inside.
type Order = Box<dyn FnOnce() + Send>;

/// The network of a run, and the thread that lives in it.
#[derive(Debug)]
pub(crate) struct Network {
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
    /// Why this is the network that everybody uses, where it is.
    shared: Option<String>,
}

impl Network {
    /// Makes one. Where that cannot be, the run uses the machine's own loopback, and the reason is kept.
    ///
    /// # Errors
    /// If no thread can be started.
    pub(crate) fn make() -> anyhow::Result<Self> {
        let (orders, waiting) = channel::<Order>();
        let name = "network".to_owned();
        let thread = thread::Builder::new().name(name).spawn(move || {
            for order in waiting {
                order();
            }
        })?;
        let mut network = Self { orders: Some(orders), thread: Some(thread), shared: None };
        network.shared = network.within(leave).err().map(|error| format!("{error:#}"));
        Ok(network)
    }

    /// Fails with the reason where this is the network that everybody uses.
    pub(crate) fn check_own(&self) -> anyhow::Result<()> {
        match &self.shared {
            Some(reason) => Err(anyhow!("the run has no network of its own: {reason}")),
            None => Ok(()),
        }
    }

    /// Does something inside, and waits for it.
    pub(crate) fn within<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let (sender, answer) = sync_channel(1);
        let order: Order = Box::new(move || {
            drop(sender.send(work()));
        });
        self.orders.as_ref().and_then(|orders| orders.send(order).ok()).context("the run's network is gone")?;
        answer.recv().context("the run's network is gone")?
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Takes the present thread to a network of its own.
fn leave() -> anyhow::Result<()> {
    unshare(CloneFlags::CLONE_NEWNET).context("no namespace can be made")?;
    command("ip", &["link", "set", "lo", "up"])
}

/// Runs a program to its end.
pub(crate) fn command(program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .with_context(|| format!("`{program}` cannot be run: apt-get install iproute2"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`{program} {}` failed: {}", arguments.join(" "), said.trim());
    Ok(())
}
