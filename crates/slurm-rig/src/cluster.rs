//! A running cluster.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::config::{self, DATABASE_PASSWORD, Layout, Ports};
use crate::daemon::{Daemon, wait_for};
use crate::job::Job;
use crate::programs::{self, find, host_name};

/// A running cluster. Dropping it stops all of it and removes its folder.
pub struct Cluster {
    // In the order in which they are stopped.
    daemons: Vec<Daemon>,
    layout: Layout,
    holds_memory: bool,
    folder: TempDir,
    /// Held while it runs: two clusters on one machine would mix up their nodes' control groups.
    _alone: File,
}

/// A program to run against a cluster: what importers ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its name.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Variables set for it.
    pub environment: Vec<(String, String)>,
}

/// The accounts and users every cluster has: account, its parent, its users (all present on every Debian machine).
const ACCOUNTS: [(&str, &str, &[&str]); 3] =
    [("lab", "root", &["root"]), ("vision", "lab", &["games", "news"]), ("speech", "lab", &["mail"])];

impl Cluster {
    const START_AT_MOST: Duration = Duration::from_secs(60);

    /// What accounting may take, after the last job, until it knows of all ends.
    pub const TOLD_AT_MOST: Duration = Duration::from_secs(60);

    /// Starts a cluster and waits until its nodes are idle. Waits for another of this machine to end first.
    ///
    /// # Errors
    /// What would not start, with the end of its log.
    pub fn start(layout: Layout) -> Result<Self> {
        if let Some(reason) = programs::unavailable() {
            bail!("{reason}");
        }
        let alone =
            File::create(std::env::temp_dir().join("trimtab-slurm-rig.lock")).context("failed to make a lock")?;
        alone.lock().context("failed to lock out other clusters")?;
        let folder = tempfile::Builder::new().prefix("trimtab-slurm-").tempdir().context("failed to make a folder")?;
        let holds_memory = programs::has_memory_controller();
        let mut cluster = Self { daemons: Vec::new(), layout, holds_memory, folder, _alone: alone };
        match cluster.start_all() {
            Ok(()) => Ok(cluster),
            Err(error) => {
                let logs = cluster.ends_of_logs();
                Err(error.context(format!("the Slurm rig did not start; its logs end so:\n{logs}")))
            }
        }
    }

    /// Whether jobs here can end as out of memory: that needs the kernel's old memory controller.
    #[must_use]
    pub fn holds_jobs_to_their_memory(&self) -> bool {
        self.holds_memory
    }

    /// What the cluster looks like.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Submits a job and tells its id.
    ///
    /// # Errors
    /// What `sbatch` answers.
    pub fn submit(&self, job: &Job) -> Result<u64> {
        let said = self.run("sbatch", job.arguments(self.layout.devices_per_node))?;
        let said = String::from_utf8_lossy(&said);
        said.trim().parse().with_context(|| format!("sbatch named no job but said `{said}`"))
    }

    /// Runs one of Slurm's programs against this cluster and hands out what it printed.
    ///
    /// # Errors
    /// If it fails; with what it said.
    pub fn run<A: AsRef<OsStr>>(&self, program: &str, arguments: impl IntoIterator<Item = A>) -> Result<Vec<u8>> {
        self.run_with(program, arguments, &[])
    }

    /// Runs what an importer asks for.
    ///
    /// # Errors
    /// If it fails; with what it said.
    pub fn answer(&self, run: &Run) -> Result<Vec<u8>> {
        self.run_with(&run.program, &run.arguments, &run.environment)
    }

    /// Waits until no job waits, runs or ends, and accounting has been told; held jobs do not count.
    ///
    /// # Errors
    /// If the jobs take longer than `at_most`, or accounting longer than [`Self::TOLD_AT_MOST`] after them.
    pub fn wait_until_idle(&self, at_most: Duration) -> Result<()> {
        wait_for("the last job", at_most, || {
            let left = self.run("squeue", ["--noheader", "--format=%i %r"])?;
            let left = String::from_utf8_lossy(&left);
            Ok(left.lines().all(|line| line.contains("JobHeld")))
        })?;
        wait_for("accounting to know of every end", Self::TOLD_AT_MOST, || {
            Ok(self.has_told_accounting()? && !self.accounting_has_one_running()?)
        })
    }

    /// Waits until accounting tells this state of a job.
    ///
    /// # Errors
    /// If that takes longer than [`Self::TOLD_AT_MOST`].
    pub fn wait_until_accounted(&self, job: u64, state: &str) -> Result<()> {
        wait_for("accounting to know how a job is", Self::TOLD_AT_MOST, || {
            let said = self.run("sacct", ["-nPX", "--format=State", "--jobs", &job.to_string()])?;
            let is_told = String::from_utf8_lossy(&said).lines().any(|line| line.trim() == state);
            Ok(is_told && self.has_told_accounting()?)
        })
    }

    /// Whether slurmctld has nothing left to tell slurmdbd: it does so behind its answers to `squeue`.
    fn has_told_accounting(&self) -> Result<bool> {
        let said = self.run("sdiag", std::iter::empty::<&str>())?;
        let said = String::from_utf8_lossy(&said);
        let queued = said.lines().find_map(|line| line.trim().strip_prefix("DBD Agent queue size:"));
        Ok(queued.context("sdiag does not tell the size of the queue to slurmdbd")?.trim() == "0")
    }

    fn accounting_has_one_running(&self) -> Result<bool> {
        let said = self.run("sacct", ["-nPX", "--allusers", "--starttime=now-1day", "--format=State"])?;
        Ok(String::from_utf8_lossy(&said).lines().any(|state| state.trim() == "RUNNING"))
    }

    fn run_with<A: AsRef<OsStr>>(
        &self,
        program: &str,
        arguments: impl IntoIterator<Item = A>,
        environment: &[(String, String)],
    ) -> Result<Vec<u8>> {
        let mut command = self.command(program)?;
        command.args(arguments).envs(environment.iter().map(|(name, value)| (name, value)));
        let output = command.output().with_context(|| format!("failed to run {program}"))?;
        if !output.status.success() {
            bail!("{command:?} failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(output.stdout)
    }

    fn start_all(&mut self) -> Result<()> {
        let host = host_name().context("the host has no name")?;
        let ports = free_ports(self.layout.nodes)?;
        self.write_files(&host, &ports)?;

        self.start_munge()?;
        let mut database = self.start_database(&ports)?;
        let mut slurmdbd = self.daemon("slurmdbd", &["-D"])?;
        wait_for("slurmdbd", Self::START_AT_MOST, || {
            database.check()?;
            slurmdbd.check()?;
            Ok(self.run("sacctmgr", ["--noheader", "show", "cluster"]).is_ok())
        })?;
        self.add_accounts()?;

        let slurmctld = self.daemon("slurmctld", &["-D"])?;
        let mut nodes = Vec::new();
        for number in 1..=self.layout.nodes {
            nodes.push(self.daemon("slurmd", &["-D", "-N", &format!("n{number}")])?);
        }
        let munge = std::mem::take(&mut self.daemons);
        self.daemons.push(slurmctld);
        self.daemons.extend(nodes);
        self.daemons.push(slurmdbd);
        self.daemons.push(database);
        self.daemons.extend(munge);
        wait_for("all nodes to be idle", Self::START_AT_MOST, || {
            let Ok(said) = self.run("scontrol", ["--oneliner", "show", "node"]) else { return Ok(false) };
            let idle = String::from_utf8_lossy(&said).lines().filter(|line| line.contains(" State=IDLE ")).count();
            Ok(idle == self.layout.nodes as usize)
        })
    }

    fn start_munge(&mut self) -> Result<()> {
        let at = |name: &str| format!("{}/munge/{name}", self.path().display());
        let arguments = [
            "--foreground".to_owned(),
            format!("--key-file={}", at("key")),
            format!("--socket={}", at("socket")),
            format!("--pid-file={}", at("pid")),
            format!("--log-file={}", at("log")),
            format!("--seed-file={}", at("seed")),
        ];
        let munge = self.daemon("munged", &arguments)?;
        self.daemons.push(munge);
        let socket = self.path().join("munge/socket");
        let munge = self.daemons.last_mut().expect("it was just put there");
        wait_for("munge", Self::START_AT_MOST, || {
            munge.check()?;
            Ok(socket.exists())
        })
    }

    fn start_database(&self, ports: &Ports) -> Result<Daemon> {
        let data = format!("--datadir={}", self.path().join("database").display());
        let made = self
            .command("mariadb-install-db")?
            .args(["--no-defaults", "--user=root", "--auth-root-authentication-method=normal", "--skip-test-db", &data])
            .output()
            .context("failed to run mariadb-install-db")?;
        if !made.status.success() {
            bail!("mariadb-install-db failed: {}", String::from_utf8_lossy(&made.stderr).trim());
        }
        let socket = format!("--socket={}", self.path().join("run/database.socket").display());
        let pid = format!("--pid-file={}", self.path().join("run/database.pid").display());
        let port = format!("--port={}", ports.database);
        let mut database = self.daemon(
            "mariadbd",
            &[
                "--no-defaults",
                "--user=root",
                &data,
                &socket,
                &pid,
                &port,
                "--bind-address=127.0.0.1",
                "--skip-log-bin",
                "--innodb-buffer-pool-size=64M",
                "--innodb-flush-log-at-trx-commit=2",
            ],
        )?;
        let sql = format!(
            "create database slurm_acct; \
             create user 'slurm'@'127.0.0.1' identified by '{DATABASE_PASSWORD}'; \
             create user 'slurm'@'localhost' identified by '{DATABASE_PASSWORD}'; \
             grant all on slurm_acct.* to 'slurm'@'127.0.0.1'; \
             grant all on slurm_acct.* to 'slurm'@'localhost'"
        );
        wait_for("the database", Self::START_AT_MOST, || {
            database.check()?;
            Ok(self.run("mariadb", ["--no-defaults", &socket, "--execute=select 1"]).is_ok())
        })?;
        self.run("mariadb", ["--no-defaults", &socket, &format!("--execute={sql}")])?;
        Ok(database)
    }

    fn add_accounts(&self) -> Result<()> {
        self.run("sacctmgr", ["-i", "add", "cluster", "rig"])?;
        for (account, parent, users) in ACCOUNTS {
            let (set_account, set_parent) = (format!("account={account}"), format!("parent={parent}"));
            self.run("sacctmgr", ["-i", "add", "account", account, "cluster=rig", &set_parent])?;
            for user in users {
                let set_default = format!("defaultaccount={account}");
                if *user == "root" {
                    self.run("sacctmgr", ["-i", "add", "user", user, &set_account])?;
                } else {
                    self.run("sacctmgr", ["-i", "add", "user", user, &set_account, &set_default])?;
                }
            }
        }
        Ok(())
    }

    fn write_files(&self, host: &str, ports: &Ports) -> Result<()> {
        let path = self.path();
        // Jobs run as several users; munge wants nobody but its owner to write here.
        fs::set_permissions(path, Permissions::from_mode(0o755)).context("failed to open the folder to jobs")?;
        for folder in ["munge", "database", "state", "log", "dev", "spool", "run"] {
            fs::create_dir(path.join(folder)).with_context(|| format!("failed to make {folder}"))?;
        }
        let task_plugin = if self.holds_memory { "task/cgroup" } else { "task/none" };
        let mut key = [0; 128];
        File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut key)).context("no random key")?;
        for (name, content) in [
            ("munge/key", &key[..]),
            ("slurmdbd.conf", config::slurmdbd_conf(path, host, ports).as_bytes()),
            ("slurm.conf", config::slurm_conf(path, host, ports, &self.layout, task_plugin).as_bytes()),
            ("gres.conf", config::gres_conf(path, &self.layout).as_bytes()),
            ("cgroup.conf", config::cgroup_conf(self.holds_memory).as_bytes()),
        ] {
            let mode = if matches!(name, "munge/key" | "slurmdbd.conf") { 0o600 } else { 0o644 };
            let mut options = fs::OpenOptions::new();
            options
                .write(true)
                .create_new(true)
                .mode(mode)
                .open(path.join(name))
                .and_then(|mut file| file.write_all(content))
                .with_context(|| format!("failed to write {name}"))?;
        }
        for number in 0..self.layout.devices_per_node {
            // The null device under another name: Slurm looks at the kind of file, nobody at what is behind it.
            let device = path.join(format!("dev/nvidia{number}"));
            self.run("mknod", [device.as_os_str(), OsStr::new("c"), OsStr::new("1"), OsStr::new("3")])?;
        }
        Ok(())
    }

    fn daemon<A: AsRef<OsStr>>(&self, program: &str, arguments: &[A]) -> Result<Daemon> {
        let mut name = program.to_owned();
        if let (true, Some(node)) = (program == "slurmd", arguments.last()) {
            name.push_str(&format!("-{}", node.as_ref().to_string_lossy()));
        }
        let log = self.path().join("log").join(format!("{name}.out"));
        Daemon::start(&name, self.command(program)?.args(arguments), &log)
    }

    fn command(&self, program: &str) -> Result<Command> {
        let file = find(program).with_context(|| format!("{program} is not installed"))?;
        let mut command = Command::new(file);
        command.env("SLURM_CONF", self.path().join("slurm.conf")).env_remove("SLURM_TIME_FORMAT").current_dir("/");
        Ok(command)
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn ends_of_logs(&self) -> String {
        let Ok(entries) = fs::read_dir(self.path().join("log")) else { return String::new() };
        let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.sort();
        let mut text = String::new();
        for file in files {
            let log = fs::read(&file).unwrap_or_default();
            let log = String::from_utf8_lossy(&log);
            let lines: Vec<&str> = log.lines().collect();
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            for line in &lines[lines.len().saturating_sub(5)..] {
                text.push_str(&format!("{name}: {line}\n"));
            }
        }
        text
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.daemons.len() > 1 {
            // What still runs belongs to this cluster: it must not outlive it.
            self.run("scancel", ["--quiet", "--state=RUNNING"]).ok();
            self.run("scancel", ["--quiet", "--state=PENDING"]).ok();
            wait_for("the jobs to end", Duration::from_secs(15), || {
                Ok(self.run("squeue", ["--noheader"]).is_ok_and(|left| left.is_empty()))
            })
            .ok();
        }
        for daemon in &mut self.daemons {
            daemon.stop();
        }
        if self.holds_memory {
            remove_control_groups(self.layout.nodes);
        }
    }
}

/// Removes the (now empty) control groups that Slurm leaves behind: `slurm_n1/uid_0` and so on.
fn remove_control_groups(nodes: u32) {
    let Ok(controllers) = fs::read_dir("/sys/fs/cgroup") else { return };
    for controller in controllers.flatten() {
        for number in 1..=nodes {
            remove_empty(&controller.path().join(format!("slurm_n{number}")));
        }
    }
}

fn remove_empty(group: &Path) {
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_empty(&entry.path());
        }
    }
    fs::remove_dir(group).ok();
}

/// Ports nobody listens on now. They are let go before the daemons take them: Slurm cannot be handed a socket.
fn free_ports(nodes: u32) -> Result<Ports> {
    let mut held = Vec::new();
    let mut next = || -> Result<u16> {
        let listener = TcpListener::bind("127.0.0.1:0").context("no free port on loopback")?;
        let port = listener.local_addr().context("a listener without address")?.port();
        held.push(listener);
        Ok(port)
    };
    Ok(Ports {
        database: next()?,
        slurmdbd: next()?,
        slurmctld: next()?,
        slurmd: (0..nodes).map(|_| next()).collect::<Result<_>>()?,
    })
}
