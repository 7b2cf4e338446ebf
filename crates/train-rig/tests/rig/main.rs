//! The rig itself: healthy runs, faults that bite and can be taken back, and that nothing is left behind.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "the helpers of tests panic as tests do")]

mod faults;
mod healthy;
mod leftover;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use train_rig::{Limit, Run, Shape, Start};

/// How long anything may take on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// One run at a time: two would be each other's fault.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A small run: three ranks, some 60 ms a step.
fn small() -> Shape {
    Shape {
        ranks: 3,
        device_forward_ms: 15.0,
        device_backward_ms: 30.0,
        host_forward_ms: 1.0,
        host_backward_ms: 1.0,
        prepare_ms: 2.0,
        batch_samples: 2,
        sample_bytes: 128 << 10,
        shard_samples: 16,
        read_bytes_per_s: 1 << 20,
        parameters: 100_000,
        checkpoint_bytes: 800_000,
        checkpoint_every: 10,
        write_bytes_per_s: 20 << 20,
        ..Shape::default()
    }
}

fn start(shape: &Shape, limit: Limit, steps_socket: Option<&Path>, folder: &Path) -> Run {
    let program = Path::new(env!("CARGO_BIN_EXE_train-rig"));
    Run::start(&Start { program, job: "test", shape, seed: 5, limit, steps_socket, folder }).unwrap()
}
