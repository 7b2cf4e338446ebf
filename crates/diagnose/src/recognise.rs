//! What a file is, by its first bytes: names say little, and people rename.

use crate::{devices, hang, kineto, pipeline, steps, xid};

/// The kinds of files that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A trace of PyTorch's profiler, as JSON.
    Kineto,
    /// Operations of pipeline-parallel training, as CSV; what comes in Parquet is made CSV before.
    PipelineOperations,
    /// Times of steps, worker by worker, likewise.
    StepTimes,
    /// The dump of PyTorch's flight recorder of one rank, as JSON or pickled.
    FlightRecorder,
    /// What `nvidia-smi -q -x` prints.
    NvidiaSmi,
    /// What `rocm-smi --json` prints.
    RocmSmi,
    /// Metrics in Prometheus' text format.
    Scrape,
    /// A kernel log.
    KernelLog,
}

impl FileKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Kineto,
        Self::PipelineOperations,
        Self::StepTimes,
        Self::FlightRecorder,
        Self::NvidiaSmi,
        Self::RocmSmi,
        Self::Scrape,
        Self::KernelLog,
    ];

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kineto => "kineto",
            Self::PipelineOperations => "pipeline-operations",
            Self::StepTimes => "step-times",
            Self::FlightRecorder => "flight-recorder",
            Self::NvidiaSmi => "nvidia-smi",
            Self::RocmSmi => "rocm-smi",
            Self::Scrape => "metrics",
            Self::KernelLog => "kernel-log",
        }
    }

    /// What it is, in words.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::Kineto => "traces of PyTorch's profiler: JSON with traceEvents",
            Self::PipelineOperations => {
                "operations of pipeline-parallel training: CSV or Parquet with dp_rank, stage, step, optype, ..."
            }
            Self::StepTimes => {
                "times of steps: CSV or Parquet with worker, step and step_time (or rank, iteration, batch_time, ...)"
            }
            Self::FlightRecorder => {
                "dumps of PyTorch's flight recorder, one of each rank: JSON or a pickle with entries and pg_config"
            }
            Self::NvidiaSmi => "lists of NVIDIA's devices: nvidia-smi -q -x",
            Self::RocmSmi => "lists of AMD's devices: rocm-smi -a --json",
            Self::Scrape => "metrics in Prometheus' text format, of DCGM's exporter",
            Self::KernelLog => "kernel logs: dmesg, journalctl -k, /dev/kmsg",
        }
    }
}

/// What a file is whose first bytes these are; some kilobytes suffice.
#[must_use]
pub fn recognise(head: &[u8]) -> Option<FileKind> {
    if hang::is_pickled_dump(head) {
        return Some(FileKind::FlightRecorder);
    }
    // A character may be cut at the end.
    let head = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&head[..error.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    let head = head.trim_start_matches('\u{feff}');
    let line = head.lines().next().unwrap_or_default();
    // Traces of jobs with NCCL name its version and their process groups, too.
    if kineto::is_trace(head) {
        return Some(FileKind::Kineto);
    }
    if hang::is_dump(head) {
        return Some(FileKind::FlightRecorder);
    }
    if pipeline::is_header(line) {
        return Some(FileKind::PipelineOperations);
    }
    if steps::is_header(line) {
        return Some(FileKind::StepTimes);
    }
    if devices::is_nvidia_smi(head) {
        return Some(FileKind::NvidiaSmi);
    }
    if devices::is_rocm_smi(head) {
        return Some(FileKind::RocmSmi);
    }
    if devices::is_scrape(head) {
        return Some(FileKind::Scrape);
    }
    xid::is_log(head).then_some(FileKind::KernelLog)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_their_beginning() {
        for (head, expected) in [
            (
                "\u{feff}dp_rank,stage,rank,step,optype,start_ts,duration,seq_id,mc,mb_id,gmc\r\n0,",
                Some(FileKind::PipelineOperations),
            ),
            (",worker,gpu,time,batch_time_norm\n0,0,25,1,476\n", Some(FileKind::StepTimes)),
            ("{\"version\": \"2.9\", \"pg_config\": {", Some(FileKind::FlightRecorder)),
            ("{\"entries\": [{\"record_id\": 1, \"collective_seq_id\": 7", Some(FileKind::FlightRecorder)),
            ("[    1.5] x\nNVRM: Xid (PCI:0000:01:00): 31", Some(FileKind::KernelLog)),
            (
                "<?xml version=\"1.0\" ?>\n<!DOCTYPE nvidia_smi_log SYSTEM \"x\">\n<nvidia_smi_log>",
                Some(FileKind::NvidiaSmi),
            ),
            ("{\"card0\": {\"GPU ID\": \"0x66a1\"", Some(FileKind::RocmSmi)),
            ("# HELP go_gc a\n# TYPE go_gc summary\n", Some(FileKind::Scrape)),
            ("dp_rank,stage\n", None),
            ("\n{\n  \"schemaVersion\": 1,\n", Some(FileKind::Kineto)),
            (
                "{\"schemaVersion\": 1, \"distributedInfo\": {\"nccl_version\": \"2.18\", \"pg_config\": []",
                Some(FileKind::Kineto),
            ),
            ("[{\"ph\": \"X\",", Some(FileKind::Kineto)),
            ("", None),
        ] {
            assert_eq!(recognise(head.as_bytes()), expected, "{head}");
        }
        assert_eq!(recognise(b"\xff\xfe"), None);
        assert_eq!(recognise(b"\x80\x02}q\x00(X\x09\x00\x00\x00pg_config"), Some(FileKind::FlightRecorder));
        assert_eq!(recognise(b"\x80\x02}q\x00(X\x05\x00\x00\x00model"), None);
        assert_eq!(recognise(b"NVRM: Xid (PCI:0000:01:00): 31, \xe2\x82"), Some(FileKind::KernelLog));
    }
}
