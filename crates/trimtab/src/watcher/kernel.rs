//! The kernel log, as it is written. Where it cannot be read, that is told once, and all else goes on.

use std::path::Path;

use connect::machine::{KernelLog, Position};

use crate::failure::words;

/// So many records are taken at once; a machine that writes more each second is not told of faster.
const RECORDS_MAX: usize = 1_024;

/// The log.
pub(super) enum Kernel {
    Open(KernelLog),
    /// What is to be told of it.
    Closed(Option<String>),
}

impl Kernel {
    pub(super) fn open() -> Self {
        match KernelLog::open(Path::new("/"), Position::Now) {
            Ok(log) => Self::Open(log),
            Err(error) => Self::Closed(Some(format!(
                "the kernel log is not read ({}), so that no Xid of a GPU is seen as it comes: /dev/kmsg is for root, for whoever has CAP_SYSLOG, \
                 and for all where sysctl kernel.dmesg_restrict is 0",
                words(&error)
            ))),
        }
    }

    /// Hands over what was written since the last time.
    pub(super) fn hear(&mut self, each: &mut dyn FnMut(&str), notice: &mut dyn FnMut(&str)) {
        let closed = match self {
            Self::Open(log) => log.read(RECORDS_MAX, &mut |_, line| each(line)).err(),
            Self::Closed(text) => return text.take().iter().for_each(|text| notice(text)),
        };
        if let Some(error) = closed {
            notice(&format!("the kernel log is not read any more: {}", words(&error)));
            *self = Self::Closed(None);
        }
    }
}
