//! An installation in a folder of its own, and the `trimtab up` that runs there: started, killed, started again.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use tempfile::TempDir;

use crate::client::Client;
use crate::nvml;

/// How long a start or an end may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The variable by which a process of an installation can be told: watchers inherit it from `trimtab up`.
pub(crate) const MARK: &str = "TRIMTAB_LIVE_RIG";

/// An installation. What runs there is ended when it is dropped.
#[derive(Debug)]
pub struct Installation {
    program: PathBuf,
    /// Everything of this rig; the installation's own folder is below it.
    rig: TempDir,
    /// Where a library lies that stands for NVIDIA's.
    library: Option<PathBuf>,
    child: Option<Child>,
    /// What `up` is called with besides.
    besides: Vec<String>,
}

impl Installation {
    /// A new one, for this program. Nothing runs yet.
    ///
    /// # Errors
    /// If no folder can be made.
    pub fn new(program: impl Into<PathBuf>) -> anyhow::Result<Self> {
        let rig = tempfile::Builder::new().prefix("trimtab-live-").tempdir()?;
        Ok(Self { program: program.into(), rig, library: None, child: None, besides: Vec::new() })
    }

    /// The same on a machine that has so many accelerators, as far as the program can see.
    ///
    /// # Errors
    /// If the library that says so cannot be built.
    pub fn with_devices(mut self, devices: u32) -> anyhow::Result<Self> {
        let folder = self.rig.path().join("library");
        fs::create_dir(&folder)?;
        nvml::build(&folder, devices)?;
        self.library = Some(folder);
        Ok(self)
    }

    /// From now on `up` is called with these arguments besides.
    pub fn call_with(&mut self, arguments: &[&str]) {
        self.besides = arguments.iter().map(|&argument| argument.to_owned()).collect();
    }

    /// A folder beside the installation's, for what tests keep.
    #[must_use]
    pub fn beside(&self) -> &Path {
        self.rig.path()
    }

    /// The installation's folder.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.rig.path().join("installation")
    }

    /// The store's file.
    #[must_use]
    pub fn store(&self) -> PathBuf {
        self.folder().join("trimtab.sqlite")
    }

    /// The command with these arguments, for this installation, in the rig's folder.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).env("TRIMTAB_FOLDER", self.folder()).env(MARK, self.rig.path());
        command.current_dir(self.rig.path()).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        self.command(arguments).output().with_context(|| format!("cannot start {}", self.program.display()))
    }

    /// The command `up` on any free port, as it must be called by this user.
    #[must_use]
    pub fn up_command(&self) -> Command {
        let mut command = self.command(&["up", "--listen", "127.0.0.1:0"]);
        if geteuid().is_root() {
            command.arg("--as-root");
        }
        if let Some(folder) = &self.library {
            command.env("LD_LIBRARY_PATH", folder);
        }
        command.args(&self.besides);
        command
    }

    /// Starts `up`, and does not wait for it.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(&mut self) -> anyhow::Result<()> {
        assert!(self.child.is_none(), "one at a time");
        let log = File::options().create(true).append(true).open(self.said_path())?;
        self.child = Some(self.up_command().stdout(Stdio::null()).stderr(log).spawn()?);
        Ok(())
    }

    /// Waits until it answers.
    ///
    /// # Errors
    /// If it ends instead, or takes too long.
    pub fn wait_ready(&mut self) -> anyhow::Result<Client> {
        let until = Instant::now() + PATIENCE;
        loop {
            let client = self.client().and_then(|mut client| client.read("health").map(|_| client));
            let Err(error) = client else { return client };
            self.check_runs()?;
            if Instant::now() > until {
                bail!("`trimtab up` does not answer: {error:#}; it said: {}", self.said());
            }
            sleep(Duration::from_millis(2));
        }
    }

    /// Starts it, and waits until it answers.
    ///
    /// # Errors
    /// If it does not come to that.
    pub fn up(&mut self) -> anyhow::Result<Client> {
        self.start()?;
        self.wait_ready()
    }

    /// That it runs.
    ///
    /// # Errors
    /// If it ended by itself.
    pub fn check_runs(&mut self) -> anyhow::Result<()> {
        let child = self.child.as_mut().context("it was not started")?;
        match child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("`trimtab up` ended by itself ({status}); it said: {}", self.said()),
        }
    }

    /// A client of the server as it was written down last.
    ///
    /// # Errors
    /// If none ever ran here.
    pub fn client(&self) -> anyhow::Result<Client> {
        let read = |name: &str| fs::read_to_string(self.folder().join(name)).with_context(|| format!("no {name}"));
        Ok(Client::new(read("address")?.trim(), read("token")?.trim()))
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// What it said on standard error, since the beginning.
    #[must_use]
    pub fn said(&self) -> String {
        fs::read_to_string(self.said_path()).unwrap_or_default()
    }

    /// Kills it: nothing of it runs any more when this returns.
    ///
    /// # Errors
    /// If it ended by itself before.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.check_runs()?;
        let mut child = self.child.take().context("it was not started")?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Asks it to end, and waits until it has.
    ///
    /// # Errors
    /// If it does not.
    pub fn stop(&mut self) -> anyhow::Result<ExitStatus> {
        let mut child = self.child.take().context("it was not started")?;
        kill(Pid::from_raw(i32::try_from(child.id())?), Signal::SIGTERM)?;
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            sleep(Duration::from_millis(2));
        }
        self.child = Some(child);
        bail!("`trimtab up` does not end when asked to; it said: {}", self.said())
    }

    fn said_path(&self) -> PathBuf {
        self.rig.path().join("up.log")
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
        // Watchers first: what they watch dies with them.
        for pid in crate::leftover::processes(self.rig.path()) {
            // One that ended meanwhile is no error.
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}
