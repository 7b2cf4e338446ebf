//! The configuration files, as text. Pure.

use std::path::{Path, PathBuf};

/// What the cluster looks like.
#[derive(Clone, Debug)]
pub struct Layout {
    /// How many nodes, called `n1`, `n2` and so on.
    pub nodes: u32,
    /// Fake GPUs of each node.
    pub devices_per_node: u32,
    /// Their model, as Slurm's GRES type.
    pub model: String,
    /// Cores of each node.
    pub cores_per_node: u32,
    /// Memory of each node.
    pub memory_mib_per_node: u32,
    /// `SchedulerParameters`.
    pub scheduler_parameters: String,
    /// A program that each node runs before a job of it, if any: where it fails, the node is drained and the job put back.
    pub prolog: Option<PathBuf>,
}

impl Default for Layout {
    /// Four 8-GPU nodes. The scheduler looks every second, because the jobs are short: with its defaults (every 30 s, in
    /// slots of a minute) what minutes can show would drown in its own waiting.
    fn default() -> Self {
        Self {
            nodes: 4,
            devices_per_node: 8,
            model: "a100".to_owned(),
            cores_per_node: 64,
            memory_mib_per_node: 512_000,
            scheduler_parameters: "bf_interval=1,bf_resolution=1,bf_continue,bf_max_job_test=1000,\
                                   default_queue_depth=1000,sched_interval=1,batch_sched_delay=0"
                .to_owned(),
            prolog: None,
        }
    }
}

/// The ports the daemons listen on, all of 127.0.0.1.
#[derive(Clone, Debug)]
pub(crate) struct Ports {
    pub(crate) database: u16,
    pub(crate) slurmdbd: u16,
    pub(crate) slurmctld: u16,
    pub(crate) slurmd: Vec<u16>,
}

/// The password of the database user; the database listens on loopback only and lives as long as the rig.
pub(crate) const DATABASE_PASSWORD: &str = "rig";

pub(crate) fn slurmdbd_conf(folder: &Path, host: &str, ports: &Ports) -> String {
    let folder = folder.display();
    format!(
        "AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CommunicationParameters=NoInAddrAny
DbdHost={host}
DbdAddr=127.0.0.1
DbdPort={}
SlurmUser=root
LogFile={folder}/log/slurmdbd
PidFile={folder}/run/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={}
StorageUser=slurm
StoragePass={DATABASE_PASSWORD}
StorageLoc=slurm_acct
",
        ports.slurmdbd, ports.database
    )
}

pub(crate) fn slurm_conf(folder: &Path, host: &str, ports: &Ports, layout: &Layout, task_plugin: &str) -> String {
    let folder = folder.display();
    let mut text = format!(
        "ClusterName=rig
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={slurmctld}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=5
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmdParameters=config_overrides
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin={task_plugin}
SwitchType=switch/none
ReturnToService=2
StateSaveLocation={folder}/state
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/slurmd-%n.pid
SlurmdSpoolDir={folder}/spool/%n
SlurmctldLogFile={folder}/log/slurmctld
SlurmdLogFile={folder}/log/slurmd-%n
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters={parameters}
PriorityType=priority/basic
PreemptType=preempt/none
GresTypes=gpu
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost={host}
AccountingStoragePort={slurmdbd}
AccountingStoragePass={folder}/munge/socket
AccountingStorageTRES=gres/gpu,gres/gpu:{model}
AccountingStorageEnforce=associations,limits,qos
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=2
KillWait=2
MinJobAge=3600
SlurmdTimeout=60
MessageTimeout=30
",
        slurmctld = ports.slurmctld,
        slurmdbd = ports.slurmdbd,
        parameters = layout.scheduler_parameters,
        model = layout.model,
    );
    for (index, port) in ports.slurmd.iter().enumerate() {
        text.push_str(&format!(
            "NodeName=n{} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={} RealMemory={} Gres=gpu:{}:{} \
             State=UNKNOWN\n",
            index + 1,
            layout.cores_per_node,
            layout.memory_mib_per_node,
            layout.model,
            layout.devices_per_node,
        ));
    }
    if let Some(prolog) = &layout.prolog {
        text.push_str(&format!("Prolog={}\nPrologFlags=Alloc\n", prolog.display()));
    }
    let last = layout.nodes;
    text.push_str(&format!(
        "PartitionName=main Nodes=ALL Default=YES MaxTime=1-00:00:00 DefaultTime=00:10:00 DefMemPerCPU=100 State=UP
PartitionName=small Nodes=n{last} MaxTime=00:30:00 DefMemPerCPU=100 State=UP
"
    ));
    text
}

pub(crate) fn gres_conf(folder: &Path, layout: &Layout) -> String {
    // A GRES that is only counted is handed out to nobody: Slurm wants a device file for each.
    format!(
        "NodeName=n[1-{}] Name=gpu Type={} File={}/dev/nvidia[0-{}]\n",
        layout.nodes,
        layout.model,
        folder.display(),
        layout.devices_per_node - 1
    )
}

/// `CgroupPlugin=cgroup/v1` even where no controller is used: Debian's 22.05 otherwise looks for systemd.
pub(crate) fn cgroup_conf(holds_memory: bool) -> String {
    let mut text = "CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n".to_owned();
    if holds_memory {
        text.push_str("ConstrainRAMSpace=yes\nConstrainSwapSpace=yes\n");
    }
    text
}
