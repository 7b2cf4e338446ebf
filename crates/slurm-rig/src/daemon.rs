//! One program in the background, from start to end.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// A running program of ours. Dropping it stops it.
pub(crate) struct Daemon {
    name: String,
    child: Child,
}

impl Daemon {
    /// How long a daemon may take to end by itself before it is killed.
    const PATIENCE: Duration = Duration::from_secs(20);

    /// Starts `command`; what it prints goes to `log`.
    pub(crate) fn start(name: &str, command: &mut Command, log: &Path) -> Result<Self> {
        let out = File::create(log).with_context(|| format!("failed to write {}", log.display()))?;
        let err = out.try_clone().with_context(|| format!("failed to write {}", log.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .with_context(|| format!("failed to start {name}"))?;
        Ok(Self { name: name.to_owned(), child })
    }

    /// Fails if it has ended.
    pub(crate) fn check(&mut self) -> Result<()> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => bail!("{} ended early ({status})", self.name),
            Err(error) => bail!("{} cannot be asked how it is: {error}", self.name),
        }
    }

    /// Asks it to end, waits, and kills it if it does not.
    pub(crate) fn stop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        // The shell's own `kill`: std sends SIGKILL only, and a `kill` program is not on every machine.
        let asked = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &self.child.id().to_string()]).status();
        let until = Instant::now() + Self::PATIENCE;
        while asked.is_ok() && Instant::now() < until {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        eprintln!("{} did not end when asked; it is killed", self.name);
        if self.child.kill().is_ok() {
            self.child.wait().ok();
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Waits until `ready` says so.
pub(crate) fn wait_for(what: &str, at_most: Duration, mut ready: impl FnMut() -> Result<bool>) -> Result<()> {
    let until = Instant::now() + at_most;
    while !ready()? {
        if Instant::now() > until {
            bail!("waited {} s for {what}, in vain", at_most.as_secs());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}
