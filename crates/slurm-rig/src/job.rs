//! A job to submit, and the arguments of `sbatch` that say it. Pure.

/// A job to submit.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its name.
    pub name: String,
    /// GPUs of all its nodes together; more than a node has must fill whole nodes.
    pub gpus: u32,
    /// The longest it may run; Slurm counts minutes.
    pub limit_minutes: u32,
    /// What it does.
    pub work: Work,
    /// Memory on each node.
    pub memory_mib: u32,
    /// Who submits it; root where absent. A user of every Debian machine.
    pub user: Option<&'static str>,
    /// The account that pays; the user's own where absent.
    pub account: Option<&'static str>,
    /// The partition; the default one where absent.
    pub partition: Option<&'static str>,
    /// The quality of service; the default one where absent.
    pub qos: Option<&'static str>,
    /// The reservation it uses.
    pub reservation: Option<&'static str>,
    /// The node it wants.
    pub node: Option<&'static str>,
    /// The array it is, as `--array` takes it.
    pub array: Option<&'static str>,
    /// What has to end before it.
    pub after: Option<After>,
    /// Submitted as held.
    pub held: bool,
}

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Sleeps and ends well.
    Sleep {
        /// How long.
        seconds: u32,
    },
    /// Sleeps and ends with an error.
    Fail {
        /// How long.
        seconds: u32,
    },
    /// Takes 300 MB of memory.
    Swell,
    /// Computes on one core.
    Burn {
        /// How long.
        seconds: u32,
    },
}

/// A job that waits for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// Until that one ended well.
    Ok(u64),
    /// Until that one ended.
    Any(u64),
}

impl Job {
    /// A job of so many GPUs that sleeps.
    #[must_use]
    pub fn sleeping(name: &str, gpus: u32, seconds: u32, limit_minutes: u32) -> Self {
        Self {
            name: name.to_owned(),
            gpus,
            limit_minutes,
            work: Work::Sleep { seconds },
            memory_mib: 100,
            user: None,
            account: None,
            partition: None,
            qos: None,
            reservation: None,
            node: None,
            array: None,
            after: None,
            held: false,
        }
    }

    /// The arguments of `sbatch`.
    #[must_use]
    pub fn arguments(&self, devices_per_node: u32) -> Vec<String> {
        let nodes = self.gpus.div_ceil(devices_per_node).max(1);
        assert!(nodes == 1 || self.gpus.is_multiple_of(devices_per_node), "{} GPUs do not fill whole nodes", self.gpus);
        let mut arguments = vec![
            "--parsable".to_owned(),
            "--chdir=/".to_owned(),
            "--output=/dev/null".to_owned(),
            format!("--job-name={}", self.name),
            format!("--nodes={nodes}"),
            format!("--time={}", self.limit_minutes),
            format!("--mem={}", self.memory_mib),
        ];
        if self.gpus > 0 {
            arguments.push(format!("--gpus-per-node={}", self.gpus / nodes));
        }
        for (option, value) in [
            ("uid", self.user),
            ("account", self.account),
            ("partition", self.partition),
            ("qos", self.qos),
            ("reservation", self.reservation),
            ("nodelist", self.node),
            ("array", self.array),
        ] {
            arguments.extend(value.map(|value| format!("--{option}={value}")));
        }
        arguments.extend(self.after.map(|after| match after {
            After::Ok(id) => format!("--dependency=afterok:{id}"),
            After::Any(id) => format!("--dependency=afterany:{id}"),
        }));
        if self.held {
            arguments.push("--hold".to_owned());
        }
        arguments.push(format!("--wrap={}", self.work.script()));
        arguments
    }
}

impl Work {
    fn script(self) -> String {
        match self {
            Self::Sleep { seconds } => format!("exec sleep {seconds}"),
            Self::Fail { seconds } => format!("sleep {seconds}; exit 3"),
            // `tail` keeps its last line whole, and this has only one.
            Self::Swell => "head -c 300000000 /dev/zero | tail | wc -c".to_owned(),
            Self::Burn { seconds } => format!("timeout {seconds} sh -c 'while :; do :; done'; exit 0"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_jobs_take_whole_nodes() {
        let arguments = Job::sleeping("big", 16, 3, 2).arguments(8);
        assert!(arguments.contains(&"--nodes=2".to_owned()), "{arguments:?}");
        assert!(arguments.contains(&"--gpus-per-node=8".to_owned()), "{arguments:?}");
        let arguments = Job { after: Some(After::Ok(7)), ..Job::sleeping("small", 2, 3, 2) }.arguments(8);
        assert!(arguments.contains(&"--gpus-per-node=2".to_owned()), "{arguments:?}");
        assert!(arguments.contains(&"--dependency=afterok:7".to_owned()), "{arguments:?}");
    }

    #[test]
    #[should_panic(expected = "12 GPUs do not fill whole nodes")]
    fn a_job_of_one_and_a_half_nodes_is_a_slip() {
        let arguments = Job::sleeping("odd", 12, 1, 1).arguments(8);
        panic!("{arguments:?}");
    }
}
