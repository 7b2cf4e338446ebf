//! The process of a rank, or of a neighbour that wants the processor; started by the rig, never by hand.

/// Runs what the rig asks for.
#[cfg(target_os = "linux")]
fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("rank"), None) => train_rig::rank::run(),
        (Some("hog"), Some(core)) => train_rig::hog::run(&core),
        _ => anyhow::bail!("this is started by the rig: `train-rig rank`, or `train-rig hog <core>`"),
    }
}

/// Says that there is nothing to run.
#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("the rig is for Linux: its faults are made by the kernel");
}
